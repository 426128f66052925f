-- +goose Up

-- What did not get to a customer is looked for whenever a conversation is looked at.
create index chat_messages_failed on chat_messages (conversation, seq) where status = 'failed';

-- +goose Down
drop index chat_messages_failed;

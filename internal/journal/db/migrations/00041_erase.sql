-- +goose Up

-- By which a customer is found who is to be erased, in whatever channel.
create index chat_identities_external on chat_identities (external);
create index chat_inbox_customer on chat_inbox (customer);

-- +goose Up

alter table chat_outbox add column buttons text not null default ''; -- that go with the message, as JSON; empty: none
alter table chat_messages add column corrects bigint not null default 0; -- the message that it corrects; 0: none

-- +goose Up

-- The entry of the log by which an agent took the session last, as far as it was noted
-- who is responsible for the customer then (R60).
alter table chat_sessions add column taken bigint not null default 0;

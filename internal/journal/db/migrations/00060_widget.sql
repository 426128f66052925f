-- +goose Up

alter table chat_contacts add column details text not null default '{}'; -- what a customer told of themself, as JSON

-- What the server signs visitors' tokens with.
create table chat_keys (
	name text primary key,
	value {{bytes}} not null
);

-- +goose Up

-- By which address a channel's connector was told to bring events.
create table chat_announced (
	channel text primary key,
	address text not null
);

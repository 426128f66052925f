-- +goose Up

alter table chat_outbox add column parts bigint not null default 0; -- the other side has so many of those that one message makes
alter table chat_conversations add column blocked bigint not null default 0; -- 1: the customer lets no message through

-- Up to where a source of events that is asked for them has been read.
create table chat_positions (
	channel text not null,
	source text not null,
	position bigint not null,
	at bigint not null,
	primary key (channel, source)
);

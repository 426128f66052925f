-- +goose Up

alter table chat_sessions add column bot bigint not null default 0; -- 1: the channel's bot has it
alter table chat_sessions add column bot_state text not null default '';
alter table chat_sessions add column bot_answered bigint not null default 0; -- the message that the bot answered last
alter table chat_sessions add column to_channel text not null default ''; -- to whose queue the bot handed it over; empty: its own
alter table chat_sessions add column to_agent text not null default '';

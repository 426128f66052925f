-- How customers of chats were answered and what they thought of it (R78). The Go side
-- is rows.go of package journal; ratings are chat_ratings of the chats' own tables.
-- Chats of the time before have no answers here.

-- +goose Up

-- A time in which the customer of a chat waited for an answer: from their message, the
-- first since the answer before, until an agent wrote or the chat ended.
create table answers (
	interaction bigint not null,
	n bigint not null, -- 1: the first answer of the chat
	group_id text not null,
	agent_id text not null, -- who wrote it; of one that was never written, who had the chat at its end; empty: nobody
	asked bigint not null,
	ended bigint not null,
	asleep bigint not null, -- microseconds of it in which the chat waited for the channel to open
	outcome text not null, -- written; left: the chat ended without it
	primary key (interaction, n)
) {{clustered}};
create index answers_ended on answers (ended);
create index answers_agent on answers (agent_id, ended) where agent_id <> '';

-- Which chat a rating is of, and the ratings of a time.
create index interactions_chat on interactions (leg) where kind = 'chat';
create index chat_ratings_at on chat_ratings (at);

-- +goose Down
drop index chat_ratings_at;
drop index interactions_chat;
drop table answers;

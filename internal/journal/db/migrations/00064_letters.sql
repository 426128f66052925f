-- +goose Up

-- Transcripts that customers asked for by e-mail (R10): one of a session.
create table chat_letters (
	id {{identity}},
	session text not null unique references chat_sessions (id),
	conversation bigint not null references chat_conversations (id),
	seq bigint not null, -- the last message that is in it
	address text not null, -- empty once it is sent, or never will be
	language text not null,
	zone text not null, -- of its times
	message_id text not null unique, -- its Message-ID
	state text not null, -- waiting, trying, sent, failed
	attempts bigint not null,
	next bigint not null, -- not before; trying: since when
	reason text not null,
	made bigint not null
);
create index chat_letters_left on chat_letters (next) where state in ('waiting', 'trying');
create index chat_letters_conversation on chat_letters (conversation);

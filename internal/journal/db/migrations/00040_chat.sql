-- +goose Up

-- Who writes to us. One contact may be known by several identities, in several channels (R57).
create table chat_contacts (
	id {{identity}},
	name text not null,
	created bigint not null
);

create table chat_identities (
	id {{identity}},
	contact bigint not null references chat_contacts (id),
	channel text not null,
	external text not null,   -- the customer's name for the connector, which never changes
	verified bigint not null, -- 1: somebody vouches for it
	created bigint not null,
	unique (channel, external)
);
create index chat_identities_contact on chat_identities (contact);

-- The thread of one identity in one channel, for ever.
create table chat_conversations (
	id {{identity}},
	identity bigint not null unique references chat_identities (id),
	channel text not null,
	seq bigint not null,           -- of the last message; they are numbered from 1 without a gap
	read_customer bigint not null, -- up to here the customer has read
	read_agent bigint not null,
	created bigint not null
);

-- One enquiry in a conversation: an interaction of the core, whose customer's leg it names.
create table chat_sessions (
	id text primary key,
	conversation bigint not null references chat_conversations (id),
	first bigint not null, -- the message it began with
	opened bigint not null,
	closed bigint not null -- 0: open
);
create unique index chat_sessions_open on chat_sessions (conversation) where closed = 0;
create index chat_sessions_conversation on chat_sessions (conversation, first);

create table chat_messages (
	conversation bigint not null references chat_conversations (id),
	seq bigint not null,
	session text not null references chat_sessions (id),
	author text not null,
	name text not null, -- of the agent
	kind text not null,
	client text not null, -- the writer's own id of it
	body text not null,
	status text not null,
	rank bigint not null, -- of the status, which only rises
	reason text not null, -- why it failed
	at bigint not null,
	primary key (conversation, seq)
);
create unique index chat_messages_client on chat_messages (conversation, author, client) where client <> '';
create index chat_messages_session on chat_messages (session, seq);

-- What others call a message; some split one of ours into several.
create table chat_externals (
	channel text not null,
	external text not null,
	conversation bigint not null,
	seq bigint not null,
	primary key (channel, external),
	foreign key (conversation, seq) references chat_messages (conversation, seq)
);
create index chat_externals_message on chat_externals (conversation, seq);

create table chat_attachments (
	id text primary key, -- and the name of its file
	conversation bigint not null,
	seq bigint not null,
	name text not null,
	type text not null, -- found out by its bytes
	size bigint not null,
	foreign key (conversation, seq) references chat_messages (conversation, seq)
);
create index chat_attachments_message on chat_attachments (conversation, seq);

create table chat_consents (
	id {{identity}},
	conversation bigint not null references chat_conversations (id),
	version text not null, -- of the text
	at bigint not null,
	address text not null
);
create index chat_consents_conversation on chat_consents (conversation);

create table chat_ratings (
	session text not null references chat_sessions (id),
	who text not null, -- customer, or the name of the supervisor
	score bigint not null,
	comment text not null,
	at bigint not null,
	primary key (session, who)
);

-- What came in, as it came, before anything was made of it.
create table chat_inbox (
	id {{identity}},
	channel text not null,
	event text not null,    -- the sender's id of it
	customer text not null, -- whose events are dealt with one after another
	body {{bytes}} not null,
	received bigint not null,
	done bigint not null,   -- 0: not yet
	fault text not null,    -- why nothing came of it
	unique (channel, event)
);
create index chat_inbox_left on chat_inbox (id) where done = 0;

-- What is to go out.
create table chat_outbox (
	id {{identity}},
	channel text not null,
	conversation bigint not null,
	seq bigint not null,
	state text not null, -- waiting, trying, sent, failed
	attempts bigint not null,
	next bigint not null, -- not before
	unique (conversation, seq),
	foreign key (conversation, seq) references chat_messages (conversation, seq)
);
create index chat_outbox_left on chat_outbox (conversation, seq) where state in ('waiting', 'trying');

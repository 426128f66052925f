-- +goose Up

-- Who can sign in. An agent of the configuration has a row once they have a
-- password; their role is the configuration's.
create table users (
	name text primary key,
	agent bigint not null,    -- 1: the agent of that name
	role text not null,       -- of who is no agent
	password text not null,   -- Argon2id; empty: none
	once bigint not null,     -- 1: the password must be changed at the first sign-in
	disabled bigint not null, -- 1: cannot sign in
	created bigint not null,
	changed bigint not null   -- the password
);

create table sessions (
	id text primary key,
	name text not null references users (name) on delete cascade,
	token {{bytes}} not null unique, -- SHA-256
	previous {{bytes}},              -- the token before this one
	rotated bigint not null,
	created bigint not null,
	seen bigint not null,
	once bigint not null,
	address text not null,
	program text not null
);
create index sessions_name on sessions (name);
create index sessions_previous on sessions (previous);

create table api_keys (
	id text primary key,
	secret {{bytes}} not null, -- SHA-256
	title text not null,
	owner text not null,  -- whose rights bound those of the key; empty: the administrator's
	rights text not null, -- with blanks between
	groups text not null, -- likewise; empty: all
	created bigint not null,
	expires bigint not null, -- 0: never
	used bigint not null     -- to the minute; 0: never
);

create table audit (
	id {{identity}},
	at bigint not null,
	who text not null,
	agent text not null,
	address text not null,
	what text not null,
	target text not null,
	request text not null,
	before text not null, -- JSON; empty: nothing to tell
	after text not null
);
create index audit_at on audit (at);
create index audit_who on audit (who, id);

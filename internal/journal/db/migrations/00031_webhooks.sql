-- +goose Up

-- Who is sent events. Their secrets are here as they are: signatures are made with them.
create table webhooks (
	id text primary key,
	title text not null,
	url text not null,
	types text not null,            -- with blanks between; empty: all
	groups text not null,           -- likewise
	secret text not null,
	previous text not null,         -- the secret before this one; empty: none
	previous_until bigint not null, -- how long signatures are made with it, too
	cursor bigint not null,         -- the last event that was looked at
	created bigint not null,
	succeeded bigint not null,      -- the last delivery; 0: none yet
	disabled bigint not null,       -- since when; 0: it is sent events
	why text not null               -- it is disabled, in words
);

-- What is to be sent, was sent, or could not be.
create table webhook_deliveries (
	webhook text not null references webhooks (id) on delete cascade,
	event bigint not null,
	state text not null,      -- pending, delivered, failed
	attempts bigint not null, -- so far
	due bigint not null,      -- when it is tried next
	status bigint not null,   -- of the last answer; 0: none
	why text not null,        -- the last attempt failed, in words
	created bigint not null,
	tried bigint not null,    -- last; 0: never
	primary key (webhook, event)
) {{clustered}};
create index webhook_deliveries_due on webhook_deliveries (webhook, due) where state = 'pending';
create index webhook_deliveries_created on webhook_deliveries (created);

-- +goose Up

alter table chat_contacts add column responsible text not null default ''; -- the agent; empty: nobody yet (R58, R60)

-- By what a contact is known in any channel: somebody vouches for it (R57).
create table chat_vouched (
	kind text not null, -- phone or email
	value text not null,
	contact bigint not null references chat_contacts (id),
	primary key (kind, value)
);
create index chat_vouched_contact on chat_vouched (contact);

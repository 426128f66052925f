-- How carriers were.

-- +goose Up

-- A trunk was found in another state than before, or in its first since the node started.
create table trunk_states (
	log_index bigint primary key,
	trunk text not null,
	node text not null, -- which found it so
	at bigint not null,
	state text not null, -- up, down: asked; registered, unregistered
	why text not null -- in words, where it is not well
);
create index trunk_states_at on trunk_states (at);

-- What is counted ahead of time, from the record alone: an hour or a day of one
-- table of facts, as package stats encodes it. Whatever is here can be deleted: it is
-- made again.

-- +goose Up
create table rollups (
	source text not null, -- visits, offers, talks, transfers, legs, interactions, made, states
	span bigint not null, -- hours: 1 or 24
	at bigint not null, -- the beginning
	detail text not null, -- groups, agents: with agents, which are many
	version text not null, -- of the definitions by which it was counted
	claim bigint not null, -- of whoever is counting; 0: done
	reach bigint not null, -- of states, when the first of them began
	data {{bytes}} not null,
	primary key (source, span, at, detail)
);

-- +goose Down
drop table rollups;

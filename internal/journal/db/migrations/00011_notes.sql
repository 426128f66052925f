-- +goose Up

-- What agents wrote down about their talks. The text is here alone: the log and
-- the events have its id.
create table notes (
	id bigint primary key,
	interaction bigint not null,
	agent_id text not null,
	at bigint not null,
	by_user text not null, -- the account that wrote it
	text text not null -- at most 2,000 characters
);
create index notes_interaction on notes (interaction);

-- +goose Down
drop table notes;

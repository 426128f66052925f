-- +goose Up

-- How far the journal has followed the event log: one row, written in the same
-- transaction as the rows that follow from the entries up to it.
create table checkpoint (
	id bigint primary key check (id = 1),
	log_index bigint not null
);

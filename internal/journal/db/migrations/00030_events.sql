-- +goose Up

-- How far old events were removed. One row.
create table events_trimmed (
	id bigint primary key, -- 1
	up_to bigint not null  -- the id of the last event that is gone
);

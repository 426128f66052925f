-- +goose Up

-- Answers that a channel's agents have ready (R69, R70).
create table chat_canned (
	id {{identity}},
	channel text not null,
	grp text not null, -- of the list; empty: none
	body text not null,
	saved_by text not null,
	at bigint not null,
	unique (channel, grp, body)
);

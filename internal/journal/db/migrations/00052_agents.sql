-- What reports about a few agents look up: these rows are one in thousands of those
-- of their time. Offers, talks and states have such indexes since 00010.

-- +goose Up
create index visits_agent on visits (agent_id, left_at) where agent_id <> '';
create index legs_agent on legs (agent_id, ended) where agent_id <> '';
create index transfers_agent on transfers (by_agent, at) where by_agent <> '';
create index interactions_agent on interactions (by_agent, ended) where by_agent <> '' and ended is not null;
create index interactions_made on interactions (caller_agent, ended) where caller_agent <> '' and ended is not null;

-- +goose Down
drop index visits_agent;
drop index legs_agent;
drop index transfers_agent;
drop index interactions_agent;
drop index interactions_made;

-- What reports look up by time.

-- +goose Up
create index interactions_ended on interactions (ended);
create index legs_ended on legs (ended);
create index transfers_at on transfers (at);
-- All that is read of an agent's states, so that the table itself need not be.
create index agent_states_report on agent_states (ended, began, group_id, agent_id, status);
drop index agent_states_ended;

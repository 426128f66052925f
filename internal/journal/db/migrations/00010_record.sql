-- The record: facts as they happened. Whatever can be computed from them is not
-- here, so that a definition may change afterwards. The Go side is rows.go of
-- package journal.
--
-- Times are microseconds since 1970 in UTC; null: it never happened, or not yet.
-- Lists that may grow (end_reason, outcome, via, kind, status) are the core's names,
-- docs/adr/0006 and acd/status.go.

-- +goose Up

-- How far the journal has followed the event log: one row, written in the same
-- transaction as the rows that follow from the entries up to it.
create table checkpoint (
	id bigint primary key check (id = 1),
	log_index bigint not null,
	at bigint not null, -- time of that entry
	node text not null -- who wrote it
);

-- From where the log is read again after a restart, as the journal wrote it down
-- itself: at or before the checkpoint.
create table replica (
	id bigint primary key check (id = 1),
	log_index bigint not null,
	data {{bytes}} not null
);

-- Entries of the log that never came to be rows, since they were gone before the
-- database could take them.
create table gaps (
	from_index bigint primary key,
	to_index bigint not null,
	from_at bigint not null,
	to_at bigint not null
);

-- A call or chat, from its arrival on. The id is the index of the log entry by
-- which it arrived, so that ids are in order of arrival.
create table interactions (
	id bigint primary key,
	kind text not null, -- call, chat
	direction text not null, -- in; out: an agent calls a number outside; internal: an agent calls a colleague or a group
	channel text not null, -- of a chat
	trunk text not null, -- by which it came
	number text not null, -- called: E.164, or an extension
	caller text not null, -- number, or the customer's identity in the channel; empty: withheld
	caller_name text not null,
	caller_agent text not null, -- who calls, of our own
	first_group text not null,
	last_group text not null,
	arrived bigint not null,
	answered bigint, -- by whoever had it first: an agent, or a number outside
	ended bigint,
	end_reason text not null, -- of the closed list; empty: not ended
	class text not null, -- of a failure or rejection
	by_agent text not null, -- who had it last
	by_number text not null, -- outside, who had it last
	node text not null, -- of the caller's leg
	leg text not null, -- the caller's
	unanswered boolean not null -- a chat that was so for too long
);
create index interactions_arrived on interactions (arrived);
create index interactions_first_group on interactions (first_group, arrived);
create index interactions_last_group on interactions (last_group, arrived);
create index interactions_caller on interactions (caller, arrived);
create index interactions_number on interactions (number, arrived);
create index interactions_open on interactions (id) where ended is null;

-- A time in which the interaction waited for a group, from its entering until an
-- agent answered or it left in another way. Calls of agents to colleagues and to
-- numbers outside wait for no group.
create table visits (
	interaction bigint not null,
	n bigint not null, -- from 1
	group_id text not null,
	via text not null, -- how it came: arrived, overflow, transfer, moved, requeue
	entered bigint not null,
	left_at bigint not null,
	outcome text not null, -- answered, overflow, moved, forwarded, or the interaction's end_reason
	agent_id text not null, -- who answered
	position bigint, -- when it came to wait: 1 is the next; null: it never waited
	promised bigint, -- when it was to be answered, as it could be told when it came to wait
	primary key (interaction, n)
) {{clustered}};
create index visits_group on visits (group_id, left_at);
create index visits_left on visits (left_at);

-- An offer, written down when it ended.
create table offers (
	id bigint primary key,
	interaction bigint not null,
	group_id text not null, -- empty: of a call that is in no group
	agent_id text not null, -- empty: a number outside
	number text not null, -- outside
	kind text not null, -- offer, pickup, transfer, consult, direct, forward, kept (rows.go)
	made bigint not null,
	ringing bigint, -- when the first phone rang
	ended bigint not null,
	outcome text not null,
	why text not null, -- in words
	code bigint not null -- SIP status; 0: none
);
create index offers_interaction on offers (interaction);
create index offers_agent on offers (agent_id, ended);
create index offers_ended on offers (ended);

-- A time in which an agent, or a number outside, had the interaction. It is
-- written down when it ended; wrapped and disposition follow.
create table talks (
	interaction bigint not null,
	n bigint not null, -- from 1
	group_id text not null, -- empty: of a call that is in no group
	agent_id text not null, -- empty: a number outside
	number text not null, -- outside
	via text not null, -- the kind of the offer by which they came to it
	began bigint not null,
	ended bigint not null,
	held bigint not null, -- microseconds in all on hold or aside during a consultation
	holds bigint not null, -- how often
	wrap_up bigint, -- when their work after it began; null: none
	wrapped bigint, -- when it ended
	disposition text not null,
	note bigint, -- id of what the agent wrote down about it
	primary key (interaction, n)
) {{clustered}};
create index talks_agent on talks (agent_id, ended);
create index talks_ended on talks (ended);

-- A time in which the customer was on hold.
create table holds (
	interaction bigint not null,
	n bigint not null, -- from 1
	talk bigint not null, -- n of the talk
	kind text not null, -- hold; consult: the agent talked to a colleague meanwhile
	began bigint not null,
	ended bigint not null,
	primary key (interaction, n)
) {{clustered}};

-- What was done to have somebody else deal with it, in order.
create table transfers (
	interaction bigint not null,
	n bigint not null, -- from 1
	at bigint not null,
	kind text not null, -- blind, attended, consult, joined, moved, parked
	by_agent text not null, -- who did it; for moved the supervisor
	target text not null, -- agent, group, number or parking slot
	outcome text not null, -- done, failed, refused, returned, over, left: what became of it
	why text not null, -- in words
	primary key (interaction, n)
) {{clustered}};

-- The end of a leg and how its audio was, as acd.MediaFigures has it.
create table legs (
	interaction bigint not null,
	leg text not null,
	agent_id text not null, -- empty: the customer, or a number outside
	number text not null, -- outside
	ended bigint not null,
	cause text not null,
	code bigint not null, -- SIP status or Q.850 cause; 0: none
	codec text not null,
	srtp text not null, -- suite; empty: not encrypted
	in_packets bigint not null,
	in_expected bigint not null,
	in_lost bigint not null,
	in_jitter_mean bigint not null, -- microseconds
	in_jitter_max bigint not null,
	in_mos bigint not null, -- hundredths; 0: unknown
	out_packets bigint not null,
	out_expected bigint not null,
	out_lost bigint not null,
	out_jitter_mean bigint not null,
	out_jitter_max bigint not null,
	out_mos bigint not null,
	round_trip bigint not null, -- microseconds
	discarded bigint not null,
	primary key (interaction, leg)
) {{clustered}};

-- The story of an interaction that has ended: its steps with their reasons, as a
-- JSON array of acd.Step.
create table decisions (
	interaction bigint primary key,
	steps text not null,
	omitted bigint not null -- steps left out of the middle of a very long story
);

-- A time in which an agent was in a state, or in a group's seat in another state
-- than logged in. It is written down when it ended.
create table agent_states (
	agent_id text not null,
	group_id text not null, -- empty: the agent's status; else: of the seat
	began bigint not null,
	ended bigint not null,
	status text not null,
	reason text not null, -- in words
	log_index bigint not null, -- of the entry that ended it
	primary key (agent_id, group_id, began, log_index)
) {{clustered}};
create index agent_states_ended on agent_states (ended);

-- What the event stream and webhooks tell, in order. The id is log index × 100000 + n.
create table events (
	id bigint primary key,
	at bigint not null,
	type text not null,
	group_id text not null,
	agent_id text not null,
	interaction bigint not null, -- 0: none
	data text not null -- JSON
);
create index events_at on events (at);

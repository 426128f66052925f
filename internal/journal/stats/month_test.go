package stats_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"centrala/internal/journal/db"
)

// month is a month of calls, made up by the database itself from the numbers of the
// calls: nine in ten of them between 7 and 19 UTC and nine in ten answered, groups of
// twenty agents who serve two groups each, one or two numbers for each group. Waits
// and talks are of whole microseconds, hardly two alike.
type month struct {
	calls, agents, groups int64
	from, till            time.Time
}

const days31 = 31

func monthOf(calls int64) month {
	m := month{calls: calls, from: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}
	m.till = m.from.AddDate(0, 0, days31)
	m.agents = max(10, calls/2500)
	m.groups = max(5, m.agents/20)
	return m
}

// spread are the common table expressions of calls first to last: d has a row for each.
func (m month) spread(postgres bool, first, last int64) string {
	series := fmt.Sprintf("s(k) as (select cast(%d as bigint) union all select k + 1 from s where k < %d)", first, last)
	if postgres {
		series = fmt.Sprintf("s(k) as (select cast(k as bigint) from generate_series(%d, %d) as x(k))", first, last)
	}
	day := max(20, m.calls/days31+1) // calls of a day
	night, noon := day/20, day-day/20*2
	per := max(1, m.agents/m.groups)
	const hour = 3_600_000_000
	return fmt.Sprintf(`with recursive %s,
		c as (select k, k / %[2]d as day, k %% %[2]d as p, k * 2654435761 %% 4294967296 as h, (k * 1103515245 + 12345) %% 2147483648 as g from s),
		b as (select k, %[3]d + day * %[4]d + case when p < %[5]d then p * %[6]d / %[5]d when p < %[5]d + %[7]d then %[6]d + (p - %[5]d) * %[8]d / %[7]d
				else %[9]d + (p - %[5]d - %[7]d) * %[10]d / %[11]d end as arrived,
			h / 16 %% %[12]d as grp, h / 65536 %% 10000 as w, h %% 1000 as odd, g / 8 %% %[13]d as a, g / 64 %% 300 as t, g %% 1000000 as u from c),
		d as (select k + 1 as id, k, arrived, arrived + w * w + odd as decided, k %% 10 <> 0 as taken, arrived + w * w + odd + case when k %% 10 <> 0 then (60 + t) * 1000000 + u else 0 end as over,
			'group' || cast(1000 + grp as text) as group_id, 'agent' || cast(10000 + (grp * %[14]d + a) %% %[15]d as text) as agent_id,
			'agent' || cast(10000 + (grp * %[14]d + a + 1) %% %[15]d as text) as other_id,
			'+4822' || cast(1000000 + grp * 2 + case when u %% 3 = 0 then 1 else 0 end as text) as number, 'carrier' || cast(grp %% 3 as text) as trunk from b)
		`, series, day, m.from.UnixMicro(), int64(24*hour), night, int64(7*hour), noon, int64(12*hour), int64(19*hour), int64(5*hour), day-night-noon,
		m.groups, 2*per, per, m.agents)
}

// load fills the tables of the record that reports read. Indexes are dropped
// meanwhile; those of interactions that reports do not use are not made again.
func (m month) load(t testing.TB, d *db.DB) {
	t.Helper()
	exec := func(text string) {
		t.Helper()
		err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), text); return err })
		if err != nil {
			t.Fatal(err, text)
		}
	}
	for _, index := range []string{
		"interactions_arrived", "interactions_first_group", "interactions_last_group", "interactions_caller", "interactions_number", "interactions_open",
		"interactions_ended", "visits_group", "visits_left", "offers_interaction", "offers_agent", "offers_ended", "talks_agent", "talks_ended",
		"legs_ended", "transfers_at", "agent_states_report",
		"visits_agent", "legs_agent", "transfers_agent", "interactions_agent", "interactions_made",
	} {
		exec("drop index if exists " + index)
	}
	const step = 200_000
	for first := int64(0); first < m.calls; first += step {
		from := m.spread(d.Postgres(), first, min(m.calls, first+step)-1)
		for _, rows := range []string{
			`interactions (id, kind, direction, channel, trunk, number, caller, caller_name, caller_agent, first_group, last_group, arrived, answered, ended,
				end_reason, class, by_agent, by_number, node, leg, unanswered) FROM select id, 'call', 'in', '', trunk, number, '+48501' || cast(k % 1000000 as text), '', '', group_id, group_id,
				arrived, case when taken then decided end, over, case when taken then 'completed_by_caller' else 'abandoned_waiting' end, '', case when taken then agent_id else '' end,
				'', 'n1', 'c' || cast(k as text), (1 = 0) from d`,
			`visits (interaction, n, group_id, via, entered, left_at, outcome, agent_id, position, promised) FROM select id, 1, group_id, 'arrived', arrived, decided,
				case when taken then 'answered' else 'abandoned_waiting' end, case when taken then agent_id else '' end, 1, case when k % 4 = 0 then arrived + 30000000 end from d`,
			`offers (id, interaction, group_id, agent_id, number, kind, made, ringing, ended, outcome, why, code) FROM select id * 2, id, group_id, agent_id, '', 'offer', arrived + (decided - arrived) / 2,
				null, decided, case when taken then 'answered' else 'withdrawn' end, '', 0 from d`,
			`offers (id, interaction, group_id, agent_id, number, kind, made, ringing, ended, outcome, why, code) FROM select id * 2 + 1, id, group_id, other_id, '', 'offer', arrived,
				null, arrived + (decided - arrived) / 2, 'no_answer', '', 480 from d where k % 5 = 0`,
			`talks (interaction, n, group_id, agent_id, number, via, began, ended, held, holds, wrap_up, wrapped, disposition, note) FROM select id, 1, group_id, agent_id, '', 'offer', decided, over,
				case when k % 7 = 0 then 5000000 else 0 end, case when k % 7 = 0 then 1 else 0 end, over, over + 15000000, '', null from d where taken`,
			`transfers (interaction, n, at, kind, by_agent, target, outcome, why) FROM select id, 1, over, 'blind', agent_id, 'group', 'done', '' from d where taken and k % 50 = 1`,
			`legs (interaction, leg, agent_id, number, ended, cause, code, codec, srtp, in_packets, in_expected, in_lost, in_jitter_mean, in_jitter_max, in_mos,
				out_packets, out_expected, out_lost, out_jitter_mean, out_jitter_max, out_mos, round_trip, discarded) FROM select id, x.leg, case when x.leg = 'b' then agent_id else '' end, '', over, 'hangup', 0, 'PCMA', '',
				(over - decided) / 20000, (over - decided) / 20000 + k % 3, k % 3, 100, 200, 400 + k % 40, 0, 0, 0, 0, 0, 0, 0, 0 from d cross join (select 'a' as leg union all select 'b') x where taken`,
		} {
			table, rest, _ := strings.Cut(rows, " FROM ")
			if d.Postgres() {
				exec("insert into " + table + " " + from + rest)
			} else {
				exec(from + "insert into " + table + " " + rest)
			}
		}
	}
	m.states(exec, d.Postgres())
	for _, index := range []string{
		"interactions_ended on interactions (ended)", "visits_left on visits (left_at)", "offers_ended on offers (ended)", "talks_ended on talks (ended)",
		"legs_ended on legs (ended)", "transfers_at on transfers (at)", "agent_states_report on agent_states (ended, began, group_id, agent_id, status)",
		"offers_agent on offers (agent_id, ended)", "talks_agent on talks (agent_id, ended)", "visits_agent on visits (agent_id, left_at) where agent_id <> ''",
		"legs_agent on legs (agent_id, ended) where agent_id <> ''", "transfers_agent on transfers (by_agent, at) where by_agent <> ''",
		"interactions_agent on interactions (by_agent, ended) where by_agent <> '' and ended is not null", "interactions_made on interactions (caller_agent, ended) where caller_agent <> '' and ended is not null",
	} {
		exec("create index " + index)
	}
	exec("analyze")
}

// states gives each agent a shift of twelve hours a day, of rings, talks, wrap-ups and
// times between them, one after the other.
func (m month) states(exec func(string), postgres bool) {
	cycles := max(1, m.calls*9/10/m.agents/days31) // a day
	cycle := 12 * 3600 * 1_000_000 / cycles
	for agent := int64(0); agent < m.agents; agent += 50 {
		first, last := int64(0), min(50, m.agents-agent)*days31*cycles*4-1
		series := fmt.Sprintf("with recursive s(k) as (select cast(%d as bigint) union all select k + 1 from s where k < %d)", first, last)
		if postgres {
			series = fmt.Sprintf("with s(k) as (select cast(k as bigint) from generate_series(%d, %d) as x(k))", first, last)
		}
		into := "insert into agent_states (agent_id, group_id, began, ended, status, reason, log_index) "
		text := fmt.Sprintf(`,
			c as (select k, %[1]d + k / %[2]d as a, k / %[3]d %% %[4]d as day, k / 4 %% %[5]d as n, k %% 4 as st from s),
			b as (select k, a, st, %[6]d + day * 86400000000 + 25200000000 + n * %[7]d as began from c)
			`,
			agent, days31*cycles*4, cycles*4, days31, cycles, m.from.UnixMicro(), cycle)
		rows := fmt.Sprintf(`select 'agent' || cast(10000 + a as text), '', began + case st when 0 then 0 when 1 then 10000000 when 2 then %[1]d else %[1]d + 15000000 end + a,
				began + case st when 0 then 10000000 when 1 then %[1]d when 2 then %[1]d + 15000000 else %[2]d end + a,
				case st when 0 then 'ringing' when 1 then 'talking' when 2 then 'wrap_up' else 'available' end, '', k from b`, cycle/2, cycle)
		if postgres {
			exec(into + series + text + rows)
		} else {
			exec(series + text + into + rows)
		}
	}
}

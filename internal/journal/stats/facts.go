package stats

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"centrala/acd"
	"centrala/internal/journal"
)

// fact is a table of facts: which of its columns says what.
type fact struct {
	name         string // the table, by the alias f
	decided      string // when it counts
	group, agent string
	where        string
	ofCall       bool // it is the table of interactions itself
	// join follows the table and joins all that is needed of the interaction, of which
	// columns are in place; empty: it is i, found by the row's column interaction.
	join    string
	columns map[string]string
}

// fold is a sum and the SQL of what is added up to it.
type fold struct {
	sum sum
	sql string
}

// count counts the rows for which a condition holds.
func count(s sum, condition string) fold {
	return fold{s, "sum(case when " + condition + " then 1 else 0 end)"}
}

// total adds a value up over the rows for which a condition holds.
func total(s sum, value, condition string) fold {
	return fold{s, "sum(case when " + condition + " then " + value + " else 0 end)"}
}

// most is the greatest value of the rows for which a condition holds, or 0.
func most(s sum, value, condition string) fold {
	return fold{s, "max(case when " + condition + " then " + value + " else 0 end)"}
}

// statement is an SQL statement in the making.
type statement struct {
	keys  []string
	where []string
	joins bool // the interactions are needed
	outer bool // also where there are none
	args  []any
	f     fact
}

// begin begins a statement over the facts of a range of time, with the conditions
// and keys of the query.
func (r *running) begin(f fact, in span) *statement {
	s := &statement{f: f}
	at := f.decided
	if r.q.Cohort == Arrived {
		at = s.call("arrived")
	}
	if r.q.Cohort == Arrived && f.join != "" { // nothing is decided of a chat before it arrived
		s.and("%s >= %d", f.decided, in.from)
	}
	s.and("%s >= %d and %s < %d", at, in.from, at, in.till)
	if f.where != "" {
		s.and("%s", f.where)
	}
	for _, d := range r.q.By {
		s.by(r, d, at)
	}
	only(s, f.group, r.q.Groups)
	only(s, f.agent, r.q.Agents)
	if r.q.Agents != nil && !slices.Contains(r.q.Agents, "") {
		s.and("%s <> ''", f.agent) // as the indexes by agent say
	}
	if r.q.Numbers != nil {
		only(s, s.call("number"), r.q.Numbers)
	}
	if r.q.Trunks != nil {
		only(s, s.call("trunk"), r.q.Trunks)
	}
	if r.q.Channels != nil {
		only(s, s.call("channel"), r.q.Channels)
	}
	if r.q.Kind != "" {
		only(s, s.call("kind"), []string{r.q.Kind})
	}
	if r.q.Way != "" {
		only(s, s.call("direction"), []string{r.q.Way})
	}
	return s
}

// by adds a part of the key. What has none of the dimension, as a call that is in
// no group, is in no line.
func (s *statement) by(r *running, d Dimension, at string) {
	var column string
	switch d {
	case ByGroup:
		column = s.f.group
	case ByAgent:
		column = s.f.agent
	case ByNumber:
		column = s.call("number")
		s.and("%s = '%s'", s.call("direction"), journal.DirectionIn)
	case ByTrunk:
		column = s.call("trunk")
	case ByChannel:
		column = s.call("channel")
	case ByHour, ByWeekday, ByDay, ByInterval:
		s.keys = append(s.keys, r.key(d, at))
		return
	}
	s.keys = append(s.keys, column)
	s.and("%s <> ''", column)
}

// call is a column of the interaction.
func (s *statement) call(column string) string {
	if s.f.ofCall {
		return "f." + column
	}
	if instead := s.f.columns[column]; instead != "" {
		return instead
	}
	s.joins = true
	return "i." + column
}

func (s *statement) and(format string, args ...any) {
	s.where = append(s.where, fmt.Sprintf(format, args...))
}

// arg adds a value and returns its place.
func (s *statement) arg(v string) string {
	s.args = append(s.args, v)
	return fmt.Sprintf("$%d", len(s.args))
}

// only narrows a column to the members of a list; nil: it may be anything.
func only[T ~string](s *statement, column string, list []T) {
	if list == nil {
		return
	}
	if len(list) == 0 {
		s.and("1 = 0")
		return
	}
	places := make([]string, len(list))
	for k, v := range list {
		places[k] = s.arg(string(v))
	}
	s.and("%s in (%s)", column, strings.Join(places, ", "))
}

// from is the tables and the conditions.
func (s *statement) from() string {
	from := " from " + s.f.name + " f" + s.f.join
	if s.f.join == "" && s.joins {
		if s.outer {
			from += " left"
		}
		from += " join interactions i on i.id = f.interaction"
	}
	return from + " where " + strings.Join(s.where, " and ")
}

// run adds up, by key, and hands each row on.
func (r *running) run(s *statement, folds []fold, row func(key []cell, values []int64) error) error {
	keys := len(s.keys)
	columns := append([]string(nil), s.keys...)
	for _, f := range folds {
		columns = append(columns, "cast(coalesce("+f.sql+", 0) as bigint)")
	}
	text := "select " + strings.Join(columns, ", ") + s.from()
	for k := range keys {
		if k == 0 {
			text += " group by 1"
		} else {
			text += fmt.Sprintf(", %d", k+1)
		}
	}
	rows, err := r.db.Read().QueryContext(r.ctx, text, s.args...)
	if err != nil {
		return fmt.Errorf("stats: %s: %w", s.f.name, err)
	}
	defer rows.Close()
	values := make([]int64, len(folds))
	for rows.Next() {
		key := make([]cell, keys)
		if err := scan(rows, key, values); err != nil {
			return err
		}
		if err := row(key, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scan reads a row: a key, and numbers.
func scan(rows *sql.Rows, key []cell, values []int64) error {
	raw := make([]any, len(key))
	into := make([]any, 0, len(key)+len(values))
	for k := range key {
		into = append(into, &raw[k])
	}
	for k := range values {
		into = append(into, &values[k])
	}
	if err := rows.Scan(into...); err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	for k, v := range raw {
		switch v := v.(type) {
		case int64:
			key[k].number = v
		case string:
			key[k].name = v
		case []byte:
			key[k].name = string(v)
		default:
			return fmt.Errorf("stats: a key of type %T", v)
		}
	}
	return nil
}

// addUp adds up the facts of a range of time; each row is a line.
func (r *running) addUp(t *table, in span) error {
	s := r.begin(t.fact, in)
	if strings.HasPrefix(t.fact.group, "i.") && (r.q.Groups != nil || r.q.has(ByGroup)) {
		s.joins = true
	}
	return r.run(s, t.folds, func(key []cell, values []int64) error {
		l, err := r.line(key)
		if err != nil {
			return err
		}
		for k, f := range t.folds {
			l.sums.add(f.sum, values[k])
		}
		return nil
	})
}

// table is a table of facts and what is added up of it.
type table struct {
	of     source
	rollup journal.Rollup
	fact   fact
	folds  []fold
	// single is which waits are kept one by one, of two kinds, and took how long each was.
	single [2]listed
	took   string
}

// listed are waits that are kept one by one: those for which a condition holds.
type listed struct {
	condition string
	rank      series // of which percentiles are told; unranked: of none
}

// tables are those whose sums need nothing but their rows.
func tables() []table {
	return []table{offersTable(), talksTable(), transfersTable(), legsTable(), interactionsTable(), madeTable(), ratingsTable()}
}

// waitTables are those of waits, which groups have measures for.
func waitTables() []table { return []table{visitsTable(), answersTable()} }

func offersTable() table {
	outcomes := func(s sum, outcome string) fold { return count(s, "f.outcome = '"+outcome+"'") }
	return table{of: fromOffers, rollup: journal.RollupOffers, fact: fact{
		name: "offers", decided: "f.ended", group: "f.group_id", agent: "f.agent_id", where: "f.agent_id <> ''",
	}, folds: []fold{
		outcomes(offersAnswered, "answered"), outcomes(offersDeclined, "declined"), outcomes(offersBusy, "busy"),
		outcomes(offersNoAnswer, "no_answer"), outcomes(offersUnreached, "unreachable"), outcomes(offersLostRace, "lost_race"),
		outcomes(offersWithdrawn, "withdrawn"), total(offersSpeed, "f.ended - f.made", "f.outcome = 'answered'"),
	}}
}

func talksTable() table {
	return table{of: fromTalks, rollup: journal.RollupTalks, fact: fact{
		name: "talks", decided: "f.ended", group: "f.group_id", agent: "f.agent_id", where: "f.agent_id <> ''",
	}, folds: []fold{
		{talksAll, "count(*)"}, {talkTime, "sum(f.ended - f.began - f.held)"}, {holdTime, "sum(f.held)"}, {holds, "sum(f.holds)"},
		total(wrapTime, "f.wrapped - f.wrap_up", "f.wrap_up is not null and f.wrapped is not null"),
		{talkMax, "max(f.ended - f.began)"},
	}}
}

func transfersTable() table {
	done := func(kinds string) string { return "f.kind in (" + kinds + ") and f.outcome = 'done'" }
	return table{of: fromTransfers, rollup: journal.RollupTransfers, fact: fact{
		name: "transfers", decided: "f.at", agent: "f.by_agent",
		// The group is that of the talk during which it was done, or of the wait that it ended.
		group: `coalesce((select max(t.group_id) from talks t where t.interaction = f.interaction and t.agent_id = f.by_agent
			and t.began <= f.at and t.ended >= f.at),
			(select max(v.group_id) from visits v where v.interaction = f.interaction and v.left_at = f.at), '')`,
	}, folds: []fold{
		count(movedBlind, done("'blind'")), count(movedAttended, done("'attended', 'joined'")),
		count(movedFailed, "f.kind in ('blind', 'attended', 'joined') and f.outcome in ('failed', 'refused')"),
		count(consulted, "f.kind = 'consult' and f.outcome <> 'refused'"), count(movedBySuper, "f.kind = 'moved'"),
		count(parkings, "f.kind = 'parked' and f.outcome <> 'refused'"),
	}}
}

// legsTable adds up how the audio was. The group is the last one of the call.
func legsTable() table {
	return table{of: fromLegs, rollup: journal.RollupLegs, fact: fact{
		name: "legs", decided: "f.ended", group: "i.last_group", agent: "f.agent_id", where: "f.codec <> ''",
	}, folds: []fold{
		{legsAll, "count(*)"}, {packetsExpected, "sum(f.in_expected)"}, {packetsLost, "sum(f.in_lost)"},
		count(mosLegs, "f.in_mos > 0"), {mosSum, "sum(f.in_mos)"},
		{mosMin, "min(case when f.in_mos > 0 then f.in_mos end)"},
	}}
}

func interactionsTable() table {
	return table{of: fromInteractions, rollup: journal.RollupInteractions, fact: fact{
		name: "interactions", decided: "f.ended", group: "f.last_group", agent: "f.by_agent", where: "f.ended is not null", ofCall: true,
	}, folds: []fold{
		{endedAll, "count(*)"}, count(endedUnanswered, "f.answered is null"), count(endedChats, "f.kind = '"+journal.KindChat+"'"),
		count(chatsUnanswered, "f.unanswered and f.kind = '"+journal.KindChat+"'"),
	}}
}

// madeTable adds up the calls that agents made themselves.
func madeTable() table {
	return table{of: fromMade, rollup: journal.RollupMade, fact: fact{
		name: "interactions", decided: "f.ended", group: "f.last_group", agent: "f.caller_agent",
		where: "f.ended is not null and f.caller_agent <> ''", ofCall: true,
	}, folds: []fold{
		{callsMade, "count(*)"}, count(callsReached, "f.answered is not null"),
		total(callsMadeTime, "f.ended - f.answered", "f.answered is not null"),
	}}
}

// ratingsTable adds up what was thought of chats. Rows are of the chats' own tables;
// they tell their interaction by the name of the customer's end, the latest of that
// name: the core may have been told of a chat anew after it lost it. The group and the
// agent are the last ones. Of a chat that a bot had to its end the core was never told:
// it is its channel's, and nobody's.
func ratingsTable() table {
	customer, chat := "f.who = 'customer'", "'"+journal.KindChat+"'"
	return table{of: fromRatings, rollup: journal.RollupRatings, fact: fact{
		name: "chat_ratings", decided: "f.at", group: "coalesce(i.last_group, '" + string(acd.ChannelGroup("")) + "' || c.channel)", agent: "coalesce(i.by_agent, '')",
		join: " join chat_sessions s on s.id = f.session join chat_conversations c on c.id = s.conversation left join interactions i on i.kind = " + chat +
			" and i.leg = f.session and not exists (select 1 from interactions x where x.kind = " + chat + " and x.leg = f.session and x.id > i.id)",
		where: "(i.id is not null or s.bot = 1 and s.closed <> 0)",
		columns: map[string]string{
			"arrived": "coalesce(i.arrived, s.opened)", "number": "''", "trunk": "''", "channel": "coalesce(i.channel, c.channel)",
			"kind": chat, "direction": "'" + journal.DirectionIn + "'",
		},
	}, folds: []fold{
		count(customerRatings, customer), total(customerScores, "f.score * 100", customer),
		count(superRatings, "not "+customer), total(superScores, "f.score * 100", "not "+customer),
	}}
}

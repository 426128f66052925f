package journal

import "strings"

// A table is where rows of a kind go: its columns, in the order of values.
type table[R any] struct {
	name    string
	columns []string
	values  func(*R) []any
	// conflict is what happens to a row that is there already; empty: it is an error.
	conflict string
}

// update is a conflict that takes the values of the later row.
func update(key string, columns ...string) string {
	for k, c := range columns {
		columns[k] = c + " = excluded." + c
	}
	return " on conflict (" + key + ") do update set " + strings.Join(columns, ", ")
}

// null is 0 as null.
func null[N ~int | ~int64](n N) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

func interactionsTable() table[Interaction] {
	return table[Interaction]{name: "interactions", columns: []string{
		"id", "kind", "direction", "channel", "trunk", "number", "caller", "caller_name", "caller_agent", "first_group", "last_group",
		"arrived", "answered", "ended", "end_reason", "class", "by_agent", "by_number", "node", "leg", "unanswered",
	}, values: func(r *Interaction) []any {
		return []any{
			int64(r.ID), r.Kind, r.Direction, string(r.Channel), string(r.Trunk), r.Number, r.Caller, r.CallerName, string(r.CallerAgent),
			string(r.FirstGroup), string(r.LastGroup), int64(r.Arrived), null(r.Answered), null(r.Ended), string(r.End), r.Class,
			string(r.ByAgent), r.ByNumber, string(r.Node), string(r.Leg), r.Unanswered,
		}
	}, conflict: update("id", "first_group", "last_group", "answered", "ended", "end_reason", "class", "by_agent", "by_number", "node", "leg", "unanswered")}
}

func visitsTable() table[Visit] {
	return table[Visit]{name: "visits", columns: []string{
		"interaction", "n", "group_id", "via", "entered", "left_at", "outcome", "agent_id", "position", "promised",
	}, values: func(r *Visit) []any {
		return []any{
			int64(r.Interaction), int64(r.N), string(r.Group), r.Via, int64(r.Entered), int64(r.Left), r.Outcome, string(r.Agent),
			null(r.Position), null(r.Promised),
		}
	}}
}

func offersTable() table[Offer] {
	return table[Offer]{name: "offers", columns: []string{
		"id", "interaction", "group_id", "agent_id", "number", "kind", "made", "ringing", "ended", "outcome", "why", "code",
	}, values: func(r *Offer) []any {
		return []any{
			int64(r.ID), int64(r.Interaction), string(r.Group), string(r.Agent), r.Number, r.Kind, int64(r.Made), null(r.Ringing),
			int64(r.Ended), string(r.Outcome), r.Why, int64(r.Code),
		}
	}}
}

func talksTable() table[Talk] {
	return table[Talk]{name: "talks", columns: []string{
		"interaction", "n", "group_id", "agent_id", "number", "via", "began", "ended", "held", "holds", "wrap_up", "wrapped",
		"disposition", "note",
	}, values: func(r *Talk) []any {
		return []any{
			int64(r.Interaction), int64(r.N), string(r.Group), string(r.Agent), r.Number, r.Via, int64(r.Began), int64(r.Ended),
			r.Held, int64(r.Holds), null(r.WrapUp), null(r.Wrapped), r.Disposition, null(r.Note),
		}
	}, conflict: update("interaction, n", "wrapped")}
}

func holdsTable() table[Hold] {
	return table[Hold]{name: "holds", columns: []string{"interaction", "n", "talk", "kind", "began", "ended"}, values: func(r *Hold) []any {
		return []any{int64(r.Interaction), int64(r.N), int64(r.Talk), r.Kind, int64(r.Began), int64(r.Ended)}
	}}
}

func transfersTable() table[Transfer] {
	return table[Transfer]{name: "transfers", columns: []string{
		"interaction", "n", "at", "kind", "by_agent", "target", "outcome", "why",
	}, values: func(r *Transfer) []any {
		return []any{int64(r.Interaction), int64(r.N), int64(r.At), r.Kind, string(r.By), r.Target, r.Outcome, r.Why}
	}}
}

func answersTable() table[Answer] {
	return table[Answer]{name: "answers", columns: []string{
		"interaction", "n", "group_id", "agent_id", "asked", "ended", "asleep", "outcome",
	}, values: func(r *Answer) []any {
		return []any{int64(r.Interaction), int64(r.N), string(r.Group), string(r.Agent), int64(r.Asked), int64(r.Ended), r.Asleep, r.Outcome}
	}}
}

func legsTable() table[Leg] {
	return table[Leg]{name: "legs", columns: []string{
		"interaction", "leg", "agent_id", "number", "ended", "cause", "code", "codec", "srtp",
		"in_packets", "in_expected", "in_lost", "in_jitter_mean", "in_jitter_max", "in_mos",
		"out_packets", "out_expected", "out_lost", "out_jitter_mean", "out_jitter_max", "out_mos", "round_trip", "discarded",
	}, values: func(r *Leg) []any {
		m := &r.Media
		return []any{
			int64(r.Interaction), string(r.Leg), string(r.Agent), r.Number, int64(r.Ended), string(r.Cause), int64(r.Code), m.Codec, m.SRTP,
			int64(m.In.Packets), int64(m.In.Expected), int64(m.In.Lost), m.In.JitterMean, m.In.JitterMax, int64(m.In.MOS),
			int64(m.Out.Packets), int64(m.Out.Expected), int64(m.Out.Lost), m.Out.JitterMean, m.Out.JitterMax, int64(m.Out.MOS),
			m.RoundTrip, int64(m.Discarded),
		}
	}}
}

func agentStatesTable() table[AgentState] {
	return table[AgentState]{name: "agent_states", columns: []string{
		"agent_id", "group_id", "began", "ended", "status", "reason", "log_index",
	}, values: func(r *AgentState) []any {
		return []any{string(r.Agent), string(r.Group), int64(r.Began), int64(r.Ended), r.Status, r.Reason, int64(r.Index)}
	}}
}

func trunkStatesTable() table[TrunkState] {
	return table[TrunkState]{name: "trunk_states", columns: []string{"log_index", "trunk", "node", "at", "state", "why"}, values: func(r *TrunkState) []any {
		return []any{int64(r.Index), string(r.Trunk), string(r.Node), int64(r.At), string(r.State), r.Why}
	}}
}

func eventsTable() table[Event] {
	return table[Event]{name: "events", columns: []string{"id", "at", "type", "group_id", "agent_id", "interaction", "data"}, values: func(r *Event) []any {
		return []any{r.ID, int64(r.At), r.Type, string(r.Group), string(r.Agent), int64(r.Interaction), string(r.Data)}
	}}
}

func decisionsTable() table[Decision] {
	return table[Decision]{name: "decisions", columns: []string{"interaction", "steps", "omitted"}, values: func(r *Decision) []any {
		return []any{int64(r.Interaction), string(r.Steps), int64(r.Omitted)}
	}}
}

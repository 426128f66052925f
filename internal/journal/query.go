package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// pageMax is how many interactions History returns at most.
const pageMax = 1000

// Filter says which interactions are looked for; what is empty says nothing.
type Filter struct {
	From, To  Micros                // of the arrival; To is not included
	Group     queuegroups.GroupID   // the first or the last
	Groups    []queuegroups.GroupID // only of these, the first or the last; nil: of all
	Agent     queuegroups.AgentID   // talked in it, or is the caller
	Caller    string
	Number    string // called
	Trunk     queuegroups.TrunkID
	Channel   queuegroups.ChannelID
	Kind      string
	Direction string
	End       acd.EndKind
	Missed    bool              // came from outside and ended without that anybody had it
	Parties   []string          // one of these called, or was called; nil: whoever
	Ends      string            // the number that called, or was called, ends in these digits
	Before    acd.InteractionID // older than this one: the last of the page before
	Limit     int               // 1 to 1000; 0: 100
}

// where is a condition in the making.
type where struct {
	parts []string
	args  []any
}

// add takes a condition in which ? is the argument, wherever it stands.
func (w *where) add(condition string, arg any) {
	w.args = append(w.args, arg)
	w.parts = append(w.parts, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(w.args))))
}

func (w *where) equal(column, value string) {
	if value != "" {
		w.add(column+" = ?", value)
	}
}

// oneOf is the list of values as in wants it. Null is equal to nothing, so that none is in an empty one.
func oneOf[T ~string](w *where, values []T) string {
	places := []string{"null"}
	for _, v := range values {
		w.args = append(w.args, string(v))
		places = append(places, fmt.Sprintf("$%d", len(w.args)))
	}
	return "(" + strings.Join(places, ", ") + ")"
}

func (f *Filter) where() *where {
	w := &where{}
	if f.From != 0 {
		w.add("arrived >= ?", int64(f.From))
	}
	if f.To != 0 {
		w.add("arrived < ?", int64(f.To))
	}
	if f.Before != 0 {
		w.add("id < ?", int64(f.Before))
	}
	if f.Group != "" {
		w.add("(first_group = ? or last_group = ?)", string(f.Group))
	}
	if f.Groups != nil {
		list := oneOf(w, f.Groups)
		w.parts = append(w.parts, "(first_group in "+list+" or last_group in "+list+")")
	}
	if f.Parties != nil {
		list := oneOf(w, f.Parties)
		w.parts = append(w.parts, "(caller in "+list+" or number in "+list+")")
	}
	if f.Missed {
		w.parts = append(w.parts, "direction = '"+DirectionIn+"' and answered is null and ended is not null")
	}
	if f.Ends != "" {
		w.add("(caller like ? or number like ?)", "%"+f.Ends)
	}
	if f.Agent != "" {
		w.add("(caller_agent = ? or exists (select 1 from talks where interaction = id and agent_id = ?))", string(f.Agent))
	}
	w.equal("caller", f.Caller)
	w.equal("number", f.Number)
	w.equal("trunk", string(f.Trunk))
	w.equal("channel", string(f.Channel))
	w.equal("kind", f.Kind)
	w.equal("direction", f.Direction)
	w.equal("end_reason", string(f.End))
	return w
}

// History returns a page of interactions, the newest first. The page after begins
// with Filter.Before set to the id of the last.
func History(ctx context.Context, d *db.DB, f Filter) ([]Interaction, error) {
	w := f.where()
	return selectInteractions(ctx, d, w, f.Limit)
}

func selectInteractions(ctx context.Context, d *db.DB, w *where, limit int) (out []Interaction, err error) {
	rows, err := pageOf(ctx, d, w, limit, "")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r Interaction
		if err := r.scan(rows); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// pageOf selects a page of interactions, with more columns behind their own.
func pageOf(ctx context.Context, d *db.DB, w *where, limit int, more string) (*sql.Rows, error) {
	if limit == 0 {
		limit = 100
	}
	if limit < 1 || limit > pageMax {
		return nil, fmt.Errorf("journal: a page of %d interactions: 1 to %d are possible", limit, pageMax)
	}
	condition := ""
	if len(w.parts) > 0 {
		condition = " where " + strings.Join(w.parts, " and ")
	}
	rows, err := d.Read().QueryContext(ctx, "select "+strings.Join(interactionsTable().columns, ", ")+more+" from interactions"+condition+
		fmt.Sprintf(" order by id desc limit %d", limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("journal: history: %w", err)
	}
	return rows, nil
}

// scan reads the columns of interactionsTable, and more behind them.
func (r *Interaction) scan(rows *sql.Rows, more ...any) error {
	var answered, ended sql.NullInt64
	err := rows.Scan(append([]any{
		&r.ID, &r.Kind, &r.Direction, &r.Channel, &r.Trunk, &r.Number, &r.Caller, &r.CallerName, &r.CallerAgent,
		&r.FirstGroup, &r.LastGroup, &r.Arrived, &answered, &ended, &r.End, &r.Class, &r.ByAgent, &r.ByNumber, &r.Node, &r.Leg,
		&r.Unanswered,
	}, more...)...)
	if err != nil {
		return fmt.Errorf("journal: history: %w", err)
	}
	r.Answered, r.Ended = Micros(answered.Int64), Micros(ended.Int64)
	return nil
}

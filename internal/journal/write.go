package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"centrala/internal/journal/db"
)

// parametersMax bounds the placeholders of one statement: SQLite takes 32766,
// PostgreSQL 65535, and long statements gain nothing.
const parametersMax = 500

// Rows are rows to be written together.
type Rows struct {
	Interactions []Interaction
	Visits       []Visit
	Offers       []Offer
	Talks        []Talk
	Holds        []Hold
	Transfers    []Transfer
	Legs         []Leg
	Answers      []Answer
	Decisions    []Decision
	AgentStates  []AgentState
	TrunkStates  []TrunkState
	// Wrapped are talks written earlier, perhaps among Talks, whose wrap-up is over.
	Wrapped []Talk
	// Disposed are talks written earlier, perhaps among Talks, of which it is told what came of them.
	Disposed []Disposed
	Events   []Event
	// Regrouped are when calls arrived whose last group is another one now.
	Regrouped []Micros
}

// Insert writes the rows. Interactions that are there already are brought up to
// date, and so is the wrap-up of talks. Mark gives the placeholders (db.DB.Mark).
func (r *Rows) Insert(ctx context.Context, tx *sql.Tx, mark func(n int) string) error {
	return r.insert(ctx, tx, &statements{mark: mark, exec: func(ctx context.Context, tx *sql.Tx, text string, args ...any) (sql.Result, error) {
		return tx.ExecContext(ctx, text, args...)
	}})
}

// statements run the inserts.
type statements struct {
	mark  func(n int) string
	exec  func(ctx context.Context, tx *sql.Tx, text string, args ...any) (sql.Result, error)
	texts map[lot]string // nil: they are not kept
}

// lot is a number of rows of a table.
type lot struct {
	table string
	rows  int
}

// kept keeps the inserts prepared for the next time.
func kept(d *db.DB) *statements {
	return &statements{mark: d.Mark, exec: d.Exec, texts: map[lot]string{}}
}

func (r *Rows) insert(ctx context.Context, tx *sql.Tx, s *statements) error {
	for _, write := range []func() error{
		func() error { return interactionsTable().insert(ctx, tx, s, r.Interactions) },
		func() error { return visitsTable().insert(ctx, tx, s, r.Visits) },
		func() error { return offersTable().insert(ctx, tx, s, r.Offers) },
		func() error { return talksTable().insert(ctx, tx, s, r.Talks) },
		func() error { return talksTable().insert(ctx, tx, s, r.Wrapped) },
		func() error { return dispose(ctx, tx, r.Disposed) },
		func() error { return holdsTable().insert(ctx, tx, s, r.Holds) },
		func() error { return transfersTable().insert(ctx, tx, s, r.Transfers) },
		func() error { return legsTable().insert(ctx, tx, s, r.Legs) },
		func() error { return answersTable().insert(ctx, tx, s, r.Answers) },
		func() error { return decisionsTable().insert(ctx, tx, s, r.Decisions) },
		func() error { return agentStatesTable().insert(ctx, tx, s, r.AgentStates) },
		func() error { return trunkStatesTable().insert(ctx, tx, s, r.TrunkStates) },
		func() error { return eventsTable().insert(ctx, tx, s, r.Events) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

// dispose brings talks up to date.
func dispose(ctx context.Context, tx *sql.Tx, list []Disposed) error {
	for _, x := range list {
		if _, err := tx.ExecContext(ctx, `update talks set disposition = $1, note = $2 where interaction = $3 and agent_id = $4
			and n = (select max(n) from talks where interaction = $3 and agent_id = $4)`,
			x.Code, null(x.Note), int64(x.Interaction), string(x.Agent)); err != nil {
			return fmt.Errorf("journal: disposition: %w", err)
		}
	}
	return nil
}

// insert writes rows, many with one statement. Statements are of few lengths,
// powers of two, so that the database can keep them prepared.
func (t table[R]) insert(ctx context.Context, tx *sql.Tx, s *statements, rows []R) error {
	for len(rows) > 0 {
		n := 1
		for n*2 <= len(rows) && n*2*len(t.columns) <= parametersMax {
			n *= 2
		}
		args := make([]any, 0, n*len(t.columns))
		for k := range rows[:n] {
			args = append(args, t.values(&rows[k])...)
		}
		for k, v := range args {
			if text, is := v.(string); is && strings.IndexByte(text, 0) >= 0 { // PostgreSQL has no such texts
				args[k] = strings.ReplaceAll(text, "\x00", "")
			}
		}
		text, there := s.texts[lot{t.name, n}]
		if !there {
			text = t.statement(n, s.mark)
			if s.texts != nil {
				s.texts[lot{t.name, n}] = text
			}
		}
		if _, err := s.exec(ctx, tx, text, args...); err != nil {
			return fmt.Errorf("journal: write %s: %w", t.name, err)
		}
		rows = rows[n:]
	}
	return nil
}

// statement is an insert of n rows.
func (t table[R]) statement(n int, mark func(int) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "insert into %s (%s) values ", t.name, strings.Join(t.columns, ", "))
	place := 0
	for row := range n {
		if row > 0 {
			b.WriteString(", ")
		}
		for k := range t.columns {
			place++
			if k == 0 {
				b.WriteByte('(')
			} else {
				b.WriteString(", ")
			}
			b.WriteString(mark(place))
		}
		b.WriteByte(')')
	}
	b.WriteString(t.conflict)
	return b.String()
}

// count is how many rows there are.
func (r *Rows) count() int {
	return len(r.Interactions) + len(r.Visits) + len(r.Offers) + len(r.Talks) + len(r.Holds) + len(r.Transfers) + len(r.Legs) +
		len(r.Answers) + len(r.Decisions) + len(r.AgentStates) + len(r.TrunkStates) + len(r.Wrapped) + len(r.Disposed) + len(r.Events)
}

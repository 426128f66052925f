package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"centrala/acd"
	"centrala/internal/journal/db"
)

// Facts are all that the record has of an interaction, but for how soon the customer of a
// chat was answered, which is for statistics. Of one that goes on it lacks
// what has not ended, and the steps.
type Facts struct {
	Interaction
	Visits    []Visit
	Offers    []Offer
	Talks     []Talk
	Holds     []Hold
	Transfers []Transfer
	Legs      []Leg
	Notes     map[int64]Note // those of the talks, by Talk.Note
	Steps     []acd.Step
	Omitted   int // steps left out of the middle of a very long story
}

// FactsOf reads an interaction; nil: there is none.
func FactsOf(ctx context.Context, d *db.DB, id acd.InteractionID) (*Facts, error) {
	list, err := selectInteractions(ctx, d, &where{parts: []string{"id = $1"}, args: []any{int64(id)}}, 1)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	f := &Facts{Interaction: list[0]}
	for _, read := range []func() error{
		func() error { return read(ctx, d, id, visitsTable(), "n", &f.Visits, (*Visit).scan) },
		func() error { return read(ctx, d, id, offersTable(), "id", &f.Offers, (*Offer).scan) },
		func() error { return read(ctx, d, id, talksTable(), "n", &f.Talks, (*Talk).scan) },
		func() error { return read(ctx, d, id, holdsTable(), "n", &f.Holds, (*Hold).scan) },
		func() error { return read(ctx, d, id, transfersTable(), "n", &f.Transfers, (*Transfer).scan) },
		func() error { return read(ctx, d, id, legsTable(), "ended, leg", &f.Legs, (*Leg).scan) },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	if f.Notes, err = notesOf(ctx, d, id); err != nil {
		return nil, err
	}
	var steps []byte
	err = d.Read().QueryRowContext(ctx, "select steps, omitted from decisions where interaction = $1", int64(id)).Scan(&steps, &f.Omitted)
	if errors.Is(err, sql.ErrNoRows) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(steps, &f.Steps)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: the story of %d: %w", id, err)
	}
	return f, nil
}

// read reads an interaction's rows of a table.
func read[R any](ctx context.Context, d *db.DB, id acd.InteractionID, t table[R], order string, into *[]R, scan func(*R, *sql.Rows) error) error {
	rows, err := d.Read().QueryContext(ctx,
		"select "+strings.Join(t.columns, ", ")+" from "+t.name+" where interaction = $1 order by "+order, int64(id))
	if err != nil {
		return fmt.Errorf("journal: read %s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r R
		if err := scan(&r, rows); err != nil {
			return fmt.Errorf("journal: read %s: %w", t.name, err)
		}
		*into = append(*into, r)
	}
	return rows.Err()
}

// number is a column that may be null, as 0.
type number struct{ into *int64 }

// Scan implements sql.Scanner.
func (n number) Scan(v any) error {
	var x sql.NullInt64
	err := x.Scan(v)
	*n.into = x.Int64
	return err
}

func micros(m *Micros) number { return number{(*int64)(m)} }

func (r *Visit) scan(rows *sql.Rows) error {
	var position int64
	err := rows.Scan(&r.Interaction, &r.N, &r.Group, &r.Via, &r.Entered, &r.Left, &r.Outcome, &r.Agent, number{&position}, micros(&r.Promised))
	r.Position = int(position)
	return err
}

func (r *Offer) scan(rows *sql.Rows) error {
	return rows.Scan(&r.ID, &r.Interaction, &r.Group, &r.Agent, &r.Number, &r.Kind, &r.Made, micros(&r.Ringing), &r.Ended, &r.Outcome, &r.Why, &r.Code)
}

func (r *Talk) scan(rows *sql.Rows) error {
	return rows.Scan(&r.Interaction, &r.N, &r.Group, &r.Agent, &r.Number, &r.Via, &r.Began, &r.Ended, &r.Held, &r.Holds,
		micros(&r.WrapUp), micros(&r.Wrapped), &r.Disposition, number{&r.Note})
}

func (r *Hold) scan(rows *sql.Rows) error {
	return rows.Scan(&r.Interaction, &r.N, &r.Talk, &r.Kind, &r.Began, &r.Ended)
}

func (r *Transfer) scan(rows *sql.Rows) error {
	return rows.Scan(&r.Interaction, &r.N, &r.At, &r.Kind, &r.By, &r.Target, &r.Outcome, &r.Why)
}

func (r *Leg) scan(rows *sql.Rows) error {
	m := &r.Media
	return rows.Scan(&r.Interaction, &r.Leg, &r.Agent, &r.Number, &r.Ended, &r.Cause, &r.Code, &m.Codec, &m.SRTP,
		&m.In.Packets, &m.In.Expected, &m.In.Lost, &m.In.JitterMean, &m.In.JitterMax, &m.In.MOS,
		&m.Out.Packets, &m.Out.Expected, &m.Out.Lost, &m.Out.JitterMean, &m.Out.JitterMax, &m.Out.MOS, &m.RoundTrip, &m.Discarded)
}

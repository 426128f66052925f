package journal

import (
	"context"
	"database/sql"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// MissedCall is a call or chat from outside that nobody answered, and what was done
// about it since.
type MissedCall struct {
	Interaction
	// Later is the first one after it in which the customer talked to somebody: they
	// were called, or came again. 0: none yet.
	Later   acd.InteractionID
	LaterAt Micros
	LaterBy queuegroups.AgentID // who called them; empty: they came by themselves
	Tries   int                 // calls to them since then that nobody answered
}

// later is the condition that the interaction l is one by which the customer of a
// missed one was reached, or at least called.
const (
	later   = "l.arrived > interactions.arrived"
	cameIn  = "l.caller = interactions.caller and l.direction = 'in'"
	wentOut = "l.number = interactions.caller and l.direction = 'out'"
	reached = later + " and l.answered is not null and (" + cameIn + " or " + wentOut + ")"
)

// Missed returns calls and chats from outside that nobody answered, newest first,
// of which the customer can be called back: their number is known, and was not erased. open leaves out
// those who have been reached since, or have reached somebody. Ends that they chose
// or that are dealt with otherwise, as voicemail, are there too: Interaction.End tells.
func Missed(ctx context.Context, d *db.DB, f Filter, open bool) (out []MissedCall, err error) {
	f.Direction = DirectionIn
	w := f.where()
	w.parts = append(w.parts, "caller <> ''", "caller not like '"+erased+"%'", "answered is null", "ended is not null")
	if open {
		w.parts = append(w.parts, "not exists (select 1 from interactions l where "+reached+")")
	}
	rows, err := pageOf(ctx, d, w, f.Limit, `,
		(select min(l.id) from interactions l where `+reached+`),
		(select count(*) from interactions l where `+later+` and l.answered is null and `+wentOut+`)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m MissedCall
		var back sql.NullInt64
		if err := m.scan(rows, &back, &m.Tries); err != nil {
			return nil, err
		}
		m.Later = acd.InteractionID(back.Int64)
		out = append(out, m)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for k := range out {
		if m := &out[k]; m.Later != 0 {
			row := d.Read().QueryRowContext(ctx, "select arrived, caller_agent from interactions where id = $1", int64(m.Later))
			if err := row.Scan(&m.LaterAt, &m.LaterBy); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

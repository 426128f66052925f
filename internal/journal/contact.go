package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// Contact is a call or chat with a customer, and what came of it.
type Contact struct {
	Interaction
	TalkedTo    queuegroups.AgentID // who had it last; empty: nobody
	Disposition string              // what that one said came of it
	Note        string              // the newest that was written about it
}

// Contacts returns the latest calls and chats with a customer, those made to them included, the newest
// first. f.Caller is the customer, as calls name them, and must not be empty; f.Parties are further
// names of theirs.
func Contacts(ctx context.Context, d *db.DB, f Filter) (out []Contact, err error) {
	customer := f.Caller
	if customer == "" {
		return nil, errors.New("journal: contacts of nobody")
	}
	names := append([]string{customer}, f.Parties...)
	f.Caller, f.Parties = "", nil
	w := f.where()
	known := oneOf(w, names)
	w.parts = append(w.parts, "(caller in "+known+" or direction = 'out' and number in "+known+")")
	list, err := selectInteractions(ctx, d, w, f.Limit)
	if err != nil {
		return nil, err
	}
	for i := range list {
		c := Contact{Interaction: list[i]}
		err := d.Read().QueryRowContext(ctx, "select agent_id, disposition from talks where interaction = $1 and agent_id <> '' order by n desc limit 1",
			int64(c.ID)).Scan(&c.TalkedTo, &c.Disposition)
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			err = d.Read().QueryRowContext(ctx, "select text from notes where interaction = $1 order by at desc limit 1", int64(c.ID)).Scan(&c.Note)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("journal: contacts: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

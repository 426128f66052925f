package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// NoteMax is the length of a note at most, in characters.
const NoteMax = 2000

// Note is what somebody wrote down about an agent's talk.
type Note struct {
	Interaction acd.InteractionID
	Agent       queuegroups.AgentID
	At          Micros
	By          string // account
	Text        string
}

// AddNote keeps a note and returns its id, for acd.Disposed.
func AddNote(ctx context.Context, d *db.DB, n Note) (id int64, err error) {
	if size := utf8.RuneCountInString(n.Text); size < 1 || size > NoteMax {
		return 0, fmt.Errorf("journal: a note of %d characters: 1 to %d are possible", size, NoteMax)
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	id = int64(binary.BigEndian.Uint64(b[:])>>1) | 1
	err = d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into notes (id, interaction, agent_id, at, by_user, text) values ($1, $2, $3, $4, $5, $6)",
			id, int64(n.Interaction), string(n.Agent), int64(n.At), n.By, strings.ReplaceAll(n.Text, "\x00", "")) // PostgreSQL has no such texts
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("journal: note: %w", err)
	}
	return id, nil
}

// LastTalk is the latest talk that ended, of an agent in an interaction; of any
// agent, where none is given. False: there is none. WrapUp is set and Wrapped is
// not while the agent is in wrap-up after it.
func LastTalk(ctx context.Context, d *db.DB, id acd.InteractionID, agent queuegroups.AgentID) (t Talk, ok bool, err error) {
	var wrapUp, wrapped, note sql.NullInt64
	t.Interaction = id
	err = d.Read().QueryRowContext(ctx, `select n, group_id, agent_id, began, ended, wrap_up, wrapped, disposition, note from talks
		where interaction = $1 and agent_id <> '' and ($2 = '' or agent_id = $2) order by n desc limit 1`, int64(id), string(agent)).
		Scan(&t.N, &t.Group, &t.Agent, &t.Began, &t.Ended, &wrapUp, &wrapped, &t.Disposition, &note)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("journal: talk: %w", err)
	}
	t.WrapUp, t.Wrapped, t.Note = Micros(wrapUp.Int64), Micros(wrapped.Int64), note.Int64
	return t, true, nil
}

// notesOf are all notes about an interaction, by their ids.
func notesOf(ctx context.Context, d *db.DB, id acd.InteractionID) (map[int64]Note, error) {
	rows, err := d.Read().QueryContext(ctx, "select id, agent_id, at, by_user, text from notes where interaction = $1", int64(id))
	if err != nil {
		return nil, fmt.Errorf("journal: notes: %w", err)
	}
	defer rows.Close()
	notes := map[int64]Note{}
	for rows.Next() {
		n, key := Note{Interaction: id}, int64(0)
		if err := rows.Scan(&key, &n.Agent, &n.At, &n.By, &n.Text); err != nil {
			return nil, fmt.Errorf("journal: notes: %w", err)
		}
		notes[key] = n
	}
	return notes, rows.Err()
}

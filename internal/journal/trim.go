package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"centrala/internal/journal/db"
)

const (
	// trimEvery is how often what is too old is looked for.
	trimEvery = time.Hour
	// trimMax is how many interactions or states one transaction deletes, and
	// trimPause how long whoever writes has the database to themselves then.
	trimMax   = 200
	trimPause = 20 * time.Millisecond
)

// trim deletes what is too old, as long as this node is the one that writes.
func (j *Journal) trim() {
	for {
		pause := trimEvery
		if !j.writing.Load() {
			pause = retry
		} else if j.opts.Keep > 0 {
			n, err := Trim(j.stopped, j.opts.DB, time.Now().Add(-j.opts.Keep))
			switch {
			case j.stopped.Err() != nil:
			case err != nil:
				j.opts.Logs.Warn().Err(err).Msg("what is too old could not be deleted; it is tried again")
			case n > 0:
				j.opts.Logs.Info().Int("count", n).Msg("deleted what is older than the record keeps")
			}
		}
		select {
		case <-time.After(pause):
		case <-j.stopped.Done():
			return
		}
	}
}

// Trim deletes interactions, with all that belongs to them, and states of agents and trunks
// that ended before a time, in small transactions, so that nobody who writes waits for
// long. It returns how many those were. Events have a time of their own, see events.Hub.
func Trim(ctx context.Context, d *db.DB, before time.Time) (n int, err error) {
	at := int64(MicrosOf(before))
	for _, step := range []func(tx *sql.Tx) (int, error){
		func(tx *sql.Tx) (int, error) { return trimInteractions(ctx, tx, at) },
		func(tx *sql.Tx) (int, error) {
			if err := dropBefore(ctx, tx, at); err != nil {
				return 0, err
			}
			return deleted(tx.ExecContext(ctx, `delete from agent_states where (agent_id, group_id, began, log_index) in
				(select agent_id, group_id, began, log_index from agent_states where ended < $1 order by ended limit $2)`, at, trimMax))
		},
		func(tx *sql.Tx) (int, error) {
			return deleted(tx.ExecContext(ctx, `delete from trunk_states where log_index in
				(select log_index from trunk_states where at < $1 order by at limit $2)`, at, trimMax))
		},
	} {
		for {
			var gone int
			if err := d.Write(ctx, func(tx *sql.Tx) (err error) { gone, err = step(tx); return err }); err != nil {
				return n, fmt.Errorf("journal: delete what is too old: %w", err)
			}
			n += gone
			if gone < trimMax {
				break
			}
			select {
			case <-time.After(trimPause):
			case <-ctx.Done():
				return n, ctx.Err()
			}
		}
	}
	return n, nil
}

// trimInteractions deletes the oldest that ended before a time, with all of theirs.
func trimInteractions(ctx context.Context, tx *sql.Tx, before int64) (int, error) {
	old, err := ids(ctx, tx, "select id from interactions where arrived < $1 and ended < $1 order by arrived limit $2", before, trimMax)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	if err := dropBefore(ctx, tx, before); err != nil {
		return 0, err
	}
	places, args := make([]string, len(old)), make([]any, len(old))
	for k, id := range old {
		places[k], args[k] = fmt.Sprintf("$%d", k+1), id
	}
	list := "(" + strings.Join(places, ", ") + ")"
	late := everything() // a rating may be of later than its chat
	if err := late.ratings(ctx, tx, "session in (select leg from interactions where kind = '"+KindChat+"' and id in "+list+")", args...); err != nil {
		return 0, err
	}
	if err := late.drop(ctx, tx); err != nil {
		return 0, err
	}
	for _, table := range []string{"visits", "offers", "talks", "holds", "transfers", "legs", "answers", "decisions", "notes"} {
		if _, err := tx.ExecContext(ctx, "delete from "+table+" where interaction in "+list, args...); err != nil {
			return 0, err
		}
	}
	return deleted(tx.ExecContext(ctx, "delete from interactions where id in "+list, args...))
}

func deleted(r sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

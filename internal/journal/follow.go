package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// errTaken ends a session: another node wrote meanwhile.
var errTaken = errors.New("journal: another node has written")

// session is one uninterrupted time of following the log. Accessed by run only.
type session struct {
	j        *Journal
	follower Follower
	book     *book
	index    uint64 // the checkpoint
	at       Micros // of the last entry written
	saved    uint64 // index of the state saved last
	savedAt  time.Time
	inserts  *statements
}

// session follows the log from the checkpoint on until something is wrong, this
// node does not lead any more, or the journal is stopped.
func (j *Journal) session() error {
	s, err := j.resume()
	if s == nil {
		return err
	}
	defer s.follower.Close()
	j.writing.Store(true)
	j.written.Store(s.index)
	j.works()
	j.opts.Logs.Info().Uint64("from", s.follower.Index()).Uint64("written", s.index).Msg("the journal follows the log")
	for j.opts.Log.Leader() {
		b, err := s.read()
		if err == nil && b.entries > 0 {
			err = s.write(b)
		}
		switch {
		case errors.Is(err, errTaken):
			j.opts.Logs.Warn().Msg("another node has written to the journal; this one begins anew")
			return nil
		case j.opts.Log.Gap(err):
			return s.lost()
		case err != nil:
			return err
		}
	}
	return nil
}

// batch is what one transaction writes.
type batch struct {
	entries int
	rows    Rows
	index   uint64
	at      Micros
	replica []byte // nil: not this time
}

// read collects what comes within a short time. Entries that were written before a
// restart only bring the state and the book up to date.
func (s *session) read() (batch, error) {
	var b batch
	var until <-chan time.Time
	leads := time.NewTimer(retry) // looks up now and then
	defer leads.Stop()
	for b.entries < batchMax {
		wait := until
		if wait == nil {
			wait = leads.C
		}
		e, ok, err := s.follower.Read(s.j.stopped, wait)
		if err != nil {
			return b, err
		}
		if !ok {
			break
		}
		s.book.apply(s.follower.State(), e)
		if e.Index <= s.index {
			s.book.take()
			continue
		}
		if b.entries++; until == nil {
			until = time.After(gather)
		}
		b.index, b.at = e.Index, s.book.now
	}
	b.rows = s.book.take()
	s.j.behind.Store(s.follower.Behind())
	if b.entries == 0 || b.index-s.saved < saveEvery && time.Since(s.savedAt) < saveAfter {
		return b, nil
	}
	var err error
	b.replica, err = s.save()
	return b, err
}

// write commits a batch, and tries until it is: the log waits meanwhile. A commit
// whose answer was lost is known by the checkpoint.
func (s *session) write(b batch) error {
	for {
		err := s.j.opts.DB.Write(s.j.stopped, func(tx *sql.Tx) error { return s.commit(tx, b) })
		if err == nil {
			s.wrote(b)
			return nil
		}
		if errors.Is(err, errTaken) || s.j.stopped.Err() != nil {
			return err
		}
		s.j.failed(err)
		s.follower.Rest()
		select {
		case <-time.After(retry):
		case <-s.j.stopped.Done():
			return s.j.stopped.Err()
		}
	}
}

// commit writes the batch if the checkpoint is where this node left it.
func (s *session) commit(tx *sql.Tx, b batch) error {
	ctx := s.j.stopped
	done, err := tx.ExecContext(ctx, "update checkpoint set log_index = $1, at = $2, node = $3 where id = 1 and log_index = $4",
		int64(b.index), int64(b.at), string(s.j.opts.Node), int64(s.index))
	if err != nil {
		return fmt.Errorf("journal: checkpoint: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return s.taken(ctx, tx, b)
	}
	if err := b.rows.insert(ctx, tx, s.inserts); err != nil {
		return err
	}
	late := b.rows.stale(s.at)
	if err := late.rated(ctx, tx, &b.rows); err != nil {
		return err
	}
	if err := late.drop(ctx, tx); err != nil {
		return err
	}
	if b.replica == nil {
		return nil
	}
	return s.keep(ctx, tx, b.index, b.replica)
}

// taken finds out why the checkpoint is elsewhere: it is where this very batch
// put it, or another node wrote.
func (s *session) taken(ctx context.Context, tx *sql.Tx, b batch) error {
	var index int64
	var node string
	if err := tx.QueryRowContext(ctx, "select log_index, node from checkpoint where id = 1").Scan(&index, &node); err != nil {
		return fmt.Errorf("journal: checkpoint: %w", err)
	}
	if uint64(index) == b.index && node == string(s.j.opts.Node) {
		return nil
	}
	return errTaken
}

func (s *session) wrote(b batch) {
	s.index, s.at = b.index, b.at
	if b.replica != nil {
		s.saved, s.savedAt = b.index, time.Now()
		s.j.opts.Log.Hold(b.index)
	}
	s.j.entries.Add(uint64(b.entries))
	s.j.rows.Add(uint64(b.rows.count()))
	s.j.commits.Add(1)
	s.j.written.Store(b.index)
	s.j.works()
	if s.j.opts.Committed != nil {
		s.j.opts.Committed()
	}
}

package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/events"
	"centrala/internal/journal/db"
)

// resume reads where the journal is, from the database alone: whichever node, and
// whatever became of the process before. No session and no error: it is to be
// called again.
func (j *Journal) resume() (*session, error) {
	s := &session{j: j, inserts: kept(j.opts.DB)} // saved at the first opportunity
	var data []byte
	err := j.opts.DB.Write(j.stopped, func(tx *sql.Tx) error {
		var err error
		data, err = s.load(j.stopped, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	var replica []byte
	if data != nil {
		if replica, s.book, err = unpack(data); err != nil {
			return nil, fmt.Errorf("journal: the saved state: %w", err)
		}
	}
	s.follower, err = j.opts.Log.Follow(replica)
	if j.opts.Log.Gap(err) && replica == nil { // the log of an older version that has been trimmed, and no snapshot
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err != nil {
		return nil, err
	}
	if s.book == nil {
		s.book = newBook()
		s.book.begin(s.follower.State())
	}
	s.saved = s.follower.Index()
	if replica == nil && s.saved > s.index && s.index > 0 {
		defer s.follower.Close()
		return nil, s.lost()
	}
	j.opts.Log.Hold(s.saved)
	return s, nil
}

// Checkpoint reads how far the record goes: the index of the last entry of the log
// that rows were made of; 0: none. The error may be that the database is away.
func Checkpoint(ctx context.Context, d *db.DB) (uint64, error) {
	if err := d.Ping(ctx); err != nil {
		return 0, err
	}
	var index int64
	err := d.Read().QueryRowContext(ctx, "select log_index from checkpoint where id = 1").Scan(&index)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return uint64(index), err
}

// load reads the checkpoint and the saved state; a database without any gets a
// checkpoint of 0.
func (s *session) load(ctx context.Context, tx *sql.Tx) (data []byte, err error) {
	var index, at int64
	err = tx.QueryRowContext(ctx, "select log_index, at from checkpoint where id = 1").Scan(&index, &at)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, "insert into checkpoint (id, log_index, at, node) values (1, 0, 0, '') on conflict (id) do nothing")
	}
	if err != nil {
		return nil, fmt.Errorf("journal: checkpoint: %w", err)
	}
	s.index, s.at = uint64(index), Micros(at)
	err = tx.QueryRowContext(ctx, "select data from replica where id = 1").Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: saved state: %w", err)
	}
	return data, nil
}

// save writes down the state and the book, for load.
func (s *session) save() ([]byte, error) {
	replica, err := s.follower.Save()
	if err != nil {
		return nil, err
	}
	return pack(replica, s.book)
}

func (s *session) keep(ctx context.Context, tx *sql.Tx, index uint64, data []byte) error {
	_, err := tx.ExecContext(ctx, `insert into replica (id, log_index, data) values (1, $1, $2)
		on conflict (id) do update set log_index = excluded.log_index, data = excluded.data`, int64(index), data)
	if err != nil {
		return fmt.Errorf("journal: save the state: %w", err)
	}
	return nil
}

// pack puts the log's part, after its length, and the book together.
func pack(replica []byte, b *book) ([]byte, error) {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	pages, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(replica)))
	for _, part := range [][]byte{size[:], replica, pages} {
		if _, err := z.Write(part); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func unpack(data []byte) (replica []byte, b *book, err error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return nil, nil, err
	}
	if len(all) < 8 || uint64(len(all)-8) < binary.BigEndian.Uint64(all) {
		return nil, nil, errors.New("cut short")
	}
	size := binary.BigEndian.Uint64(all)
	replica, b = all[8:8+size], newBook()
	if err := json.Unmarshal(all[8+size:], b); err != nil {
		return nil, nil, err
	}
	return replica, b, nil
}

// begin takes into an empty book what a state holds already, where the log cannot
// be read from its beginning.
func (b *book) begin(s *acd.State) {
	b.state, b.now = s, MicrosOf(s.Now())
	for _, a := range s.Agents() {
		b.Desks[a.ID] = &desk{Status: a.Status.String(), Began: MicrosOf(a.Since)}
	}
	for _, v := range s.Interactions() {
		p := &page{Row: Interaction{
			ID: v.ID, Kind: KindCall, Direction: DirectionIn, Channel: v.Channel, Trunk: v.Trunk, Number: v.To, Caller: v.From.Number,
			CallerName: v.From.Name, FirstGroup: v.Group, LastGroup: v.Group, Arrived: MicrosOf(v.Arrived), Node: v.Node, Leg: v.Leg,
		}}
		if v.Channel != "" {
			p.Row.Kind = KindChat
		}
		b.Pages[v.ID] = p
		b.change(p)
		if a, ok := s.AccountOf(v.ID); ok {
			b.sync(p, a)
		}
	}
}

// lost has the journal go on where the log can still be read, after entries that it
// needed are gone. What is known of that time is that it is not known.
func (s *session) lost() error {
	j := s.j
	f, err := j.opts.Log.Follow(nil)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Index() <= s.index {
		return errors.New("journal: the log lacks entries, but begins before what is written")
	}
	b := newBook()
	b.begin(f.State())
	rows := b.take()
	for _, r := range rows.Interactions {
		rows.Regrouped = append(rows.Regrouped, r.Arrived)
	}
	replica, err := f.Save()
	if err != nil {
		return err
	}
	data, err := pack(replica, b)
	if err != nil {
		return err
	}
	at := MicrosOf(f.State().Now())
	ended := at    // of calls that are over, for all that is known
	if at < s.at { // the log knows less than what is written: it begins anew
		at, ended = max(s.at, MicrosOf(time.Now())), s.at
	}
	b.index = f.Index()
	b.tell(events.EventsLost, "", "", 0, events.Lost{Since: s.at.Time(), Until: at.Time()})
	rows.Events = b.take().Events
	err = j.opts.DB.Write(j.stopped, func(tx *sql.Tx) error {
		if err := s.bridge(j.stopped, tx, b, f.Index(), at, ended); err != nil {
			return err
		}
		if err := rows.Insert(j.stopped, tx, j.opts.DB.Mark); err != nil {
			return err
		}
		late := rows.stale(s.at)
		if err := late.rated(j.stopped, tx, &rows); err != nil {
			return err
		}
		if err := late.drop(j.stopped, tx); err != nil {
			return err
		}
		return s.keep(j.stopped, tx, f.Index(), data)
	})
	if err != nil {
		return err
	}
	level, what := zerolog.ErrorLevel, "entries of the log were dropped before they could be written: the record has a gap"
	if j.opts.Restored != 0 && s.index == j.opts.Restored {
		level, what = zerolog.WarnLevel, "the record was restored from a backup: it has a gap since then"
	} else {
		j.lost.Add(f.Index() - s.index)
	}
	j.opts.Logs.WithLevel(level).Uint64("from", s.index+1).Uint64("to", f.Index()).Time("since", s.at.Time()).Time("until", at.Time()).Msg(what)
	return nil
}

// bridge moves the checkpoint over what is lost, notes that, and closes the rows
// of interactions that ended meanwhile.
func (s *session) bridge(ctx context.Context, tx *sql.Tx, b *book, to uint64, at, ended Micros) error {
	done, err := tx.ExecContext(ctx, "update checkpoint set log_index = $1, at = $2, node = $3 where id = 1 and log_index = $4",
		int64(to), int64(at), string(s.j.opts.Node), int64(s.index))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errTaken
	}
	if _, err := tx.ExecContext(ctx, "insert into gaps (from_index, to_index, from_at, to_at) values ($1, $2, $3, $4)",
		int64(s.index+1), int64(to), int64(s.at), int64(at)); err != nil {
		return err
	}
	open, err := ids(ctx, tx, "select id from interactions where ended is null")
	if err != nil {
		return err
	}
	for _, id := range open {
		if p := b.Pages[acd.InteractionID(id)]; p != nil {
			if err := p.number(ctx, tx); err != nil {
				return err
			}
			continue
		}
		if _, err := tx.ExecContext(ctx, "update interactions set ended = $1, end_reason = $2 where id = $3", int64(ended), EndUnknown, id); err != nil {
			return err
		}
	}
	return nil
}

// number has the page's next rows follow those that are written.
func (p *page) number(ctx context.Context, tx *sql.Tx) error {
	for table, n := range map[string]*int{"visits": &p.Visits, "talks": &p.Talks, "holds": &p.Holds, "transfers": &p.Transfers, "answers": &p.Answers} {
		var most sql.NullInt64
		if err := tx.QueryRowContext(ctx, "select max(n) from "+table+" where interaction = $1", int64(p.Row.ID)).Scan(&most); err != nil {
			return err
		}
		*n += int(most.Int64)
	}
	if p.Visit != nil {
		p.Visit.N = p.Visits
	}
	if p.Talk != nil {
		p.Talk.N = p.Talks
	}
	return nil
}

func ids(ctx context.Context, tx *sql.Tx, query string, args ...any) (out []int64, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

package stats_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
)

// recording is a log that has been written, as the journal follows it.
type recording struct{ entries []acd.Entry }

func (r *recording) Follow(saved []byte) (journal.Follower, error) {
	f := &reader{state: acd.NewState(), left: r.entries}
	index, _ := strconv.Atoi(string(saved)) // nothing is from the beginning on
	for range index {
		f.state.Apply(f.left[0])
		f.left, f.index = f.left[1:], f.left[0].Index
	}
	return f, nil
}
func (r *recording) Hold(uint64)    {}
func (r *recording) Free()          {}
func (r *recording) Leader() bool   { return true }
func (r *recording) Seen() uint64   { return r.entries[len(r.entries)-1].Index }
func (r *recording) Gap(error) bool { return false }

type reader struct {
	state *acd.State
	left  []acd.Entry
	index uint64
}

func (r *reader) State() *acd.State     { return r.state }
func (r *reader) Index() uint64         { return r.index }
func (r *reader) Behind() uint64        { return uint64(len(r.left)) }
func (r *reader) Rest()                 {}
func (r *reader) Save() ([]byte, error) { return []byte(strconv.FormatUint(r.index, 10)), nil }
func (r *reader) Close()                {}

func (r *reader) Read(ctx context.Context, until <-chan time.Time) (acd.Entry, bool, error) {
	if len(r.left) == 0 {
		select {
		case <-until:
			return acd.Entry{}, false, nil
		case <-ctx.Done():
			return acd.Entry{}, false, ctx.Err()
		}
	}
	e := r.left[0]
	r.left, r.index = r.left[1:], e.Index
	return e, true, nil
}

// write has the journal write down a log.
func write(t testing.TB, d *db.DB, log []acd.Entry) {
	t.Helper()
	r := &recording{log}
	j := journal.New(journal.Options{DB: d, Log: r, Node: "n1", Logs: zerolog.Nop()})
	j.Start()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := j.Await(ctx, r.Seen()); err != nil {
		t.Fatal(err)
	}
	j.Stop(ctx)
}

// now is what agents are doing after a log, as the server would tell it.
func now(t testing.TB, log []acd.Entry) (list []journal.AgentState) {
	t.Helper()
	s := acd.NewState()
	for _, e := range log {
		s.Apply(e)
	}
	for _, a := range s.Agents() {
		list = append(list, journal.AgentState{Agent: a.ID, Status: a.Status.String(), Began: journal.MicrosOf(a.Since)})
	}
	return list
}

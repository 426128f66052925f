package eventlog

import (
	"context"
	"errors"
	"testing"
	"time"

	"centrala/acd"
)

// readAll reads and applies what the log has at this moment.
func readAll(t *testing.T, l *Log, f *Follower) (entries []acd.Entry) {
	t.Helper()
	for f.State().Index() < lastIndex(l) {
		e, ok, err := f.Read(t.Context(), time.After(patience))
		if err != nil || !ok {
			t.Fatalf("after entry %d: %v", f.Index(), err)
		}
		f.State().Apply(e)
		entries = append(entries, e)
	}
	return entries
}

func lastIndex(l *Log) (index uint64) {
	l.View(func(s *acd.State) { index = s.Index() })
	return index
}

// A follower sees the same entries at the same times as the log's own state, goes
// on from what it saved, and waits no longer than it is told.
func TestFollower(t *testing.T) {
	l, r := started(t, Options{SnapshotEvery: 5})
	f, err := l.Follow(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	logged(t, l, site(time.Hour))
	for _, leg := range []string{"a", "b", "c"} {
		logged(t, l, call(leg))
	}
	entries := readAll(t, l, f)
	saved, err := f.Save()
	if err != nil {
		t.Fatal(err)
	}
	now := make(chan time.Time)
	close(now)
	if _, ok, err := f.Read(t.Context(), now); ok || err != nil {
		t.Errorf("nothing is there, and yet: %v, %v", ok, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := f.Read(ctx, nil); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", ok, err)
	}
	f.Rest()
	logged(t, l, hangup("b"))
	entries = append(entries, readAll(t, l, f)...)
	for k, e := range r.all() {
		if entries[k].Index != e.Index || !entries[k].At.Equal(e.At) {
			t.Errorf("entry %d at %v, the log has %d at %v", entries[k].Index, entries[k].At, e.Index, e.At)
		}
	}
	if got, want := f.State().Hash(), hash(l); got != want {
		t.Errorf("hash %x, the log's state has %x", got, want)
	}
	again, err := l.Follow(saved)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := len(readAll(t, l, again)); n != 1 || again.State().Hash() != hash(l) {
		t.Errorf("from what was saved: %d entries, hash %x", n, again.State().Hash())
	}
	if _, err := l.Follow([]byte("nonsense")); err == nil {
		t.Error("nonsense was read")
	}
}

// What a follower needs is not trimmed, up to the limit; behind that it is told.
func TestFollower_HoldsTheLog(t *testing.T) {
	l, _ := started(t, Options{SnapshotEvery: 1 << 20, HoldBytes: 1 << 20})
	logged(t, l, site(time.Hour))
	f, err := l.Follow(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 20 {
		logged(t, l, hangup("nobody"))
	}
	first := func() uint64 {
		info, err := l.stream.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.State.FirstSeq
	}
	later := time.Now().Add(time.Hour)
	l.Hold(7)
	if err := l.trim(t.Context(), 15, later); err != nil || first() != 8 {
		t.Errorf("the log begins at %d, a follower needs what is behind 7: %v", first(), err)
	}
	if _, _, err := f.Read(t.Context(), time.After(patience)); !Gap(err) {
		t.Errorf("a follower that needs entry 1: %v", err)
	}
	if _, err := l.Follow(nil); !Gap(err) {
		t.Errorf("a new follower without a snapshot: %v", err)
	}
	l.opts.HoldBytes = 1
	if err := l.trim(t.Context(), 10, later); err != nil || first() != 11 {
		t.Errorf("the log is larger than it may be and begins at %d: %v", first(), err)
	}
	l.opts.HoldBytes = 1 << 20
	l.Free()
	if err := l.trim(t.Context(), 15, later); err != nil || first() != 16 {
		t.Errorf("the log begins at %d, nobody needs anything: %v", first(), err)
	}
}

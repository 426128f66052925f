package eventlog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"centrala/acd"
)

func encoded(t *testing.T, index uint64) []byte {
	t.Helper()
	s := acd.NewState()
	s.Apply(acd.Entry{Index: index, At: time.Unix(1_700_000_000, 0), Event: site(0)})
	data, err := encodeSnapshot(snapshotHead{
		Index: index, At: time.Unix(1_700_000_000, 0).UTC(), Sessions: sessions{"n1": {Epoch: 2, Nonce: "x", N: 9}},
	}, s, 0)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSnapshot_RoundTrip(t *testing.T) {
	data := encoded(t, 5)
	s, err := decodeSnapshot(data)
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.state()
	if err != nil {
		t.Fatal(err)
	}
	again, err := encodeSnapshot(s.snapshotHead, state, 1000)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("written again it differs: %v", err)
	}
	if s.Index != 5 || s.Sessions["n1"].N != 9 || s.At.Unix() != 1_700_000_000 {
		t.Errorf("head %+v", s.snapshotHead)
	}
}

// Any one bit that flips and any cut is found.
func TestSnapshot_DamageIsFound(t *testing.T) {
	data := encoded(t, 5)
	for i := range data {
		damaged := bytes.Clone(data)
		damaged[i] ^= 1
		if _, err := decodeSnapshot(damaged); err == nil {
			t.Errorf("byte %d is wrong and nobody noticed", i)
		}
		if _, err := decodeSnapshot(data[:i]); err == nil {
			t.Errorf("cut at byte %d and nobody noticed", i)
		}
	}
}

func TestSnapshot_TwoAreKept(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tmp-left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := removeLeftovers(dir); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ index, oldest uint64 }{{5, 5}, {7, 5}, {12, 7}, {100, 12}} {
		oldest, err := writeSnapshot(dir, step.index, encoded(t, step.index))
		if err != nil || oldest != step.oldest {
			t.Errorf("after snapshot %d the oldest is %d (%v), want %d", step.index, oldest, err, step.oldest)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("left in the folder: %v, %v", files, err)
	}
}

// While a snapshot is being written entries are noted without waiting, and none is lost.
func TestKeeper_DoesNotHoldUpTheApplier(t *testing.T) {
	dir := t.TempDir()
	k := newKeeper(dir, 2, emptySnapshot())
	goOn, writing := make(chan struct{}), make(chan struct{}, 10)
	k.written = func(uint64, uint64) { writing <- struct{}{}; <-goOn }
	k.failed = func(err error) { t.Error(err) }
	go k.run()
	want := acd.NewState()
	note := func(index uint64, e acd.Event) {
		entry := acd.Entry{Index: index, At: time.Unix(int64(index), 0), Event: e}
		want.Apply(entry)
		k.note(entry, snapshotHead{Index: index, At: entry.At})
	}
	note(1, site(0))
	note(2, call("a"))
	<-writing
	for i := uint64(3); i < 50; i++ { // would hang here
		note(i, call(string(rune('b'+i))))
	}
	close(goOn)
	k.close(snapshotHead{Index: 49})
	s, state, err := readNewest(dir, func(file string, err error) { t.Error(file, err) })
	if err != nil || s.Index != 49 || state.Hash() != want.Hash() {
		t.Errorf("newest snapshot is %d, %v; or has another state", s.Index, err)
	}
}

// A folder that cannot be written to costs snapshots, nothing else.
func TestKeeper_GoesOnAfterAFailure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	k := newKeeper(dir, 1, emptySnapshot())
	told := make(chan error, 1)
	k.failed = func(err error) { told <- err }
	go k.run()
	k.note(acd.Entry{Index: 1, Event: site(0)}, snapshotHead{Index: 1})
	if err := <-told; !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	k.since = append(k.since, acd.Entry{Index: 2, Event: call("a")})
	k.close(snapshotHead{Index: 2})
	s, state, err := readNewest(dir, func(file string, err error) { t.Error(file, err) })
	if err != nil || s.Index != 2 || state.Counters().Entries != 2 {
		t.Errorf("snapshot %d with %d entries, %v", s.Index, state.Counters().Entries, err)
	}
}

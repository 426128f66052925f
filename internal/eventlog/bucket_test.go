package eventlog

import (
	"errors"
	"testing"
)

func TestBucket(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, Options{Dir: dir})
	b, err := l.Bucket("registrations")
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"anna", "sip:anna@pbx.example", "a.b", "=41", "ż *>", "."}
	for _, k := range keys {
		if err := b.Put(k, []byte("old")); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(k, []byte("of "+k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete("a.b"); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete("never there"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get("a.b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted, but %v", err)
	}
	if v, err := b.Get("=41"); string(v) != "of =41" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if b.Put("", nil) == nil {
		t.Error("an empty key was taken")
	}
	if _, err := l.Bucket("lease"); err == nil {
		t.Error("the lease's bucket was opened")
	}
	if _, err := l.Bucket("a b"); err == nil {
		t.Error("a bucket with a bad name was opened")
	}
	shut(t, l)

	l = opened(t, Options{Dir: dir})
	if b, err = l.Bucket("registrations"); err != nil {
		t.Fatal(err)
	}
	all, err := b.All()
	if err != nil || len(all) != len(keys)-1 {
		t.Fatalf("after a restart: %q, %v", all, err)
	}
	for k, v := range all {
		if string(v) != "of "+k {
			t.Errorf("%q has %q", k, v)
		}
	}
}

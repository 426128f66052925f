package eventlog

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"centrala/acd"
)

func TestRecord_RoundTrip(t *testing.T) {
	data := appendRecord(nil, recordPrefix("n-1.pl", 7, "c0ffee"), 18446744073709551615, []byte("{}\n{}"))
	r, err := parseRecord(data)
	if err != nil || string(r.node) != "n-1.pl" || r.epoch != 7 || string(r.nonce) != "c0ffee" ||
		r.n != 18446744073709551615 || string(r.body) != "{}\n{}" {
		t.Errorf("%q gave %+v, %v", data, r, err)
	}
}

func TestRecord_Malformed(t *testing.T) {
	for _, data := range []string{
		"", "\n", "1", "1 n1 1.a 1", "1 n1 1.a\n", "1 n1 1 1\n", "1 n1 a.1 1\n", "1 n1 1.a -1\n", "1 n1 1.a x\n", "1n1 1.a 1\n",
		"1  1.a 1\n", "1 n1 1. 1\n", "1 n1 1.a 18446744073709551616\n", "1 n1 1.a 184467440737095516150\n",
	} {
		if r, err := parseRecord([]byte(data)); err == nil {
			t.Errorf("%q was read as %+v", data, r)
		}
	}
	if _, err := parseRecord([]byte("2 of the future\n")); !errors.Is(err, acd.ErrUnknownEvent) {
		t.Errorf("a newer format gave %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("1 n1 1.a 1\n{}")
	f.Add("1 n1 18446744073709551615.a 0\n")
	f.Fuzz(func(t *testing.T, data string) {
		r, err := parseRecord([]byte(data))
		if err != nil {
			return
		}
		again := appendRecord(nil, recordPrefix(acd.NodeID(r.node), r.epoch, string(r.nonce)), r.n, r.body)
		second, err := parseRecord(again)
		if err != nil || second.n != r.n || second.epoch != r.epoch || string(second.node) != string(r.node) ||
			string(second.nonce) != string(r.nonce) || string(second.body) != string(r.body) {
			t.Errorf("%q became %q (%v)", data, again, err)
		}
	})
}

func TestSessions(t *testing.T) {
	s := sessions{}
	for i, step := range []struct {
		record string
		want   verdict
	}{
		{"1 a 1.x 1\n", passOver}, // no session
		{"1 a 1.x 0\n", takeOpening},
		{"1 a 1.x 1\n", takeEvent},
		{"1 a 1.x 1\n", passOver}, // doubled
		{"1 a 1.x 3\n", passOver}, // ahead
		{"1 b 1.x 0\n", takeOpening},
		{"1 a 1.x 2\n", takeEvent},
		{"1 a 1.y 0\n", passOver}, // same epoch, too late
		{"1 a 1.y 3\n", passOver},
		{"1 a 2.y 0\n", takeOpening},
		{"1 a 1.x 3\n", passOver}, // of the process before
		{"1 a 2.y 1\n", takeEvent},
		{"1 b 1.x 1\n", takeEvent},
	} {
		r, err := parseRecord([]byte(step.record))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.take(r); got != step.want {
			t.Errorf("step %d, %q: verdict %d, want %d", i, step.record, got, step.want)
		}
	}
}

func TestSessions_TakeDoesNotAllocate(t *testing.T) {
	s := sessions{"a": {Epoch: 1, Nonce: "x"}}
	data, n := []byte(nil), uint64(0)
	prefix := recordPrefix("a", 1, "x")
	if allocs := testing.AllocsPerRun(100, func() {
		n++
		data = appendRecord(data[:0], prefix, n, nil)
		r, err := parseRecord(data)
		if err != nil || s.take(r) != takeEvent {
			t.Error("not taken")
		}
	}); allocs > 1 { // the buffer, once
		t.Errorf("%v allocations", allocs)
	}
}

func TestParseMessage(t *testing.T) {
	for reply, ok := range map[string]bool{
		"$JS.ACK.log.c.1.42.7.1700000000000000000.3":               true,
		"$JS.ACK.domain.hash.log.c.1.42.7.1700000000000000000.3":   true,
		"$JS.ACK.domain.hash.log.c.1.42.7.1700000000000000000.3.x": true,
		"$JS.ACK.log.c.1.42.7.17000.x":                             false,
		"$JS.ACK.log.c.1.42.7":                                     false,
		"":                                                         false,
	} {
		m, consumer, fine := parseMessage(&nats.Msg{Reply: reply})
		if fine != ok || ok && (m.index != 42 || consumer != 7 || m.at != 1700000000000000000 || m.pending != 3) {
			t.Errorf("%q gave %+v, %d, %v", reply, m, consumer, fine)
		}
	}
}

func TestKeys_RoundTrip(t *testing.T) {
	for _, key := range []string{"anna", "", ".", "a b", "=", "=41", "ż", "*>", "x_y-z", strings.Repeat("é", 50)} {
		if got, ok := decodeKey(encodeKey(key)); !ok || got != key {
			t.Errorf("%q became %q, then %q", key, encodeKey(key), got)
		}
	}
	for _, bad := range []string{"=", "=4", "=zz"} {
		if got, ok := decodeKey(bad); ok {
			t.Errorf("%q was read as %q", bad, got)
		}
	}
}

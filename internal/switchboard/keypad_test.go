package switchboard

import (
	"testing"
	"time"
)

// What the keys that an agent presses during a call mean; a blank is a pause of
// five seconds.
func TestKeypad(t *testing.T) {
	for _, c := range []struct {
		keys   string
		want   wish
		number string
	}{
		{"##102#", wishBlind, "102"},
		{"##102 ", wishBlind, "102"},
		{"*2102#", wishConsult, "102"},
		{"*2102 ", wishConsult, "102"},
		{"*248221234567#", wishConsult, "48221234567"},
		{"*1", wishSwap, ""},
		{"*3", wishConnect, ""},
		{"*0", wishBack, ""},
		{"102#", wishNothing, ""},
		{"#102#", wishNothing, ""},
		{"###", wishNothing, ""},
		{"## ", wishNothing, ""},
		{"# #102#", wishNothing, ""},
		{"##10 2#", wishBlind, "10"},
		{"##10*2102#", wishConsult, "102"}, // another code, thought better of
		{"5##102#", wishBlind, "102"},
		{"**2102#", wishConsult, "102"},
		{"*4##102#", wishBlind, "102"},
		{"*21234567890123456789012345678901234567890#", wishNothing, ""},
		{"A", wishNothing, ""},
	} {
		t.Run(c.keys, func(t *testing.T) {
			k, now := &keypad{}, time.Unix(1_700_000_000, 0)
			got, number := wishNothing, ""
			for _, key := range []byte(c.keys) {
				var w wish
				var n string
				if key == ' ' {
					now = now.Add(keyPause + time.Second)
					w, n = k.pause()
				} else {
					now = now.Add(300 * time.Millisecond)
					w, n = k.press(key, now)
				}
				if w != wishNothing && got == wishNothing {
					got, number = w, n
				}
			}
			if got != c.want || number != c.number {
				t.Errorf("%d %q, want %d %q", got, number, c.want, c.number)
			}
		})
	}
}

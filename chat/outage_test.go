package chat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
)

// However many meet it, an outage is told once when it begins, and once when it is over, with how long it was.
func TestOutage(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1700000000, 0)
	away := errors.New("away")
	o := chat.NewOutage(func(err error) bool { return errors.Is(err, away) }, zerolog.New(&out), func() time.Time { return now })
	told := func() (lines []map[string]any) {
		for d := json.NewDecoder(&out); d.More(); {
			var line map[string]any
			if err := d.Decode(&line); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		return lines
	}
	o.Over()
	if o.Is(nil) || o.Is(errors.New("something else")) || len(told()) > 0 {
		t.Error("nothing is away")
	}
	for turn := range 2 {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if !o.Is(away) {
					t.Error("it is not known")
				}
			})
		}
		all.Wait()
		if lines := told(); len(lines) != 1 || lines[0]["level"] != "error" || lines[0]["message"] != "chats wait: the database is away" {
			t.Errorf("turn %d: %v", turn, lines)
		}
		now = now.Add(90 * time.Second)
		for range 3 {
			o.Over()
		}
		if lines := told(); len(lines) != 1 || lines[0]["level"] != "info" || lines[0]["away_for_ms"] != 90000.0 || lines[0]["errors"] != 20.0 {
			t.Errorf("turn %d: %v", turn, lines)
		}
	}
	var none *chat.Outage
	none.Over()
	if none.Is(away) {
		t.Error("who knows of no outage meets none")
	}
}

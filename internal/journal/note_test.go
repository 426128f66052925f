package journal_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// What came of a talk is told while it lasts, after it, and again: what was told
// last stands with that agent's latest talk, and its note is kept.
func TestDisposed(t *testing.T) {
	config := &queuegroups.Config{
		Agents: []queuegroups.Agent{{ID: "anna", Capacity: queuegroups.Capacity{Voice: 1}}},
		Groups: []queuegroups.Group{{
			ID: "sales", Agents: []queuegroups.AgentID{"anna"}, Distribution: queuegroups.InOrder, Rings: 6, RingLength: 5 * time.Second,
			NoAnswer: []queuegroups.Action{{Kind: queuegroups.ActionHangup}}, DialLimit: time.Minute, WrapUp: time.Minute,
		}},
		Numbers: []queuegroups.Number{{Number: "+4822", Group: "sales"}},
	}
	talk := []acd.Event{
		&acd.ConfigApplied{Config: config}, &acd.AgentOnline{Agent: "anna", Node: "n1"}, &acd.CallArrived{Leg: "c", Node: "n1", To: "+4822"},
		&acd.OfferAnswered{Offer: 3<<16 | 1, Leg: "a", Node: "n1"}, &acd.Bridged{A: "c", B: "a"},
	}
	end := &acd.LegEnded{Leg: "c", Cause: acd.EndHangup}
	told := func(code string, note int64) acd.Event {
		return &acd.Disposed{Interaction: 3, Agent: "anna", Code: code, Note: note}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		note, err := journal.AddNote(t.Context(), d, journal.Note{Interaction: 3, Agent: "anna", At: 1, By: "anna", Text: "wants two\x00"})
		if err != nil || note <= 0 {
			t.Fatal(note, err)
		}
		for _, text := range []string{"", strings.Repeat("ż", journal.NoteMax+1)} {
			if _, err := journal.AddNote(t.Context(), d, journal.Note{Interaction: 3, Text: text}); err == nil {
				t.Errorf("a note of %d bytes was taken", len(text))
			}
		}
		for _, c := range []struct {
			name   string
			events []acd.Event
			code   string
			note   int64
		}{
			{"never", []acd.Event{end}, "", 0},
			{"while it lasts", []acd.Event{told("sale", note), end}, "sale", note},
			{"in wrap-up", []acd.Event{end, told("sale", note)}, "sale", note},
			{"again", []acd.Event{told("sale", note), end, told("call_back", 0)}, "call_back", 0},
			{"by another", []acd.Event{told("sale", 0), end, &acd.Disposed{Interaction: 3, Agent: "nobody", Code: "x"}}, "sale", 0},
			{"of another", []acd.Event{told("sale", 0), end, &acd.Disposed{Interaction: 2, Agent: "anna", Code: "x"}}, "sale", 0},
		} {
			for _, apart := range []bool{false, true} { // in one transaction, or in one each
				if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec("delete from talks"); return err }); err != nil {
					t.Fatal(err)
				}
				journal.WriteDown(t, d, append(talk[:len(talk):len(talk)], c.events...), apart)
				got, ok, err := journal.LastTalk(t.Context(), d, 3, "")
				if err != nil || !ok || got.Agent != "anna" || got.Group != "sales" || got.WrapUp == 0 || got.Wrapped != 0 || got.Disposition != c.code || got.Note != c.note {
					t.Errorf("%s: %+v %v %v", c.name, got, ok, err)
				}
			}
		}
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec("delete from talks"); return err }); err != nil {
			t.Fatal(err)
		}
		told := journal.WriteDown(t, d, append(talk[:len(talk):len(talk)], end, &acd.Disposed{Interaction: 3, Agent: "anna", Group: "sales", Code: "sale", Note: note}), true)
		if last := told[len(told)-1]; last.Type != "talk.disposed" || last.Group != "sales" || last.Agent != "anna" || last.Interaction != 3 ||
			string(last.Data) != `{"interaction":"3","group":"sales","agent":"anna","code":"sale","note":true}` {
			t.Errorf("told %+v: %s", last, last.Data)
		}
		if _, ok, err := journal.LastTalk(t.Context(), d, 3, "bartek"); ok || err != nil {
			t.Error(ok, err)
		}
		var text string
		if err := d.Read().QueryRow("select text from notes where id = $1", note).Scan(&text); err != nil || text != "wants two" {
			t.Errorf("%q, %v", text, err)
		}
	})
}

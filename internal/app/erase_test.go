package app

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/chat"
	"centrala/chat/store"
	"centrala/internal/journal"
)

// Who wrote before they signed in is in the history by two names, and is erased by either: what they wrote, and both names.
func TestErase_WhoSignedIn(t *testing.T) {
	for _, c := range []struct {
		name, by string
		known    bool // the customer wrote before, too
		old      bool // it was before the database kept who signed in
	}{
		{name: "by the name of before", by: "visitor:x"},
		{name: "by the name since", by: "customer:4711"},
		{name: "by the name of before, and the customer was known", by: "visitor:x", known: true},
		{name: "by the name since, and the customer was known", by: "customer:4711", known: true},
		{name: "by the name of before, long ago", by: "visitor:x", old: true},
		{name: "by the name since, and the customer was known long ago", by: "customer:4711", known: true, old: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := people(t, webSite(t, "agents: {anna: {}}\n"))
			chats := store.New(store.Options{DB: p.database, Dir: attachmentsOf(p.server.Data), Log: zerolog.Nop()})
			var rows journal.Rows
			writes := func(customer, text string) chat.Taken {
				t.Helper()
				x, err := chats.Take(t.Context(), chat.Incoming{Channel: "website", Customer: customer, Verified: strings.HasPrefix(customer, "customer:"), External: text, Text: text})
				if err != nil {
					t.Fatal(err)
				}
				rows.Interactions = append(rows.Interactions, journal.Interaction{
					ID: acd.InteractionID(len(rows.Interactions) + 1), Kind: journal.KindChat, Direction: journal.DirectionIn, Channel: "website", Caller: customer,
					Arrived: 10, Ended: 20, End: acd.CompletedByAgent, Leg: acd.LegID(x.Session.ID),
				})
				return x
			}
			closes := func(list ...chat.Taken) {
				t.Helper()
				for _, x := range list {
					if err := chats.Close(t.Context(), x.Session.ID); err != nil {
						t.Fatal(err)
					}
				}
			}
			if c.known {
				closes(writes("customer:4711", "long ago"))
			}
			closes(writes("visitor:x", "before"), writes("visitor:other", "somebody else"))
			if err := chats.Identify(t.Context(), "website", "visitor:x", "customer:4711"); err != nil {
				t.Fatal(err)
			}
			since := writes("customer:4711", "since")
			if err := p.database.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, p.database.Mark) }); err != nil {
				t.Fatal(err)
			}
			if c.old {
				file, err := os.ReadFile("../journal/db/migrations/00071_signed_in.sql")
				if err != nil {
					t.Fatal(err)
				}
				steps := []string{"delete from chat_signed_in"}
				up, _, _ := strings.Cut(string(file), "-- +goose Down")
				for step := range strings.SplitSeq(up, ";") {
					if strings.Contains(step, "insert into") {
						steps = append(steps, step)
					}
				}
				for _, step := range steps {
					if err := p.database.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.ExecContext(t.Context(), step); return err }); err != nil {
						t.Fatal(err)
					}
				}
			}
			if e, err := p.Erase(t.Context(), c.by); err != nil || e.GoingOn != 1 {
				t.Fatalf("while they write: %+v, %v", e, err)
			}
			closes(since)
			if _, err := p.Erase(t.Context(), c.by); err != nil {
				t.Fatal(err)
			}
			var left, texts, names int
			read := p.database.Read()
			if err := errors.Join(
				read.QueryRowContext(t.Context(), "select count(*) from interactions where caller in ('visitor:x', 'customer:4711')").Scan(&left),
				read.QueryRowContext(t.Context(), "select count(*) from chat_messages where body in ('long ago', 'before', 'since')").Scan(&texts),
				read.QueryRowContext(t.Context(), "select (select count(*) from chat_identities where external in ('visitor:x', 'customer:4711')) + (select count(*) from chat_signed_in)").Scan(&names),
			); err != nil || left+texts+names > 0 {
				t.Errorf("left: %d in the history, %d texts, %d names, %v", left, texts, names, err)
			}
			if err := read.QueryRowContext(t.Context(), "select (select count(*) from interactions where caller = 'visitor:other') + (select count(*) from chat_messages where body = 'somebody else')").Scan(&left); err != nil || left != 2 {
				t.Errorf("of somebody else %d things are left, %v", left, err)
			}
		})
	}
}

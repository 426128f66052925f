package hub_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/hub"
	"centrala/chat/store"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// idleCore takes what it is told, and does nothing: what is measured is hub and store.
type idleCore struct{}

func (idleCore) Arrived(context.Context, chat.Session) error   { return nil }
func (idleCore) Written(context.Context, string, string) error { return nil }
func (idleCore) Closed(context.Context, string) error          { return nil }
func (idleCore) Ended(context.Context, string) error           { return nil }
func (idleCore) Underway() []chat.SessionID                    { return nil }

func benchHub(b *testing.B, o db.Options) (*hub.Hub, *store.Store, *fakeConnector) {
	s := store.New(store.Options{DB: dbtest.Open(b, o), Dir: b.TempDir(), Log: zerolog.Nop()})
	c := &fakeConnector{more: make(chan struct{}, 1), keys: true}
	h := hub.New(hub.Options{
		Store: s, Core: idleCore{}, Log: zerolog.Nop(),
		Connector: func(string) chat.Connector { return c }, Text: func(string, chat.Notice) string { return "" },
	})
	if err := h.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(h.Stop)
	return h, s, c
}

func eachDatabase(b *testing.B, f func(*testing.B, db.Options)) {
	b.Run("sqlite", func(b *testing.B) { f(b, dbtest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { f(b, dbtest.Postgres(b)) })
}

// Messages in: each kept, acknowledged and made a message of its conversation, of 100
// customers at once. p99 is from the customer's sending to whoever watches the conversation.
//
//	go test ./chat/hub -run - -bench BenchmarkIn -benchtime 5000x
func BenchmarkIn(b *testing.B) {
	eachDatabase(b, func(b *testing.B, o db.Options) {
		h, s, _ := benchHub(b, o)
		const customers = 100
		var mu sync.Mutex
		var took []time.Duration
		each := func(c, n int) {
			customer, seen := fmt.Sprint("c", c), int64(0)
			for k := range n {
				body := fmt.Appendf(nil, `{"Customer":%q,"ID":"%s-%d","Text":"hello"}`, customer, customer, k)
				began := time.Now()
				if err := h.Receive(b.Context(), "website", fmt.Sprint(customer, "-", k), body); err != nil {
					b.Error(err)
					return
				}
				for there := false; !there; {
					x, err := s.ConversationOf(b.Context(), "website", customer)
					if err != nil {
						runtime.Gosched() // the first one is being made
						continue
					}
					changed := h.Changed(x.ID)
					list, err := s.After(b.Context(), x.ID, seen, 10)
					if err != nil {
						b.Error(err)
						return
					}
					if there = len(list) > 0; there {
						seen = list[len(list)-1].Seq
						break
					}
					<-changed
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		}
		var all sync.WaitGroup
		b.ResetTimer()
		for c := range customers {
			n := b.N / customers
			if c < b.N%customers {
				n++
			}
			all.Go(func() { each(c, n) })
		}
		all.Wait()
		b.StopTimer()
		slices.Sort(took)
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
	})
}

// Messages out: each kept, handed to a connector that takes it at once, and noted as
// sent, in 100 conversations.
//
//	go test ./chat/hub -run - -bench BenchmarkOut -benchtime 2000x
func BenchmarkOut(b *testing.B) {
	eachDatabase(b, func(b *testing.B, o db.Options) {
		h, s, c := benchHub(b, o)
		var sessions []chat.SessionID
		for k := range 100 {
			t, err := s.Take(b.Context(), chat.Incoming{Channel: "website", Customer: fmt.Sprint(k), External: fmt.Sprint(k), Text: "hello"})
			if err != nil {
				b.Fatal(err)
			}
			sessions = append(sessions, t.Session.ID)
		}
		b.ResetTimer()
		var all sync.WaitGroup
		for k, id := range sessions {
			n := b.N / len(sessions)
			if k < b.N%len(sessions) {
				n++
			}
			all.Go(func() {
				for m := range n {
					d := chat.Draft{Session: id, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: fmt.Sprint(m), Text: "hi"}
					if _, err := h.Say(b.Context(), d, string(id)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		for sent := 0; sent < b.N; {
			<-c.more
			c.mu.Lock()
			sent = len(c.sent)
			c.mu.Unlock()
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}

package widget_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"centrala/chat"
	"centrala/chat/store"
)

// faulty is a window behind a network that loses requests and answers, brings requests twice,
// and brings old ones late. It keeps to the window's rules: it sends one message at a time, until
// it hears that it was kept; takes frames by their numbers; and when it is shown anew goes on from
// what it had put away.
type faulty struct {
	r     *rig
	rnd   *rand.Rand
	token string
	late  [][]byte // requests that the network still has
	has   []string // what is shown, by number
	since int64
}

// tell sends a request; false: no answer came back.
func (f *faulty) tell(body []byte) bool {
	if f.rnd.IntN(4) == 0 {
		f.late = append(f.late, body) // it may come later, or never
		return false
	}
	if len(f.late) > 0 && f.rnd.IntN(2) == 0 {
		k := f.rnd.IntN(len(f.late))
		f.r.request("POST", "website/frames", f.token, f.late[k])
	}
	status := 0
	for range 1 + f.rnd.IntN(2) {
		status, _, _ = f.r.request("POST", "website/frames", f.token, body)
	}
	return status == 200 && f.rnd.IntN(4) > 0
}

// look asks for what is new, and loses some of it.
func (f *faulty) look() {
	_, _, answer := f.r.request("GET", fmt.Sprintf("website/poll?since=%d", f.since), f.token, nil)
	var page struct{ Frames []got }
	if json.Unmarshal(answer, &page) != nil || f.rnd.IntN(4) == 0 {
		return
	}
	for _, x := range page.Frames {
		if x.Type != "messages" || x.To <= f.since {
			continue
		}
		for _, m := range x.Items {
			if m.Seq > f.since {
				f.has = append(f.has, fmt.Sprintf("%d %s %s", m.Seq, m.By, m.Text))
			}
		}
		f.since = x.To
		if f.rnd.IntN(3) == 0 {
			return // the rest of the answer was cut off
		}
	}
}

// Whatever the network loses, doubles and mixes up, and however often the server begins anew: at
// the end both sides have the same messages in the same order, each of them once, and each
// side's in the order in which it wrote them.
func TestFaults(t *testing.T) {
	r := newRig(t)
	const visitors, messages = 3, 12
	var wg sync.WaitGroup
	var begun sync.WaitGroup
	windows := make([]*faulty, visitors)
	begun.Add(visitors)
	for v := range visitors {
		f := &faulty{r: r, rnd: rand.New(rand.NewPCG(8, uint64(v))), token: r.visitor()}
		windows[v] = f
		wg.Go(func() {
			for m := range messages {
				body, _ := json.Marshal(map[string]any{"type": "message", "id": fmt.Sprint("m", m), "text": fmt.Sprint("from ", v, " ", m)})
				for !f.tell(body) { // until it hears that it was kept
				}
				f.look()
				if m == 0 {
					begun.Done()
				}
			}
		})
	}
	wg.Go(func() {
		begun.Wait()
		rnd := rand.New(rand.NewPCG(9, 9))
		for m := range messages {
			for _, s := range openSessions(t, r, visitors) {
				for range 1 + rnd.IntN(3) { // the agent's program says it again until it hears that it was kept
					r.mu.RLock()
					h := r.hub
					r.mu.RUnlock()
					_, _ = h.Say(context.Background(), chat.Draft{Session: s.ID, Author: chat.ByAgent, Name: "anna", Kind: chat.KindText, Client: fmt.Sprint("a", m), Text: fmt.Sprint("to you ", m)}, "a")
				}
			}
			if m%4 == 1 {
				r.restart()
			}
		}
	})
	wg.Wait()
	for v, f := range windows {
		var want []string
		eventually(t, "all is there", func() bool {
			want = want[:0]
			s := openSessions(t, r, visitors)
			for _, s := range s {
				list, err := r.store.After(context.Background(), s.Conversation, 0, store.PageMax)
				if err != nil {
					t.Fatal(err)
				}
				if list[0].Text == fmt.Sprint("from ", v, " ", 0) {
					for _, m := range list {
						want = append(want, fmt.Sprintf("%d %s %s", m.Seq, m.Author, m.Text))
					}
				}
			}
			f.look()
			return len(want) == 2*messages && len(f.has) == 2*messages
		})
		if !slices.Equal(f.has, want) {
			t.Errorf("visitor %d has\n%q, the server\n%q", v, f.has, want)
		}
		next := map[string]int{}
		for _, line := range f.has {
			var seq, n int
			var by, a, b string
			if _, err := fmt.Sscan(line, &seq, &by, &a, &b, &n); err != nil {
				t.Fatal(line, err)
			}
			if n != next[by] {
				t.Errorf("visitor %d: %s wrote %d where %d was to come", v, by, n, next[by])
			}
			next[by]++
		}
	}
}

func openSessions(t *testing.T, r *rig, n int) []chat.Session {
	t.Helper()
	var list []chat.Session
	eventually(t, "sessions", func() bool {
		var err error
		list, err = r.store.Open(context.Background())
		return err == nil && len(list) == n
	})
	return list
}

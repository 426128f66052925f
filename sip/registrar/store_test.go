package registrar

import (
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// memory is a Store that keeps bindings as JSON, as a real one would.
type memory struct {
	mu     sync.Mutex
	kept   map[string][]byte
	fail   error
	gate   chan struct{} // if set, each write waits for it
	writes int
}

func (m *memory) write(do func()) error {
	if m.gate != nil {
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.fail != nil {
		return m.fail
	}
	if m.kept == nil {
		m.kept = map[string][]byte{}
	}
	do()
	return nil
}

func (m *memory) Save(user string, bindings []Binding) error {
	data, err := json.Marshal(bindings)
	if err != nil {
		return err
	}
	return m.write(func() { m.kept[user] = data })
}

func (m *memory) Delete(user string) error { return m.write(func() { delete(m.kept, user) }) }

func (m *memory) Load() (map[string][]Binding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string][]Binding{}
	for user, data := range m.kept {
		var list []Binding
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, err
		}
		all[user] = list
	}
	return all, m.fail
}

func (m *memory) users() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.kept))
}

// What has not expired and hangs on no connection survives a restart, and nobody is announced anew.
func TestStore_Restart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		var heard reach
		r, err := New(Options{Store: store, OnReachable: heard.hear})
		if err != nil {
			t.Fatal(err)
		}
		r.Handle(register(t, 1, `Contact: <sip:a@h>;q=0.5;+sip.instance="<urn:uuid:1>"`, "Path: <sip:p;lr>", "User-Agent: phone 1"), "anna", udpFlow)
		r.Handle(register(t, 2, "Contact: <sip:b@h>;expires=90"), "anna", udpFlow)
		r.Handle(register(t, 1, "Contact: <sip:c@h>"), "bartek", tcpFlow)
		r.Handle(register(t, 1, "Contact: <sip:c@h>;expires=90"), "celina", udpFlow)
		r.Handle(register(t, 1, "Contact: <sip:c@h>"), "dawid", udpFlow)
		r.Handle(register(t, 2, "Contact: *", "Expires: 0"), "dawid", udpFlow)
		before := r.Contacts("anna")
		r.Close()
		if got := store.users(); !slices.Equal(got, []string{"anna", "bartek", "celina"}) {
			t.Errorf("stored %v", got)
		}
		heard.take()
		time.Sleep(100 * time.Second)

		r, err = New(Options{Store: store, OnReachable: heard.hear})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Users(); !slices.Equal(got, []string{"anna"}) {
			t.Errorf("users %v", got)
		}
		after := r.Contacts("anna")
		if diff := cmp.Diff(before[1:], after, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
		synctest.Wait()
		if got := heard.take(); got != nil {
			t.Errorf("announced %v", got)
		}
		if got := store.users(); !slices.Equal(got, []string{"anna"}) {
			t.Errorf("what was dropped is still stored: %v", got)
		}
		// Call-ID and CSeq still count, and so does expiry.
		if res := r.Handle(register(t, 1, "Contact: <sip:a@h>"), "anna", udpFlow); res.StatusCode != 500 {
			t.Errorf("out of order: %d", res.StatusCode)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := heard.take(); !slices.Equal(got, []string{"annafalse"}) {
			t.Errorf("heard %v", got)
		}
		if got := store.users(); len(got) != 0 {
			t.Errorf("stored %v", got)
		}
		r.Close()
	})
}

// Answers do not wait for the Store; of many changes of a user only the newest is written.
func TestStore_BehindTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{gate: make(chan struct{})}
		r := newRegistrar(t, Options{Store: store})
		start := time.Now()
		for i := range 1000 {
			if res := r.Handle(register(t, i+1, "Contact: <sip:a@h>"), "anna", udpFlow); res.StatusCode != 200 {
				t.Fatal(res)
			}
		}
		if time.Since(start) != 0 {
			t.Errorf("waited %v for a store that hangs", time.Since(start))
		}
		close(store.gate)
		synctest.Wait()
		if store.writes > 2 {
			t.Errorf("%d writes", store.writes)
		}
		list, err := store.Load()
		if err != nil || list["anna"][0].CSeq != 1000 {
			t.Errorf("stored %+v %v", list, err)
		}
	})
}

// A write that fails is reported and tried again, with the newest state.
func TestStore_Retry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		broken := errors.New("no space")
		var failed []string
		r := newRegistrar(t, Options{Store: store, StoreFailed: func(user string, err error) {
			if !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
			failed = append(failed, user)
		}})
		store.fail = broken
		r.Handle(register(t, 1, "Contact: <sip:a@h>"), "anna", udpFlow)
		time.Sleep(retryAfter + time.Second)
		synctest.Wait()
		if !slices.Equal(failed, []string{"anna", "anna"}) {
			t.Errorf("failures %v", failed)
		}
		store.mu.Lock()
		store.fail = nil
		store.mu.Unlock()
		time.Sleep(retryAfter)
		synctest.Wait()
		if got := store.users(); !slices.Equal(got, []string{"anna"}) {
			t.Errorf("stored %v", got)
		}
	})
}

package registrar

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// news of reachability, as the switchboard hears it.
type reach struct {
	mu   sync.Mutex
	list []string
}

func (r *reach) hear(user string, yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, fmt.Sprint(user, yes))
}

func (r *reach) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.list
	r.list = nil
	return l
}

func TestReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard reach
		r := newRegistrar(t, Options{OnReachable: heard.hear})
		expect := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := heard.take(); !slices.Equal(got, want) {
				t.Errorf("%s: heard %v, want %v", what, got, want)
			}
		}
		r.Handle(register(t, 1, "Contact: <sip:a@h>;expires=60"), "anna", udpFlow)
		expect("first contact", "annatrue")
		r.Handle(register(t, 2, "Contact: <sip:b@h>;expires=120"), "anna", tcpFlow)
		r.Handle(register(t, 3, "Contact: <sip:b@h>;expires=120"), "anna", tcpFlow)
		r.Handle(register(t, 4), "anna", udpFlow)
		r.Handle(register(t, 4), "bartek", udpFlow)
		r.Handle(register(t, 4, "Contact: <sip:b@h>;expires=0"), "bartek", udpFlow)
		expect("a second one, refreshes, queries")
		if got := r.Users(); !slices.Equal(got, []string{"anna"}) {
			t.Errorf("users %v", got)
		}
		time.Sleep(60 * time.Second)
		expect("the first one expires")
		if got := uris(r); !slices.Equal(got, []string{"sip:b@h"}) {
			t.Errorf("contacts %v", got)
		}
		r.FlowGone("t1")
		expect("the connection of the last one is closed", "annafalse")
		r.FlowGone("t1")
		r.FlowGone("unknown")
		expect("twice")
		r.Handle(register(t, 5, "Contact: <sip:a@h>;expires=60"), "anna", udpFlow)
		time.Sleep(60 * time.Second)
		expect("bound and expired", "annatrue", "annafalse")
		r.Handle(register(t, 6, "Contact: <sip:a@h>"), "anna", udpFlow)
		r.Handle(register(t, 7, "Contact: *", "Expires: 0"), "anna", udpFlow)
		expect("star", "annatrue", "annafalse")
		if r.Users() != nil {
			t.Errorf("users %v", r.Users())
		}
	})
}

// OnReachable may call back, and nobody hears two things of one user at once.
func TestReachable_Reentrant(t *testing.T) {
	var r *Registrar
	var calls []int
	r = newRegistrar(t, Options{OnReachable: func(user string, yes bool) {
		calls = append(calls, len(r.Contacts(user)))
		if yes && len(calls) == 1 {
			r.Handle(register(t, 2, "Contact: *", "Expires: 0"), user, udpFlow)
		}
	}})
	r.Handle(register(t, 1, "Contact: <sip:a@h>"), "anna", udpFlow)
	if !slices.Equal(calls, []int{1, 0}) {
		t.Errorf("contacts seen: %v", calls)
	}
}

// Expiry is exact to the timer, one binding at a time, and none is left in any index.
func TestExpiry_Many(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard reach
		r := newRegistrar(t, Options{OnReachable: heard.hear})
		const users = 200
		for i := range users {
			user := fmt.Sprintf("u%03d", i)
			flow := Flow{ID: "f" + user, Transport: "udp"}
			r.Handle(register(t, 1, fmt.Sprintf("Contact: <sip:x@h>;expires=%d", 60+(i*7)%users)), user, flow)
		}
		heard.take()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if got := len(r.Users()); got != users {
			t.Fatalf("%d users just before the first expires", got)
		}
		for s := range users {
			time.Sleep(time.Second)
			synctest.Wait()
			if got := len(r.Users()); got != users-s-1 {
				t.Fatalf("second %d: %d users, want %d", 60+s, got, users-s-1)
			}
		}
		checkEmpty(t, r)
	})
}

func checkEmpty(t *testing.T, r *Registrar) {
	t.Helper()
	for i := range r.shards {
		sh := &r.shards[i]
		if len(sh.users) != 0 || len(sh.flows) != 0 || len(sh.heap) != 0 || len(sh.news) != 0 {
			t.Errorf("shard %d: %d users, %d flows, %d in the heap, %d news", i, len(sh.users), len(sh.flows), len(sh.heap), len(sh.news))
		}
	}
}

// A refresh by another flow moves the binding: the old connection may close.
func TestFlow_Moves(t *testing.T) {
	r := newRegistrar(t, Options{})
	r.Handle(register(t, 1, "Contact: <sip:a@h>"), "anna", tcpFlow)
	r.Handle(register(t, 2, "Contact: <sip:a@h>"), "anna", Flow{ID: "t2", Transport: "tcp"})
	r.FlowGone("t1")
	if got := r.Contacts("anna"); len(got) != 1 || got[0].Flow.ID != "t2" {
		t.Errorf("got %+v", got)
	}
	r.FlowGone("t2")
	checkEmpty(t, r)
}

// Memory stays level however often phones register.
func TestHandle_MemoryFlat(t *testing.T) {
	r := newRegistrar(t, Options{Now: func() time.Time { return time.Unix(1e9, 0) }})
	for i := range 2000 {
		r.Handle(register(t, i+1, "Contact: <sip:a@h>"), "anna", Flow{ID: fmt.Sprint("t", i%5), Transport: "tcp"})
	}
	sh := r.shard("anna")
	if len(sh.heap) != 1 || len(sh.flows) != 1 || len(sh.users) != 1 || len(sh.users["anna"].entries) != 1 {
		t.Errorf("%d in the heap, %d flows, %d users", len(sh.heap), len(sh.flows), len(sh.users))
	}
}

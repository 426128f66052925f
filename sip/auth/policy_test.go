package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/icholy/digest"

	"centrala/sip/header"
)

// The table of nonces is bounded, and what it forgets can't be replayed.
func TestNonces_Bounded(t *testing.T) {
	a, clk := newAuth(t, Options{MaxNonces: 10})
	first := answer(t, fresh(t, a, phone)[0], digest.Options{})
	if _, v := check(t, a, phone, first); v != OK {
		t.Fatal(v)
	}
	for range 100 {
		if _, v := check(t, a, phone, answer(t, fresh(t, a, phone)[0], digest.Options{})); v != OK {
			t.Fatal(v)
		}
	}
	if n := len(a.nonces.used); n != 10 {
		t.Errorf("%d nonces kept", n)
	}
	if len(a.nonces.order)-a.nonces.head != 10 || len(a.nonces.order) > 40 {
		t.Errorf("order of %d, head %d", len(a.nonces.order), a.nonces.head)
	}
	if _, v := check(t, a, phone, first); v != Stale {
		t.Errorf("replay of a forgotten nonce: %v", v)
	}
	clk.t = clk.t.Add(time.Hour)
	if _, v := check(t, a, phone, answer(t, fresh(t, a, phone)[0], digest.Options{})); v != OK {
		t.Fatal(v)
	}
	if n := len(a.nonces.used); n != 1 {
		t.Errorf("%d nonces kept after an hour", n)
	}
}

// Wrong passwords are slowed down for one user from one address; nobody else notices.
func TestCheck_Pause(t *testing.T) {
	a, clk := newAuth(t, Options{MaxFailures: 3, MaxPause: 8 * time.Second})
	guess := func(from netip.Addr, password string) Verdict {
		_, v := check(t, a, from, answer(t, fresh(t, a, from)[0], digest.Options{Password: password}))
		return v
	}
	for i := range 3 {
		if v := guess(attacker, "guess"); v != Wrong {
			t.Fatalf("try %d: %v", i, v)
		}
	}
	if v := guess(attacker, "secret"); v != Paused {
		t.Errorf("after three: %v, want a pause even for the right password", v)
	}
	if v := guess(phone, "secret"); v != OK {
		t.Errorf("the phone elsewhere: %v", v)
	}
	req := register(t, answer(t, fresh(t, a, attacker)[0], digest.Options{}))
	res := a.Refuse(req, attacker, Paused)
	if v, _ := header.Value(res, "Retry-After"); res.StatusCode != 503 || v != "1" {
		t.Errorf("answer %d, Retry-After %q", res.StatusCode, v)
	}
	for _, pause := range []time.Duration{1, 2, 4, 8, 8} {
		clk.t = clk.t.Add(pause*time.Second - 1)
		if v := guess(attacker, "guess"); v != Paused {
			t.Errorf("just before %d s: %v", pause, v)
		}
		clk.t = clk.t.Add(1)
		if v := guess(attacker, "guess"); v != Wrong {
			t.Errorf("after %d s: %v", pause, v)
		}
	}
	clk.t = clk.t.Add(8 * time.Second)
	if v := guess(attacker, "secret"); v != OK {
		t.Errorf("the right password after the pause: %v", v)
	}
	for range 2 {
		if v := guess(attacker, "guess"); v != Wrong {
			t.Errorf("a clean slate: %v", v)
		}
	}
	clk.t = clk.t.Add(forgive + time.Second)
	for range 3 {
		if v := guess(attacker, "guess"); v != Wrong {
			t.Errorf("forgiven: %v", v)
		}
	}
}

func TestOffences_Bounded(t *testing.T) {
	a, _ := newAuth(t, Options{MaxFailures: 1, MaxOffences: 8})
	c := fresh(t, a, attacker)[0]
	for i := range 100 {
		if _, v := check(t, a, attacker, answer(t, c, digest.Options{Username: fmt.Sprint("u", i), Password: "x"})); v != Wrong {
			t.Fatal(v)
		}
		if len(a.offences.table) > 8 || len(a.offences.order) > 8 {
			t.Fatalf("%d entries, order of %d", len(a.offences.table), len(a.offences.order))
		}
	}
	// One that fails and succeeds by turns leaves nothing behind.
	for i := range 100 {
		check(t, a, phone, answer(t, fresh(t, a, phone)[0], digest.Options{Password: "x"}))
		a.offences.forget("anna", phone)
		if len(a.offences.order) > 8 {
			t.Fatalf("order of %d after %d", len(a.offences.order), i)
		}
	}
}

// Phones that stop at a challenge they do not know get MD5 alone: known ones at once, others when
// they come again without an answer. Retransmissions and those that cope are not affected.
func TestChallenge_Legacy(t *testing.T) {
	a, clk := newAuth(t, Options{})
	ask := func(branch string, lines ...string) int {
		req := register(t, lines...)
		req.Via().Params.Add("branch", branch)
		return len(challenges(t, a.Challenge(req, phone, false)))
	}
	if n := ask("z9hG4bK1", "User-Agent: baresip v1.0.0 (x86_64/linux)"); n != 1 {
		t.Errorf("known: %d challenges", n)
	}
	if n := ask("z9hG4bK1"); n != 2 {
		t.Errorf("first: %d", n)
	}
	if n := ask("z9hG4bK1"); n != 2 {
		t.Errorf("retransmission: %d", n)
	}
	if n := ask("z9hG4bK2"); n != 1 {
		t.Errorf("came again without an answer: %d", n)
	}
	c := challenges(t, a.Challenge(register(t), phone, false))
	if c[0].Algorithm != "MD5" {
		t.Errorf("algorithm %s", c[0].Algorithm)
	}
	if _, v := check(t, a, phone, answer(t, c[0], digest.Options{})); v != OK {
		t.Fatal(v)
	}
	if n := ask("z9hG4bK3"); n != 1 {
		t.Errorf("after its success: %d", n)
	}
	if n := len(challenges(t, a.Challenge(register(t), attacker, false))); n != 2 {
		t.Errorf("from elsewhere: %d", n)
	}
	clk.t = clk.t.Add(legacyLife + time.Second)
	if n := ask("z9hG4bKa"); n != 2 {
		t.Errorf("forgotten: %d", n)
	}
	if _, v := check(t, a, phone, answer(t, fresh(t, a, phone)[0], digest.Options{})); v != OK {
		t.Fatal(v)
	}
	if n := ask("z9hG4bK5"); n != 2 {
		t.Errorf("after a success with SHA-256: %d", n)
	}
	// A wrong password shows that the phone understood both.
	ask("z9hG4bK6", answer(t, fresh(t, a, attacker)[0], digest.Options{Password: "guess"}))
	if n := ask("z9hG4bK7"); n != 2 {
		t.Errorf("after a wrong password: %d", n)
	}
}

package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/internal/journal/db/dbtest"
)

func desktop(t *testing.T) *desk {
	k := open(t, dbtest.Open(t, dbtest.SQLite(t)))
	k.ok(k.SetPassword(t.Context(), "anna", good, false))
	return k
}

// Who guesses must wait longer and longer; the user can sign in from elsewhere meanwhile.
func TestGuessing_Pair(t *testing.T) {
	k := desktop(t)
	try := func(name, password string, from netip.Addr) error {
		_, _, err := k.SignIn(t.Context(), name, password, from, "")
		return err
	}
	for range freePair {
		k.is(try("anna", "wrong wrong", here), ErrRefused)
	}
	want := time.Second
	for range 12 {
		var many *TooManyError
		if err := try("anna", good, here); !errors.As(err, &many) || many.After != want {
			t.Fatalf("%v, want %v", err, want)
		}
		k.ok(try("anna", good, netip.MustParseAddr("192.0.2.8")))
		k.clock = k.clock.Add(want)
		k.is(try("anna", "wrong wrong", here), ErrRefused)
		want = min(2*want, pauseMax)
	}
	k.clock = k.clock.Add(want)
	k.ok(try("anna", good, here))
	k.is(try("anna", "wrong wrong", here), ErrRefused) // forgiven: no pause
	k.ok(try("anna", good, here))
}

// An address that tries many names is slowed down, and an IPv6 network counts as one address.
func TestGuessing_Address(t *testing.T) {
	for _, from := range []func(int) string{
		func(int) string { return "192.0.2.9" },
		func(n int) string { return fmt.Sprintf("2001:db8:1:1::%x", n+1) },
	} {
		k := desktop(t)
		for n := range freeAddress {
			_, _, err := k.SignIn(t.Context(), fmt.Sprint("user", n), good, netip.MustParseAddr(from(n)), "")
			k.is(err, ErrRefused)
		}
		var many *TooManyError
		if _, _, err := k.SignIn(t.Context(), "anna", good, netip.MustParseAddr(from(99)), ""); !errors.As(err, &many) {
			t.Errorf("%s: %v", from(0), err)
		}
		k.signIn("anna", good) // from elsewhere
	}
}

// Guesses at once are as many as guesses one after another.
func TestGuessing_AtOnce(t *testing.T) {
	k := desktop(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	refused, slowed := 0, 0
	for range 20 {
		wg.Go(func() {
			_, _, err := k.SignIn(t.Context(), "anna", "wrong wrong", here, "")
			var many *TooManyError
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.As(err, &many):
				slowed++
			case errors.Is(err, ErrRefused):
				refused++
			}
		})
	}
	wg.Wait()
	if refused != freePair || slowed != 20-freePair {
		t.Errorf("%d were looked at, %d slowed down", refused, slowed)
	}
}

func TestGuessing_Forgets(t *testing.T) {
	k := desktop(t)
	g := k.guesses
	for n := range guessesMax + 10 {
		g.begin([]limit{{fmt.Sprint(n), freePair, pauseMax}})
	}
	if len(g.byKey) != guessesMax || g.order.Len() != guessesMax {
		t.Errorf("%d counters, %d in order", len(g.byKey), g.order.Len())
	}
	last := []limit{{fmt.Sprint(guessesMax), freePair, pauseMax}}
	for range freePair {
		g.begin(last)
	}
	k.clock = k.clock.Add(forgiven + time.Minute)
	if g.begin(last) != 0 || g.byKey[last[0].key].Value.(*count).failed != 1 {
		t.Error("an old failure is not forgiven")
	}
}

// Somebody unknown is answered like somebody with a wrong password, after the same time: with
// passwords that are costly to check, the quickest of several tries differ by less than half.
func TestSignIn_UnknownTakesAsLong(t *testing.T) {
	k := open(t, dbtest.Open(t, dbtest.SQLite(t)))
	k.hasher = newHasher(cost{memory: 4 << 10, time: 2, lanes: 1})
	k.ok(k.SetPassword(t.Context(), "anna", good, false))
	attempts := 0
	try := func(name string) time.Duration {
		attempts++
		start := time.Now()
		_, _, err := k.SignIn(t.Context(), name, "wrong wrong", netip.AddrFrom4([4]byte{10, 0, byte(attempts >> 8), byte(attempts)}), "")
		took := time.Since(start)
		if !errors.Is(err, ErrRefused) || err.Error() != ErrRefused.Error() {
			t.Fatal(err)
		}
		return took
	}
	for _, name := range []string{"nobody", "bartek", "not a name", ""} {
		// The quickest of many, in turns: what else the machine does only ever takes longer.
		unknown, known := time.Hour, time.Hour
		for n := 0; n < 15 || n < 150 && (unknown < known/2 || unknown > 2*known); n++ {
			unknown, known = min(unknown, try(name)), min(known, try("anna"))
		}
		if unknown < known/2 || unknown > 2*known {
			t.Errorf("%q takes %v, a wrong password %v", name, unknown, known)
		}
	}
}

// What passwords are hashed with is what is written down, and a hash of another cost is replaced
// at the next sign-in.
func TestHasher(t *testing.T) {
	h := newHasher(params)
	hash, err := h.hash(t.Context(), good)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(hash, err)
	}
	if ok, stale, err := h.verify(t.Context(), hash, good); !ok || stale || err != nil {
		t.Error(ok, stale, err)
	}
	if ok, _, err := h.verify(t.Context(), hash, good+" "); ok || err != nil {
		t.Error(ok, err)
	}
	if ok, _, err := h.verify(t.Context(), "", ""); ok || err != nil {
		t.Error("an empty hash lets in", err)
	}
	for _, bad := range []string{"x", "$argon2id$v=19$m=99999999,t=2,p=1$AAAA$AAAA", "$argon2i$v=19$m=16,t=1,p=1$AAAA$AAAA", strings.Replace(hash, "v=19", "v=16", 1)} {
		if _, _, err := h.verify(t.Context(), bad, good); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	k := desktop(t)
	before, err := k.find(t.Context(), "anna")
	k.ok(err)
	k.hasher = newHasher(cost{memory: 32, time: 1, lanes: 1})
	k.signIn("anna", good)
	after, err := k.find(t.Context(), "anna")
	k.ok(err)
	if before.hash == after.hash || !strings.Contains(after.hash, "m=32,") {
		t.Errorf("%s, then %s", before.hash, after.hash)
	}
	k.signIn("anna", good)
}

// So many hash at once, so many wait, and the rest is refused at once.
func TestHasher_Bound(t *testing.T) {
	h := newHasher(cheap)
	var leave []func()
	for range cap(h.slots) {
		f, err := h.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range waitersMax {
		h.queue <- struct{}{} // as those do who wait
	}
	if _, err := h.hash(t.Context(), good); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	<-h.queue
	wg.Go(func() {
		if _, err := h.hash(ctx, good); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	cancel()
	wg.Wait()
	for range waitersMax - 1 {
		<-h.queue
	}
	for _, f := range leave {
		f()
	}
	if len(h.queue) != 0 || len(h.slots) != 0 {
		t.Errorf("%d and %d are left", len(h.queue), len(h.slots))
	}
}

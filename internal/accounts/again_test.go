package accounts

import (
	"testing"
	"time"

	"centrala/queuegroups"
)

// What lasts, lasts as long as the session or the key, and does not keep it alive.
func TestAgain(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		ctx := t.Context()
		again := func(c *Caller) *Caller {
			t.Helper()
			c, err := k.Again(ctx, c)
			k.ok(err)
			return c
		}
		k.ok(k.AddUser(ctx, "boss", queuegroups.RoleAdministrator))
		once, err := k.OneTimePassword(ctx, "boss")
		k.ok(err)
		token, c := k.signIn("boss", once)
		if x := again(c); x == nil || !x.Once {
			t.Errorf("%+v", x)
		}
		k.ok(k.ChangePassword(ctx, "boss", c.Session, "", "a password of mine"))
		k.clock = k.clock.Add(rotateAfter)
		if k.session(token) == nil {
			t.Fatal("the session is over")
		}
		k.clock = k.clock.Add(rotateAfter) // the token of then is no longer good, the session is
		if x := again(c); x == nil || x.Once || x.Session != c.Session || !x.Role.Has(queuegroups.RightUsersRead) {
			t.Errorf("%+v", x)
		}
		k.ok(k.SetRole(ctx, "boss", queuegroups.RoleDirector))
		if x := again(c); x == nil || x.Role.Has(queuegroups.RightUsersRead) {
			t.Errorf("%+v", x)
		}
		k.clock = k.clock.Add(idleLimit - rotateAfter)
		if again(c) != nil {
			t.Error("to look again keeps a session alive")
		}
		_, c = k.signIn("boss", "a password of mine")
		k.ok(k.SignOut(ctx, "boss", c.Session))
		if again(c) != nil {
			t.Error("a session that was ended goes on")
		}
		secret, key, err := k.AddKey(ctx, Key{Title: "wall", Owner: "boss", Rights: []queuegroups.Right{queuegroups.RightEventsRead}, Expires: k.clock.Add(time.Hour)})
		k.ok(err)
		c, err = k.Key(ctx, secret, here)
		k.ok(err)
		if x := again(c); x == nil || !x.Role.Has(queuegroups.RightEventsRead) || x.Role.Has(queuegroups.RightAgentsRead) {
			t.Errorf("%+v", x)
		}
		k.ok(k.RemoveKey(ctx, key.ID))
		if again(c) != nil || again(&Caller{Name: "nobody"}) != nil {
			t.Error("a key that was revoked goes on")
		}
	})
}

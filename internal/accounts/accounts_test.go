package accounts

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/queuegroups"
)

// cheap is a cost for tests, which have more to do than to hash.
var cheap = cost{memory: 16, time: 1, lanes: 1}

const (
	good = "a good password"
	site = `
agents: {anna: {}, bartek: {role: lead}}
groups: {sales: {agents: [anna, bartek]}}
roles: {lead: {rights: [agents:read, history:read], groups: [sales]}}
`
)

var here = netip.MustParseAddr("192.0.2.7")

// desk is accounts with a clock of the test's.
type desk struct {
	*Accounts
	t      *testing.T
	clock  time.Time
	config *queuegroups.Config
}

func load(t *testing.T, text string) *queuegroups.Config {
	t.Helper()
	c, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: "site", Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t *testing.T, d *db.DB) *desk {
	t.Helper()
	k := &desk{t: t, clock: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), config: load(t, site)}
	k.Accounts = New(Options{DB: d, Config: func() *queuegroups.Config { return k.config }, Log: zerolog.Nop(), Now: func() time.Time { return k.clock }})
	k.hasher = newHasher(cheap)
	return k
}

func each(t *testing.T, f func(t *testing.T, k *desk)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { f(t, open(t, d)) })
}

func (k *desk) ok(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *desk) is(err, want error) {
	k.t.Helper()
	if !errors.Is(err, want) {
		k.t.Errorf("%v, want %v", err, want)
	}
}

func (k *desk) signIn(name, password string) (string, *Caller) {
	k.t.Helper()
	token, c, err := k.SignIn(k.t.Context(), name, password, here, "test")
	k.ok(err)
	return token, c
}

func (k *desk) session(token string) *Caller {
	k.t.Helper()
	c, err := k.Session(k.t.Context(), token, here)
	k.ok(err)
	return c
}

// An agent is a user as soon as they have a password, with the role of the configuration (R76).
func TestSignIn_Agent(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		_, _, err := k.SignIn(t.Context(), "anna", good, here, "")
		k.is(err, ErrRefused)
		k.ok(k.SetPassword(t.Context(), "anna", good, false))
		token, c := k.signIn("anna", good)
		if c.Agent != "anna" || c.Role.ID != queuegroups.RoleManager || c.Role.Reach != queuegroups.ReachOwn || c.Once {
			t.Errorf("%+v", c)
		}
		got := k.session(token)
		if got == nil || got.Name != "anna" || got.Session != c.Session || got.Agent != "anna" {
			t.Errorf("%+v", got)
		}
		if k.session(token+"x") != nil || k.session("") != nil {
			t.Error("another token is a session")
		}
		k.ok(k.SetPassword(t.Context(), "bartek", good, false))
		if _, c := k.signIn("bartek", good); c.Role.ID != "lead" || c.Role.Reach != queuegroups.ReachGroups || !slices.Equal(c.Role.Groups, []queuegroups.GroupID{"sales"}) {
			t.Errorf("%+v", c)
		}
		// Another role counts at once; without a place in the configuration there is none.
		k.config = load(t, strings.Replace(site, "anna: {}", "anna: {role: director}", 1))
		if got := k.session(token); got == nil || got.Role.ID != queuegroups.RoleDirector {
			t.Errorf("%+v", got)
		}
		k.config = load(t, "agents: {ewa: {}}\ngroups: {sales: {agents: [ewa]}}\n")
		if k.session(token) != nil {
			t.Error("an agent who is gone has a session")
		}
		_, _, err = k.SignIn(t.Context(), "anna", good, here, "")
		k.is(err, ErrRefused)
	})
}

func TestUsers(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		ctx := t.Context()
		k.is(k.AddUser(ctx, "boss", "king"), ErrRole)
		k.is(k.AddUser(ctx, "the boss", queuegroups.RoleDirector), ErrName)
		k.is(k.AddUser(ctx, "anna", queuegroups.RoleDirector), ErrExists)
		k.ok(k.AddUser(ctx, "boss", queuegroups.RoleDirector))
		k.is(k.AddUser(ctx, "boss", queuegroups.RoleManager), ErrExists)
		k.is(k.SetPassword(ctx, "nobody", good, false), ErrNotFound)
		k.is(k.SetPassword(ctx, "boss", "short", false), ErrPassword)
		k.is(k.SetPassword(ctx, "anna", "ANNA", false), ErrPassword)
		k.ok(k.SetPassword(ctx, "boss", good, false))
		token, c := k.signIn("boss", good)
		if c.Role.ID != queuegroups.RoleDirector || c.Agent != "" {
			t.Errorf("%+v", c)
		}
		k.ok(k.SetRole(ctx, "boss", queuegroups.RoleAdministrator))
		k.is(k.SetRole(ctx, "anna", queuegroups.RoleAdministrator), ErrAgent)
		if c := k.session(token); c == nil || c.Role.ID != queuegroups.RoleAdministrator {
			t.Errorf("%+v", c)
		}
		list, err := k.Users(ctx)
		k.ok(err)
		var names []string
		for _, u := range list {
			names = append(names, fmt.Sprintf("%s %v %s %v", u.Name, u.Agent, u.Role, u.Password))
		}
		if got := strings.Join(names, ", "); got != "anna true manager false, bartek true lead false, boss false administrator true" {
			t.Error(got)
		}
		k.ok(k.SetDisabled(ctx, "boss", true))
		if k.session(token) != nil {
			t.Error("a session outlives its user")
		}
		_, _, err = k.SignIn(ctx, "boss", good, here, "")
		k.is(err, ErrRefused)
		k.ok(k.SetDisabled(ctx, "boss", false))
		token, _ = k.signIn("boss", good)
		k.ok(k.RemoveUser(ctx, "boss"))
		k.is(k.RemoveUser(ctx, "boss"), ErrNotFound)
		if k.session(token) != nil {
			t.Error("a session outlives its user")
		}
	})
}

// Somebody of the name of an agent who is declared later is not that agent.
func TestUsers_NameBecomesAnAgents(t *testing.T) {
	k := open(t, dbtest.Open(t, dbtest.SQLite(t)))
	k.ok(k.AddUser(t.Context(), "ewa", queuegroups.RoleDirector))
	k.ok(k.SetPassword(t.Context(), "ewa", good, false))
	token, _ := k.signIn("ewa", good)
	k.config = load(t, "agents: {ewa: {}}\ngroups: {sales: {agents: [ewa]}}\n")
	if k.session(token) != nil {
		t.Error("the user is the agent now")
	}
	_, _, err := k.SignIn(t.Context(), "ewa", good, here, "")
	k.is(err, ErrRefused)
	k.ok(k.SetPassword(t.Context(), "ewa", good+"!", false))
	if _, c := k.signIn("ewa", good+"!"); c.Agent != "ewa" || c.Role.ID != queuegroups.RoleManager {
		t.Errorf("%+v", c)
	}
}

func TestSession_Limits(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.ok(k.SetPassword(t.Context(), "anna", good, false))
		idle, _ := k.signIn("anna", good)
		k.clock = k.clock.Add(idleLimit)
		if k.session(idle) != nil {
			t.Error("a session that was left alone lives")
		}
		// One that is used lives for a day, with a new token each hour.
		token, first := k.signIn("anna", good)
		begun := k.clock
		tokens := map[string]bool{token: true}
		for k.clock.Sub(begun) < absoluteLimit {
			c := k.session(token)
			if c == nil || c.Session != first.Session {
				t.Fatalf("after %v: %+v", k.clock.Sub(begun), c)
			}
			if c.Renewed != "" {
				old := token
				token = c.Renewed
				tokens[token] = true
				if c := k.session(old); c == nil || c.Renewed != "" {
					t.Errorf("a request that was on its way: %+v", c)
				}
				k.clock = k.clock.Add(graceFor)
				if k.session(old) != nil {
					t.Error("a replaced token is good for ever")
				}
			}
			k.clock = k.clock.Add(30 * time.Minute)
		}
		if k.session(token) != nil {
			t.Error("a session lives for ever")
		}
		if len(tokens) < 15 {
			t.Errorf("%d tokens in a day", len(tokens))
		}
	})
}

func TestSession_EndedAndListed(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		ctx := t.Context()
		k.ok(k.SetPassword(ctx, "anna", good, false))
		one, _ := k.signIn("anna", good)
		k.clock = k.clock.Add(time.Second)
		two, c := k.signIn("anna", good)
		list, err := k.Sessions(ctx, "anna")
		k.ok(err)
		if len(list) != 2 || list[0].ID != c.Session || list[0].Address != here.String() || list[0].Program != "test" || !list[0].Created.Equal(k.clock) {
			t.Errorf("%+v", list)
		}
		k.is(k.SignOut(ctx, "bartek", c.Session), ErrNotFound)
		k.ok(k.SignOut(ctx, "anna", c.Session))
		if k.session(two) != nil || k.session(one) == nil {
			t.Error("the wrong session ended")
		}
		// A new password ends the others, and keeps the one that it was changed in.
		three, c := k.signIn("anna", good)
		k.is(k.ChangePassword(ctx, "anna", c.Session, "not the one", good+"2"), ErrRefused)
		k.is(k.ChangePassword(ctx, "anna", c.Session, good, good), ErrPassword)
		k.is(k.ChangePassword(ctx, "anna", c.Session, good, "short"), ErrPassword)
		k.is(k.ChangePassword(ctx, "bartek", c.Session, good, good+"2"), ErrNotFound)
		k.ok(k.ChangePassword(ctx, "anna", c.Session, good, good+"2"))
		if k.session(one) != nil || k.session(three) == nil {
			t.Error("the sessions after a change of the password")
		}
		for range sessionsMax + 5 {
			k.clock = k.clock.Add(time.Millisecond)
			k.signIn("anna", good+"2")
		}
		if list, err = k.Sessions(ctx, "anna"); err != nil || len(list) != sessionsMax {
			t.Errorf("%d sessions, %v", len(list), err)
		}
		k.ok(k.SignOutAll(ctx, "anna"))
		if list, err = k.Sessions(ctx, "anna"); err != nil || len(list) != 0 {
			t.Errorf("%d sessions, %v", len(list), err)
		}
	})
}

// A password for one sign-in lets nobody in twice, and not after a week.
func TestOneTimePassword(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		ctx := t.Context()
		password, err := k.OneTimePassword(ctx, "anna")
		k.ok(err)
		var mu sync.Mutex
		var c *Caller
		var token string
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, caller, err := k.SignIn(ctx, "anna", password, here, "")
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && token != "":
					t.Error("signed in twice")
				case err == nil:
					token, c = got, caller
				case !errors.Is(err, ErrRefused):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if c == nil || !c.Once || !k.session(token).Once {
			t.Fatalf("%+v", c)
		}
		k.ok(k.ChangePassword(ctx, "anna", c.Session, "", good))
		if k.session(token).Once {
			t.Error("still to be changed")
		}
		k.signIn("anna", good)
		password, err = k.OneTimePassword(ctx, "anna")
		k.ok(err)
		k.clock = k.clock.Add(onceFor + time.Second)
		_, _, err = k.SignIn(ctx, "anna", password, here, "")
		k.is(err, ErrRefused)
	})
}

// A new server has somebody who can sign in, and no server has one too many.
func TestFirst(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		name, password, err := k.First(t.Context())
		k.ok(err)
		_, c := k.signIn(name, password)
		if c.Role.ID != queuegroups.RoleAdministrator || !c.Once {
			t.Errorf("%+v", c)
		}
		// Their password is used up and no other was chosen: another way in.
		name, password, err = k.First(t.Context())
		k.ok(err)
		_, c = k.signIn(name, password)
		k.ok(k.ChangePassword(t.Context(), name, c.Session, "", good))
		if again, _, err := k.First(t.Context()); err != nil || again != "" {
			t.Errorf("%q %v", again, err)
		}
	})
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		ctx := t.Context()
		_, _, err := k.AddKey(ctx, Key{Title: "x"})
		k.is(err, ErrRight)
		_, _, err = k.AddKey(ctx, Key{Title: "x", Rights: []queuegroups.Right{"agents:all"}})
		k.is(err, ErrRight)
		_, _, err = k.AddKey(ctx, Key{Rights: []queuegroups.Right{queuegroups.RightAgentsRead}})
		k.is(err, ErrName)
		_, _, err = k.AddKey(ctx, Key{Title: "x", Owner: "nobody", Rights: queuegroups.Rights()})
		k.is(err, ErrNotFound)
		wall, made, err := k.AddKey(ctx, Key{
			Title: "wallboard", Rights: []queuegroups.Right{queuegroups.RightAgentsRead, queuegroups.RightConfigWrite},
			Groups: []queuegroups.GroupID{"sales"}, Expires: k.clock.Add(24 * time.Hour),
		})
		k.ok(err)
		find := func(secret string) *Caller {
			c, err := k.Key(ctx, secret, here)
			k.ok(err)
			return c
		}
		c := find(wall)
		if c == nil || c.Name != "key "+made.ID || c.Session != "" || !slices.Equal(c.Role.Rights, []queuegroups.Right{queuegroups.RightAgentsRead}) ||
			c.Role.Reach != queuegroups.ReachGroups || c.Agent != "" {
			t.Fatalf("%+v", c)
		}
		for _, wrong := range []string{"", "x", wall + "x", wall[:len(wall)-1], keyPrefix + made.ID, keyPrefix + made.ID + "_", keyPrefix + "zzz_" + wall[len(wall)-43:]} {
			if find(wrong) != nil {
				t.Errorf("%q is a key", wrong)
			}
		}
		list, err := k.Keys(ctx)
		k.ok(err)
		if len(list) != 1 || !list[0].Used.Equal(k.clock) || list[0].Title != "wallboard" || !list[0].Expires.Equal(made.Expires) {
			t.Errorf("%+v", list)
		}
		k.clock = made.Expires
		if find(wall) != nil {
			t.Error("a key lives for ever")
		}
		// A key does no more than its owner, and no longer than they are there.
		owned, ownedKey, err := k.AddKey(ctx, Key{Title: "cti", Owner: "anna", Rights: queuegroups.Rights()})
		k.ok(err)
		if c := find(owned); c == nil || c.Agent != "anna" || c.Role.Has(queuegroups.RightConfigRead) || c.Role.Reach != queuegroups.ReachOwn {
			t.Errorf("%+v", c)
		}
		k.ok(k.SetDisabled(ctx, "anna", true))
		if find(owned) != nil {
			t.Error("the owner is kept out, and the key is not")
		}
		k.ok(k.RemoveKey(ctx, ownedKey.ID))
		k.is(k.RemoveKey(ctx, ownedKey.ID), ErrNotFound)
	})
}

func TestAudit(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		ctx := t.Context()
		for n := range 5 {
			k.clock = k.clock.Add(time.Minute)
			k.ok(k.Audit(ctx, Entry{Who: []string{"boss", "anna"}[n%2], Agent: "anna", From: here, What: "set-duty", Target: fmt.Sprint("agents/", n), Request: "r", Before: []byte(`{"a":1}`)}))
		}
		list, err := k.AuditLog(ctx, AuditQuery{Limit: 2})
		k.ok(err)
		if len(list) != 2 || list[0].Target != "agents/4" || list[0].From != here || string(list[0].Before) != `{"a":1}` || len(list[0].After) != 0 ||
			!list[0].At.Equal(k.clock) || list[0].Agent != "anna" {
			t.Fatalf("%+v", list)
		}
		list, err = k.AuditLog(ctx, AuditQuery{Below: list[1].ID, Who: "anna", From: k.clock.Add(-4 * time.Minute), Till: k.clock, What: "set-duty"})
		k.ok(err)
		if len(list) != 1 || list[0].Target != "agents/1" {
			t.Errorf("%+v", list)
		}
		k.ok(k.Audit(ctx, Entry{Who: "boss", What: "export-history", Target: "history", After: []byte(`{"caller":"+48600100200"}`)}))
		k.ok(k.Audit(ctx, Entry{Who: "boss", What: "export-history", Target: "history", After: []byte(`{"caller":"+48600100201"}`)}))
		k.ok(k.Accounts.Erase(ctx, "+48600100200", "erased-x"))
		list, err = k.AuditLog(ctx, AuditQuery{Limit: 3})
		k.ok(err)
		if len(list) != 3 || string(list[1].After) != `{"caller":"erased-x"}` || string(list[0].After) != `{"caller":"+48600100201"}` || list[2].Target != "agents/4" {
			t.Errorf("after one is erased: %+v", list)
		}
	})
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"centrala/acd"
	"centrala/chat/store"
	"centrala/internal/accounts"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/stats"
	"centrala/internal/trace"
	"centrala/queuegroups"
	"centrala/sip"
	"centrala/web"
)

// newWeb makes the web server; nil: the settings have none.
func newWeb(a *App) (*web.Server, error) {
	listen := a.server.Listen.Web
	if !listen.Addr.IsValid() {
		return nil, nil
	}
	certificate, err := a.certificates.forWeb()
	if err != nil {
		return nil, err
	}
	var traces web.Traces
	if a.trace != nil {
		traces = remembered{a.trace.recorder}
	}
	return web.New(web.Options{
		Record: record{a.database, a.chats.Store, a.accounts}, Traces: traces,
		Addr: listen.Addr, TLS: certificate, Core: core{a}, Accounts: a.accounts, Desk: a.board, Talks: talks{a}, Settings: settings{a}, Events: a.events, Webhooks: a.webhooks, Phones: phones{a}, Calls: audio{a}, Chats: a.chats, Node: nodeID(a.server), Connectors: a.chats.entrance(a), Window: a.chats.window, Version: Version(), Log: part(a.log, "web"),
	})
}

// phones are browsers' telephones as the web server knows them.
type phones struct{ a *App }

// Connect implements web.Phones.
func (p phones) Connect(s web.Socket, b web.Browser) error {
	return p.a.stack.Connect(s, sip.Browser(b))
}

// Realm implements web.Phones.
func (p phones) Realm() string { return p.a.stack.Domain() }

// OnDesk implements web.Phones.
func (p phones) OnDesk(agent queuegroups.AgentID) bool { return p.a.board.HasPassword(agent) }

// audio is the audio of calls as the web server knows it.
type audio struct{ a *App }

// Audio implements web.Calls.
func (x audio) Audio(ctx context.Context, leg acd.LegID) []web.CallLeg {
	var list []web.CallLeg
	for _, l := range x.a.board.Audio(ctx, leg) {
		list = append(list, web.CallLeg(l))
	}
	return list
}

// phoneKey finds whose the user name of a browser's telephone is.
func (a *App) phoneKey(session, name string) (user, ha1 string, ok bool) {
	if a.web == nil {
		return "", "", false
	}
	if user, ha1, ok = a.web.PhoneKey(session, name); ok {
		return user, ha1, ok
	}
	return a.chats.window.Guest(session, name) // who calls from a website
}

// core is the core as the web server knows it.
type core struct{ a *App }

// View implements web.Core.
func (c core) View(f func(*acd.State)) { c.a.facts.View(f) }

// Append implements web.Core.
func (c core) Append(ctx context.Context, e acd.Event) error { return c.a.append(ctx, e) }

// record is the record as the web server knows it.
type record struct {
	d      *db.DB
	chats  *store.Store
	people *accounts.Accounts
}

// Report implements web.Record.
func (r record) Report(ctx context.Context, q stats.Query) (*stats.Report, error) {
	return stats.Compute(ctx, r.d, q)
}

// History implements web.Record.
func (r record) History(ctx context.Context, f journal.Filter) ([]journal.Interaction, error) {
	return journal.History(ctx, r.d, f)
}

// Facts implements web.Record.
func (r record) Facts(ctx context.Context, id acd.InteractionID) (*journal.Facts, error) {
	return journal.FactsOf(ctx, r.d, id)
}

// Missed implements web.Record.
func (r record) Missed(ctx context.Context, f journal.Filter, open bool) ([]journal.MissedCall, error) {
	return journal.Missed(ctx, r.d, f, open)
}

// remembered is what is remembered of calls as the web server knows it.
type remembered struct{ r *trace.Recorder }

// Trace implements web.Traces.
func (x remembered) Trace(id acd.InteractionID) (web.Trace, bool) {
	t, ok := x.r.Find(strconv.FormatUint(uint64(id), 10))
	if !ok {
		return web.Trace{}, false
	}
	out := web.Trace{Parties: []web.TraceParty{}, Messages: []web.TraceMessage{}, Omitted: t.Omitted}
	for _, p := range t.Parties {
		out.Parties = append(out.Parties, web.TraceParty{Leg: p.Leg, Who: p.Who})
	}
	for _, e := range t.Entries {
		if e.Kind != trace.KindMessage {
			continue
		}
		m := web.TraceMessage{At: e.At, Leg: e.Leg, Sent: e.Sent, Network: e.Network, Summary: e.Text, CSeq: e.CSeq, Audio: e.SDP, Text: e.Message}
		if e.Remote != nil {
			m.Remote = e.Remote.String()
		}
		out.Messages = append(out.Messages, m)
	}
	return out, true
}

// Contacts implements web.Record.
func (r record) Contacts(ctx context.Context, f journal.Filter) ([]journal.Contact, error) {
	return journal.Contacts(ctx, r.d, f)
}

// newAccounts opens the accounts on the server's database.
func newAccounts(a *App) *accounts.Accounts {
	config := func() (c *queuegroups.Config) {
		a.facts.View(func(s *acd.State) { c = s.Config() })
		return c
	}
	return accounts.New(accounts.Options{DB: a.database, Config: config, Log: part(a.log, "accounts")})
}

// firstSignIn is the file, in the data folder, by which the first administrator signs in.
const firstSignIn = "first-sign-in.txt"

// inviteFirst makes a way in where nobody can sign in who may administer. Its password is not
// for logs: it is in a file that only the server's user can read. Without it the server does
// all its work but that. It returns name and password, empty where nobody needs them.
func (a *App) inviteFirst(ctx context.Context) (name, password string) {
	file := filepath.Join(a.server.Data, firstSignIn)
	name, password, err := a.accounts.First(ctx)
	if err == nil && name != "" {
		err = os.WriteFile(file, fmt.Appendf(nil, "name: %s\npassword: %s\n", name, password), 0o600)
	}
	switch {
	case err != nil:
		a.log.Error().Err(err).Msg("no first administrator could be made; try: centrala user add")
	case name != "":
		a.log.Warn().Str("file", file).Str("user", name).Msg("nobody can administer yet: the file holds a password for one sign-in, good for a week")
	default:
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			a.log.Warn().Err(err).Msg("the file of the first sign-in stays")
		}
	}
	return name, password
}

// greet tells whoever started the server where its console is, and how to sign in for the first time.
func (a *App) greet(name, password string) {
	if a.greeting == nil {
		return
	}
	text := fmt.Sprintf("\nConsole: %s\n", a.consoleURL())
	if name != "" {
		text += fmt.Sprintf("Sign in as %s by this link, which works once:\n  %s\n", name, a.signInLink(name, password))
	}
	_, _ = io.WriteString(a.greeting, text+"\n") // nobody may be there to read it
}

// consoleURL is the console's address.
func (a *App) consoleURL() string {
	scheme, host := "http", a.web.Addr().String()
	if a.server.Listen.Web.TLS {
		scheme = "https"
	}
	if a.web.Addr().Addr().IsUnspecified() {
		host = net.JoinHostPort(a.server.Domain, strconv.Itoa(int(a.web.Addr().Port())))
	}
	return scheme + "://" + host + "/"
}

// signInLink leads a browser to the console with a password for one sign-in. What stands behind # is sent
// to no server: the page takes it from there.
func (a *App) signInLink(name, password string) string {
	return a.consoleURL() + "#/sign-in/" + url.PathEscape(name) + "/" + url.PathEscape(password)
}

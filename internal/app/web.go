package app

import (
	"context"
	"net/netip"

	"centrala/acd"
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
	return web.New(web.Options{
		Addr: listen.Addr, TLS: certificate, Core: core{a}, Accounts: nobody{}, Version: Version(), Log: part(a.log, "web"),
	})
}

// core is the core as the web server knows it.
type core struct{ a *App }

// View implements web.Core.
func (c core) View(f func(*acd.State)) { c.a.facts.View(f) }

// Append implements web.Core.
func (c core) Append(ctx context.Context, e acd.Event) error { return c.a.append(ctx, e) }

// nobody is a server without accounts: it knows no caller.
type nobody struct{}

// Session implements web.Accounts.
func (nobody) Session(context.Context, string, netip.Addr) (*web.Caller, error) { return nil, nil }

// Key implements web.Accounts.
func (nobody) Key(context.Context, string, netip.Addr) (*web.Caller, error) { return nil, nil }

// Audit implements web.Accounts.
func (nobody) Audit(context.Context, web.AuditEntry) error { return nil }

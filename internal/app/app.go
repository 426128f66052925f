// Package app puts the server together: it makes every part from the
// configuration, starts and stops them in the right order, and reloads what may
// change while calls go on.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/configs"
	"centrala/holdmusic"
	"centrala/internal/accounts"
	"centrala/internal/eventlog"
	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/stats"
	"centrala/internal/switchboard"
	"centrala/internal/webhooks"
	"centrala/media"
	"centrala/queuegroups"
	"centrala/sip"
	"centrala/sip/edge"
	"centrala/web"
)

// ErrBadConfig marks errors of the admin's files; their text tells file, line and column.
var ErrBadConfig = errors.New("bad configuration")

// Options of a server.
type Options struct {
	Config  string    // the server's YAML file; empty: the embedded sample
	Console io.Writer // where the log goes
	// Greeting is where the address of the console and the first sign-in are told once the server
	// is ready, a password among it: not for logs. nil: they are not.
	Greeting io.Writer
}

// App is one server. Make it with New, then Start, and at the end Stop.
type App struct {
	server *configs.Server
	groups *queuegroups.Config
	log    zerolog.Logger

	greeting io.Writer // nil: nobody is greeted

	facts *eventlog.Log
	music *holdmusic.Library
	media *media.Engine
	board *switchboard.Board
	stack *sip.Stack
	admin *admin
	web   *web.Server

	database *db.DB
	restored uint64    // how far the record goes in a backup that was restored before this start; 0: none was
	past     sync.Once // with which the restore is
	journal  *journal.Journal
	roller   *stats.Roller
	events   *events.Hub
	webhooks *webhooks.Webhooks
	accounts *accounts.Accounts
	chats    *chats

	reloading sync.Mutex
	versions  versions
	trace     *tracing // nil: nothing is traced

	messages     sipCount
	histograms   *histograms
	reloaded     atomic.Int64 // when queue groups were put in force last, Unix seconds
	reloadFailed atomic.Bool  // the newest try did not

	certificates certificates

	ready    atomic.Bool
	draining atomic.Bool
}

// New reads the configuration, opens the log and binds every port. It takes no
// call yet. After an error nothing stays open.
func New(ctx context.Context, o Options) (a *App, err error) {
	server, groups, err := load(o.Config)
	if err != nil {
		return nil, err
	}
	a = &App{server: server, groups: groups, log: newLogger(o.Console, server.Log), greeting: o.Greeting}
	a.histograms = newHistograms()
	a.trace = newTracing(server.Trace)
	a.certificates.server, a.certificates.log = server, part(a.log, "sip")
	defer func() {
		if err != nil {
			_ = a.Stop(ctx) // the first error is the one to tell
			a, err = nil, advised(err, server.Data)
		}
	}()
	if a.music, err = loadMusic(server, groups); err != nil {
		return a, err
	}
	if a.database, err = openDatabase(ctx, a); err != nil {
		return a, err
	}
	if a.facts, err = openLog(ctx, a); err != nil {
		return a, err
	}
	a.accounts = newAccounts(a)
	a.events = newEvents(a)
	a.webhooks = newWebhooks(a)
	if a.chats, err = newChats(a); err != nil {
		return a, err
	}
	if err := a.chats.setConfig(groups); err != nil {
		return a, err
	}
	a.journal = newJournal(a)
	a.roller = newRoller(a)
	a.media, err = media.New(media.Options{
		Advertise: server.Advertise, PortMin: server.RTP.Min, PortMax: server.RTP.Max, WebRTC: server.Listen.WebRTC, Log: part(a.log, "media"),
	})
	if err != nil {
		return a, err
	}
	boardOptions := switchboard.Options{
		Node: nodeID(server), Facts: appender{a.facts, a.histograms}, Media: a.media, Music: a.music, Core: a.facts, Waiting: waiting{a.facts}, Chats: a.chats, Visit: a.chats.visit, Log: part(a.log, "call"),
	}
	if a.trace != nil {
		boardOptions.Trace = a.trace
	}
	a.board = switchboard.New(boardOptions)
	if a.stack, err = newStack(a); err != nil {
		return a, err
	}
	a.board.Attach(a.stack)
	if server.Listen.Admin.IsValid() {
		if a.admin, err = newAdmin(a, server.Listen.Admin); err != nil {
			return a, err
		}
	}
	if a.web, err = newWeb(a); err != nil {
		return a, err
	}
	return a, nil
}

func newStack(a *App) (*sip.Stack, error) {
	store, err := newBindingStore(a.facts)
	if err != nil {
		return nil, err
	}
	listen := make([]sip.Listen, len(a.server.Listen.SIP))
	for i, l := range a.server.Listen.SIP {
		listen[i] = sip.Listen{Network: l.Network, Addr: l.Addr}
	}
	secure, err := a.certificates.secure()
	if err != nil {
		return nil, err
	}
	tap := func(f edge.Flow, sent bool, msg []byte) {
		a.messages.add(sent, msg)
		if a.trace != nil {
			a.trace.message(f, sent, msg)
		}
	}
	return sip.New(sip.Options{
		Tap:       tap,
		Listen:    listen,
		Secure:    secure,
		Domain:    a.server.Domain,
		Advertise: a.server.Advertise,
		UserAgent: "Centrala/" + Version(),
		Directory: directory(a.server.Domain, a.groups),
		Handler:   a.board,
		Store:     store,
		Lamps:     a.board.Lamps(),
		TrunkSeen: a.board.TrunkSeen,
		Browsers:  a.phoneKey,
		Guest:     a.chats.guest,
		Log:       part(a.log, "sip"),
	})
}

// Start brings the core up to date with this node and begins to take calls.
func (a *App) Start(ctx context.Context) error {
	if err := a.facts.Start(&story{a.board, a.facts, nodeID(a.server), a.trace, a.histograms, part(a.log, "acd")}); err != nil {
		return fmt.Errorf("start the log: %w", err)
	}
	a.journal.Start()
	a.roller.Start()
	a.events.Start()
	a.webhooks.Start()
	a.board.SetConfig(a.groups)
	if err := a.raiseLevel(ctx); err != nil {
		return err
	}
	before := a.present()
	if err := a.applyConfig(ctx); err != nil {
		return err
	}
	a.started(before)
	// Whatever legs this node had before are gone; the phones whose
	// registrations were kept can be rung.
	a.reloaded.Store(time.Now().Unix())
	started := &acd.NodeStarted{Node: nodeID(a.server)}
	for _, user := range a.stack.Reachable() {
		started.Online = append(started.Online, queuegroups.AgentID(user))
	}
	if err := a.append(ctx, started); err != nil {
		return err
	}
	// A registration may have expired while its agent was being called online.
	bound := a.stack.Reachable()
	for _, agent := range started.Online {
		if !slices.Contains(bound, string(agent)) {
			a.board.Reachable(string(agent), false)
		}
	}
	a.chats.start(a)
	a.stack.Start()
	a.ready.Store(true)
	e := a.log.Info().Str("version", Version()).Str("domain", a.server.Domain)
	for _, l := range a.stack.Addrs() {
		e = e.Str("sip_"+l.Network, l.Addr.String())
	}
	if a.admin != nil {
		a.admin.start()
		e = e.Stringer("admin", a.AdminAddr())
	}
	if a.web != nil {
		name, password := a.inviteFirst(ctx)
		a.web.Start()
		e = e.Stringer("web", a.web.Addr())
		defer a.greet(name, password)
	}
	e.Msg("ready")
	return nil
}

// raiseLevel has the core follow the newest rules that this program knows. A
// node of a cluster does so only for an empty log: others may not know them yet
// (docs/adr/0004-feature-levels.md).
func (a *App) raiseLevel(ctx context.Context) error {
	raise := false
	a.facts.View(func(s *acd.State) {
		alone := a.server.Engine == configs.EngineEmbedded || s.Index() == 0
		raise = alone && s.Level() < acd.LevelMax
	})
	if !raise {
		return nil
	}
	return a.append(ctx, &acd.LevelRaised{Level: acd.LevelMax})
}

// applyConfig logs the configuration unless it is in force already.
func (a *App) applyConfig(ctx context.Context) error {
	same := false
	a.facts.View(func(s *acd.State) {
		same = s.Config() != nil && s.Config().Version == a.groups.Version
	})
	if same {
		return nil
	}
	return a.append(ctx, &acd.ConfigApplied{Config: a.groups})
}

func (a *App) append(ctx context.Context, e acd.Event) error {
	_, err := a.facts.Append(e).Wait(ctx)
	if err != nil {
		return fmt.Errorf("log %T: %w", e, err)
	}
	return nil
}

// Reload reads the queue groups anew and puts them in force; calls in progress
// are not disturbed. After an error the running version stays. Changes of the
// server's own settings need a restart, but a renewed certificate is taken up.
func (a *App) Reload(ctx context.Context) error {
	_, err := a.reloadBy(ctx, "signal")
	return err
}

// reloadBy is Reload, at somebody's wish. Two at once come one after another.
func (a *App) reloadBy(ctx context.Context, by string) ([]queuegroups.Change, error) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	changes, err := a.reload(ctx)
	if a.reloadFailed.Store(err != nil); err == nil {
		a.reloaded.Store(time.Now().Unix())
		a.inForce(by, changes)
	}
	return changes, err
}

func (a *App) reload(ctx context.Context) ([]queuegroups.Change, error) {
	groups, err := loadGroups(a.server)
	if err != nil {
		return nil, err
	}
	if err := a.certificates.reload(); err != nil {
		return nil, err
	}
	if err := a.music.Load(sounds(groups)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConfig, err)
	}
	changes := queuegroups.Diff(a.groups, groups)
	if err := a.chats.setConfig(groups); err != nil {
		return nil, err
	}
	a.groups = groups
	a.board.SetConfig(groups)
	a.stack.SetDirectory(directory(a.server.Domain, groups))
	if err := a.applyConfig(ctx); err != nil {
		return nil, err
	}
	a.chats.archive()
	for _, c := range changes {
		a.log.Info().Str("kind", c.Kind).Str("id", c.ID).Str("op", string(c.Op)).Msg("queue groups changed")
	}
	a.log.Info().Int("changes", len(changes)).Str("config", groups.Version).Msg("reloaded")
	return changes, nil
}

// Drain turns new calls away and returns a channel that is closed when the last call has ended.
func (a *App) Drain() <-chan struct{} {
	a.draining.Store(true)
	a.ready.Store(false)
	a.stack.Drain()
	return a.board.Drained()
}

// Failed is closed when the server cannot go on; Err then tells why.
func (a *App) Failed() <-chan struct{} { return a.facts.Done() }

// Err is the reason for Failed.
func (a *App) Err() error { return a.facts.Err() }

// hangUpLimit bounds how long Stop waits for the far ends of calls that it hangs up.
const hangUpLimit = 2 * time.Second

// Stop hangs up what calls are left and ends everything. It may be called at
// any time after New and more than once.
func (a *App) Stop(ctx context.Context) error {
	a.ready.Store(false)
	var errs []error
	if a.web != nil {
		errs = append(errs, a.web.Stop(ctx))
	}
	if a.chats != nil {
		a.chats.stop()
	}
	if a.stack != nil {
		a.stack.Drain()
		a.board.EndAll()
		select {
		case <-a.board.Drained():
		case <-time.After(hangUpLimit):
		case <-ctx.Done():
		}
		errs = append(errs, a.stack.Close(ctx))
	}
	if a.media != nil {
		a.media.Close()
	}
	if a.webhooks != nil {
		a.webhooks.Stop()
	}
	if a.events != nil {
		a.events.Stop()
	}
	if a.roller != nil {
		a.roller.Stop()
	}
	if a.journal != nil {
		a.journal.Stop(ctx)
	}
	if a.facts != nil {
		errs = append(errs, a.facts.Close(ctx))
	}
	if a.database != nil {
		errs = append(errs, a.database.Close())
	}
	if a.admin != nil {
		errs = append(errs, a.admin.stop(ctx))
	}
	return errors.Join(errs...)
}

// SIPAddrs are the addresses on which SIP is listened for.
func (a *App) SIPAddrs() []sip.Listen { return a.stack.Addrs() }

// AdminAddr is the address of the admin listener; the settings must have one.
func (a *App) AdminAddr() netip.AddrPort { return a.admin.addr() }

// WebAddr is the address of the web server; the settings must have one.
func (a *App) WebAddr() netip.AddrPort { return a.web.Addr() }

// State lets f look at the core's state; f must not keep it.
func (a *App) State(f func(*acd.State)) { a.facts.View(f) }

func nodeID(s *configs.Server) acd.NodeID {
	if s.Engine == configs.EngineEmbedded {
		return "n1" // a cluster of one, whatever the machine is called today
	}
	name, err := os.Hostname()
	if err != nil {
		return "n1"
	}
	return acd.NodeID(name)
}

package web

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/accounts"
)

// Core is the core of the ACD, behind its log.
type Core interface {
	// View lets f read the state; f keeps nothing of it, and is quick.
	View(f func(*acd.State))
	// Append logs a fact and returns once it has been applied here.
	Append(ctx context.Context, e acd.Event) error
}

// Accounts says who calls, and keeps who may: *accounts.Accounts, whose methods it has.
type Accounts interface {
	SignIn(ctx context.Context, name, password string, from netip.Addr, program string) (token string, c *accounts.Caller, err error)
	Session(ctx context.Context, token string, from netip.Addr) (*accounts.Caller, error)
	Key(ctx context.Context, key string, from netip.Addr) (*accounts.Caller, error)
	Again(ctx context.Context, c *accounts.Caller) (*accounts.Caller, error)

	SignOut(ctx context.Context, user, session string) error
	SignOutAll(ctx context.Context, user string) error
	Sessions(ctx context.Context, user string) ([]accounts.Session, error)
	ChangePassword(ctx context.Context, user, session, old, password string) error

	User(ctx context.Context, name string) (*accounts.User, error)
	Users(ctx context.Context) ([]accounts.User, error)
	AddUser(ctx context.Context, name, role string) error
	SetRole(ctx context.Context, name, role string) error
	SetDisabled(ctx context.Context, name string, yes bool) error
	OneTimePassword(ctx context.Context, name string) (string, error)
	RemoveUser(ctx context.Context, name string) error

	Keys(ctx context.Context) ([]accounts.Key, error)
	AddKey(ctx context.Context, k accounts.Key) (secret string, made accounts.Key, err error)
	RemoveKey(ctx context.Context, id string) error

	Audit(ctx context.Context, e accounts.Entry) error
	AuditLog(ctx context.Context, q accounts.AuditQuery) ([]accounts.Entry, error)
}

// Options are what a server needs; all but TLS, Traces, Version, Log and Now are required.
type Options struct {
	Addr     netip.AddrPort
	TLS      func(*tls.ClientHelloInfo) (*tls.Certificate, error) // nil: http
	Core     Core
	Accounts Accounts
	Desk     Desk
	Talks    Talks
	Settings Settings
	Record   Record
	Traces   Traces // nil: nothing is traced
	Phones   Phones
	Calls    Calls
	Events   Events
	Webhooks Webhooks
	Chats    Chats
	Node     acd.NodeID // that serves agents' programs
	// Connectors takes third parties' events at ConnectorsPath, and looks at who sends them itself.
	Connectors http.Handler
	Window     Window
	Version    string
	Log        zerolog.Logger
	Now        func() time.Time // nil: time.Now
}

// Server is the web server. Make it with New, which binds the address, then Start and Stop.
type Server struct {
	core     Core
	accounts Accounts
	desk     Desk
	talks    Talks
	settings Settings
	record   Record
	traces   Traces
	phones   Phones
	calls    Calls
	events   Events
	webhooks Webhooks
	streams  streams
	board    *board
	chats    Chats
	node     acd.NodeID
	log      zerolog.Logger
	now      func() time.Time

	mux           *http.ServeMux
	api           huma.API
	problemSchema *huma.Schema
	document      func() []byte // OpenAPI, made when it is first asked for
	crossSite     *http.CrossOriginProtection
	answers       *answers
	phoneKeys     *phoneKeys
	sockets       sockets
	clients       clients
	connectors    http.Handler
	window        Window
	ping, pong    time.Duration // between pings of WebSockets, and until one must be answered

	listener net.Listener
	server   *http.Server
	secure   bool
	stopping chan struct{} // closed when Stop begins
}

// Limits of a connection. Streams extend the last one themselves.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes
)

// New makes a server and binds its address. It answers from Start on.
func New(o Options) (*Server, error) {
	if o.Core == nil || o.Accounts == nil || o.Desk == nil || o.Settings == nil || o.Phones == nil || o.Calls == nil || o.Events == nil || o.Webhooks == nil || o.Chats == nil || o.Connectors == nil {
		return nil, errors.New("web: Core, Accounts, Desk, Settings, Phones, Calls, Events, Webhooks, Chats and Connectors are required")
	}
	s := newServer(o)
	l, err := net.Listen("tcp", o.Addr.String())
	if err != nil {
		return nil, fmt.Errorf("web listener: %w", err)
	}
	s.listener = l
	if o.TLS != nil {
		s.secure = true
		s.listener = tls.NewListener(l, &tls.Config{
			GetCertificate: o.TLS, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		})
	} else if !o.Addr.Addr().IsLoopback() {
		s.log.Warn().Stringer("addr", o.Addr).Msg("http without TLS on an address that others can reach: passwords travel in the clear unless a proxy encrypts them")
	}
	return s, nil
}

// newServer makes all but the listener.
func newServer(o Options) *Server {
	s := &Server{
		record: o.Record, traces: o.Traces,
		core: o.Core, accounts: o.Accounts, desk: o.Desk, talks: o.Talks, settings: o.Settings, phones: o.Phones, calls: o.Calls, events: o.Events, webhooks: o.Webhooks, chats: o.Chats, node: o.Node, connectors: o.Connectors, window: o.Window, log: o.Log, now: o.Now,
		mux:       http.NewServeMux(),
		crossSite: http.NewCrossOriginProtection(), stopping: make(chan struct{}),
		ping: pingEvery, pong: pongWithin,
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.board = newBoard(s)
	s.answers, s.phoneKeys = newAnswers(s.now), newPhoneKeys(s.now)
	s.api = s.newAPI(o.Version)
	s.routes()
	s.server = &http.Server{
		Handler: http.HandlerFunc(s.entrance), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: stdlog.New(errorLog{s.log}, "", 0),
	}
	s.server.RegisterOnShutdown(sync.OnceFunc(func() { close(s.stopping) }))
	return s
}

// routes registers all there is.
func (s *Server) routes() {
	s.agentRoutes()
	s.groupRoutes()
	s.interactionRoutes()
	s.commandRoutes()
	s.deskRoutes()
	s.boardRoutes()
	s.dispositionRoutes()
	s.eventRoutes()
	s.webhookRoutes()
	s.configRoutes()
	s.sessionRoutes()
	s.phoneRoutes()
	s.chatRoutes()
	s.clientRoutes()
	s.userRoutes()
	s.keyRoutes()
	s.auditRoutes()
	s.reportRoutes()
	s.historyRoutes()
	s.explainRoutes()
	s.contactRoutes()
	s.eraseRoutes()
	delete(s.api.OpenAPI().Components.Schemas.Map(), "ErrorModel") // huma's, which is not ours
	s.document = sync.OnceValue(func() []byte {
		document, err := json.Marshal(s.api.OpenAPI())
		if err != nil {
			panic(fmt.Sprintf("web: the OpenAPI document: %v", err)) // made of our own types
		}
		return document
	})
	s.mux.HandleFunc("GET "+Prefix+"/openapi.json", s.serveDocument)
	s.consoleRoutes()
}

// serveDocument tells what the API is. It holds no secret.
func (s *Server) serveDocument(w http.ResponseWriter, r *http.Request) {
	requestOf(r.Context()).route = "openapi"
	w.Header().Set("Content-Type", "application/openapi+json;version=3.1")
	_, _ = w.Write(s.document()) // the client is gone
}

// OpenAPI is the description of the API, as JSON.
func (s *Server) OpenAPI() []byte { return s.document() }

// Addr is the address that is listened on.
func (s *Server) Addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

// Stopping is closed when the server begins to stop: whoever streams ends then.
func (s *Server) Stopping() <-chan struct{} { return s.stopping }

// Start begins to answer.
func (s *Server) Start() {
	go func() { _ = s.server.Serve(s.listener) }() // returns when Stop closes the listener
}

// Stop lets requests end that are being served, as long as the context allows.
func (s *Server) Stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.server.Close())
	}
	_ = s.listener.Close() // Shutdown knows it only once it serves
	return err
}

// errorLog takes what net/http complains of: mostly scanners.
type errorLog struct{ log zerolog.Logger }

// Write implements io.Writer.
func (l errorLog) Write(p []byte) (int, error) {
	l.log.Debug().Bytes("message", p).Msg("http")
	return len(p), nil
}

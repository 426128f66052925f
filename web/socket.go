package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"centrala/internal/accounts"
)

// SIPPath is where browsers speak SIP over WebSocket (RFC 7118).
const SIPPath = "/sip"

// Socket is a browser's WebSocket. One goroutine may read while others write.
type Socket interface {
	// Read returns the next message. It waits until there is one, or the socket is closed.
	Read() ([]byte, error)
	// Write sends b as one message. It fails, and the socket is closed, when that took longer than within.
	Write(b []byte, within time.Duration) error
	// Close closes the socket at once.
	Close() error
}

// Browser is where a WebSocket comes from.
type Browser struct {
	Local, Remote netip.AddrPort
	Secure        bool   // the browser's side of it is encrypted
	Session       string // of the agent who opened it
}

// Limits of WebSockets. Whether a browser is there is found out by our pings: its own timers
// are slowed down in a tab that is not looked at.
const (
	pingEvery      = 15 * time.Second
	pongWithin     = 10 * time.Second
	messageMost    = 65535 // bytes
	socketsOf      = 8     // a user
	protocolSIP    = "sip"
	codeOrigin     = "wrong_origin"
	codeNoProtocol = "wrong_protocol"
)

// serveSIP takes in a browser's WebSocket, and stays until it ends.
func (s *Server) serveSIP(w http.ResponseWriter, hr *http.Request) {
	r := requestOf(hr.Context())
	r.route = "sip"
	if p := s.mayConnect(w, r, hr); p != nil {
		s.refuse(w, hr, p)
		return
	}
	user := r.caller.Name
	k := &socket{user: user, session: r.caller.Session, looked: make(chan struct{}, 1)}
	if !s.sockets.add(k) {
		s.refuse(w, hr, tooMany(pingEvery))
		return
	}
	s.speakSIP(w, hr, k)
}

// serveVisitor takes in the WebSocket of a website's visitor who calls. One ticket is good for
// as many as a user may have.
func (s *Server) serveVisitor(w http.ResponseWriter, hr *http.Request) {
	r := requestOf(hr.Context())
	r.route = "widget"
	session, ok := s.window.Caller(hr, hr.PathValue("channel"), hr.PathValue("ticket"), r.secure)
	if !ok || !slices.Contains(protocols(hr), protocolSIP) {
		s.refuse(w, hr, problem(http.StatusForbidden, codeOrigin, "that is no ticket of this server, or not shown by a page of it"))
		return
	}
	k := &socket{user: session, session: session, visitor: true, looked: make(chan struct{}, 1)}
	if !s.sockets.add(k) {
		s.refuse(w, hr, tooMany(pingEvery))
		return
	}
	s.speakSIP(w, hr, k)
}

// speakSIP makes a request a WebSocket, and stays until it ends.
func (s *Server) speakSIP(w http.ResponseWriter, hr *http.Request, k *socket) {
	r := requestOf(hr.Context())
	defer s.sockets.remove(k)
	conn, err := websocket.Accept(w, hr, &websocket.AcceptOptions{Subprotocols: []string{protocolSIP}, InsecureSkipVerify: true}) // the origin was looked at
	if err != nil {
		return // it was answered
	}
	conn.SetReadLimit(messageMost)
	k.conn = conn
	k.ctx, k.end = context.WithCancel(context.Background())
	defer func() { _ = k.Close() }()
	local, _ := hr.Context().Value(http.LocalAddrContextKey).(net.Addr)
	b := Browser{Local: addrPort(local), Remote: netip.AddrPortFrom(r.from, remotePort(hr)), Secure: r.secure, Session: k.session}
	if err := s.phones.Connect(k, b); err != nil {
		r.cause = err
		_ = conn.Close(websocket.StatusTryAgainLater, "too many connections")
		return
	}
	s.watch(k)
}

// mayConnect tells whether a request may become a WebSocket; nil: it may.
func (s *Server) mayConnect(w http.ResponseWriter, r *request, hr *http.Request) *Problem {
	// Browsers send cookies with WebSockets that other sites open, and tell who did (RFC 6455 section 10.2).
	origin, err := url.Parse(hr.Header.Get("Origin"))
	scheme := "http"
	if r.secure {
		scheme = "https"
	}
	if err != nil || origin.Scheme != scheme || !strings.EqualFold(origin.Host, hr.Host) {
		return problem(http.StatusForbidden, codeOrigin, "a WebSocket is opened by a page of this server")
	}
	if p := s.admit(w, r, hr, SignedIn()); p != nil {
		return p
	}
	if _, p := s.phoneOf(r.caller); p != nil {
		return p
	}
	if !slices.Contains(protocols(hr), protocolSIP) {
		return problem(http.StatusBadRequest, codeNoProtocol, "the WebSocket must be of the subprotocol sip")
	}
	return nil
}

// protocols are those that the client can speak.
func protocols(hr *http.Request) (list []string) {
	for _, line := range hr.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			list = append(list, strings.TrimSpace(p))
		}
	}
	return list
}

// watch pings a browser until it does not answer or its session is over.
func (s *Server) watch(k *socket) {
	t := time.NewTicker(s.ping)
	defer t.Stop()
	for {
		select {
		case <-k.ctx.Done():
			return
		case <-k.looked:
		case <-t.C:
			ctx, cancel := context.WithTimeout(k.ctx, s.pong)
			err := k.conn.Ping(ctx)
			cancel()
			if err != nil {
				return
			}
		}
		if !s.lives(k) {
			s.phoneKeys.forget(k.session)
			_ = k.conn.Close(websocket.StatusPolicyViolation, "signed out")
			return
		}
	}
}

// lives tells whether the session of a socket goes on. While that cannot be found out, it does.
func (s *Server) lives(k *socket) bool {
	if k.visitor {
		return true
	}
	list, err := s.accounts.Sessions(k.ctx, k.user)
	return err != nil || slices.ContainsFunc(list, func(x accounts.Session) bool { return x.ID == k.session })
}

// socket is a WebSocket of a user's.
type socket struct {
	user, session string
	visitor       bool          // of a website, who has no session that ends
	looked        chan struct{} // something has happened to sessions
	conn          *websocket.Conn
	ctx           context.Context // ends with the socket
	end           context.CancelFunc
}

var _ Socket = (*socket)(nil)

// Read implements Socket. Text and binary are the same to SIP (RFC 7118 section 5).
func (k *socket) Read() ([]byte, error) {
	_, b, err := k.conn.Read(k.ctx)
	if err != nil {
		_ = k.Close()
	}
	return b, err
}

// Write implements Socket.
func (k *socket) Write(b []byte, within time.Duration) error {
	kind := websocket.MessageText
	if !utf8.Valid(b) {
		kind = websocket.MessageBinary
	}
	ctx, cancel := context.WithTimeout(k.ctx, within)
	defer cancel()
	return k.conn.Write(ctx, kind, b)
}

// Close implements Socket.
func (k *socket) Close() error {
	k.end()
	return k.conn.CloseNow()
}

// sockets are the open ones.
type sockets struct {
	mu   sync.Mutex
	open map[*socket]bool
}

// add lists a socket. False: the user has as many as they may.
func (l *sockets) add(k *socket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for x := range l.open {
		if x.user == k.user {
			n++
		}
	}
	if n >= socketsOf {
		return false
	}
	if l.open == nil {
		l.open = map[*socket]bool{}
	}
	l.open[k] = true
	return true
}

func (l *sockets) remove(k *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, k)
}

// look has every socket look whether its session still lives.
func (l *sockets) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.open {
		select {
		case k.looked <- struct{}{}:
		default: // it will
		}
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	at := t.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

func remotePort(hr *http.Request) uint16 {
	at, err := netip.ParseAddrPort(hr.RemoteAddr)
	if err != nil {
		return 0
	}
	return at.Port()
}

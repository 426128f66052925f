package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/registrar"
	"centrala/sip/tx"
)

// Listen is an address to listen on.
type Listen struct {
	Network string // "udp", "tcp" or "tls"
	Addr    netip.AddrPort
}

// Options configure a Stack. Zero values of limits stand for their defaults.
type Options struct {
	Secure    edge.TLS        // certificates; required to listen on "tls"
	Listen    []Listen        // at least one; unspecified addresses stand for every local one; port 0 for any free one
	Domain    string          // our host part in From; empty: the first address listened on
	Advertise netip.Addr      // our public address, for peers outside private networks; zero: none
	UserAgent string          // for Server and User-Agent headers
	Directory Directory       // who may register and call
	Handler   Handler         // receives calls and reachability
	Store     registrar.Store // keeps registrations over a restart; nil: nothing is kept
	Log       zerolog.Logger
	MaxLegs   int               // more legs than this and new calls are refused with 503; 5000
	Source    edge.Rate         // datagrams of one strange address
	Strange   edge.Rate         // datagrams of all addresses not seen lately
	Streams   edge.StreamLimits // connections
	Bindings  registrar.Options // expiry limits and contacts per user; its hooks are set by the stack
	Resolver  Resolver          // of host names; nil: the machine's
	// RegisterRetry is the longest first pause after a registration with a
	// carrier failed; 10 s. Each further one is twice as long, up to 30 times.
	RegisterRetry time.Duration
	haste         int              // session timers run so many times faster than RFC 4028 has them, for tests; 0: 1
	clock         func() time.Time // tells the time, for tests; nil: time.Now
	T1, T2        time.Duration    // RFC 3261 section 17.1.1.1, for what dialogs repeat; 500 ms, 4 s

	// Browsers finds whose a name is that a browser proves by digest, and the MD5 hash of
	// name:realm:password, both in the session whose WebSocket it comes by. nil: browsers are nobody's phones.
	Browsers func(session, name string) (user, ha1 string, ok bool)
	// Guest tells whether a user whom Browsers found may call though they are in no directory:
	// once at a time, as somebody from outside. nil: nobody may.
	Guest func(user string) bool

	// Grace is how long a call of a browser is kept whose connection is gone; 10 s.
	Grace time.Duration

	Tap edge.Tap // looks on at every message; nil: nobody does

	// TrunkSeen is told when a trunk is found in another state than before, or in its first, and why
	// it is not well, in words; of one trunk in order. nil: nobody is told.
	TrunkSeen func(trunk string, now TrunkState, why string)

	Lamps      Lamps // what busy lamp fields show; nil: nobody can watch anybody
	LampLimits LampLimits
}

// Handler receives what happens on a Stack.
type Handler interface {
	// Invite hands over a new call from a trunk or from a user's phone, whose
	// password was right, on a goroutine of the stack.
	// It must call l.Bind soon and return.
	Invite(l *Leg)
	// Reachable tells that the first contact of a user was bound or that the
	// last one is gone. Calls are in order for each user.
	Reachable(user string, yes bool)
}

// Directory is who the stack knows.
type Directory struct {
	Realm  string // of digest authentication; empty: the domain
	Users  []User
	Trunks []Trunk
}

// User is somebody who may register phones.
type User struct {
	Name     string   // the key given to the Handler
	Aliases  []string // each, like Name, may be the user of the AOR or of the digest
	Password string   // empty: nobody can register or call as this user
	MaxCalls int      // further calls from their phones are refused with 486; 0: DefaultMaxCalls
}

// Trunk is a carrier, recognised by the source address of its requests.
type Trunk struct {
	ID        string
	From      []netip.Prefix // the longest match of all trunks wins
	Host      string         // where calls to it go, host or host:port; empty: calls only come in
	Transport string         // "udp", "tcp" or "tls"
	User      string         // of our account with the carrier, for its digest challenges; empty: it has none
	Password  string
	Check     time.Duration // between two questions whether the carrier is there; 0: it is not asked
	Register  bool          // tell the carrier where we are; without From its calls are known by where that succeeded
	MaxCalls  int           // in both directions; more come in with 503 and do not leave; 0: no limit
	MaxRate   int           // the same for calls that begin in any second
}

// Stats are counts since the start unless said otherwise.
type Stats struct {
	Legs         int    // now
	Connections  int    // open, now
	Watches      int    // subscriptions of busy lamp fields, now
	Transactions int    // client transactions without a final answer, now
	Inbound      uint64 // calls taken on
	Outbound     uint64 // calls made
	Requests     uint64 // that reached the checks
	Refused      uint64 // by the checks of RFC 3261 section 8.2
	Overload     uint64 // refused with 503
	Challenged   uint64 // calls from no trunk without a valid answer to a challenge, also the first try of every phone
	Denied       uint64 // calls from no trunk with a wrong password, and those over a user's limit
	Limited      uint64 // datagrams over the limit of their source
	Malformed    uint64 // messages that could not be read
	NotSIP       uint64 // datagrams that are no SIP
	Cut          uint64 // connections over a cap, or cut because the peer did not read
	Handshakes   uint64 // TLS handshakes of peers that failed
	Panics       uint64 // faults of ours that cost a request or a leg's step
}

// Stack is a SIP user agent.
type Stack struct {
	o        Options
	tx       *tx.Layer
	reg      *registrar.Registrar
	book     atomic.Pointer[book]
	names    *names
	t1, t2   time.Duration
	retry    time.Duration // after a failed registration
	now      func() time.Time
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	draining atomic.Bool

	allow, accept, sdpType, supported, inCalls sip.Header // read-only

	inbound, outbound, overload, panics atomic.Uint64
	challenged, denied                  atomic.Uint64

	regMu       sync.Mutex
	regs        map[string]*registration // by trunk
	checks      map[string]*check        // by trunk
	registering bool                     // between Start and Close
	regWait     sync.WaitGroup           // for their goroutines
	subs        subscriptions
	calls       tally

	mu      sync.Mutex
	legs    map[string]*Leg               // by our tag
	byFlow  map[edge.FlowID]map[*Leg]bool // legs over connections
	orphans orphans
	guests  map[string]*line
	closing bool
	empty   chan struct{} // closed once closing and no leg is left
}

var (
	errClosing = errors.New("shutting down")
	methods    = []sip.RequestMethod{
		sip.INVITE, sip.ACK, sip.CANCEL, sip.BYE, sip.OPTIONS, sip.INFO, sip.UPDATE, sip.REGISTER, sip.REFER, sip.SUBSCRIBE, sip.PRACK,
	}
)

// retryAfter is what calls that are refused for lack of capacity are told, in seconds.
const retryAfter = "5"

// New binds the sockets and loads the bindings; nothing is read before Start.
func New(o Options) (*Stack, error) {
	if o.Handler == nil {
		return nil, errors.New("sip: no handler")
	}
	s := &Stack{
		o: o, t1: o.T1, t2: o.T2, now: time.Now,
		regs: map[string]*registration{}, checks: map[string]*check{},
		subs: newSubscriptions(),
		legs: map[string]*Leg{}, byFlow: map[edge.FlowID]map[*Leg]bool{}, orphans: orphans{}, guests: map[string]*line{}, empty: make(chan struct{}),
	}
	if o.clock != nil {
		s.now = o.clock
	}
	s.names = newNames(o.Resolver, s.now)
	s.ctx, s.stop = context.WithCancel(context.Background())
	if s.t1 <= 0 {
		s.t1 = 500 * time.Millisecond
	}
	if s.t2 <= 0 {
		s.t2 = 4 * time.Second
	}
	if s.retry = o.RegisterRetry; s.retry <= 0 {
		s.retry = registerRetry
	}
	if s.o.MaxLegs <= 0 {
		s.o.MaxLegs = 5000
	}
	s.o.LampLimits = o.LampLimits.withDefaults()
	if err := s.bind(); err != nil {
		s.stop()
		return nil, err
	}
	if err := s.load(); err != nil {
		s.tx.Close()
		s.stop()
		return nil, err
	}
	return s, nil
}

// bind opens the sockets.
func (s *Stack) bind() error {
	supported := []string{"path", "outbound", "norefersub", "replaces", option100rel, "timer"} // the first two by the registrar
	t := tx.Options{
		Handler: (*server)(s), Advertise: s.o.Advertise, Product: s.o.UserAgent, Allow: methods, Supported: supported,
		Trusted: s.trusted, Source: s.o.Source, Strange: s.o.Strange, Streams: s.o.Streams, Log: s.o.Log,
		Secure: s.o.Secure, Tap: s.o.Tap,
	}
	for _, l := range s.o.Listen {
		addrs, err := edge.Expand(l.Addr)
		if err != nil {
			return fmt.Errorf("sip: %w", err)
		}
		switch l.Network {
		case "udp":
			t.UDP = append(t.UDP, addrs...)
		case "tcp":
			t.TCP = append(t.TCP, addrs...)
		case "tls":
			t.TLS = append(t.TLS, addrs...)
		default:
			return fmt.Errorf("sip: cannot listen on %q", l.Network)
		}
	}
	layer, err := tx.New(t)
	if err != nil {
		return fmt.Errorf("sip: %w", err)
	}
	s.tx = layer
	if s.o.Domain == "" {
		s.o.Domain = s.Addrs()[0].Addr.Addr().String()
	}
	s.allow = sip.NewHeader("Allow", layer.Allow())
	s.accept = sip.NewHeader("Accept", sdpType)
	s.supported = sip.NewHeader("Supported", strings.Join(supported, ", "))
	s.inCalls = sip.NewHeader("Supported", strings.Join(supported[2:], ", "))
	contentType := sip.ContentTypeHeader(sdpType)
	s.sdpType = &contentType
	return nil
}

// load reads the directory and the stored bindings.
func (s *Stack) load() error {
	b, err := makeBook(s.o.Directory, s.o.Domain, nil)
	if err != nil {
		return fmt.Errorf("sip: %w", err)
	}
	s.book.Store(b)
	r := s.o.Bindings
	r.Store = s.o.Store
	r.OnReachable = s.o.Handler.Reachable
	r.StoreFailed = func(user string, err error) {
		s.o.Log.Warn().Err(err).Str("user", user).Msg("registration not stored")
	}
	if s.reg, err = registrar.New(r); err != nil {
		return fmt.Errorf("sip: %w", err)
	}
	return nil
}

// trusted tells which sources are not limited: the carriers.
func (s *Stack) trusted(a netip.Addr) bool {
	b := s.book.Load()
	return b != nil && b.trunkOf(a) != nil
}

// Start begins to serve.
func (s *Stack) Start() {
	s.tx.Start()
	s.regMu.Lock()
	s.registering = true
	s.regMu.Unlock()
	s.registerTrunks()
	s.checkTrunks()
}

// Addrs are the addresses really listened on.
func (s *Stack) Addrs() (list []Listen) {
	for _, network := range []string{"udp", "tcp", "tls"} {
		for _, a := range s.tx.Listening(network) {
			list = append(list, Listen{network, a})
		}
	}
	return list
}

// Domain is our host part in From.
func (s *Stack) Domain() string { return s.o.Domain }

// Drain refuses new calls with 503 and Retry-After from now on. Calls that are
// there and registrations go on.
func (s *Stack) Drain() { s.draining.Store(true) }

// Close ends every leg, waits for their last requests to be answered until ctx
// ends, and closes the sockets.
func (s *Stack) Close(ctx context.Context) error {
	s.Drain()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	legs := make([]*Leg, 0, len(s.legs))
	for _, l := range s.legs {
		legs = append(legs, l)
	}
	if len(legs) == 0 {
		close(s.empty)
	}
	s.mu.Unlock()
	s.endSubscriptions()
	for _, l := range legs {
		l.post(func() { _ = l.input(dialog.UserHangup, details{}) })
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
	s.unregisterTrunks(ctx)
	s.tx.Settle(ctx)
	s.stop()
	s.tx.Close()
	s.reg.Close()
	if left := s.Stats().Legs; left > 0 {
		return fmt.Errorf("sip: %d legs left: %w", left, ctx.Err())
	}
	return nil
}

// SetDirectory replaces the directory; calls in progress are not touched.
func (s *Stack) SetDirectory(d Directory) {
	b, err := makeBook(d, s.o.Domain, s.book.Load())
	if err != nil { // only for want of randomness
		s.o.Log.Error().Err(err).Msg("directory not replaced")
		return
	}
	s.book.Store(b)
	s.registerTrunks()
	s.checkTrunks()
	s.LampsChanged()
}

// Stats reports counters.
func (s *Stack) Stats() Stats {
	s.mu.Lock()
	legs := len(s.legs)
	s.mu.Unlock()
	e, c := &s.tx.Edge, &s.tx.Count
	return Stats{
		Legs: legs, Connections: s.tx.Flows().Len(), Watches: s.subs.len(), Transactions: int(c.Transacts.Load()),
		Inbound: s.inbound.Load(), Outbound: s.outbound.Load(),
		Requests: c.Requests.Load(), Refused: c.Refused.Load(), Overload: c.Overload.Load() + s.overload.Load(),
		Challenged: s.challenged.Load(), Denied: s.denied.Load(),
		Limited: e.Limited.Load(), Malformed: e.Malformed.Load(), NotSIP: e.NotSIP.Load(),
		Cut: e.Refused.Load() + e.WriteErrors.Load(), Handshakes: e.Handshakes.Load(), Panics: c.Panics.Load() + s.panics.Load(),
	}
}

// Reachable lists the users who have a contact bound, sorted.
func (s *Stack) Reachable() []string { return s.reg.Users() }

// remember lists a leg. False: the stack is closing.
func (s *Stack) remember(l *Leg, outbound bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.legs[l.tag] = l
	if l.flow.Stream() && l.flow.ID != "" {
		set := s.byFlow[l.flow.ID]
		if set == nil {
			set = map[*Leg]bool{}
			s.byFlow[l.flow.ID] = set
		}
		set[l] = true
	}
	if outbound {
		s.outbound.Add(1)
	} else {
		s.inbound.Add(1)
	}
	return true
}

// forget strikes an ended leg off, once.
func (s *Stack) forget(l *Leg) {
	flow := l.path()
	s.mu.Lock()
	there := s.legs[l.tag] == l
	if there {
		delete(s.legs, l.tag)
		delete(s.orphans, l)
		if set := s.byFlow[flow.ID]; set != nil {
			if delete(set, l); len(set) == 0 {
				delete(s.byFlow, flow.ID)
			}
		}
		if s.closing && len(s.legs) == 0 {
			close(s.empty)
		}
	}
	s.mu.Unlock()
	if there {
		l.leave()
	}
}

// leg finds a leg by our tag.
func (s *Stack) leg(tag string) *Leg {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.legs[tag]
}

// guard runs f and survives its panic, which then costs one step of one leg.
func (s *Stack) guard(l *Leg, f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.panics.Add(1)
			l.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("leg failed")
		}
	}()
	f()
}

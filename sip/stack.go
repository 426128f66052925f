package sip

import (
	"context"
	"net/netip"

	"github.com/rs/zerolog"
)

// Listen is an address to listen on.
type Listen struct {
	Network string // "udp" or "tcp"
	Addr    netip.AddrPort
}

// Options configure a Stack.
type Options struct {
	Listen    []Listen       // at least one; unspecified addresses stand for every local one; port 0 for any free one
	Domain    string         // our host part in From
	Advertise netip.Addr     // our public address, for peers outside private networks; zero: none
	UserAgent string         // for Server and User-Agent headers
	Directory Directory      // who may register and call
	Handler   Handler        // receives calls and reachability
	Log       zerolog.Logger // where to log
	MaxLegs   int            // more inbound calls than this are refused with 503; default 5000
}

// Handler receives what happens on a Stack.
type Handler interface {
	// Invite hands over a new call from a trunk, on a goroutine of the stack.
	// It must call l.Bind soon and return.
	Invite(l *Leg)
	// Reachable tells that the first contact of a user was bound or that the
	// last one is gone. Calls are in order for each user.
	Reachable(user string, yes bool)
}

// Directory is who the stack knows.
type Directory struct {
	Realm  string
	Users  []User
	Trunks []Trunk
}

// User is somebody who may register phones.
type User struct {
	Name     string   // the key given to the Handler
	Aliases  []string // each, like Name, may be the user of the AOR or of the digest
	Password string
}

// Trunk is a carrier, recognised by the source address of its requests.
type Trunk struct {
	ID        string
	From      []netip.Prefix // the longest match wins
	Host      string         // where calls to it go
	Transport string         // "udp" or "tcp"
	MaxCalls  int            // further calls are refused with 503; 0: no limit
}

// Contact is where a phone can be reached.
type Contact struct {
	User string  // whose phone it is, empty for a fixed one
	URI  string  // Request-URI of calls to it
	Q    float64 // preference, 0 to 1
	// Local is our address towards the phone, set by Contacts and ContactURI:
	// the media for a call to it should be bound there (the switchboard needs it before Dial).
	Local netip.Addr
	// Remote is where the phone's signalling comes from or goes to; its media may come from there too.
	Remote netip.Addr
	flow   string
}

// Header is an additional header of an INVITE.
type Header struct{ Name, Value string }

// Dial says whom to call and as whom.
type Dial struct {
	ID     string // of the leg
	To     Contact
	From   Party // shown on the phone; Host empty: the stack's domain
	SDP    []byte
	Header []Header
}

// Stats are counts since the start unless said otherwise.
type Stats struct {
	Legs int // now
}

// Stack is a SIP user agent.
type Stack struct{}

// New binds the sockets and loads the bindings; nothing is read before Start.
func New(o Options) (*Stack, error) { panic("not yet") }

// Start begins to serve.
func (s *Stack) Start() { panic("not yet") }

// Addrs are the addresses really listened on.
func (s *Stack) Addrs() []Listen { panic("not yet") }

// Drain refuses new calls with 503 and Retry-After from now on.
func (s *Stack) Drain() { panic("not yet") }

// Close ends every leg, waits for their BYEs until ctx ends, and closes the sockets.
func (s *Stack) Close(ctx context.Context) error { panic("not yet") }

// SetDirectory replaces the directory; calls in progress are not touched.
func (s *Stack) SetDirectory(d Directory) { panic("not yet") }

// Stats reports counters.
func (s *Stack) Stats() Stats { panic("not yet") }

// Reachable lists the users who have a contact bound, sorted.
func (s *Stack) Reachable() []string { panic("not yet") }

// Contacts are the live bindings of a user, best q first.
func (s *Stack) Contacts(user string) []Contact { panic("not yet") }

// ContactURI is the contact of a phone with a fixed address.
func (s *Stack) ContactURI(uri string) (Contact, error) { panic("not yet") }

// Dial calls a contact. It never blocks; failure comes as LegEnded.
func (s *Stack) Dial(m Mailbox, ev LegEvents, d Dial) *Leg { panic("not yet") }

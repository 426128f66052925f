// Package widget is the connector of the chat window on websites: the server's side of it.
//
// The window is a page of this server's in a frame of the site's, so that everything it asks
// for is asked by this server's own origin; which sites may show the frame is the channel's to
// say. A visitor is whom a signed token names, which no other can make up. What a visitor
// writes is kept as what any other connector brings; what is written to them they fetch by
// number, over a WebSocket, a stream of events or one request after another, all with the same
// frames. Whoever was cut off tells up to which number they have seen, and misses nothing.
package widget

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
)

// Store keeps what is written: *store.Store, whose methods it has.
type Store interface {
	Key(ctx context.Context, name string) ([]byte, error)
	Identify(ctx context.Context, channel, visitor, customer string) error
	ConversationOf(ctx context.Context, channel, customer string) (chat.Conversation, error)
	LastSession(ctx context.Context, conversation int64) (chat.Session, error)
	After(ctx context.Context, conversation, seq int64, limit int) ([]chat.Message, error)
	Before(ctx context.Context, conversation, seq int64, limit int) ([]chat.Message, error)
	Consents(ctx context.Context, conversation int64) ([]chat.Consent, error)
	Read(ctx context.Context, conversation int64, by chat.Author, seq int64) error
	Rate(ctx context.Context, r chat.Rating) error
	AddLetter(ctx context.Context, l chat.Letter) error
	HasLetter(ctx context.Context, id chat.SessionID) (bool, error)
	Answered(ctx context.Context, id chat.SessionID) (bool, error)
	Ratings(ctx context.Context, id chat.SessionID) ([]chat.Rating, error)
	Attach(r io.Reader, name string) (chat.Attachment, error)
	Attachment(ctx context.Context, id string) (chat.Attachment, int64, *os.File, error)
}

// Hub passes chats on: *hub.Hub, whose methods it has.
type Hub interface {
	Receive(ctx context.Context, channel, event string, body []byte) error
	Typing(conversation int64, by chat.Author, name string)
	Typed(conversation int64, by chat.Author) []chat.Typist
	Touch(conversation int64)
	End(id chat.SessionID)
}

// Phase is how a visitor's enquiry stands.
type Phase string

// The phases.
const (
	PhaseNone    Phase = "none"    // nothing was written yet
	PhaseWaiting Phase = "waiting" // for an agent
	PhaseAsleep  Phase = "asleep"  // for the opening hours
	PhaseActive  Phase = "active"
	PhaseClosing Phase = "closing" // closed; another message opens it again
	PhaseClosed  Phase = "closed"
)

// Standing is how a session stands in the core.
type Standing struct {
	Phase    Phase
	Agent    string        // who has it; empty: nobody
	Beside   string        // who joined the agent, a line for each
	Position int           // in the queue, from 1; 0: it waits in none
	Wait     time.Duration // expected; 0: nobody knows
}

// Channel is what a channel says of its windows.
type Channel struct {
	Name         string // in the window's header (R4)
	Origins      []string
	Language     string
	Color        string
	Form         []string // what is asked for before the first message
	Consent      Text
	Secret       []byte // of the site's words on who its visitors are; empty: it gives none
	Identified   bool   // only visitors for whom the site vouches
	FileMax      int64  // bytes; 0: no files
	Rating       bool
	RatingCloses bool
	Calls        bool // visitors may call the agent who has their chat
	// Hours tells whether it is open, and when that changes next; a zero time: never.
	Hours func(at time.Time) (open bool, change time.Time)
}

// Face is what customers see of an agent (R68).
type Face struct {
	Name    string
	Title   string // empty: none
	Picture string // its id; empty: none
	Channel bool   // it is the channel's: nobody is named
}

// Text is a text to agree to; without a version there is none.
type Text struct {
	Version string `json:"version"`
	Text    string `json:"text"`
	Link    string `json:"link,omitempty"`
}

// Options are what a Server needs; all but Now and Log are required.
type Options struct {
	Store Store
	Hub   Hub
	// Channel is a channel at present; nil: no window has it.
	Channel func(name string) *Channel
	// Standing tells of sessions how they stand, by their places in the list; of those that
	// the core does not know it tells nothing.
	Standing func(ids []chat.SessionID, tell func(n int, x Standing))
	// Face is what customers of a channel see of somebody who writes to them, and Picture one
	// of the pictures in faces; false: there is none with the id.
	Face    func(channel, id string) Face
	Picture func(channel, id string) (kind string, data []byte, ok bool)
	// Wrong tells whether an error of Receive is the message's fault, not the server's.
	Wrong func(error) bool
	// Post makes the Message-ID of a letter, of a text that is unique, and has letters that are
	// kept sent. nil: the server sends none.
	Post  func(unique string) (id string)
	Posts func()
	// Realm is that of digest authentication, by which visitors call.
	Realm func() string
	// Outage tells of the database that is away; nil: each who needs it does.
	Outage *chat.Outage
	Log    zerolog.Logger
	Now    func() time.Time // nil: time.Now
}

// Server serves the windows of all channels. Its methods may be called from any goroutine.
type Server struct {
	store    Store
	hub      Hub
	channel  func(string) *Channel
	standing func(ids []chat.SessionID, tell func(n int, x Standing))
	face     func(channel, id string) Face
	picture  func(channel, id string) (string, []byte, bool)
	wrong    func(error) bool
	outage   *chat.Outage
	log      zerolog.Logger
	now      func() time.Time

	post    func(string) string
	posts   func()
	realm   func() string
	tickets tickets
	limits  limits
	beat    time.Duration // between signs of life

	mu      sync.Mutex
	key     []byte // of tokens; nil: not read yet
	clients clients
	beats   beats
	life    context.Context // ends with Stop
	end     context.CancelFunc
	stopped <-chan struct{} // life's
	running sync.WaitGroup
}

// beatEvery is how often both sides give a sign of life: browsers do not show pings to pages.
const beatEvery = 20 * time.Second

// New makes a server. Stop ends it.
func New(o Options) *Server {
	s := &Server{
		store: o.Store, hub: o.Hub, channel: o.Channel, standing: o.Standing, face: o.Face, picture: o.Picture, wrong: o.Wrong, post: o.Post, posts: o.Posts, realm: o.Realm, outage: o.Outage, log: o.Log, now: o.Now,
		beat: beatEvery,
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.stopped = s.life.Done()
	if s.now == nil {
		s.now = time.Now
	}
	s.limits = newLimits(s.now)
	s.clients = clients{conversations: map[int64]map[*client]bool{}, customers: map[string]map[*client]bool{}}
	s.running.Go(s.watch)
	s.running.Go(s.live)
	return s
}

// Stop ends all connections. Visitors come again by themselves, and have missed nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	s.end()
	s.mu.Unlock()
	s.running.Wait()
}

// errStopping ends what goes on when the server stops.
var errStopping = errors.New("the server stops")

// Origins are the sites that may show the window of a channel; false: it has none.
func (s *Server) Origins(channel string) ([]string, bool) {
	c := s.channel(channel)
	if c == nil {
		return nil, false
	}
	return c.Origins, true
}

// ask is one request.
type ask struct {
	*Server
	w       http.ResponseWriter
	r       *http.Request
	name    string // of the channel
	channel *Channel
	from    netip.Addr
}

// Serve answers a request of a window: action is the part of its address behind the channel's.
// Where it comes from and whether that side of it is encrypted is found out before.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, channel, action string, from netip.Addr, secure bool) {
	a := &ask{Server: s, w: w, r: r, name: channel, channel: s.channel(channel), from: from}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	switch {
	case a.channel == nil:
		a.refuse(refused(codeNoChannel))
		return
	case !sameOrigin(r, secure):
		a.refuse(refused(codeOrigin))
		return
	}
	post := r.Method == http.MethodPost
	switch {
	case action == "session" && post:
		a.session()
	case action == "socket" && !post:
		a.socket()
	case action == "stream" && !post:
		a.stream()
	case action == "poll" && !post:
		a.poll()
	case action == "frames" && post:
		a.frame()
	case action == "call" && post:
		a.call()
	case action == "earlier" && !post:
		a.earlier()
	case action == "transcript" && !post:
		a.transcript()
	case action == "files" && post:
		a.upload()
	case len(action) > len(facesPath) && action[:len(facesPath)] == facesPath && !post:
		a.sendFace(action[len(facesPath):])
	case len(action) > len(filesPath) && action[:len(filesPath)] == filesPath && !post:
		a.download(action[len(filesPath):])
	default:
		a.refuse(refused(codeNothing))
	}
}

// filesPath is where attachments are, and facesPath where pictures of agents are.
const (
	filesPath = "files/"
	facesPath = "faces/"
)

package widget

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"centrala/chat"
)

// ticketFor is how long a visitor may begin the call that they asked for, and ticketsOf how
// many tickets of one visitor's are good at a time.
const (
	ticketFor = 2 * time.Minute
	ticketsOf = 2
)

// Visit is whom a visitor's call is from, and of which chat it is a part.
type Visit struct {
	Channel  string
	Customer string // as in the chat
	Name     string // that the customer gave; empty: none
	Session  chat.SessionID
}

// ticket lets a visitor's browser speak SIP with us, for one call at a time. It is in memory:
// after a restart the visitor asks for another one.
type ticket struct {
	id, user, ha1 string
	visit         Visit
	until         time.Time
}

// tickets are those that are good.
type tickets struct {
	mu   sync.Mutex
	list []*ticket
}

// issue makes one: of 128 random bits each are what it is called in the address, who calls, and
// the password.
func (t *tickets) issue(v Visit, realm string, now time.Time) *ticket {
	x := &ticket{id: strings.ToLower(rand.Text()), user: "guest-" + strings.ToLower(rand.Text()), visit: v, until: now.Add(ticketFor)}
	sum := md5.Sum([]byte(x.user + ":" + realm + ":" + rand.Text())) // RFC 7616; what browsers' SIP knows
	x.ha1 = hex.EncodeToString(sum[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, same := t.list[:0], 0
	for _, y := range t.list {
		if now.Before(y.until) {
			kept = append(kept, y)
		}
	}
	t.list = append(kept, x)
	for k := len(t.list) - 1; k >= 0; k-- {
		if y := t.list[k]; y.visit.Channel == v.Channel && y.visit.Customer == v.Customer {
			if same++; same > ticketsOf {
				t.list = append(t.list[:k], t.list[k+1:]...)
			}
		}
	}
	return x
}

// find returns the ticket that is good and for which is says so; nil: there is none.
func (t *tickets) find(now time.Time, is func(*ticket) bool) *ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.list {
		if now.Before(x.until) && is(x) {
			return x
		}
	}
	return nil
}

// callGiven is what a window needs to call.
type callGiven struct {
	WebSocket string `json:"websocket"` // where SIP is spoken (RFC 7118), on this server
	URI       string `json:"uri"`
	To        string `json:"to"`
	User      string `json:"user"`
	Realm     string `json:"realm"`
	HA1       string `json:"ha1"` // MD5 of user:realm:password; the password is not told
}

// call lets a visitor call who has a chat with an agent.
func (a *ask) call() {
	v, no := a.rationed()
	if no != nil {
		a.refuse(no)
		return
	}
	x, err := a.store.ConversationOf(a.r.Context(), a.name, v.Customer)
	if err == nil {
		var last chat.Session
		if last, err = a.store.LastSession(a.r.Context(), x.ID); err == nil {
			if now, ok := a.stands(last.ID); ok && now.Phase == PhaseActive && a.channel.Calls {
				realm := a.realm()
				t := a.tickets.issue(Visit{Channel: a.name, Customer: v.Customer, Name: x.Contact.Name, Session: last.ID}, realm, a.now())
				a.answer(&callGiven{
					WebSocket: "/widget/" + a.name + "/sip/" + t.id, URI: "sip:" + t.user + "@" + realm, To: "sip:chat@" + realm,
					User: t.user, Realm: realm, HA1: t.ha1,
				})
				return
			}
		}
	}
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		a.refuse(a.away(err))
		return
	}
	a.refuse(refused(codeNoCall))
}

// Caller tells by which session a WebSocket that shows a ticket speaks SIP; false: the ticket is
// not good, or the request is another site's.
func (s *Server) Caller(r *http.Request, channel, shown string, secure bool) (session string, ok bool) {
	x := s.tickets.find(s.now(), func(t *ticket) bool { return t.id == shown && t.visit.Channel == channel })
	if x == nil || !sameOrigin(r, secure) {
		return "", false
	}
	return x.id, true
}

// Guest finds who a name is that a visitor's browser proves by digest in a session, and the MD5
// hash of name:realm:password.
func (s *Server) Guest(session, name string) (user, ha1 string, ok bool) {
	x := s.tickets.find(s.now(), func(t *ticket) bool { return t.id == session && t.user == name })
	if x == nil {
		return "", "", false
	}
	return x.user, x.ha1, true
}

// Visit is what a guest calls for; false: they may not any more.
func (s *Server) Visit(user string) (Visit, bool) {
	x := s.tickets.find(s.now(), func(t *ticket) bool { return t.user == user })
	if x == nil {
		return Visit{}, false
	}
	return x.visit, true
}

package sip

import (
	"sync"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/tx"
)

// This file holds what concerns calls that come from users' phones.

// DefaultMaxCalls is how many calls from the phones of one user there may be at
// once where nothing else is said: the one they talk in, one to somebody whom
// they ask, and two more that have not ended yet.
const DefaultMaxCalls = 4

// line counts the calls from one user's phones. It lives as long as the name is
// in the directory, so that a reload does not let a thief begin anew.
type line struct {
	user  string
	guest string // who it is instead, in no directory

	mu    sync.Mutex
	calls int
	max   int
}

// addLine takes over the user's line from the book before.
func (b *book) addLine(u *User, old *book) {
	var l *line
	if old != nil {
		l = old.lines[u.Name]
	}
	if l == nil {
		l = &line{user: u.Name}
	}
	most := u.MaxCalls
	if most <= 0 {
		most = DefaultMaxCalls
	}
	l.mu.Lock()
	l.max = most
	l.mu.Unlock()
	b.lines[u.Name] = l
}

// enter counts a new call. False: the user has as many as they may.
func (l *line) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls >= l.max {
		return false
	}
	l.calls++
	return true
}

func (l *line) leave() {
	l.mu.Lock()
	l.calls--
	l.mu.Unlock()
}

// caller finds out whose phone a call from no trunk comes from. What it says in
// From counts for nothing: it is challenged, whoever it claims to be and wherever
// it wants to go (RFC 3261 section 22.2). Nil: it was answered.
func (s *Stack) caller(r *tx.Request, b *book) *line {
	source := r.Flow.Remote.Addr()
	door := s.door(b, r.Flow)
	user, verdict := door.Check(r.Request, source, door.find)
	if verdict == auth.OK {
		if l := b.lines[user]; l != nil {
			s.tx.Trust(source)
			return l
		}
		if r.Flow.Web() && s.o.Guest != nil && s.o.Guest(user) {
			return s.guest(user)
		}
		verdict = auth.Wrong
	}
	log := s.o.Log.Debug()
	if verdict == auth.Missing || verdict == auth.Stale {
		s.challenged.Add(1)
	} else {
		s.denied.Add(1)
		log = s.o.Log.Warn()
	}
	log.Str("source", r.Flow.Remote.String()).Str("user", user).Str("to", uriUser(&r.Recipient)).
		Stringer("verdict", verdict).Msg("call from nobody known refused")
	r.Send(door.Refuse(r.Request, source, verdict))
	return nil
}

// guest is the line of somebody in no directory, by which they call once at a time.
func (s *Stack) guest(user string) *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.guests {
		if name != user && l.idle() {
			delete(s.guests, name)
		}
	}
	if s.guests[user] == nil {
		s.guests[user] = &line{guest: user, max: 1}
	}
	return s.guests[user]
}

// idle: there is no call by the line.
func (l *line) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls == 0
}

// tooMany refuses a call from a user who has as many as they may.
func (s *Stack) tooMany(r *tx.Request, p *line) {
	s.denied.Add(1)
	s.o.Log.Warn().Str("source", r.Flow.Remote.String()).Str("user", p.user).Str("to", uriUser(&r.Recipient)).
		Msg("call refused: too many from this user")
	r.Refuse(sip.StatusBusyHere, "Too Many Calls")
}

// callsFrom notes whose phone an inbound call came from; nil: nobody's. Requests
// to the phone then go where the INVITE came from, which it keeps open through
// any NAT (RFC 3581, RFC 5626 section 5.3).
func (l *Leg) callsFrom(p *line) {
	if p == nil {
		return
	}
	l.line, l.user, l.fixed = p, p.user, true
	l.log = l.log.With().Str("user", p.user+p.guest).Logger()
}

// Guest is who calls that is in no directory and came by a browser's WebSocket; empty: somebody else.
func (l *Leg) Guest() string {
	if l.line == nil {
		return ""
	}
	return l.line.guest
}

// leave ends that the leg counts against the limit of its trunk or user.
func (l *Leg) leave() {
	if l.trunk != nil {
		l.trunk.leave()
	}
	if l.line != nil {
		l.line.leave()
	}
}

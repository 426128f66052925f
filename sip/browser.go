package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/dialog"
	"centrala/sip/edge"
)

// This file holds what concerns phones in browsers, whose SIP comes by WebSocket
// (RFC 7118).

// Browser is where a WebSocket comes from.
type Browser struct {
	Local, Remote netip.AddrPort
	Secure        bool   // the browser's side of it is encrypted
	Session       string // of the user who opened it
}

// Connect takes SIP from a browser's WebSocket, and sends it there, until the
// WebSocket ends or the stack closes it. It returns once messages are read.
func (s *Stack) Connect(m edge.Messages, b Browser) error {
	f := edge.Flow{Network: "ws", Local: b.Local, Remote: b.Remote, Session: b.Session}
	if b.Secure {
		f.Network = "wss"
	}
	f, err := s.tx.Adopt(m, f)
	if err != nil {
		return fmt.Errorf("sip: %w", err)
	}
	s.o.Log.Debug().Str("flow", string(f.ID)).Str("session", b.Session).Msg("browser connected")
	return nil
}

// door is where those who come by a flow prove who they are.
type door struct {
	*auth.Authenticator
	find auth.Lookup
}

// door finds how the senders of requests by a flow prove who they are: phones by
// the user's password, browsers by what they were given in their session, and
// by nothing else.
func (s *Stack) door(b *book, f edge.Flow) door {
	if !f.Web() {
		return door{b.auth, b.secret}
	}
	return door{b.browsers, func(name string) (auth.Secret, bool) {
		if s.o.Browsers == nil || f.Session == "" {
			return auth.Secret{}, false
		}
		user, ha1, ok := s.o.Browsers(f.Session, name)
		return auth.Secret{User: user, HA1: auth.HA1{MD5: ha1}}, ok && ha1 != ""
	}}
}

// graceFor is how long a call of a browser is kept whose WebSocket is gone, unless
// the options say otherwise: the page may be loading anew, or its network changing.
const graceFor = 10 * time.Second

// orphans are the legs of browsers whose WebSocket is gone, by the flow that it was. Accessed under
// the stack's mu.
type orphans map[*Leg]edge.FlowID

// bereave keeps the calls of a browser whose WebSocket is gone for a while: until the browser
// is back, by a new WebSocket, or it is clear that it is not. What rings there has ended.
func (s *Stack) bereave(f edge.Flow, legs []*Leg) {
	if !f.Web() || len(legs) == 0 {
		return
	}
	grace := s.o.Grace
	if grace <= 0 {
		grace = graceFor
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range legs {
		if s.legs[l.tag] != l {
			continue
		}
		s.orphans[l] = f.ID
		time.AfterFunc(grace, func() {
			s.mu.Lock()
			late := s.orphans[l] == f.ID
			if late {
				delete(s.orphans, l)
			}
			s.mu.Unlock()
			if late {
				l.post(func() { _ = l.input(dialog.SessionOver, details{reason: "the browser did not come back"}) })
			}
		})
	}
}

// away tells whether the leg is a browser's whose WebSocket is gone, by which something was sent: it may be
// back, or come back within the grace time, which ends the call if it does not. Under mu.
func (l *Leg) away(by edge.FlowID) bool {
	return l.flow.Web() && (l.flow.ID != by || !l.s.tx.Flows().Alive(by))
}

// adopt has a browser that registered by a new WebSocket go on with the calls that it had by an older
// one: those with the contact that it registered.
func (s *Stack) adopt(user string, contact *sip.Uri, f edge.Flow) {
	s.mu.Lock()
	var list []*Leg
	for l := range s.orphans {
		if l.user == user {
			list = append(list, l)
		}
	}
	s.mu.Unlock()
	for _, l := range list {
		l.mu.Lock()
		target := l.dlg.Target()
		ours := target.User == contact.User && strings.EqualFold(target.Host, contact.Host)
		l.mu.Unlock()
		if ours {
			s.rebind(l, f)
		}
	}
}

// rebind has a leg's requests go by another flow.
func (s *Stack) rebind(l *Leg, f edge.Flow) {
	s.mu.Lock()
	old, lost := s.orphans[l]
	if lost {
		delete(s.orphans, l)
		if set := s.byFlow[old]; set != nil {
			if delete(set, l); len(set) == 0 {
				delete(s.byFlow, old)
			}
		}
		if s.byFlow[f.ID] == nil {
			s.byFlow[f.ID] = map[*Leg]bool{}
		}
		s.byFlow[f.ID][l] = true
	}
	s.mu.Unlock()
	if !lost {
		return
	}
	l.mu.Lock()
	l.flow = f
	l.mu.Unlock()
	l.log.Info().Str("user", l.user).Msg("browser came back to its call")
	l.post(l.propose)
	if !s.tx.Flows().Alive(f.ID) { // and is gone again
		s.bereave(f, []*Leg{l})
	}
}

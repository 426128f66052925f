package sip

import (
	"fmt"
	"net/netip"

	"centrala/sip/auth"
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

package sip

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/edge"
	"centrala/sip/header"
	"centrala/sip/registrar"
)

// Contact is where a phone can be reached.
type Contact struct {
	User string  // whose phone it is, empty for a fixed one
	URI  string  // Request-URI of calls to it
	Q    float64 // preference, 0 to 1
	// Local is our address towards the phone, set by Contacts and ContactURI:
	// the media for a call to it should be bound there.
	Local netip.Addr
	// Remote is where the phone's signalling comes from or goes to; its media
	// may come from there too. It is not valid for a host name.
	Remote netip.Addr

	uri     sip.Uri
	flow    edge.Flow   // Remote not valid: to be resolved
	flows   []edge.Flow // of a host name that was looked up, in the order in which to try them
	fixed   bool        // requests go by the flow and nowhere else
	path    []string    // Route values, RFC 3327
	network string
	port    uint16 // 0: the host name says it by SRV, or else the default
	trunk   *trunk // the carrier that the call leaves by, nil for phones
}

// Contacts are the live bindings of a user, best q first. Users who are no
// longer in the directory have none.
func (s *Stack) Contacts(user string) []Contact {
	u := s.book.Load().user(user)
	if u == nil || u.Name != user {
		return nil
	}
	bindings := s.reg.Contacts(user)
	list := make([]Contact, 0, len(bindings))
	for i := range bindings {
		b := &bindings[i]
		uri, err := header.ParseURI(b.Contact)
		if err != nil {
			continue
		}
		flow := edge.Flow{ID: edge.FlowID(b.Flow.ID), Network: b.Flow.Transport, Local: b.Flow.Local, Remote: b.Flow.Remote}
		if flow.Network == "udp" {
			flow = s.socketFor(flow)
		}
		list = append(list, Contact{
			User: user, URI: b.Contact, Q: float64(b.Q) / 1000, Local: flow.Local.Addr(), Remote: flow.Remote.Addr(),
			uri: uri, flow: flow, fixed: true, path: b.Path, network: flow.Network,
		})
	}
	return list
}

// socketFor mends a UDP flow that was stored by a process with other sockets.
func (s *Stack) socketFor(f edge.Flow) edge.Flow {
	for _, a := range s.tx.UDP() {
		if a == f.Local {
			return f
		}
	}
	if g, err := s.tx.Towards("udp", f.Remote, ""); err == nil {
		return g
	}
	return f
}

// ContactURI is the contact of a phone with a fixed address, such as
// sip:lobby@192.0.2.9:5060;transport=tcp. A host name is looked up when the
// phone is called. Over TLS the phone's certificate has to be that of the host.
func (s *Stack) ContactURI(uri string) (Contact, error) {
	u, err := header.ParseURI(strings.TrimSpace(uri))
	if err != nil {
		return Contact{}, fmt.Errorf("%q: %w", uri, err)
	}
	network, ok := networkOf(&u)
	if !ok {
		return Contact{}, fmt.Errorf("%q: only sip: and sips: can be called", uri)
	}
	c := Contact{URI: u.String(), Q: 1, uri: u, network: network, port: defaultPort(network)}
	if u.Port > 0 {
		c.port = uint16(u.Port)
	}
	if err := s.locate(&c); err != nil {
		return Contact{}, fmt.Errorf("%q: %w", uri, err)
	}
	return c, nil
}

// locate finds the path to a contact with an address; one with a host name is
// looked up when it is called.
func (s *Stack) locate(c *Contact) error {
	locals := s.tx.Listening(c.network)
	if len(locals) == 0 {
		return fmt.Errorf("no socket for transport %s", c.network)
	}
	ip, err := netip.ParseAddr(strings.Trim(c.uri.Host, "[]"))
	if err != nil {
		c.Local = locals[0].Addr()
		return nil
	}
	c.flow, err = s.tx.Towards(c.network, netip.AddrPortFrom(ip.Unmap(), cmp.Or(c.port, defaultPort(c.network))), c.uri.Host)
	if err != nil {
		return err
	}
	c.Local, c.Remote = c.flow.Local.Addr(), ip.Unmap()
	return nil
}

// Located tells whether it is known where the contact is. One with a host name has to
// be looked up first, or else Dial does so: Local may not be right then.
func (c *Contact) Located() bool { return c.flow.Remote.IsValid() || len(c.flows) > 0 }

// Locate looks up where a contact with a host name is: Local is then the address
// from which it is reached, of the several that may be listened on. It calls then
// once, from a goroutine.
func (s *Stack) Locate(c Contact, then func(Contact, error)) {
	go func() {
		flows, err := s.resolve(c)
		if err == nil {
			c.Local = flows[0].Local.Addr()
			for _, f := range flows { // the session description names one address
				if f.Local.Addr() == c.Local {
					c.flows = append(c.flows, f)
				}
			}
		}
		then(c, err)
	}()
}

// networkOf is how to reach a URI that does not have to be looked up first
// (RFC 3263 section 4.1): sips: is TLS, whatever stream its transport names (RFC
// 5630 section 3.1.2). False: it cannot be reached.
func networkOf(u *sip.Uri) (string, bool) {
	transport, _ := u.UriParams.Get("transport")
	transport = strings.ToLower(transport)
	switch {
	case u.Scheme == "sip":
		return cmp.Or(transport, "udp"), true
	case u.Scheme == "sips" && (transport == "" || transport == "tcp" || transport == "tls"):
		return "tls", true
	}
	return "", false
}

func defaultPort(network string) uint16 { return uint16(sip.DefaultPort(network)) }

// Secure tells whether nobody on the way to the contact can read what is sent.
func (c *Contact) Secure() bool { return edge.Flow{Network: c.network}.Secure() }

// Browser tells whether the contact is a browser's, whose audio is WebRTC.
func (c *Contact) Browser() bool { return c.flow.Web() }

// flowOf is a flow in the registrar's terms.
func flowOf(f edge.Flow) registrar.Flow {
	return registrar.Flow{ID: string(f.ID), Transport: f.Network, Remote: f.Remote, Local: f.Local}
}

package sdp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
)

// Web is our side of a session with a browser (RFC 8829): its audio comes by
// one port, found by ICE (RFC 8839), with keys from DTLS (RFC 5764). We are
// ICE-lite, and the server of DTLS unless the peer insists on that.
type Web struct {
	Fingerprint string           // SHA-256 of our certificate, as Fingerprint writes it
	Candidates  []netip.AddrPort // where we can be reached, the best first; at least one
	SSRC        uint32           // of what we send
	CNAME       string
}

// ICE is a name and a password by which the packets of ICE are known.
type ICE struct{ Ufrag, Password string }

// WebAgreed is what was agreed on with a browser.
type WebAgreed struct {
	Own, Peer   ICE
	Fingerprint string // SHA-256 of the peer's certificate
	Client      bool   // we begin DTLS
}

// The transport of browsers, and the roles in DTLS (RFC 5763 section 5).
const (
	protoWeb      = "UDP/TLS/RTP/SAVPF"
	setupActPass  = "actpass"
	setupActive   = "active"
	setupPassive  = "passive"
	webMid        = "0"
	hashSHA256    = "sha-256"
	fingerprintOf = 32 // bytes
)

// Fingerprint writes the hash of a certificate as a=fingerprint has it (RFC 8122 section 5).
func Fingerprint(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// OffersWeb tells whether a description offers audio as browsers do.
func OffersWeb(b []byte) bool {
	s, err := Parse(b)
	if err != nil {
		return false
	}
	for i := range s.Streams {
		if s.Streams[i].Kind == "audio" && s.Streams[i].web() && s.Streams[i].Port != 0 {
			return true
		}
	}
	return false
}

// transport is what a stream, or all streams of a session, say of ICE and DTLS.
type transport struct {
	ICE
	Fingerprint string // SHA-256; empty: there is none, or none that can be read
	Setup       string
}

// attribute takes an attribute in, if it is one of these.
func (t *transport) attribute(name, value string) {
	switch name {
	case "ice-ufrag":
		t.Ufrag = value
	case "ice-pwd":
		t.Password = value
	case "setup":
		t.Setup = strings.ToLower(value)
	case "fingerprint":
		hash, text, _ := strings.Cut(value, " ")
		sum, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), ":", ""))
		if strings.EqualFold(hash, hashSHA256) && err == nil && len(sum) == fingerprintOf {
			t.Fingerprint = Fingerprint(sum)
		}
	}
}

// completed takes from the session what the stream does not say.
func (t transport) completed(session transport) transport {
	for _, f := range []struct{ own, all *string }{
		{&t.Ufrag, &session.Ufrag}, {&t.Password, &session.Password}, {&t.Fingerprint, &session.Fingerprint}, {&t.Setup, &session.Setup},
	} {
		if *f.own == "" {
			*f.own = *f.all
		}
	}
	return t
}

// web tells whether the stream is a browser's.
func (s *Stream) web() bool { return s.Proto == protoWeb || s.Proto == "UDP/TLS/RTP/SAVP" }

// usable tells whether we can do what a browser's stream asks for.
func (t *transport) usable() bool {
	return len(t.Ufrag) >= 4 && len(t.Ufrag) <= 256 && len(t.Password) >= 22 && len(t.Password) <= 256 && // RFC 8839 section 5.4
		t.Fingerprint != "" && (t.Setup == setupActPass || t.Setup == setupActive || t.Setup == setupPassive)
}

// newICE makes a name and a password (RFC 8445 section 5.3).
func (n *Negotiator) newICE() ICE {
	text := base64.RawStdEncoding.EncodeToString
	return ICE{Ufrag: text(n.local.Random(6)), Password: text(n.local.Random(18))}
}

// ICE is our name and password towards a browser, as of now.
func (n *Negotiator) ICE() ICE { return n.ice }

// agreeWeb takes from a browser's stream what concerns ICE and DTLS. A peer that has
// changed its name begins ICE anew, and so do we (RFC 8839 section 4.4.1.1.1).
func (n *Negotiator) agreeWeb(s *Stream, offered bool) *WebAgreed {
	if n.local.Web == nil {
		return nil
	}
	before := n.agreed.Web
	if offered && before != nil && before.Peer != s.transport.ICE {
		n.ice = n.newICE()
	}
	a := &WebAgreed{Own: n.ice, Peer: s.transport.ICE, Fingerprint: s.transport.Fingerprint, Client: s.transport.Setup == setupPassive}
	if s.transport.Setup == setupActPass && before != nil { // RFC 8842 section 5.3: who was what remains it
		a.Client = before.Client
	}
	if n.setup = setupPassive; a.Client {
		n.setup = setupActive
	}
	return a
}

// writeWebSession writes what belongs before the streams.
func (n *Negotiator) writeWebSession(b *strings.Builder) {
	if n.local.Web == nil {
		return
	}
	b.WriteString("a=ice-lite\r\n")
	if mid := n.layout[n.audio].Mid; mid != "" {
		fmt.Fprintf(b, "a=group:BUNDLE %s\r\n", mid)
	}
}

// writeWeb writes what belongs to the audio.
func (n *Negotiator) writeWeb(b *strings.Builder) {
	w := n.local.Web
	fmt.Fprintf(b, "a=rtcp-mux\r\na=msid:centrala audio\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s %s\r\na=setup:%s\r\n",
		n.ice.Ufrag, n.ice.Password, hashSHA256, w.Fingerprint, n.setup)
	for i, c := range w.Candidates {
		priority := 126<<24 | (65535-i)<<8 | 255 // RFC 8445 section 5.1.2.1, of a host's
		fmt.Fprintf(b, "a=candidate:%d 1 udp %d %s %d typ host\r\n", i+1, priority, c.Addr(), c.Port())
	}
	fmt.Fprintf(b, "a=end-of-candidates\r\na=ssrc:%d cname:%s\r\n", w.SSRC, w.CNAME)
}

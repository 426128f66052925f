package sdp

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Local is our side of a session. All fields but Web are needed.
type Local struct {
	Session   uint64     // the o= session id, below 2^63
	Addr      netip.Addr // to be reached at
	RTP, RTCP uint16
	Codecs    []Format // offered in this order; also what is accepted
	Security  Security
	Random    func(n int) []byte // n bytes for a key, which nobody can guess
	Web       *Web               // the peer is a browser; Security and RTCP say nothing then. nil: it is not
}

// Agreed is what the last offer and answer came to.
type Agreed struct {
	Remote     netip.AddrPort // RTP; may be unspecified (0.0.0.0), then Send is false
	RemoteRTCP netip.AddrPort
	Mux        bool // RTCP comes and goes on the RTP port
	Send       bool // the peer wants to receive
	Receive    bool // the peer may send
	Codec      Format
	Event      Format   // telephone-event as the peer takes it; Name "" when it does not
	Opus       Format   // Opus as the peer takes it beside Codec; Name "" when it does not
	OpusEvent  Format   // telephone-event with the timestamps of Opus, as Event
	Accept     []Format // what may arrive
	Keying     Keying
	Web        *WebAgreed // with a browser; Remote says nothing then. nil: with no browser
}

// Payload types in our first offer.
const (
	defaultEvent     = 101
	defaultOpusEvent = 110 // as in offers of Chromium, as the next
	defaultOpus      = 111
)

// Negotiator holds the state of one session's offers and answers.
type Negotiator struct {
	local Local
	// payload types, the same through the session (RFC 3264 8.3.2)
	event, opus, opusEvent uint8

	opusFirst bool   // Opus goes before Codecs
	version   uint64 // o= version of last
	last      string // our last description from s= on
	layout    []Stream
	audio     int // index of our stream in layout
	agreed    Agreed
	keys      map[Suite]string // ours
	said      []Crypto         // in our last offer
	ice       ICE              // ours towards a browser
	setup     string           // our role in DTLS as last said
}

// NewNegotiator begins a session.
func NewNegotiator(local Local) *Negotiator {
	proto := "RTP/AVP"
	if local.Security == SecureRequired {
		proto = "RTP/SAVP"
	}
	n := &Negotiator{
		local: local,
		event: defaultEvent, opus: defaultOpus, opusEvent: defaultOpusEvent,
		layout: []Stream{{Kind: "audio", Proto: proto}},
	}
	if local.Web != nil {
		n.layout[0].Proto, n.layout[0].Mid, n.layout[0].Mux = protoWeb, webMid, true
		n.ice = n.newICE()
	}
	return n
}

// Offer writes a first offer or one within the session.
func (n *Negotiator) Offer() []byte {
	own := n.layout[n.audio]
	n.setup = setupActPass
	n.said = n.lines(own.Proto)
	return n.describe(n.offered(), SendRecv, own.Mux, n.said)
}

// OpusFirst has Opus go before the other codecs in our descriptions from now on, or behind them: browsers
// send what stands first. It reports whether that is a change. Without Web there is no Opus.
func (n *Negotiator) OpusFirst(on bool) bool {
	if n.local.Web == nil || n.opusFirst == on {
		return false
	}
	n.opusFirst = on
	return true
}

// offered are our formats, under the payload types that the session has given them already.
func (n *Negotiator) offered() []Format {
	codecs := slices.Clone(n.local.Codecs)
	for i := range codecs {
		if codecs[i].Name == n.agreed.Codec.Name {
			codecs[i].PT = n.agreed.Codec.PT
		}
	}
	rest := []Format{{PT: n.event, Name: TelephoneEvent, Rate: 8000}, {}, {}}
	if n.local.Web != nil {
		rest[1] = Format{PT: n.opus, Name: Opus, Rate: OpusRate}
		rest[2] = Format{PT: n.opusEvent, Name: TelephoneEvent, Rate: OpusRate}
	}
	for i := range rest {
		for slices.ContainsFunc(codecs, rest[i].samePT) || slices.ContainsFunc(rest[:i], rest[i].samePT) {
			rest[i].PT--
		}
	}
	return n.ordered(codecs, rest[0], rest[1], rest[2])
}

// ordered lists formats as our descriptions do, leaving out those without a name.
func (n *Negotiator) ordered(codecs []Format, event, opus, opusEvent Format) []Format {
	list := slices.Concat(codecs, []Format{opus})
	if n.opusFirst {
		list = slices.Concat([]Format{opus}, codecs)
	}
	list = append(list, event, opusEvent)
	return slices.DeleteFunc(list, func(f Format) bool { return f.Name == "" })
}

// AcceptOffer takes the peer's offer and writes the answer. After an error nothing has changed.
func (n *Negotiator) AcceptOffer(b []byte) ([]byte, Agreed, error) {
	offer, err := n.parse(b)
	if err != nil {
		return nil, Agreed{}, err
	}
	index, codec, err := n.choose(offer)
	if err != nil {
		return nil, Agreed{}, err
	}
	s := &offer.Streams[index]
	agreed := n.agree(s, codec)
	formats := n.ordered([]Format{codec}, agreed.Event, agreed.Opus, agreed.OpusEvent)
	agreed.Accept = formats
	n.number(&agreed)
	keying, lines := n.answerKeying(s)
	agreed.Keying = keying
	agreed.Web = n.agreeWeb(s, true)
	n.layout, n.audio, n.agreed = offer.Streams, index, agreed
	direction := s.Direction
	if s.OnHold() { // as if it said that it will not receive
		direction = withoutReceiving(direction)
	}
	return n.describe(formats, direction.Reverse(), s.Mux, lines), agreed, nil
}

// AcceptAnswer takes the answer to the last offer. After an error nothing has changed.
func (n *Negotiator) AcceptAnswer(b []byte) (Agreed, error) {
	answer, err := n.parse(b)
	if err != nil {
		return Agreed{}, err
	}
	if len(answer.Streams) <= n.audio {
		return Agreed{}, fmt.Errorf("%w: the answer has %d streams, the offer had %d", ErrMalformed, len(answer.Streams), len(n.layout))
	}
	s := &answer.Streams[n.audio]
	codec, ok := n.acceptable(s)
	if !ok {
		return Agreed{}, ErrNoCodec
	}
	keying, err := n.offerKeying(s)
	if err != nil {
		return Agreed{}, err
	}
	agreed := n.agree(s, codec)
	agreed.Keying = keying
	agreed.Web = n.agreeWeb(s, false)
	agreed.Mux = s.Mux && n.layout[n.audio].Mux
	// What the peer sends bears the payload types of our offer (RFC 3264 6.1); equipment that uses
	// its own numbers is understood too where they do not collide.
	agreed.Accept = n.offered()
	for _, f := range []Format{codec, agreed.Event, agreed.Opus, agreed.OpusEvent} {
		if f.Name != "" && !slices.ContainsFunc(agreed.Accept, f.samePT) {
			agreed.Accept = append(agreed.Accept, f)
		}
	}
	n.agreed = agreed
	return agreed, nil
}

// choose finds the first stream that can be used and the codec that the offerer
// likes best; an encrypted stream goes before a plain one.
func (n *Negotiator) choose(offer *Session) (index int, codec Format, err error) {
	index, err = -1, ErrNoCodec
	for i := range offer.Streams {
		s := &offer.Streams[i]
		c, ok := n.acceptable(s)
		if !ok {
			continue
		}
		switch bad := n.secure(s); {
		case bad != nil:
			if index < 0 {
				err = bad
			}
		case index < 0 || len(s.Crypto) > 0 && len(offer.Streams[index].Crypto) == 0:
			index, codec, err = i, c, nil
		}
	}
	return index, codec, err
}

// acceptable returns the first codec of the stream that we have.
func (n *Negotiator) acceptable(s *Stream) (Format, bool) {
	if s.Kind != "audio" || s.Port == 0 || !n.reachable(s) {
		return Format{}, false
	}
	for _, f := range s.Formats {
		for _, own := range n.local.Codecs {
			if f.Name == own.Name && f.Rate == own.Rate {
				return f, true
			}
		}
	}
	return Format{}, false
}

// reachable tells whether audio can go to the stream and come from it.
func (n *Negotiator) reachable(s *Stream) bool {
	if n.local.Web != nil {
		return s.web() && s.Mux && s.transport.usable()
	}
	plain := s.Proto == "RTP/AVP" || s.Proto == "RTP/AVPF"
	return (plain || s.secured()) && s.Addr.Is4() == n.local.Addr.Is4()
}

// agree takes from the peer's stream all that does not depend on who offered.
func (n *Negotiator) agree(s *Stream, codec Format) Agreed {
	a := Agreed{
		Remote:     netip.AddrPortFrom(s.Addr, s.Port),
		RemoteRTCP: s.RTCP,
		Mux:        s.Mux,
		Send:       s.Direction.Receives() && !s.OnHold(),
		Receive:    s.Direction.Sends(),
		Codec:      codec,
	}
	if s.Mux {
		a.RemoteRTCP = a.Remote
	}
	a.Event = s.find(TelephoneEvent, codec.Rate)
	if n.local.Web == nil {
		return a
	}
	if a.Opus = s.find(Opus, OpusRate); a.Opus.Name != "" {
		a.OpusEvent = s.find(TelephoneEvent, OpusRate)
	}
	return a
}

// find is the first format of a name and a rate; without a name: there is none.
func (s *Stream) find(name string, rate int) Format {
	for _, f := range s.Formats {
		if f.Name == name && f.Rate == rate {
			return f
		}
	}
	return Format{}
}

// number keeps the payload types that the peer's offer gave.
func (n *Negotiator) number(a *Agreed) {
	for _, x := range []struct {
		pt *uint8
		f  Format
	}{{&n.event, a.Event}, {&n.opus, a.Opus}, {&n.opusEvent, a.OpusEvent}} {
		if x.f.Name != "" {
			*x.pt = x.f.PT
		}
	}
}

func withoutReceiving(d Direction) Direction {
	if d.Sends() {
		return SendOnly
	}
	return Inactive
}

// describe writes our description in the session's layout. The version rises only when the rest
// differs from what was said last (RFC 3264 8).
func (n *Negotiator) describe(formats []Format, direction Direction, mux bool, crypto []Crypto) []byte {
	family := "IP4"
	if n.local.Addr.Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, n.local.Addr)
	n.writeWebSession(&b)
	for i := range n.layout {
		s := &n.layout[i]
		if i != n.audio {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", s.Kind, s.Proto, cmp.Or(s.List, "0")) // RFC 3264 6: refused, in its place
			writeMid(&b, s)
			continue
		}
		n.describeAudio(&b, s, formats, direction, mux, crypto)
	}
	body := b.String()
	if body != n.last {
		n.last = body
		n.version++
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN %s %s\r\n%s", n.local.Session, n.version, family, n.local.Addr, body)
}

func (n *Negotiator) describeAudio(b *strings.Builder, s *Stream, formats []Format, direction Direction, mux bool, crypto []Crypto) {
	fmt.Fprintf(b, "m=audio %d %s", n.local.RTP, s.Proto)
	for _, f := range formats {
		b.WriteByte(' ')
		b.WriteString(strconv.Itoa(int(f.PT)))
	}
	b.WriteString("\r\n")
	for _, f := range formats {
		switch f.Name {
		case TelephoneEvent:
			fmt.Fprintf(b, "a=rtpmap:%d telephone-event/%d\r\na=fmtp:%d 0-15\r\n", f.PT, f.Rate, f.PT)
		case Opus: // what browsers say of themselves, too: the other browser hears it (RFC 7587 section 6.1)
			fmt.Fprintf(b, "a=rtpmap:%d opus/%d/2\r\na=fmtp:%d minptime=10;useinbandfec=1\r\n", f.PT, f.Rate, f.PT)
		default:
			fmt.Fprintf(b, "a=rtpmap:%d %s/%d\r\n", f.PT, f.Name, f.Rate)
		}
	}
	b.WriteString("a=ptime:20\r\n")
	if n.local.Web != nil {
		n.writeWeb(b)
	} else {
		fmt.Fprintf(b, "a=rtcp:%d\r\n", n.local.RTCP)
		if mux {
			b.WriteString("a=rtcp-mux\r\n")
		}
	}
	writeMid(b, s)
	for _, c := range crypto {
		b.WriteString(c.String())
	}
	fmt.Fprintf(b, "a=%s\r\n", direction)
}

func writeMid(b *strings.Builder, s *Stream) {
	if s.Mid != "" {
		fmt.Fprintf(b, "a=mid:%s\r\n", s.Mid)
	}
}

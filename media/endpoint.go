package media

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"centrala/media/sdp"
)

// EndpointOptions describe one leg's media.
type EndpointOptions struct {
	// Label names the leg in the log.
	Label string
	// Local is the address the sockets are bound to: that of the interface towards the peer.
	Local netip.Addr
	// Signalling is the address the peer's SIP comes from, if known. Behind NAT its RTP comes from
	// there too, so that such a source is trusted at its first packet, and no other is ever learnt.
	Signalling netip.Addr
	// Codecs are offered in this order; nil: PCMA, PCMU.
	Codecs []Codec
	// WebRTC: the peer is a browser. Local and Security say nothing then.
	WebRTC bool
	// Security says whether audio is encrypted (RFC 3711). The zero value offers plain RTP and
	// accepts SRTP.
	Security sdp.Security
	// Timeout overrides Options.Timeout. Negative: never.
	Timeout time.Duration
	// OnEvent is called from a media goroutine and must not block. May be nil.
	OnEvent func(Event)
	// OnAudio gets each accepted packet of G.711, comfort noise apart, from the goroutine that reads
	// the socket. It must not block and must copy what it keeps of payload. timestamp is the sender's.
	// May be nil.
	OnAudio func(c Codec, timestamp uint32, payload []byte)
}

// EventKind says what an Event reports.
type EventKind uint8

// The kinds of events.
const (
	// EventTimeout: no RTP arrived for the time-out although the peer should be sending, or would be
	// were it answered. Reported once; again only after RTP has come back, or after Answered.
	EventTimeout EventKind = iota + 1
	// EventDTMF: the peer pressed a key (RFC 4733). Reported once a key, at its first packet.
	EventDTMF
	// EventHeard: a packet was accepted from an address that is taken for the peer's from now on.
	// Reported once for each negotiation that lets the peer be found anew.
	EventHeard
	// EventUnconnected: a browser cannot be talked with: ICE did not find it or DTLS was not over
	// soon enough after Answered, or DTLS failed. Reported once for each negotiation.
	EventUnconnected
)

// Event is something that happened on an endpoint.
type Event struct {
	Kind  EventKind
	Digit byte           // EventDTMF: one of 0-9 * # A-D
	From  netip.AddrPort // EventHeard: the address
	Why   string         // EventUnconnected: what is missing
}

// Endpoint is the media of one leg. Its methods may be called from any goroutine.
//
// Locks are taken in the order mu, in.mu, out.mu. The only lock of another endpoint that is taken
// while holding one of them is its out.mu, and nothing is locked while out.mu is held.
type Endpoint struct {
	out stream // first: the clock needs the beginning of it in each period, and of the rest nothing

	engine  *Engine
	label   string
	local   netip.AddrPort
	timeout time.Duration
	onEvent func(Event)
	onAudio func(c Codec, timestamp uint32, payload []byte)
	poller  *poller
	slot    uint32  // in poller
	web     *webLeg // the peer is a browser, and neither poller nor sockets are used; nil: it is not

	rtp, rtcp socket                   // open as long as in.closed is false
	listener  atomic.Pointer[Endpoint] // whom this endpoint's audio goes to

	in      receiver
	reports reports

	mu         sync.Mutex
	negotiator *sdp.Negotiator
	agreed     sdp.Agreed
	remote     []byte // the peer's latest description
	timer      *time.Timer
	final      *Stats // set by Close
}

// Offer returns our session description: a first offer, or a new one within the session (for an
// INVITE without an offer). Its o= version rises only when it says something new.
func (ep *Endpoint) Offer() []byte {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return ep.negotiator.Offer()
}

// AcceptOffer takes a first or later offer and returns the answer. ErrNoCodec when there is
// nothing in common; the session stays as it was after any error.
func (ep *Endpoint) AcceptOffer(sdp []byte) (answer []byte, err error) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.final != nil {
		return nil, ErrClosed
	}
	answer, agreed, err := ep.negotiator.AcceptOffer(sdp)
	if err != nil {
		return nil, err
	}
	return answer, ep.apply(agreed, sdp)
}

// AcceptAnswer takes the answer to the last Offer. A later answer to the same offer (a 200 after
// a 183, or from another branch of a fork) takes the place of the one before.
func (ep *Endpoint) AcceptAnswer(sdp []byte) error {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.final != nil {
		return ErrClosed
	}
	agreed, err := ep.negotiator.AcceptAnswer(sdp)
	if err != nil {
		return err
	}
	return ep.apply(agreed, sdp)
}

// apply puts into effect what was negotiated. Accessed with mu held.
func (ep *Endpoint) apply(agreed sdp.Agreed, remote []byte) error {
	changed := !slices.Equal(remote, ep.remote)
	if ep.web != nil {
		agreed.Keying = ep.agreed.Keying // which DTLS brings
	}
	ep.agreed, ep.remote = agreed, slices.Clone(remote)
	ep.in.mu.Lock()
	if ep.web == nil {
		if err := errors.Join(ep.in.security.set(agreed.Keying.Suite, agreed.Keying.In), ep.out.secure(agreed.Keying)); err != nil {
			ep.in.mu.Unlock()
			return err
		}
	}
	ep.in.kinds = [128]uint8{}
	for _, f := range agreed.Accept {
		ep.in.kinds[f.PT] = kindOf(f)
	}
	if ep.in.kinds[noisePT] == 0 {
		ep.in.kinds[noisePT] = kindNoise
	}
	now := int64(ep.engine.clock())
	ep.in.last, ep.in.timedOut = now, false // a time-out begins anew
	ep.reports.negotiated(agreed)
	if ep.web != nil {
		ep.negotiatedWeb(*agreed.Web)
	} else {
		ep.moved(agreed, changed)
	}
	ep.openOut()
	ep.in.mu.Unlock()
	ep.schedule(now)
	return nil
}

// moved lets the peer be found anew where it says that it is elsewhere. Accessed with in.mu held.
func (ep *Endpoint) moved(agreed sdp.Agreed, changed bool) {
	source := &ep.in.source
	moved := agreed.Remote != source.signalled && !agreed.Remote.Addr().IsUnspecified()
	// A peer on hold is silent, so that a stranger could take its place.
	source.strict = !agreed.Send || !agreed.Receive
	if changed && (moved || !source.strict) {
		source.open(agreed.Remote)
		_ = ep.rtp.disconnect() // fails for no reason known of; then the peer stays where it was
		ep.out.redirect(netip.AddrPort{})
	}
}

// openOut has audio go to where the peer is, in the way that was agreed on: to a browser once it has
// shown who it is. Accessed with mu and in.mu held.
func (ep *Endpoint) openOut() {
	types := withoutOpus(ep.agreed.Codec.PT, noType)
	for _, x := range []struct {
		pt *uint8
		f  sdp.Format
	}{{&types.event, ep.agreed.Event}, {&types.opus, ep.agreed.Opus}, {&types.opusEvent, ep.agreed.OpusEvent}} {
		if x.f.Name != "" {
			*x.pt = x.f.PT
		}
	}
	open := ep.agreed.Send && (ep.web == nil || ep.web.keyed)
	ep.out.negotiated(ep.in.source.dest(), open, codecOf(ep.agreed.Codec), types)
}

// kindOf is what a format that was agreed on brings.
func kindOf(f sdp.Format) uint8 {
	switch opus := f.Rate == sdp.OpusRate; {
	case f.Name == sdp.TelephoneEvent && opus:
		return kindOpusEvent
	case f.Name == sdp.TelephoneEvent:
		return kindEvent
	case opus:
		return kindOpus
	}
	return kindCodec + uint8(codecOf(f))
}

func codecOf(f sdp.Format) Codec {
	if f.Name == PCMA.String() {
		return PCMA
	}
	return PCMU
}

// Answered tells that the leg is answered: from now on silence counts, for whoever rings or hears
// it ring may send nothing. A browser that is not connected yet has to be soon.
func (ep *Endpoint) Answered() {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.final != nil || ep.remote == nil {
		return
	}
	now := int64(ep.engine.clock())
	ep.in.mu.Lock()
	ep.in.last, ep.in.timedOut = now, false
	if ep.web != nil {
		ep.web.answered(now + int64(min(connectWithin, ep.timeout)))
	}
	ep.in.mu.Unlock()
	ep.schedule(now)
}

// Held reports whether the peer put us on hold: it wants to hear nothing from us
// (sendonly, inactive or the address 0.0.0.0).
func (ep *Endpoint) Held() bool {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return ep.remote != nil && !ep.agreed.Send
}

// Encrypted tells how audio is encrypted; empty: not at all.
func (ep *Endpoint) Encrypted() sdp.Suite {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return ep.agreed.Keying.Suite
}

// Codec is the codec that was agreed on; false before an offer and answer.
func (ep *Endpoint) Codec() (Codec, bool) {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return codecOf(ep.agreed.Codec), ep.remote != nil
}

// Connected tells whether audio can flow both ways once it is negotiated: to and from a browser only when ICE has found
// it and DTLS has proven who it is, which EventHeard reports; with all others at once.
func (ep *Endpoint) Connected() bool {
	if ep.web == nil {
		return true
	}
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	return ep.web.keyed
}

// TakesOpus tells whether the peer takes Opus (RFC 7587) beside G.711, which browsers do. Nothing here decodes it: it
// goes from one such peer to the other as it is.
func (ep *Endpoint) TakesOpus() bool {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return ep.agreed.Opus.Name != ""
}

// PreferOpus has Opus go before G.711 in descriptions of ours from now on, or behind it, where it stands at first: a
// browser sends what stands first, and takes both. It reports whether the peer is to be offered the session anew.
func (ep *Endpoint) PreferOpus(on bool) bool {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	return ep.negotiator.OpusFirst(on)
}

// LocalAddr is the RTP address that is bound.
func (ep *Endpoint) LocalAddr() netip.AddrPort { return ep.local }

// RemoteAddr is where RTP is sent to now; invalid when not known yet.
func (ep *Endpoint) RemoteAddr() netip.AddrPort {
	ep.out.mu.Lock()
	defer ep.out.mu.Unlock()
	return ep.out.dest.addrPort()
}

// Play makes p the source of the endpoint from the next packet on, in place of a programme or a
// bridged endpoint; nil: nothing. What the other endpoint of a bridge hears does not change.
func (ep *Endpoint) Play(p Program) { ep.setSource(p, nil) }

// Bridge makes a and b each other's source, in place of what they were playing.
func Bridge(a, b *Endpoint) {
	a.setSource(nil, b)
	b.setSource(nil, a)
}

// Unbridge ends what Bridge began: an endpoint whose source is the other one has none afterwards.
func Unbridge(a, b *Endpoint) {
	a.dropSource(b)
	b.dropSource(a)
}

func (ep *Endpoint) setSource(p Program, peer *Endpoint) {
	was, list, ok := ep.out.setSource(p, peer)
	if was != nil && was != peer {
		was.listener.CompareAndSwap(ep, nil)
	}
	if ok && peer != nil {
		peer.listener.Store(ep)
		peer.attend()
	}
	if list {
		pick(ep.engine.metronomes).add(ep)
	}
}

func (ep *Endpoint) dropSource(peer *Endpoint) {
	if ep.out.dropPeer(peer) {
		peer.listener.CompareAndSwap(ep, nil)
	}
}

// readRTP takes one packet from the RTP socket and passes it on. Called by the poller.
func (ep *Endpoint) readRTP(buf []byte, from *sockaddr, now int64) {
	if a, v, digit, ok := ep.take(buf, from, now); ok {
		ep.tell(v, digit, from.addrPort())
		ep.pass(buf, &a)
	}
}

// pass relays an accepted packet.
func (ep *Endpoint) pass(buf []byte, a *arrival) {
	if ep.onAudio != nil && !a.event && !a.noise && !a.opus {
		ep.onAudio(a.codec, a.ts, buf[a.start:a.end])
	}
	if to := ep.listener.Load(); to != nil {
		to.out.relay(ep, buf, a)
	}
}

// tell reports what an accepted packet brings besides audio.
func (ep *Endpoint) tell(v verdict, digit byte, from netip.AddrPort) {
	if ep.onEvent == nil {
		return
	}
	if v == learnt {
		ep.onEvent(Event{Kind: EventHeard, From: from})
	}
	if digit != 0 {
		ep.onEvent(Event{Kind: EventDTMF, Digit: digit})
	}
}

// take reads a packet and judges it.
func (ep *Endpoint) take(buf []byte, from *sockaddr, now int64) (a arrival, v verdict, digit byte, ok bool) {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	if ep.in.closed {
		return a, stranger, 0, false
	}
	n, errno := ep.rtp.receive(buf, from)
	if errno != 0 { // nothing there after all, or the fate of an earlier packet (ICMP)
		return a, stranger, 0, false
	}
	return ep.judge(buf, n, from.addrPort(), now)
}

// judge is given a packet from the RTP socket, n bytes long before it was cut to the length of buf, and when
// it came. ok: it is the peer's audio, noise or event. Accessed with in.mu held.
func (ep *Endpoint) judge(buf []byte, n int, source netip.AddrPort, now int64) (a arrival, v verdict, digit byte, ok bool) {
	if n > maxPacket {
		ep.in.malformed++
		return a, stranger, 0, false
	}
	if isRTCP(buf[:n]) {
		ep.control(buf[:n], source, true, now)
		return a, stranger, 0, false
	}
	a, v, digit, ok = ep.in.accept(buf[:n], source, now) // which decrypts it in place
	if v == learnt && ep.rtp.connect(source) == nil {
		ep.out.redirect(source)
	}
	return a, v, digit, ok
}

// Stats returns the figures of now.
func (ep *Endpoint) Stats() Stats {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.final != nil {
		return *ep.final
	}
	return ep.figures()
}

// Close says goodbye by RTCP, closes the sockets and returns the final figures.
// Later calls return the same figures.
func (ep *Endpoint) Close() Stats {
	ep.mu.Lock()
	defer ep.mu.Unlock()
	if ep.final != nil {
		return *ep.final
	}
	if ep.timer != nil {
		ep.timer.Stop()
	}
	ep.goodbye()
	if ep.web != nil {
		ep.closeWeb()
	} else {
		ep.poller.remove(ep)
	}

	ep.out.mu.Lock()
	ep.out.closed = true
	source := ep.out.peer
	ep.out.program, ep.out.peer = nil, nil
	ep.out.mu.Unlock()
	if source != nil {
		source.listener.CompareAndSwap(ep, nil)
	}
	if to := ep.listener.Swap(nil); to != nil {
		to.out.dropPeer(ep)
	}

	ep.in.mu.Lock()
	ep.in.closed = true
	if ep.web == nil {
		ep.rtp.close()
		ep.rtcp.close()
	}
	ep.in.mu.Unlock()

	final := ep.figures()
	ep.final = &final
	ep.engine.forget(ep, final)
	return final
}

package media

import (
	"net/netip"
	"time"
)

// EndpointOptions describe one leg's media.
type EndpointOptions struct {
	// Label names the leg in the log.
	Label string
	// Local is the address the sockets are bound to: that of the interface towards the peer.
	Local netip.Addr
	// Signalling is the address the peer's SIP comes from, if known. Behind NAT its RTP comes from
	// there too, so that such a source is trusted at its first packet.
	Signalling netip.Addr
	// Codecs are offered in this order; nil: PCMA, PCMU.
	Codecs []Codec
	// Timeout overrides Options.Timeout. Negative: never.
	Timeout time.Duration
	// OnEvent is called from a media goroutine and must not block. May be nil.
	OnEvent func(Event)
	// OnAudio gets each accepted packet of audio, from the goroutine that reads the socket. It must
	// not block and must copy what it keeps of payload. timestamp is the sender's. May be nil.
	OnAudio func(c Codec, timestamp uint32, payload []byte)
}

// EventKind says what an Event reports.
type EventKind uint8

// The kinds of events.
const (
	// EventTimeout: no RTP arrived for the time-out although the peer should be sending.
	// Reported once; again only after RTP has come back.
	EventTimeout EventKind = iota + 1
	// EventDTMF: the peer pressed a key (RFC 4733). Reported once a key, at its first packet.
	EventDTMF
)

// Event is something that happened on an endpoint.
type Event struct {
	Kind  EventKind
	Digit byte // EventDTMF: one of 0-9 * # A-D
}

// Endpoint is the media of one leg. Its methods may be called from any goroutine.
type Endpoint struct{}

// Offer returns our session description: a first offer, or a new one within the session (for an
// INVITE without an offer). Its o= version rises only when it says something new.
func (ep *Endpoint) Offer() []byte { return nil }

// AcceptOffer takes a first or later offer and returns the answer. ErrNoCodec when there is
// nothing in common; the session stays as it was after any error.
func (ep *Endpoint) AcceptOffer(sdp []byte) (answer []byte, err error) { return nil, ErrNoCodec }

// AcceptAnswer takes the answer to the last Offer.
func (ep *Endpoint) AcceptAnswer(sdp []byte) error { return ErrNoCodec }

// Held reports whether the peer put us on hold: it wants to hear nothing from us
// (sendonly, inactive or the address 0.0.0.0).
func (ep *Endpoint) Held() bool { return false }

// Codec is the codec that was agreed on; false before an offer and answer.
func (ep *Endpoint) Codec() (Codec, bool) { return PCMU, false }

// LocalAddr is the RTP address that is bound.
func (ep *Endpoint) LocalAddr() netip.AddrPort { return netip.AddrPort{} }

// RemoteAddr is where RTP is sent to now; invalid when not known yet.
func (ep *Endpoint) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }

// Play makes p the source of the endpoint from the next packet on, in place of a programme or a
// bridged endpoint; nil: nothing. What the other endpoint of a bridge hears does not change.
func (ep *Endpoint) Play(p Program) {}

// Bridge makes a and b each other's source, in place of what they were playing.
func Bridge(a, b *Endpoint) {}

// Unbridge ends what Bridge began: an endpoint whose source is the other one has none afterwards.
func Unbridge(a, b *Endpoint) {}

// Stats returns the figures of now.
func (ep *Endpoint) Stats() Stats { return Stats{} }

// Close says goodbye by RTCP, closes the sockets and returns the final figures.
// Later calls return the same figures.
func (ep *Endpoint) Close() Stats { return Stats{} }

// Stats are figures of one endpoint since it was made.
type Stats struct {
	Sent, SentBytes         uint64        // RTP packets and their payload
	Received, ReceivedBytes uint64        // accepted from the peer
	Lost                    uint64        // never arrived from the peer, as sequence numbers tell
	Jitter                  time.Duration // RFC 3550 6.4.1, of what we receive
	PeerLost                uint64        // of our packets, as the peer reports
	PeerJitter              time.Duration // as the peer reports
	RTT                     time.Duration // from the peer's latest report; 0: unknown
	Strangers               uint64        // packets from addresses that are not the peer's
	Malformed               uint64        // neither RTP of this session nor RTCP
	Unsent                  uint64        // relayed packets the other leg could not take: no such payload type, or the send failed
}

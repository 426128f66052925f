package media

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"centrala/media/sdp"

	"github.com/zaf/g711"
	"golang.org/x/sys/unix"
)

// stream is what an endpoint sends: one RTP stream for its whole life. Sources come and go; each
// is fitted onto the stream where the one before it stopped.
type stream struct {
	mu sync.Mutex // held while a packet is written, so that the packets of two sources keep their order

	// where to and how, set when a session is negotiated
	sock      socket
	connected bool // dest is the socket's peer
	open      bool // the peer wants to hear us and dest is known
	codec     Codec
	types     payloadTypes
	closed    bool
	security  security

	// the source: a programme, the endpoint bridged, or nothing
	listed  bool // the clock has this endpoint in one of its lists
	program Program
	peer    *Endpoint
	keys    keyboard // which go before it

	// where the stream is
	started bool // at least one packet went out
	fitted  bool // the source's packets have been fitted on already
	seq     uint16
	first   uint16 // sequence number of the first packet; set when the stream is made, as ssrc is
	ssrc    uint32
	ts      uint32 // this and seq are of the newest packet
	opus    bool   // ts counts at the rate of Opus
	tsAt    int64  // when ts last rose, in ns of the engine's clock
	ahead   int64  // by how much changes of source have brought ts ahead of the time, in ns
	tick    uint64 // of the programme's newest frame
	seam    seam

	sent, sentBytes, unsent uint64

	// how the peer's packets become ours, valid when fitted
	seqOffset  uint16
	firstSeq   uint16 // of the peer, at the first packet fitted
	tsOffset   uint32
	generation uint32 // of the peer's stream, see arrival
	early      int    // packets to come in which one from before firstSeq must be dropped

	dest sockaddr
}

// payloadTypes are those of the peer; noType: it does not take that.
type payloadTypes struct {
	audio, event    uint8 // G.711, telephone-event
	opus, opusEvent uint8 // the same at the rate of Opus
}

const noType = 0xff

// withoutOpus are the types of a peer that takes G.711, and telephone-events unless event is noType.
func withoutOpus(audio, event uint8) payloadTypes {
	return payloadTypes{audio: audio, event: event, opus: noType, opusEvent: noType}
}

// of is the payload type of a packet.
func (t *payloadTypes) of(a *arrival) uint8 {
	switch {
	case a.event && a.opus:
		return t.opusEvent
	case a.event:
		return t.event
	case a.opus:
		return t.opus
	}
	return t.audio
}

// reorderWindow is how many packets after a change of source may still be overtaken by older ones.
const reorderWindow = 256

func newStream(s socket) stream {
	first := uint16(rand.Uint32())
	return stream{
		sock: s, types: withoutOpus(noType, noType),
		ssrc: rand.Uint32(), seq: first - 1, first: first, ts: rand.Uint32(), // RFC 3550 5.1: random
	}
}

// mayResume tells whether a source may begin. Its first packet may come sooner than 20 ms after the last of the one
// before, and bring the stream ahead of the time by what is left of these 20 ms. Where the stream is ahead by all the
// time since that last packet already, the first is left out. Accessed with mu held.
func (s *stream) mayResume(now int64) bool { return !s.started || now-s.tsAt > s.ahead }

// resume moves ts on over the time since the stream last moved, in whole frames, at the rate of what is sent from
// now on; by what that is too much or too little is made good when the source changes again. RFC 7160 section 4.1 has a
// sender take another SSRC for another rate; browsers themselves do not, and play one SSRC only, that of the
// description. Timestamps that never go back are what they expect. Accessed with mu held.
func (s *stream) resume(now int64, opus bool) {
	frames := int64(1)
	if s.started {
		const frame = int64(20 * time.Millisecond)
		due := now - s.tsAt - s.ahead
		frames = max(1, due/frame)
		s.ahead = frames*frame - due
	}
	if frames > 2 { // the listener has heard nothing for a while
		s.seam.heard = false
	}
	s.opus = opus
	s.ts += uint32(frames) * uint32(FrameSamples*clockFactor(opus))
	s.tsAt = now
	s.seq++
	s.started, s.fitted = true, true
}

// write sends b, which has srtpOverhead bytes of room behind it. Accessed with mu held.
func (s *stream) write(b []byte) {
	payload := len(b) - rtpHeader
	b, ok := s.security.seal(b)
	if !ok {
		s.unsent++
		return
	}
	var errno unix.Errno
	if s.connected {
		errno = s.sock.send(b)
	} else {
		errno = s.sock.sendTo(b, &s.dest)
	}
	if errno != 0 {
		s.unsent++
		return
	}
	s.sent++
	s.sentBytes += uint64(payload)
}

// frameBuffer is room for one packet of a programme.
type frameBuffer [framePacket + srtpOverhead]byte

const framePacket = rtpHeader + FrameSamples // bytes

// play sends the programme's frame of a tick, built in buf, or a packet of a key. It returns false
// once there is neither programme nor key: the clock then forgets the endpoint.
func (s *stream) play(buf *frameBuffer, tick uint64, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.program == nil && len(s.keys.queue) == 0 {
		s.listed = false
		return false
	}
	if !s.open || s.playKeys(buf, now) || s.program == nil || !s.fitted && !s.mayResume(now) {
		return true
	}
	// Until the call returns, a programme that panics has been taken off already.
	p := s.program
	s.program = nil
	n := copy(buf[rtpHeader:framePacket], p.Frame(s.codec, tick))
	s.program = p
	for i := rtpHeader + n; i < framePacket; i++ {
		buf[i] = s.codec.Silence()
	}
	marker := !s.fitted
	if marker {
		s.resume(now, false)
		s.seam.join(buf[rtpHeader:framePacket], s.codec)
	} else { // ticks that were missed leave a hole in time, not in sequence
		s.seq++
		s.ts += uint32(tick-s.tick) * FrameSamples
		s.tsAt = now
	}
	s.tick = tick
	s.seam.note(buf[rtpHeader:framePacket], s.codec)
	putHeader(buf[:], marker, s.types.audio, s.seq, s.ts, s.ssrc)
	s.write(buf[:framePacket])
	return true
}

// arrival is a packet that an endpoint accepted from its peer.
type arrival struct {
	packet
	codec      Codec
	event      bool   // telephone-event
	noise      bool   // comfort noise (RFC 3389)
	opus       bool   // Opus, or an event at its rate
	generation uint32 // changes when the sender's sequence or SSRC starts afresh
	now        int64  // ns of the engine's clock
}

// relay rewrites a packet of endpoint from in the buffer it was read into, and sends it.
// Reordering and loss stay as they came. What the other side does not take is left out: Opus on its way to a
// telephone, until the browser has heard that it is to send G.711. Comfort noise, which the other side did not agree to, becomes
// a frame of noise: were it left out, its sequence number would be missing.
func (s *stream) relay(from *Endpoint, buf []byte, a *arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peer != from || s.closed || !s.open || s.keys.on {
		return
	}
	pt := s.types.of(a)
	if pt == noType {
		s.fitted = s.fitted && !a.opus // the pause must not show in the sequence
		s.unsent++
		return
	}
	if a.event {
		s.keys.others = a.now
	}
	fresh, ok := s.fit(a)
	if !ok {
		s.unsent++
		return
	}
	seq, ts := a.seq+s.seqOffset, a.ts+s.tsOffset
	if int16(seq-s.seq) > 0 {
		s.seq = seq
	}
	if int32(ts-s.ts) > 0 {
		s.ts, s.tsAt = ts, a.now
	}
	b := buf[a.start-rtpHeader : a.end]
	switch {
	case a.noise:
		level := noiseLevel(b[rtpHeader:])
		b = buf[:framePacket]
		makeNoise(b[rtpHeader:], s.codec, level, ts)
	case a.opus:
		s.seam.heard = false
	case !a.event && a.codec != s.codec:
		recode(b[rtpHeader:], a.codec)
	}
	if !a.event && !a.opus {
		if fresh {
			s.seam.join(b[rtpHeader:], s.codec)
		}
		s.seam.note(b[rtpHeader:], s.codec)
	}
	putHeader(b, a.marker || fresh, pt, seq, ts, s.ssrc)
	s.write(b)
}

// fit sees that a packet's numbers become those of our stream. fresh: it is the first of its source, or of another
// rate; ok is false when it is too late. Accessed with mu held.
func (s *stream) fit(a *arrival) (fresh, ok bool) {
	switch {
	case !s.fitted || s.generation != a.generation:
		if !a.event && !s.mayResume(a.now) {
			return false, false
		}
		s.resume(a.now, a.opus)
		s.seqOffset, s.tsOffset = s.seq-a.seq, s.ts-a.ts
		s.generation, s.firstSeq, s.early = a.generation, a.seq, reorderWindow
		return true, true
	case s.early > 0:
		if s.early--; int16(a.seq-s.firstSeq) < 0 { // its number on our stream was the last source's
			return false, false
		}
	}
	if a.opus == s.opus {
		return false, true
	}
	seq := a.seq + s.seqOffset
	if int16(seq-s.seq) <= 0 { // overtaken by the first packet of the other rate
		return false, false
	}
	s.resume(a.now, a.opus)
	s.seq, s.tsOffset = seq, s.ts-a.ts
	return true, true
}

// recode turns audio of one codec into the other in place (ITU-T G.711 tables 3 and 4).
func recode(b []byte, from Codec) {
	if from == PCMA {
		for i, v := range b {
			b[i] = g711.Alaw2UlawFrame(v)
		}
		return
	}
	for i, v := range b {
		b[i] = g711.Ulaw2AlawFrame(v)
	}
}

// setSource replaces the source and returns the endpoint that was bridged. list is true when the
// clock has to be told of a programme; ok is false when the endpoint is closed.
func (s *stream) setSource(p Program, peer *Endpoint) (was *Endpoint, list, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.peer
	if s.closed {
		return was, false, false
	}
	if peer == nil || peer != was || s.program != nil {
		s.fitted = false
	}
	s.program, s.peer = p, peer
	list = p != nil && !s.listed
	s.listed = s.listed || list
	return was, list, true
}

// dropPeer ends the source if it is peer.
func (s *stream) dropPeer(peer *Endpoint) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peer != peer {
		return false
	}
	s.peer, s.fitted = nil, false
	return true
}

// negotiated sets where to and how. dest is where RTP goes as far as it is known.
func (s *stream) negotiated(dest netip.AddrPort, open bool, codec Codec, types payloadTypes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if dest.IsValid() {
		s.dest.set(dest)
	}
	if open != s.open {
		s.fitted = false // the pause must not show in the sequence
	}
	s.open, s.codec, s.types = open, codec, types
	if !open || types.event == noType {
		s.forgetKeys()
	}
}

// secure sets the keys of what is sent.
func (s *stream) secure(k sdp.Keying) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.security.set(k.Suite, k.Out)
}

// redirect is told where the socket is connected to; invalid: it is not any more.
func (s *stream) redirect(to netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected = to.IsValid()
	if s.connected {
		s.dest.set(to)
	}
}

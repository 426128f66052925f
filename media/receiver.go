package media

import (
	"math"
	"net/netip"
	"sync"
)

// What a payload type stands for, in receiver.kinds: 0 is unknown, codecs follow from kindCodec on.
const (
	kindEvent     = 1
	kindNoise     = 2
	kindOpus      = 3
	kindOpusEvent = 4
	kindCodec     = 5
)

// RFC 3550 A.1: larger steps of the sequence number are no loss and no reordering.
const (
	maxDropout  = 3000
	maxMisorder = 100
)

// receiver is what an endpoint gets. Its figures follow RFC 3550 A.1, A.3 and A.8.
type receiver struct {
	mu     sync.Mutex // guards all below, and that the sockets are open while they are read
	closed bool
	late   bool // the RTP socket is read on the beat, not at once
	source sourceLock
	kinds  [128]uint8

	security security
	web      bool // packets come by paths that ICE has found, any of them

	have       bool // a packet was accepted
	ssrc       uint32
	generation uint32
	base, top  uint16 // first and highest sequence number
	cycles     uint32 // times 65536
	nextSSRC   uint32 // SSRC and sequence number that would confirm a fresh start
	nextSeq    uint16
	probing    bool
	count      uint64 // of this SSRC
	lostBefore uint64 // by earlier SSRCs
	jitter     int64  // in 1/16 samples, as the next two
	jitterMax  int64
	jitterSum  int64 // over timings packets
	timings    int64
	transit    int32 // in samples at the rate of the newest audio
	opus       bool  // which is that of Opus
	timed      bool  // transit is valid

	last       int64 // when the newest packet came, ns of the engine's clock
	timedOut   bool  // and it was reported
	expectedAt uint64
	countAt    uint64 // expected and count at our last report

	event struct { // the newest telephone-event
		ts       uint32
		duration uint16
		code     byte
		opus     bool // its timestamps run as those of Opus
		have     bool
	}

	received, receivedBytes, strangers, malformed, forged uint64
}

// accept judges one packet. ok: it is the peer's audio, noise or event. digit is not 0 when a key was pressed.
func (r *receiver) accept(b []byte, from netip.AddrPort, now int64) (a arrival, v verdict, digit byte, ok bool) {
	// A browser may speak before its handshake is known here to be over.
	if !r.web && r.source.locked.IsValid() && from != r.source.locked || r.security.unproven() {
		r.strangers++
		return a, stranger, 0, false
	}
	b, genuine := r.security.open(b)
	if !genuine {
		r.forged++
		return a, stranger, 0, false
	}
	p, parsed := parseRTP(b)
	kind := uint8(0)
	if parsed {
		kind = r.kinds[p.pt]
	}
	if kind == 0 {
		r.malformed++
		return a, stranger, 0, false
	}
	switch {
	case r.web:
		v = known
	case r.security.cipher != nil && !r.source.locked.IsValid(): // who has the key is the peer, wherever they are
		r.source.lock(from)
		v = learnt
	default:
		if v = r.source.check(from, &p, now); v == stranger {
			r.strangers++
			return a, v, 0, false
		}
	}
	if !r.sequence(&p) {
		r.malformed++
		return a, v, 0, false
	}
	a = arrival{packet: p, noise: kind == kindNoise, generation: r.generation, now: now}
	switch kind {
	case kindEvent, kindOpusEvent:
		a.event, a.opus = true, kind == kindOpusEvent
		digit = r.key(b[p.start:p.end], &p, a.opus)
	case kindNoise:
	case kindOpus:
		a.opus = true
		r.time(&p, now, true)
	default:
		a.codec = Codec(kind - kindCodec)
		r.time(&p, now, false)
	}
	r.received++
	r.receivedBytes += uint64(p.end - p.start)
	r.last, r.timedOut = now, false
	return a, v, digit, true
}

// sequence follows SSRC and sequence numbers. A fresh start is believed at its second packet, so
// that one stray packet does no harm.
func (r *receiver) sequence(p *packet) bool {
	if !r.have {
		r.start(p)
		return true
	}
	step := p.seq - r.top
	if p.ssrc != r.ssrc || step >= maxDropout && step <= math.MaxUint16-maxMisorder {
		if r.probing && p.ssrc == r.nextSSRC && p.seq == r.nextSeq {
			r.lostBefore += r.lost()
			r.generation++
			r.start(p)
			return true
		}
		r.probing, r.nextSSRC, r.nextSeq = true, p.ssrc, p.seq+1
		return false
	}
	r.probing = false
	if step < maxDropout {
		if p.seq < r.top {
			r.cycles++
		}
		r.top = p.seq
	}
	r.count++
	return true
}

func (r *receiver) start(p *packet) {
	r.have, r.probing, r.timed = true, false, false
	r.ssrc, r.base, r.top, r.cycles, r.count = p.ssrc, p.seq, p.seq, 0, 1
	r.expectedAt, r.countAt = 0, 0
	r.event.have = false
}

// expected is how many packets the sender has sent as far as we can tell.
func (r *receiver) expected() uint64 {
	if !r.have {
		return 0
	}
	return uint64(r.cycles)<<16 + uint64(r.top) - uint64(r.base) + 1
}

// lost counts a duplicate as making up for a loss (RFC 3550 A.3), yet never falls below 0.
func (r *receiver) lost() uint64 {
	if e := r.expected(); e > r.count {
		return e - r.count
	}
	return 0
}

// time keeps the jitter (RFC 3550 A.8). A pause or a jump of the sender's clock is none, nor is another rate.
func (r *receiver) time(p *packet, now int64, opus bool) {
	factor := int64(clockFactor(opus))
	if r.opus != opus {
		r.opus, r.timed = opus, false
	}
	transit := int32(uint32(now*factor/int64(sampleTime)) - p.ts)
	d := int64(transit) - int64(r.transit)
	r.transit = transit
	if d < 0 {
		d = -d
	}
	d /= factor
	if r.timed && d < SampleRate {
		r.jitter += d - (r.jitter+8)>>4
		r.jitterMax = max(r.jitterMax, r.jitter)
		r.jitterSum += r.jitter
		r.timings++
	}
	r.timed = true
}

// key reads a telephone-event (RFC 4733 2.3) and returns the key at the first packet of each event.
// All packets of an event bear its first one's timestamp. An event too long for its duration field
// goes on in a new segment, whose timestamp follows on (2.5.1.3).
func (r *receiver) key(payload []byte, p *packet, opus bool) byte {
	if len(payload) < 4 {
		return 0
	}
	code, duration := payload[0], uint16(payload[2])<<8|uint16(payload[3])
	e := &r.event
	e.have = e.have && e.opus == opus
	if e.have && int32(p.ts-e.ts) <= 0 && e.ts-p.ts < maxMisorder*FrameSamples {
		if p.ts == e.ts {
			e.duration = max(e.duration, duration)
		}
		return 0
	}
	goesOn := e.have && !p.marker && code == e.code && e.duration == math.MaxUint16 && p.ts == e.ts+math.MaxUint16
	e.ts, e.duration, e.code, e.opus, e.have = p.ts, duration, code, opus, true
	if goesOn || int(code) >= len(keyNames) {
		return 0
	}
	return keyNames[code]
}

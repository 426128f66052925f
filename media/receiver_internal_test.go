package media

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

const millisecond = int64(time.Millisecond)

var (
	phoneAddr = netip.MustParseAddrPort("198.51.100.7:4000")
	otherAddr = netip.MustParseAddrPort("203.0.113.9:5000")
	otherPort = netip.MustParseAddrPort("198.51.100.7:4444")
)

func bytesOf(pt uint8, seq uint16, ts, ssrc uint32, payload ...byte) []byte {
	b := make([]byte, rtpHeader, rtpHeader+len(payload))
	putHeader(b, false, pt, seq, ts, ssrc)
	return append(b, payload...)
}

// peer sends well-formed audio from one address.
type peer struct {
	from netip.AddrPort
	ssrc uint32
	seq  uint16
}

func (p *peer) packet() *packet {
	p.seq++
	return &packet{ssrc: p.ssrc, seq: p.seq, ts: uint32(p.seq) * FrameSamples}
}

func TestSourceLock(t *testing.T) {
	nat := netip.MustParseAddrPort("203.0.113.1:61000")
	for _, c := range []struct {
		name       string
		signalling netip.Addr
		strict     bool
		from       netip.AddrPort
		packets    int // until learnt; 0: never
	}{
		{"as signalled", netip.Addr{}, false, phoneAddr, 1},
		{"as signalled, on hold", netip.Addr{}, true, phoneAddr, 1},
		{"another port of the host", netip.Addr{}, false, otherPort, 1},
		{"where SIP comes from", nat.Addr(), false, nat, 1},
		{"a stranger while SIP's source is known", nat.Addr(), false, otherAddr, 0},
		{"a stranger on hold", netip.Addr{}, true, otherAddr, 0},
		{"behind NAT, SIP's source unknown", netip.Addr{}, false, nat, learnPackets},
	} {
		l := sourceLock{signalled: phoneAddr, signalling: c.signalling, strict: c.strict}
		p := peer{from: c.from, ssrc: 1}
		learntAt := 0
		for i := 1; i <= 20; i++ {
			v := l.check(p.from, p.packet(), int64(i)*20*millisecond)
			if v == learnt && learntAt == 0 {
				learntAt = i
			} else if (v == known) != (learntAt > 0) {
				t.Errorf("%s: packet %d is %v", c.name, i, v)
			}
		}
		if learntAt != c.packets {
			t.Errorf("%s: learnt at packet %d, want %d", c.name, learntAt, c.packets)
		}
	}
}

// A flood does not win against a peer that sends, nor does a crowd hide one behind NAT.
func TestSourceLock_FloodLoses(t *testing.T) {
	l := sourceLock{signalled: phoneAddr}
	flood := peer{from: otherAddr, ssrc: 9}
	for now := range 20 * millisecond / 1000 {
		if v := l.check(flood.from, flood.packet(), now*1000); v != stranger {
			t.Fatalf("a flood of 20 ms is %v", v)
		}
	}
	if v := l.check(phoneAddr, &packet{}, 20*millisecond); v != learnt {
		t.Errorf("the phone is %v", v)
	}
	if v := l.check(flood.from, flood.packet(), 100*millisecond); v != stranger {
		t.Errorf("the flood is %v after the phone was learnt", v)
	}

	l = sourceLock{signalled: phoneAddr}
	nat := peer{from: netip.MustParseAddrPort("203.0.113.1:61000"), ssrc: 2}
	var got []verdict
	for i := range int64(10) {
		for k := range 30 { // each from a port of its own
			from := netip.AddrPortFrom(otherAddr.Addr(), uint16(1000+30*i)+uint16(k))
			l.check(from, &packet{ssrc: uint32(k), seq: uint16(i)}, i*20*millisecond)
		}
		got = append(got, l.check(nat.from, nat.packet(), i*20*millisecond))
	}
	if !slices.Contains(got, learnt) {
		t.Errorf("among a crowd of strangers the peer is never learnt: %v", got)
	}
}

// Behind NAT, with SIP's source unknown, a flood of what would be sound audio is not learnt however long it
// lasts, since it is faster than speech; the peer is, after five packets.
func TestSourceLock_FloodIsNotPaced(t *testing.T) {
	l := sourceLock{signalled: phoneAddr}
	flood := peer{from: otherAddr, ssrc: 9}
	nat := peer{from: netip.MustParseAddrPort("203.0.113.1:61000"), ssrc: 2}
	heard := 0
	for now := range 200 * millisecond / 100_000 { // 10,000 a second
		if v := l.check(flood.from, flood.packet(), now*100_000); v != stranger {
			t.Fatalf("after %d ms the flood is %v", now/10, v)
		}
		if now%200 == 100 {
			if v := l.check(nat.from, nat.packet(), now*100_000); v != stranger {
				break
			}
			heard++
		}
	}
	if heard != learnPackets-1 {
		t.Errorf("the peer was learnt after %d packets, want %d", heard, learnPackets-1)
	}
	// One whose packets wait for its NAT and then come at once is learnt a little later.
	l, nat = sourceLock{signalled: phoneAddr}, peer{from: nat.from, ssrc: 3}
	for range 10 {
		l.check(nat.from, nat.packet(), 0)
	}
	learnt := false
	for i := range int64(15) {
		learnt = learnt || l.check(nat.from, nat.packet(), (i+1)*20*millisecond) != stranger
	}
	if !learnt {
		t.Error("a burst at the beginning keeps the peer out")
	}
}

// A negotiation that changes something opens the lock; who was believed before still is.
func TestSourceLock_Renegotiation(t *testing.T) {
	nat := netip.MustParseAddrPort("203.0.113.1:61000")
	l := sourceLock{signalled: phoneAddr, signalling: nat.Addr()}
	l.check(nat, &packet{}, 0)
	l.open(phoneAddr)
	if l.dest() != nat {
		t.Errorf("RTP goes to %v until the peer is found again, want %v", l.dest(), nat)
	}
	if v := l.check(nat, &packet{}, 0); v != learnt {
		t.Errorf("the peer of before is %v", v)
	}
	moved := netip.MustParseAddrPort("198.51.100.8:4000")
	l.open(moved)
	if l.dest() != moved || l.before.IsValid() {
		t.Errorf("after a move RTP goes to %v, and %v is believed", l.dest(), l.before)
	}
}

func newReceiver() *receiver {
	r := &receiver{source: sourceLock{signalled: phoneAddr}}
	r.kinds[8], r.kinds[0], r.kinds[101] = kindCodec+uint8(PCMA), kindCodec+uint8(PCMU), kindEvent
	return r
}

func (r *receiver) take(b []byte, now int64) (arrival, byte, bool) {
	a, _, digit, ok := r.accept(b, phoneAddr, now)
	return a, digit, ok
}

// RFC 3550 A.3: loss, reordering and duplicates, over the wrap of the sequence number.
func TestReceiver_Loss(t *testing.T) {
	r := newReceiver()
	for i := range 70000 {
		seq := uint16(65000 + i)
		switch {
		case i%100 == 50: // lost
			continue
		case i%100 == 60: // overtaken by the next
			seq++
		case i%100 == 61:
			seq--
		}
		if _, _, ok := r.take(bytesOf(8, seq, uint32(i)*160, 1), int64(i)*20*millisecond); !ok {
			t.Fatalf("packet %d refused", i)
		}
	}
	if r.expected() != 70000 || r.lost() != 700 {
		t.Errorf("%d expected, %d lost", r.expected(), r.lost())
	}
}

func TestReceiver_Jitter(t *testing.T) {
	steady, shaky := newReceiver(), newReceiver()
	for i := range int64(1000) {
		b := bytesOf(8, uint16(i), uint32(i)*160, 1)
		steady.take(b, i*20*millisecond)
		shaky.take(b, i*20*millisecond+i%2*10*millisecond)
	}
	if j := steady.jitter >> 4; j != 0 {
		t.Errorf("steady packets: jitter %d samples", j)
	}
	if j := shaky.jitter >> 4; j < 75 || j > 85 { // 10 ms to and fro
		t.Errorf("jitter %d samples, want 80", j)
	}
}

// A stray packet with another SSRC or a far sequence number is dropped; a fresh start is believed
// at its second packet.
func TestReceiver_FreshStart(t *testing.T) {
	r := newReceiver()
	steps := []struct {
		seq        uint16
		ssrc       uint32
		ok         bool
		generation uint32
	}{
		{10, 1, true, 0}, {11, 1, true, 0},
		{500, 9, false, 0}, {12, 1, true, 0}, // stray SSRC
		{40000, 1, false, 0}, {13, 1, true, 0}, // stray number
		{700, 2, false, 0}, {701, 2, true, 1}, {702, 2, true, 1}, // the peer starts afresh
		{30000, 2, false, 1}, {30002, 2, false, 1}, {30003, 2, true, 2},
	}
	for i, s := range steps {
		a, _, ok := r.take(bytesOf(8, s.seq, 0, s.ssrc), 0)
		if ok != s.ok || ok && a.generation != s.generation {
			t.Errorf("step %d: accepted %v, generation %d", i, ok, a.generation)
		}
	}
	if r.lost() != 0 || r.malformed != 5 {
		t.Errorf("%d lost, %d malformed", r.lost(), r.malformed)
	}
}

// RFC 4733: each key once, whatever is lost or repeated of its packets.
func TestReceiver_Keys(t *testing.T) {
	const end = 0x80
	type event struct {
		ts       uint32
		code     byte
		flags    byte
		duration uint16
		marker   bool
	}
	for _, c := range []struct {
		name   string
		events []event
		keys   string
	}{
		{"one key", []event{{1000, 5, 0, 160, true}, {1000, 5, 0, 320, false}, {1000, 5, end, 480, false}, {1000, 5, end, 480, false}, {1000, 5, end, 480, false}}, "5"},
		{"first packet lost", []event{{1000, 11, 0, 320, false}, {1000, 11, end, 480, false}}, "#"},
		{"only the end arrives", []event{{1000, 10, end, 480, false}}, "*"},
		{"the same key twice", []event{{1000, 1, end, 480, true}, {2000, 1, end, 480, true}}, "11"},
		{"late packet of the key before", []event{{1000, 1, end, 480, true}, {2000, 2, 0, 160, true}, {1000, 1, end, 480, false}, {2000, 2, end, 320, false}}, "12"},
		{"long press in two segments", []event{{1000, 15, 0, 65535, true}, {66535, 15, 0, 160, false}, {66535, 15, end, 320, false}}, "D"},
		{"the clock wraps", []event{{1<<32 - 10, 3, end, 480, true}, {100, 4, end, 480, true}}, "34"},
		{"flash is no key", []event{{1000, 16, end, 480, true}}, ""},
	} {
		r := newReceiver()
		keys := ""
		for i, e := range c.events {
			b := bytesOf(101, uint16(i), e.ts, 1, e.code, e.flags, byte(e.duration>>8), byte(e.duration))
			if e.marker {
				b[1] |= 0x80
			}
			if _, digit, _ := r.take(b, 0); digit != 0 {
				keys += string(rune(digit))
			}
		}
		if keys != c.keys {
			t.Errorf("%s: %q, want %q", c.name, keys, c.keys)
		}
	}
	r := newReceiver()
	if _, digit, ok := r.take(bytesOf(101, 1, 1, 1, 5, 0), 0); digit != 0 || !ok {
		t.Error("a cut event was read")
	}
}

// Our parser agrees with another one on what is payload, and never points outside the packet.
func FuzzParseRTP(f *testing.F) {
	f.Add(bytesOf(8, 1, 2, 3, 4, 5))
	f.Add([]byte{0xb2, 0x88, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 1, 9, 9, 9, 9, 7, 7, 0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parseRTP(b)
		if !ok {
			return
		}
		if p.start < rtpHeader || p.start > p.end || p.end > len(b) {
			t.Fatalf("payload %d:%d of %d", p.start, p.end, len(b))
		}
		var q rtp.Packet
		if err := q.Unmarshal(b); err != nil {
			return // it reads the content of extensions too, and refuses more
		}
		if q.SSRC != p.ssrc || q.SequenceNumber != p.seq || q.Timestamp != p.ts || q.PayloadType != p.pt || q.Marker != p.marker {
			t.Fatalf("%+v, want %+v", p, q.Header)
		}
		if string(q.Payload) != string(b[p.start:p.end]) {
			t.Fatalf("payload %d:%d, want %d bytes of %d", p.start, p.end, len(q.Payload), len(b))
		}
	})
}

// Nothing that a peer sends harms the counters.
func FuzzAccept(f *testing.F) {
	f.Add(bytesOf(8, 1, 2, 3, 4, 5), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		r := newReceiver()
		random := rand.New(rand.NewPCG(seed, 0))
		for i := range int64(50) {
			packet := slices.Clone(b)
			for range random.IntN(3) {
				if len(packet) > 0 {
					packet[random.IntN(len(packet))] = byte(random.Uint32())
				}
			}
			r.take(packet, i*20*millisecond)
			if r.lost() > r.expected() || r.jitter < 0 {
				t.Fatalf("%d lost of %d, jitter %d", r.lost(), r.expected(), r.jitter)
			}
		}
		if r.received+r.malformed+r.strangers != 50 {
			t.Fatalf("%d packets counted", r.received+r.malformed+r.strangers)
		}
	})
}

// What a browser says before its keys are there is nobody's, and no forgery.
func TestReceiver_BeforeTheKeys(t *testing.T) {
	r := receiver{web: true, security: security{required: true}}
	r.kinds[8] = kindCodec + uint8(PCMA)
	if _, _, _, ok := r.accept(bytesOf(8, 1, 160, 7, 1, 2, 3), phoneAddr, 0); ok || r.strangers != 1 || r.forged != 0 {
		t.Errorf("taken: %v, %d strangers, %d forged", ok, r.strangers, r.forged)
	}
	ep := &Endpoint{in: receiver{web: true, security: security{required: true}}}
	ep.control([]byte{0x80, 201, 0, 1, 0, 0, 0, 7}, phoneAddr, true, 0)
	if ep.in.strangers != 1 || ep.in.forged != 0 {
		t.Errorf("RTCP: %d strangers, %d forged", ep.in.strangers, ep.in.forged)
	}
}

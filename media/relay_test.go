package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"

	"github.com/pion/rtp"
	"github.com/zaf/g711"
)

// bridged connects two phones through two endpoints.
type bridged struct {
	a, b       *media.Endpoint
	alice, bob *phone
	toA, toB   netip.AddrPort
}

func newBridge(t testing.TB, e *media.Engine, o media.EndpointOptions, mA, mB string) *bridged {
	t.Helper()
	c := &bridged{a: newEndpoint(t, e, o), b: newEndpoint(t, e, media.EndpointOptions{}), alice: newPhone(t), bob: newPhone(t)}
	const event = "a=rtpmap:101 telephone-event/8000"
	c.toA = c.alice.dial(t, c.a, mA, event, "a=rtpmap:96 telephone-event/8000")
	c.toB = c.bob.dial(t, c.b, mB, event, "a=rtpmap:96 telephone-event/8000")
	media.Bridge(c.a, c.b)
	return c
}

// What comes in goes out: loss, order, duplicates, times and lengths, over the wraps of the counters.
func TestRelay_PassesOnAsItCame(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "8")
	order := []uint16{0, 1, 2, 4, 3, 5, 9, 10, 10, 11, 40, 41} // overtaken, lost, repeated
	for _, i := range order {
		c.alice.sendRTP(c.toA, &rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: 65530 + i, Timestamp: 1<<32 - 800 + 160*uint32(i), SSRC: 7},
			Payload: bytes.Repeat([]byte{byte(i)}, 80+int(i)),
		})
	}
	got := c.bob.await(t, len(order))
	for k, i := range order {
		h := got[k]
		if h.SequenceNumber-got[0].SequenceNumber != i || h.Timestamp-got[0].Timestamp != 160*uint32(i) {
			t.Errorf("packet %d: sequence +%d, timestamp +%d", i, h.SequenceNumber-got[0].SequenceNumber, h.Timestamp-got[0].Timestamp)
		}
		if h.SSRC == 7 || h.SSRC != got[0].SSRC || h.Marker != (k == 0) {
			t.Errorf("packet %d: SSRC %d, marker %v", i, h.SSRC, h.Marker)
		}
		if !bytes.Equal(h.Payload, bytes.Repeat([]byte{byte(i)}, 80+int(i))) {
			t.Errorf("packet %d: payload of %d bytes changed", i, len(h.Payload))
		}
	}
	if s := c.a.Stats(); s.Lost != 42-uint64(len(order)) || s.Received != uint64(len(order)) {
		t.Errorf("%+v", s)
	}
}

// Contributing sources, extension and padding are not passed on; the payload is.
func TestRelay_StripsHeader(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "0")
	packet := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SSRC: 7, CSRC: []uint32{1, 2}, PaddingSize: 9, Padding: true}, Payload: []byte{1, 2, 3, 4}}
	if err := packet.SetExtension(1, []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	c.alice.sendRTP(c.toA, &packet)
	h := c.bob.await(t, 1)[0]
	if len(h.CSRC) != 0 || h.Extension || h.Padding || !bytes.Equal(h.Payload, g711.Alaw2Ulaw([]byte{1, 2, 3, 4})) || h.PayloadType != 0 {
		t.Errorf("%+v % x", h.Header, h.Payload)
	}
	c.bob.send(c.toB, 0, []byte{5, 6, 7})
	if h := c.alice.await(t, 1)[0]; !bytes.Equal(h.Payload, g711.Ulaw2Alaw([]byte{5, 6, 7})) || h.PayloadType != 8 {
		t.Errorf("the other way: %+v % x", h.Header, h.Payload)
	}
}

// RFC 4733: keys pass under the other leg's payload type, on its clock, and are reported once.
func TestRelay_TelephoneEvent(t *testing.T) {
	e := newEngine(t, media.Options{})
	keys := make(chan media.Event, 10)
	c := newBridge(t, e, media.EndpointOptions{OnEvent: unlessHeard(keys)}, "8 101", "0 96")
	c.alice.send(c.toA, 8, make([]byte, 160))
	first := c.bob.await(t, 1)[0]
	start := c.alice.ts
	for i, e := range [][]byte{{5, 10, 0, 160}, {5, 10, 1, 64}, {5, 138, 1, 224}, {5, 138, 1, 224}, {5, 138, 1, 224}} {
		c.alice.sendRTP(c.toA, &rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 101, Marker: i == 0, SequenceNumber: c.alice.seq, Timestamp: start, SSRC: c.alice.ssrc},
			Payload: e,
		})
		c.alice.seq++
	}
	got := c.bob.await(t, 6)
	for i, h := range got[1:6] {
		if h.PayloadType != 96 || h.Timestamp != first.Timestamp+160 || h.SequenceNumber != first.SequenceNumber+1+uint16(i) || h.Marker != (i == 0) {
			t.Errorf("packet %d: %+v", i, h.Header)
		}
	}
	if e := <-keys; e != (media.Event{Kind: media.EventDTMF, Digit: '5'}) || len(keys) > 0 {
		t.Errorf("%+v, and %d more", e, len(keys))
	}

	// A leg that does not take them gets none.
	c = newBridge(t, e, media.EndpointOptions{}, "8 101", "8")
	c.alice.send(c.toA, 101, []byte{5, 10, 0, 160})
	c.alice.send(c.toA, 8, make([]byte, 160))
	if h := c.bob.await(t, 1)[0]; h.PayloadType != 8 {
		t.Errorf("%+v", h.Header)
	}
	if s := c.b.Stats(); s.Unsent != 1 {
		t.Errorf("%+v", s)
	}
}

// The sender starts afresh (new SSRC, other numbers): the listener's stream goes on.
func TestRelay_SenderStartsAfresh(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "8")
	for range 3 {
		c.alice.send(c.toA, 8, make([]byte, 160))
	}
	c.bob.await(t, 3)
	c.alice.ssrc, c.alice.seq, c.alice.ts = 99, 20000, 12345
	for range 4 {
		c.alice.send(c.toA, 8, make([]byte, 160))
	}
	got := c.bob.await(t, 6) // the first one of the new stream might have been a stray
	for i := 1; i < 6; i++ {
		if got[i].SSRC != got[0].SSRC || got[i].SequenceNumber != got[i-1].SequenceNumber+1 || got[i].Timestamp-got[i-1].Timestamp != 160 || got[i].Marker != (i == 3) {
			t.Errorf("packet %d: %+v after %+v", i, got[i].Header, got[i-1].Header)
		}
	}
}

func TestEndpoint_OnAudio(t *testing.T) {
	e := newEngine(t, media.Options{})
	type audio struct {
		codec media.Codec
		ts    uint32
		size  int
	}
	got := make(chan audio, 4)
	ep := newEndpoint(t, e, media.EndpointOptions{OnAudio: func(c media.Codec, ts uint32, b []byte) { got <- audio{c, ts, len(b)} }})
	p := newPhone(t)
	to := p.dial(t, ep, "0 8 101", "a=rtpmap:101 telephone-event/8000")
	p.send(to, 101, []byte{1, 10, 0, 160})
	p.send(to, 13, []byte{40}) // comfort noise, which was not agreed on
	ts := p.ts
	p.send(to, 0, make([]byte, 240))
	if a := <-got; a != (audio{media.PCMU, ts, 240}) {
		t.Errorf("%+v", a)
	}
	if s := ep.Stats(); s.Received != 3 || s.Malformed != 0 || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// Our offer, their answer: audio flows both ways, under the payload types of either side.
func TestEndpoint_OfferAndAnswer(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "8")
	ep, carol := newEndpoint(t, e, media.EndpointOptions{}), newPhone(t)
	if _, ok := ep.Codec(); ok {
		t.Error("a codec before the answer")
	}
	ep.Offer()
	if err := ep.AcceptAnswer(carol.sdp("0 97", "a=rtpmap:97 telephone-event/8000")); err != nil {
		t.Fatal(err)
	}
	if codec, ok := ep.Codec(); !ok || codec != media.PCMU {
		t.Error(codec, ok)
	}
	media.Bridge(c.a, ep) // in place of c.b
	c.alice.send(c.toA, 8, []byte{1})
	if h := carol.await(t, 1)[0]; h.PayloadType != 0 {
		t.Errorf("%+v", h.Header)
	}
	carol.send(ep.LocalAddr(), 0, []byte{1})
	carol.send(ep.LocalAddr(), 101, []byte{1, 10, 0, 160}) // ours
	carol.send(ep.LocalAddr(), 97, []byte{2, 10, 0, 160})  // theirs
	c.alice.await(t, 1)
	c.bob.send(c.toB, 8, []byte{1}) // no longer anyone's source
	c.bob.send(c.toB, 8, []byte{1})
	media.Unbridge(c.a, c.b) // is not what there is: nothing happens
	c.alice.send(c.toA, 8, []byte{2})
	carol.await(t, 2)
	if n := c.alice.count(); n != 1 {
		t.Errorf("alice heard %d packets", n)
	}
}

// Strangers spray well-formed RTP over the port range during a call: nothing goes to them, nothing
// of theirs is heard, nothing of the call is lost.
func TestAttack_StrangersSpray(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		c := newBridge(t, newEngine(t, media.Options{}), media.EndpointOptions{}, "8", "8")
		sprayed(t, c, func(p media.Program, tick uint64) { c.alice.send(c.toA, 8, p.Frame(media.PCMA, tick)) })
	})
	t.Run("SRTP", func(t *testing.T) {
		e, alice := newEngine(t, media.Options{}), newSecurePhone(t, sdp.CM128)
		c := &bridged{alice: alice.phone, bob: newPhone(t), a: newEndpoint(t, e, media.EndpointOptions{}), b: newEndpoint(t, e, media.EndpointOptions{})}
		c.toA, c.toB = alice.dial(c.a), c.bob.dial(t, c.b, "8")
		media.Bridge(c.a, c.b)
		sprayed(t, c, func(p media.Program, tick uint64) { alice.say(c.toA, p, tick) })
	})
}

// sprayed is the attack on a call; say has alice say a frame.
func sprayed(t *testing.T, c *bridged, say func(p media.Program, tick uint64)) {
	attacker, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.66:0")))
	if err != nil {
		t.Fatal(err)
	}
	var answered int
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 2000)
		for {
			if _, _, err := attacker.ReadFromUDPAddrPort(b); err != nil {
				if errors.Is(err, syscall.ECONNREFUSED) { // where nobody listens any more
					continue
				}
				return
			}
			answered++
		}
	})
	bad := bytes.Repeat([]byte{0x55}, 172)
	spray := func(n int) {
		for i := range n {
			copy(bad, []byte{0x80, 8, byte(i >> 8), byte(i), 0, 0, byte(i), 0, 6, 6, 6, 6})
			for _, to := range []netip.AddrPort{c.toA, c.toB} {
				for _, b := range [][]byte{bad, bad[:3], bad[:12], {0x80, 203, 0, 1, 6, 6, 6, 6}, bytes.Repeat([]byte{0x80}, 9000)} {
					_, _ = attacker.WriteToUDPAddrPort(b, to)
					_, _ = attacker.WriteToUDPAddrPort(b, netip.AddrPortFrom(to.Addr(), to.Port()+1))
				}
			}
		}
	}
	spray(3) // even before the first packet of the phones
	const talk = 60
	ours := tone.NewProgram(1000, -10)
	for i := range talk {
		say(ours, uint64(i))
		c.bob.send(c.toB, 8, ours.Frame(media.PCMA, uint64(i)))
		spray(3)
		c.bob.await(t, i+1) // in step, so that the flood and not our own rate is tested
		c.alice.await(t, i+1)
	}
	for _, p := range []*phone{c.alice, c.bob} {
		got := p.await(t, talk)
		if len(got) != talk {
			t.Errorf("heard %d packets of %d", len(got), talk)
		}
		for i, h := range got {
			if want := ours.Frame(media.PCMA, uint64(i)); !bytes.Equal(h.Payload, want) {
				t.Fatalf("packet %d is not the other phone's", i)
			}
		}
	}
	s := c.a.Close()
	if s.Lost != 0 || s.Received != talk || s.Strangers == 0 {
		t.Errorf("%+v", s)
	}
	c.b.Close()
	attacker.Close()
	wg.Wait()
	if answered != 0 {
		t.Errorf("%d packets to the attacker", answered)
	}
}

// From the peer's own address nothing but sound packets is passed on, and nothing ends the call.
func TestAttack_GarbageFromThePeer(t *testing.T) {
	e := newEngine(t, media.Options{})
	c := newBridge(t, e, media.EndpointOptions{}, "8", "8")
	c.alice.send(c.toA, 8, []byte{1})
	c.bob.await(t, 1)
	goodbye := binary.BigEndian.AppendUint32([]byte{0x81, 203, 0, 1}, c.alice.ssrc)
	for _, b := range [][]byte{
		nil, {0x80}, {0x80, 8, 0, 1}, // too short
		bytesOf(72, 1, 1), bytesOf(18, 1, 1), // of no known payload type
		append([]byte{0xb0}, bytesOf(8, 1, 1)[1:]...),        // an extension beyond the end
		append([]byte{0xa0}, bytesOf(8, 1, 200)[1:]...),      // padding beyond the end
		append([]byte{0x8f}, bytesOf(8, 1, 1)[1:]...),        // sources beyond the end
		append([]byte{0x00}, bytesOf(8, 1, 1)[1:]...),        // version 0
		bytes.Repeat([]byte{0x80}, 1501), make([]byte, 9000), // too long
		goodbye, {0x80, 200, 0xff, 0xff, 1, 2}, // RTCP on this port
	} {
		c.alice.sendRaw(c.toA, b)
	}
	c.alice.send(c.toA, 8, []byte{2})
	got := c.bob.await(t, 2)
	if !slices.Equal(got[1].Payload, []byte{2}) || got[1].SequenceNumber != got[0].SequenceNumber+1 {
		t.Errorf("%+v % x", got[1].Header, got[1].Payload)
	}
	if s := c.a.Stats(); s.Malformed != 12 || s.Received != 2 {
		t.Errorf("%+v", s)
	}
}

func bytesOf(pt byte, payload ...byte) []byte {
	return append([]byte{0x80, pt, 0, 9, 0, 0, 0, 1, 0, 0, 0, 7}, payload...)
}

// A peer behind NAT: its description names an address that is not where its packets come from.
func TestEndpoint_LearnsPeerBehindNAT(t *testing.T) {
	e := newEngine(t, media.Options{})
	ep, p := newEndpoint(t, e, media.EndpointOptions{Signalling: loopback}), newPhone(t)
	ep.Play(tone.NewProgram(440, -10))
	private := bytes.ReplaceAll(p.sdp("8"), []byte("IN IP4 127.0.0.1"), []byte("IN IP4 127.0.0.99"))
	if _, err := ep.AcceptOffer(private); err != nil {
		t.Fatal(err)
	}
	to := ep.LocalAddr()
	p.send(to, 8, make([]byte, 160))
	p.await(t, 3)
	if ep.RemoteAddr() != p.addr() {
		t.Errorf("RTP goes to %v, the phone is %v", ep.RemoteAddr(), p.addr())
	}
	// A refresh changes nothing; a change of address is followed.
	if _, err := ep.AcceptOffer(private); err != nil || ep.RemoteAddr() != p.addr() {
		t.Errorf("after a refresh: %v %v", ep.RemoteAddr(), err)
	}
	q := newPhone(t)
	q.dial(t, ep, "8")
	q.await(t, 2)
	if ep.RemoteAddr() != q.addr() {
		t.Errorf("after a move: %v", ep.RemoteAddr())
	}
}

func TestEndpoint_MediaTimeout(t *testing.T) {
	e := newEngine(t, media.Options{})
	events := make(chan media.Event, 10)
	ep := newEndpoint(t, e, media.EndpointOptions{Timeout: 60 * time.Millisecond, OnEvent: func(e media.Event) { events <- e }})
	p := newPhone(t)
	to := p.dial(t, ep, "8", "a=sendonly") // on hold: silence is in order
	select {
	case e := <-events:
		t.Fatalf("%+v while on hold", e)
	case <-time.After(150 * time.Millisecond):
	}
	p.dial(t, ep, "8")
	timeout := media.Event{Kind: media.EventTimeout}
	if e := <-events; e != timeout {
		t.Fatalf("%+v", e)
	}
	select {
	case e := <-events:
		t.Fatalf("%+v a second time", e)
	case <-time.After(150 * time.Millisecond):
	}
	ep.Answered() // it only rang until now
	if e := <-events; e != timeout {
		t.Fatalf("%+v", e)
	}
	p.send(to, 8, make([]byte, 160)) // it is back, and falls silent again
	if e := <-events; e != (media.Event{Kind: media.EventHeard, From: ep.RemoteAddr()}) {
		t.Fatalf("%+v", e)
	}
	if e := <-events; e != timeout {
		t.Fatalf("%+v", e)
	}
}

// unlessHeard passes on all events but those that tell where the peer is.
func unlessHeard(events chan<- media.Event) func(media.Event) {
	return func(e media.Event) {
		if e.Kind != media.EventHeard {
			events <- e
		}
	}
}

// keysTo passes on the keys that are pressed.
func keysTo(keys chan<- byte) func(media.Event) {
	return func(e media.Event) {
		if e.Kind == media.EventDTMF {
			keys <- e.Digit
		}
	}
}

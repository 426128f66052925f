package media_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"

	"github.com/pion/rtp"
)

// weather is what a network does to packets.
type weather struct {
	loss   float64       // share that is lost, 0 to 1
	jitter time.Duration // each is late by up to this
	every  int           // each so-manieth is held back by 50 ms, and so overtaken; 0: none
	delay  time.Duration // all are late by this
}

// spared is how many packets at the beginning pass unharmed, so that it is known who sends.
const spared = 5

// network lies between two sides. What one of them sends to its side of the network comes out of the
// other, lost, late or overtaken as the weather has it; RTCP is only delayed.
type network struct {
	weather
	side [2]*net.UDPConn
	to   [2]netip.AddrPort // who is on a side
	taps []netip.AddrPort  // get a copy of what goes to side 0, at the same time

	pending sync.WaitGroup // packets and readers

	mu   sync.Mutex
	seen [2][]rtp.Packet // by the side it came from; packets that were lost included; they may be encrypted
	gone [2][]rtp.Packet // by the side it went to, in that order
}

func newNetwork(t testing.TB, w weather) *network {
	t.Helper()
	n := &network{weather: w}
	for i := range n.side {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
		if err != nil {
			t.Fatal(err)
		}
		n.side[i] = conn
	}
	t.Cleanup(func() {
		for _, conn := range n.side {
			conn.Close()
		}
		n.pending.Wait()
	})
	return n
}

func (n *network) addr(side int) netip.AddrPort {
	return n.side[side].LocalAddr().(*net.UDPAddr).AddrPort()
}

// begin connects the two sides.
func (n *network) begin(a, b netip.AddrPort) {
	n.to = [2]netip.AddrPort{a, b}
	for from := range n.side {
		n.pending.Go(func() { n.carry(from) })
	}
}

func (n *network) carry(from int) {
	random := rand.New(rand.NewPCG(20, uint64(from)))
	b := make([]byte, 2000)
	for count := 0; ; {
		k, _, err := n.side[from].ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		packet, late, lost := bytes.Clone(b[:k]), n.delay, false
		if control := k > 1 && b[1] >= 192 && b[1] <= 223; !control {
			n.note(&n.seen[from], packet)
			if count++; count > spared {
				lost = random.Float64() < n.loss
				late += time.Duration(random.Float64() * float64(n.jitter))
				if n.every > 0 && count%n.every == 0 {
					late += 50 * time.Millisecond
				}
			}
		}
		switch {
		case lost:
		case late == 0:
			n.deliver(1-from, packet)
		default:
			n.pending.Add(1)
			time.AfterFunc(late, func() {
				defer n.pending.Done()
				n.deliver(1-from, packet)
			})
		}
	}
}

func (n *network) note(list *[]rtp.Packet, packet []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.noteLocked(list, packet)
}

func (n *network) noteLocked(list *[]rtp.Packet, packet []byte) {
	var p rtp.Packet
	if packet[1] < 192 && p.Unmarshal(packet) == nil {
		*list = append(*list, p)
	}
}

// deliver notes packets in the order in which they go.
func (n *network) deliver(to int, packet []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if to == 0 {
		for _, tap := range n.taps {
			_, _ = n.side[1].WriteToUDPAddrPort(packet, tap)
		}
	}
	n.noteLocked(&n.gone[to], packet)
	_, _ = n.side[to].WriteToUDPAddrPort(packet, n.to[to])
}

func (n *network) counts() (seen, gone [2]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return [2]int{len(n.seen[0]), len(n.seen[1])}, [2]int{len(n.gone[0]), len(n.gone[1])}
}

// numbered is a programme whose frames say which they are.
type numbered struct{}

func (numbered) Frame(_ media.Codec, tick uint64) []byte {
	return bytes.Repeat([]byte{byte(tick), byte(tick >> 8)}, media.FrameSamples/2)
}

// weathers are those that calls are tried in.
var weathers = []struct {
	name string
	weather
}{
	{"fine", weather{}},
	{"loss of 1 %", weather{loss: 0.01}},
	{"loss of 5 %", weather{loss: 0.05}},
	{"loss of 10 %", weather{loss: 0.1}},
	{"jitter of 30 ms", weather{jitter: 30 * time.Millisecond}},
	{"jitter of 80 ms", weather{jitter: 80 * time.Millisecond}},
	{"reordering", weather{every: 7}},
	{"all of it", weather{loss: 0.05, jitter: 30 * time.Millisecond, every: 7}},
}

// farCalls has a phone beyond a bad network talk with one nearby, in all weathers at once, plain and
// encrypted, as many packets each way. before is called with each call before it begins.
func farCalls(t testing.TB, packets int, before func(*farCall)) []*farCall {
	t.Helper()
	e := newEngine(t, media.Options{})
	var calls []*farCall
	for _, w := range weathers {
		for _, suite := range []sdp.Suite{"", sdp.CM128} {
			call := newFarCall(t, e, w.weather, suite, before)
			call.name = fmt.Sprint(w.name, " ", suite)
			calls = append(calls, call)
		}
	}
	const turns = 4 // of the calls within 20 ms
	ticker := time.NewTicker(20 * time.Millisecond / turns)
	defer ticker.Stop()
	for i := range packets * turns {
		for k := i % turns; k < len(calls); k += turns {
			c, number := calls[k], uint64(i/turns)
			c.say(number)
			c.bob.send(c.toBob, 8, numbered{}.Frame(media.PCMA, number))
		}
		<-ticker.C
	}
	for _, c := range calls {
		c.settle(t, packets)
	}
	return calls
}

// What comes in goes out in the order and with the gaps in which it came; the other way all that was said
// reaches the network; the figures are those of the network. Their times are those of TestReceiver_FiguresOfAllWeathers,
// what the engine adds to them is BenchmarkImpaired_AddedDelay.
func TestImpaired_NothingWorseThanWhatCameIn(t *testing.T) {
	t.Parallel()
	const packets = 200
	for _, c := range farCalls(t, packets, nil) {
		t.Run(c.name, func(t *testing.T) { c.check(t, packets) })
	}
}

// farCall is a call between a phone beyond a network and bob.
type farCall struct {
	name       string
	net        *network
	a, b       *media.Endpoint // towards the network, towards bob
	alice, bob *phone
	say        func(number uint64)
	toBob      netip.AddrPort
}

func newFarCall(t testing.TB, e *media.Engine, w weather, suite sdp.Suite, before func(*farCall)) *farCall {
	t.Helper()
	c := &farCall{
		net: newNetwork(t, w), bob: newPhone(t),
		a: newEndpoint(t, e, media.EndpointOptions{}), b: newEndpoint(t, e, media.EndpointOptions{}),
	}
	if before != nil {
		before(c)
	}
	c.alice, c.say = farPhone(t, c.net, c.a, suite)
	c.toBob = c.bob.dial(t, c.b, "8")
	media.Bridge(c.a, c.b)
	return c
}

// settle waits until the network has everything, has delivered what it does not lose, and that has arrived.
func (c *farCall) settle(t testing.TB, packets int) {
	t.Helper()
	await(t, "all has reached the network", func() bool {
		seen, _ := c.net.counts()
		return seen == [2]int{packets, packets}
	})
	c.net.settle(t)
	_, gone := c.net.counts()
	c.bob.await(t, gone[0])
	c.alice.await(t, gone[1])
}

// check compares what went in with what came out.
func (c *farCall) check(t *testing.T, packets int) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	in, got := c.net.gone[0], c.bob.await(t, 1)
	if len(got) != len(in) {
		t.Fatalf("%d packets came in, %d went out", len(in), len(got))
	}
	for i, p := range in {
		h := got[i]
		number := p.SequenceNumber - in[0].SequenceNumber
		if h.SequenceNumber-got[0].SequenceNumber != number || h.SSRC != got[0].SSRC ||
			h.Timestamp-got[0].Timestamp != p.Timestamp-in[0].Timestamp {
			t.Fatalf("packet %d: %+v of %+v", i, h.Header, p.Header)
		}
		if !bytes.Equal(h.Payload, numbered{}.Frame(media.PCMA, uint64(number))) {
			t.Fatalf("packet %d does not carry number %d", i, number)
		}
	}
	for i, p := range c.net.seen[0] { // the other way, before the network has its way
		first := c.net.seen[0][0]
		if p.SSRC != first.SSRC || p.SequenceNumber != first.SequenceNumber+uint16(i) ||
			p.Timestamp != first.Timestamp+media.FrameSamples*uint32(i) {
			t.Fatalf("packet %d to the network: %+v", i, p.Header)
		}
	}
	s := c.a.Stats()
	if lost := lostBetween(in); s.Received != uint64(len(in)) || s.Lost != lost || s.Malformed+s.Forged+s.Strangers != 0 {
		t.Errorf("%d came in, %d lost among them: %+v", len(in), lost, s)
	}
	if s := c.b.Stats(); s.Unsent != 0 || s.Sent != uint64(len(in)) || s.Lost != 0 || s.Received != uint64(packets) {
		t.Errorf("the near leg: %+v", s)
	}
}

// farPhone dials an endpoint through the network. say sends a frame of numbered.
func farPhone(t testing.TB, n *network, ep *media.Endpoint, suite sdp.Suite) (p *phone, say func(number uint64)) {
	if suite == "" {
		p = newPhone(t)
		p.via = n.addr(0)
		n.begin(p.dial(t, ep, "8"), p.addr())
		return p, func(number uint64) { p.send(n.addr(1), 8, numbered{}.Frame(media.PCMA, number)) }
	}
	s := newSecurePhone(t, suite)
	s.via = n.addr(0)
	n.begin(s.dial(ep), s.addr())
	return s.phone, func(number uint64) { s.say(n.addr(1), numbered{}, number) }
}

// settle waits until nothing is under way in the network.
func (n *network) settle(t testing.TB) {
	t.Helper()
	longest := n.delay + n.jitter + 60*time.Millisecond
	_, before := n.counts()
	since := time.Now()
	await(t, "the network is quiet", func() bool {
		if _, now := n.counts(); now != before {
			before, since = now, time.Now()
		}
		return time.Since(since) > 3*longest
	})
}

// lostBetween is how many packets are missing between the first and the last of a stream.
func lostBetween(list []rtp.Packet) uint64 {
	highest := uint16(0)
	for _, p := range list {
		highest = max(highest, p.SequenceNumber-list[0].SequenceNumber)
	}
	return uint64(highest) + 1 - uint64(len(list))
}

// await asks until the answer is yes.
func await(t testing.TB, what string, yes func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for limit := time.Now().Add(30 * time.Second); !yes(); <-ticker.C {
		if time.Now().After(limit) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// Two endpoints with a bad network between them: every key is heard once and in order, and each side
// learns by RTCP what the other one misses and how far away it is.
func TestImpaired_KeysAndReports(t *testing.T) {
	t.Parallel()
	const keys, way = "1599#*0", 40 * time.Millisecond
	e := newEngine(t, media.Options{})
	n := newNetwork(t, weather{loss: 0.1, jitter: 30 * time.Millisecond, delay: way})
	heard := make(chan byte, 100)
	var eps [2]*media.Endpoint
	for i := range eps {
		eps[i] = newEndpoint(t, e, media.EndpointOptions{OnEvent: keysTo(heard)})
		offer := fmt.Sprintf("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio %d RTP/AVP 8 101\r\na=rtcp-mux\r\na=rtpmap:101 telephone-event/8000\r\n", n.addr(i).Port())
		if _, err := eps[i].AcceptOffer([]byte(offer)); err != nil {
			t.Fatal(err)
		}
	}
	n.begin(eps[0].LocalAddr(), eps[1].LocalAddr())
	eps[0].Play(tone.NewProgram(440, -10))
	eps[1].Play(tone.NewProgram(620, -10))
	if err := eps[0].Press(keys, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for i := range len(keys) {
		if got := <-heard; got != keys[i] {
			t.Errorf("key %d is %c, want %c", i, got, keys[i])
		}
	}
	for i, ep := range eps {
		await(t, "both sides have reported", func() bool { s := ep.Stats(); return s.RTT > 0 && s.PeerLost > 0 })
		if s := ep.Stats(); s.PeerLoss() > 0.5 || s.PeerExpected > s.Sent || s.PeerMOS < 1 || s.PeerMOS > 4.4 || s.RTT < 2*way {
			t.Errorf("side %d: %+v", i, s)
		}
	}
	if len(heard) != 0 {
		t.Errorf("%d keys more", len(heard))
	}
}

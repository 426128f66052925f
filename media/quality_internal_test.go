package media

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// What ITU-T G.107 Annex B (table B.1) and the curve of delay give, to their last digit.
func TestEModel_PublishedPoints(t *testing.T) {
	for _, c := range []struct {
		what      string
		got, want float64
		digit     float64
	}{
		{"MOS of R = 90", mosOf(90), 4.34, 0.01},
		{"MOS of R = 80", mosOf(80), 4.03, 0.01},
		{"MOS of R = 70", mosOf(70), 3.60, 0.01},
		{"MOS of R = 60", mosOf(60), 3.10, 0.01},
		{"MOS of R = 50", mosOf(50), 2.58, 0.01},
		{"MOS of the default R", mosOf(93.2), 4.41, 0.01},
		{"MOS of R = 3, where the formula dips", mosOf(3), 1, 0},
		{"MOS of R = 0", mosOf(0), 1, 0},
		{"MOS of R = -40", mosOf(-40), 1, 0},
		{"MOS of R = 100", mosOf(100), 4.5, 0},
		{"MOS of R = 120", mosOf(120), 4.5, 0},
		{"Id of 0 ms", delayImpairment(0), 0, 0},
		{"Id of 100 ms", delayImpairment(100 * time.Millisecond), 2.4, 1e-9},
		{"Id of 177.3 ms", delayImpairment(177300 * time.Microsecond), 4.2552, 1e-9},
		{"Id of 277.3 ms", delayImpairment(277300 * time.Microsecond), 6.6552 + 11, 1e-9},
		{"Ie,eff without loss", lossImpairment(0), 0, 0},
		{"Ie,eff of 25.1 % loss, half of what there is", lossImpairment(0.251), 47.5, 1e-9},
		{"Ie,eff of 1 % loss", lossImpairment(0.01), 95 / 26.1, 1e-9},
		{"Ie,eff of more than all", lossImpairment(7), 9500 / 125.1, 1e-9},
		{"Ie,eff of less than none", lossImpairment(-1), 0, 0},
	} {
		if math.Abs(c.got-c.want) > c.digit {
			t.Errorf("%s: %.4f, want %.4f", c.what, c.got, c.want)
		}
	}
}

func TestStats_MOS(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name      string
		stats     Stats
		mos, peer float64
	}{
		{"nothing received, no report", Stats{Sent: 100}, 0, 0},
		{"undisturbed", Stats{Received: 1000, PeerExpected: 1000}, 4.40, 4.40},
		{"round trip of 200 ms", Stats{Received: 1000, PeerExpected: 1000, RTT: 200 * ms}, 4.35, 4.35},
		{"round trip of 800 ms", Stats{Received: 1000, PeerExpected: 1000, RTT: 800 * ms}, 2.913, 2.913},
		{"loss of 1 %", Stats{Received: 990, Lost: 10}, 4.31, 0},
		{"loss of 10 %", Stats{Received: 900, Lost: 100}, 3.387, 0},
		{"jitter of 30 ms", Stats{Received: 1000, JitterMean: 30 * ms}, 4.37, 0},
		{"loss of half at the peer only", Stats{Received: 1000, PeerExpected: 1000, PeerLost: 500, PeerJitterMean: 80 * ms}, 4.40, 1.428},
		{"a peer that misses more than there was", Stats{PeerExpected: 10, PeerLost: 20}, 0, 1.165},
	} {
		c.stats.judge()
		if math.Abs(c.stats.MOS-c.mos) > 0.011 || math.Abs(c.stats.PeerMOS-c.peer) > 0.011 {
			t.Errorf("%s: %.3f and %.3f, want %.2f and %.2f", c.name, c.stats.MOS, c.stats.PeerMOS, c.mos, c.peer)
		}
	}
}

// The mean and the worst of the jitter stay when the network has calmed down.
func TestReceiver_JitterOfTheCall(t *testing.T) {
	ep := &Endpoint{}
	ep.in.kinds[8], ep.in.source.signalled = kindCodec+uint8(PCMA), phoneAddr
	for i := range int64(1000) {
		shake := int64(0)
		if i < 500 {
			shake = i % 2 * 10 * millisecond
		}
		ep.in.take(bytesOf(8, uint16(i), uint32(i)*160, 1), i*20*millisecond+shake)
	}
	s := ep.figures()
	if s.Jitter > time.Millisecond || s.JitterMax < 9*time.Millisecond || s.JitterMax > 11*time.Millisecond ||
		s.JitterMean < 4*time.Millisecond || s.JitterMean > 6*time.Millisecond {
		t.Errorf("jitter %v, mean %v, worst %v", s.Jitter, s.JitterMean, s.JitterMax)
	}
}

// What the figures say of a call of 20 s through networks that lose, delay and reorder, packets coming when they
// would: losses to the packet, the jitter as RFC 3550 6.4.1 has it reckoned in floating point, and with both the MOS.
func TestReceiver_FiguresOfAllWeathers(t *testing.T) {
	type coming struct {
		number uint16
		at     int64
	}
	for _, c := range []struct {
		name      string
		loss      float64
		jitter    int64 // ms, up to
		every     int   // each so-manieth is late by 50 ms
		low, high float64
	}{
		{"fine", 0, 0, 0, 4.39, 4.41},
		{"loss of 1 %", 0.01, 0, 0, 4.2, 4.37},
		{"loss of 5 %", 0.05, 0, 0, 3.6, 4.1},
		{"loss of 10 %", 0.1, 0, 0, 3.0, 3.7},
		{"jitter of 30 ms", 0, 30, 0, 4.385, 4.395},
		{"jitter of 80 ms", 0, 80, 0, 4.36, 4.38},
		{"reordering", 0, 0, 7, 4.38, 4.39},
		{"all of it", 0.05, 30, 7, 3.5, 4.1},
	} {
		random := rand.New(rand.NewPCG(20, 5))
		var list []coming
		for i := range 1000 {
			late := random.Float64() * float64(c.jitter*millisecond)
			if c.every > 0 && i%c.every == 1 {
				late += float64(50 * millisecond)
			}
			if random.Float64() >= c.loss || i == 0 || i == 999 {
				list = append(list, coming{uint16(i), int64(i)*20*millisecond + int64(late)})
			}
		}
		slices.SortStableFunc(list, func(a, b coming) int { return int(a.at - b.at) })
		if list[0].number != 0 {
			t.Fatalf("%s: packet %d comes first, and the rest would be from before", c.name, list[0].number)
		}
		ep := &Endpoint{}
		ep.in.kinds[8], ep.in.source.signalled = kindCodec+uint8(PCMA), phoneAddr
		var jitter, sum, last float64
		for i, p := range list {
			ep.in.take(bytesOf(8, 65000+p.number, uint32(p.number)*FrameSamples, 1), p.at)
			transit := float64(p.at) - float64(p.number)*float64(20*millisecond)
			if i > 0 {
				jitter += (math.Abs(transit-last) - jitter) / 16
				sum += jitter
			}
			last = transit
		}
		want := time.Duration(sum / float64(len(list)-1))
		s := ep.figures()
		if s.Received != uint64(len(list)) || s.Lost != uint64(1000-len(list)) {
			t.Errorf("%s: %d received, %d lost of %d", c.name, s.Received, s.Lost, len(list))
		}
		if (s.JitterMean - want).Abs() > 200*time.Microsecond {
			t.Errorf("%s: jitter %v, want %v", c.name, s.JitterMean, want)
		}
		if s.judge(); s.MOS < c.low || s.MOS > c.high {
			t.Errorf("%s: MOS %.3f, want %.2f to %.2f", c.name, s.MOS, c.low, c.high)
		}
	}
}

package e2e

import (
	"cmp"
	"math"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"centrala/media"
	"centrala/media/tone"
)

// packet is one RTP packet that was heard.
type packet struct {
	at      time.Time
	header  rtp.Header
	samples []int16
	keys    string // of a telephone-event (RFC 4733): the key that it tells of
}

// ear is the audio of a peer that the tests play themselves: an RTP socket that
// sends a tone without pause and keeps all that it receives.
type ear struct {
	t      *testing.T
	socket *net.UDPConn
	hertz  int
	target atomic.Pointer[netip.AddrPort] // nil: silent
	stop   chan struct{}
	ended  sync.WaitGroup

	mu      sync.Mutex
	packets []packet
}

// toneLevel is how loud parties send their tones, in dBFS.
const toneLevel = -12.0

// Telephone-events as testdata/caller.xml offers them, and the keys by their number.
const (
	eventType = 101
	eventKeys = "0123456789*#"
)

// newEar opens an RTP socket on a free port of the address. It hears at once and
// speaks when told to whom.
func newEar(t *testing.T, host netip.Addr, hertz int) *ear {
	t.Helper()
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		t.Fatal(err)
	}
	_ = socket.SetReadBuffer(1 << 20) // less where the kernel allows no more: for a test that is held up for seconds
	e := &ear{t: t, socket: socket, hertz: hertz, stop: make(chan struct{})}
	e.ended.Go(e.listen)
	t.Cleanup(func() {
		close(e.stop)
		_ = socket.Close()
		e.ended.Wait()
	})
	return e
}

func (e *ear) addr() netip.AddrPort {
	return e.socket.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (e *ear) listen() {
	buf := make([]byte, 1500)
	for {
		n, err := e.socket.Read(buf)
		if err != nil {
			return
		}
		var p rtp.Packet
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		heard := packet{at: time.Now(), header: p.Header.Clone()}
		switch p.PayloadType {
		case media.PCMA.PayloadType():
			heard.samples = media.PCMA.AppendDecoded(nil, p.Payload)
		case media.PCMU.PayloadType():
			heard.samples = media.PCMU.AppendDecoded(nil, p.Payload)
		case eventType:
			if len(p.Payload) == 4 && int(p.Payload[0]) < len(eventKeys) {
				heard.keys = eventKeys[p.Payload[0] : p.Payload[0]+1]
			}
		}
		e.mu.Lock()
		e.packets = append(e.packets, heard)
		e.mu.Unlock()
	}
}

// speak sends the tone, in A-law, to an address from now on.
func (e *ear) speak(to netip.AddrPort) {
	if e.target.Swap(&to) == nil {
		e.ended.Go(e.talk)
	}
}

func (e *ear) talk() {
	program := tone.NewProgram(e.hertz, toneLevel)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := uint64(0); ; n++ {
		p := rtp.Packet{
			Header: rtp.Header{
				Version: 2, Marker: n == 0, PayloadType: media.PCMA.PayloadType(), SSRC: uint32(e.hertz),
				SequenceNumber: uint16(n), Timestamp: uint32(n * media.FrameSamples),
			},
			Payload: program.Frame(media.PCMA, n),
		}
		if data, err := p.Marshal(); err == nil {
			_, _ = e.socket.WriteToUDPAddrPort(data, *e.target.Load()) // nobody listens any more: part of the test
		}
		select {
		case <-tick.C:
		case <-e.stop:
			return
		}
	}
}

// heard gives what arrived since a moment, in the order in which it was sent.
func (e *ear) heard(since time.Time) []packet {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, _ := slices.BinarySearchFunc(e.packets, since, func(p packet, t time.Time) int { return p.at.Compare(t) })
	packets := slices.Clone(e.packets[i:])
	slices.SortStableFunc(packets, func(a, b packet) int {
		return cmp.Compare(int16(a.header.SequenceNumber-b.header.SequenceNumber), 0)
	})
	return packets
}

// samples gives the audio of packets, one behind the other.
func samples(packets []packet) []int16 {
	var pcm []int16
	for _, p := range packets {
		pcm = append(pcm, p.samples...)
	}
	return pcm
}

const (
	loud  = -26.0 // a tone at this level, in dBFS, is there
	quiet = -45.0 // below this level it is not
)

// block is the time in which a tone must be heard to be heard without a gap.
const block = 100 * time.Millisecond

// waitTone waits until the tone was heard for d without a gap, d being whole blocks.
func (e *ear) waitTone(what string, hertz float64, d time.Duration) {
	e.t.Helper()
	began := time.Now()
	eventually(e.t, what, func() bool {
		last := e.last(began, d)
		if len(last) == 0 {
			return false
		}
		return slices.Min(tone.Levels(last, media.SampleRate, hertz, block)) > loud
	})
}

// waitKeys waits until these keys were heard, and no others.
func (e *ear) waitKeys(want string) {
	e.t.Helper()
	eventually(e.t, "the keys "+want, func() bool {
		got, at := "", uint32(0)
		for _, p := range e.heard(time.Time{}) {
			if p.keys != "" && (got == "" || p.header.Timestamp != at) { // one event, one timestamp
				got, at = got+p.keys, p.header.Timestamp
			}
		}
		return got == want
	})
}

// waitSilence waits until a tone was not heard for 300 ms, whatever else was.
func (e *ear) waitSilence(what string, hertz float64) {
	e.t.Helper()
	began := time.Now()
	eventually(e.t, what, func() bool {
		last := e.last(began, 300*time.Millisecond)
		return len(last) > 0 && tone.Level(last, media.SampleRate, hertz) < quiet
	})
}

// last gives the last d of audio, if that much was heard since the moment.
func (e *ear) last(since time.Time, d time.Duration) []int16 {
	packets := e.heard(since)
	n := int(d / (20 * time.Millisecond))
	if len(packets) < n {
		return nil
	}
	return samples(packets[len(packets)-n:])
}

// wantOnly fails the test unless of the tones only one was heard in the last d.
func (e *ear) wantOnly(d time.Duration, hertz float64, others ...float64) {
	e.t.Helper()
	wantOnly(e.t, e.last(time.Time{}, d), media.SampleRate, hertz, others...)
}

// wantOnly fails the test unless the first tone is in the samples and the others are not.
func wantOnly(t *testing.T, pcm []int16, rate int, hertz float64, others ...float64) {
	t.Helper()
	const window = 6.0 // what faded takes of a tone
	pcm = faded(pcm)
	if got := tone.Level(pcm, rate, hertz) + window; got < loud {
		t.Errorf("%v Hz at %.0f dB, want at least %v", hertz, got, loud)
	}
	for _, other := range others {
		if got := tone.Level(pcm, rate, other) + window; got > quiet {
			t.Errorf("%v Hz at %.0f dB, want at most %v", other, got, quiet)
		}
	}
}

// wantOneStream fails the test unless all that was heard is one RTP stream
// without a break: one SSRC, sequence numbers and timestamps that go on whatever
// its source was. They may go on by as much as the server was held up for, which
// leaves out what it would have sent meanwhile.
func (e *ear) wantOneStream() {
	e.t.Helper()
	packets := e.heard(time.Time{})
	for i := 1; i < len(packets); i++ {
		a, b := packets[i-1].header, packets[i].header
		if b.SSRC != a.SSRC {
			e.t.Fatalf("packet %d: the SSRC changed from %#x to %#x", i, a.SSRC, b.SSRC)
		}
		if b.SequenceNumber != a.SequenceNumber+1 {
			e.t.Fatalf("packet %d: sequence number %d after %d", i, b.SequenceNumber, a.SequenceNumber)
		}
		if step := int32(b.Timestamp - a.Timestamp); step <= 0 || step > 60*media.SampleRate {
			e.t.Fatalf("packet %d: the timestamp went on by %d", i, step)
		}
	}
}

// faded gives the samples under a Hann window (which takes 6 dB of a tone), so that a tone that begins or ends within them is not taken for others.
func faded(pcm []int16) []int16 {
	out := make([]int16, len(pcm))
	for i, v := range pcm {
		out[i] = int16(float64(v) * (1 - math.Cos(2*math.Pi*float64(i)/float64(len(pcm)))) / 2)
	}
	return out
}

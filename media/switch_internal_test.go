package media

import (
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// stage is a caller's leg with a clock, an agent and a colleague, in a time of its own.
type stage struct {
	t       *testing.T
	m       *metronome
	caller  *wire
	talkers []*wire // the agent and a colleague, who speak all the while
	now     time.Duration
	got     []played
}

type played struct {
	at time.Duration
	packet
}

func (s *stage) play(p Program) {
	if _, list, _ := s.caller.ep.out.setSource(p, nil); list {
		s.m.add(s.caller.ep)
		s.m.admit(s.now)
	}
}

// pass lets time go by, a millisecond after the other. phase is when the talkers' packets come within 20 ms.
func (s *stage) pass(d, phase time.Duration, tick *int) {
	s.t.Helper()
	for end := s.now + d; s.now < end; s.now += time.Millisecond {
		for n, at, ok := s.m.due(); ok && at <= s.now; n, at, ok = s.m.due() {
			s.m.run(n, s.now)
		}
		if s.now%frameTime == phase {
			*tick++
			for i, w := range s.talkers {
				b := make([]byte, rtpHeader+FrameSamples, framePacket+srtpOverhead)
				putHeader(b, false, uint8(8*(1-i)), uint16(*tick), uint32(*tick)*FrameSamples, uint32(i))
				if errno := w.peer.send(b); errno != 0 {
					s.t.Fatal(errno)
				}
				w.ep.readRTP(w.buf[:], &w.sink, int64(s.now))
			}
		}
		for {
			n, errno := s.caller.peer.receive(s.caller.buf[:], &s.caller.sink)
			if errno != 0 {
				break
			}
			p, ok := parseRTP(s.caller.buf[:n])
			if !ok {
				s.t.Fatalf("no RTP: % x", s.caller.buf[:n])
			}
			s.got = append(s.got, played{s.now, p})
		}
	}
}

// Music, talk, hold, talk, transfer, each change at any moment of 20 ms and with the others' packets at any other:
// never more than 40 ms without a packet, one stream all the while, and timestamps that keep to the time within a frame,
// from one packet to the next and after a hundred changes.
func TestSwitch_Gaps(t *testing.T) {
	for phase := time.Duration(0); phase < frameTime; phase += 3 * time.Millisecond {
		s := &stage{t: t, m: newMetronome(zerolog.Nop()), caller: newWire(t, PCMA), talkers: []*wire{newWire(t, PCMA), newWire(t, PCMU)}}
		caller, agent, colleague := s.caller.ep, s.talkers[0].ep, s.talkers[1].ep
		tick := 0
		for k := time.Duration(0); k < 20; k++ { // 63 ms: each time 3 ms later within the 20
			for _, change := range []func(){
				func() { s.play(silence{}) },
				func() { Bridge(caller, agent) },
				func() { s.play(silence{}) },
				func() { Bridge(caller, agent) },
				func() { Bridge(caller, colleague) },
			} {
				change()
				s.pass(63*time.Millisecond, phase, &tick)
			}
		}
		if len(s.got) < 300 {
			t.Fatalf("%d packets in %v", len(s.got), s.now)
		}
		for i := 1; i < len(s.got); i++ {
			a, b := s.got[i-1], s.got[i]
			if gap := b.at - a.at; gap > 2*frameTime {
				t.Errorf("phase %v, packet %d at %v: %v after the one before", phase, i, b.at, gap)
			}
			if b.ssrc != a.ssrc || b.seq != a.seq+1 {
				t.Fatalf("phase %v, packet %d: %08x %d after %08x %d", phase, i, b.ssrc, b.seq, a.ssrc, a.seq)
			}
			said := time.Duration(b.ts-a.ts) * time.Second / SampleRate
			if said <= 0 || said%frameTime != 0 || (said-(b.at-a.at)).Abs() > frameTime {
				t.Fatalf("phase %v, packet %d: timestamp %d after %d, %v after it", phase, i, b.ts, a.ts, b.at-a.at)
			}
			all, since := time.Duration(b.ts-s.got[0].ts)*time.Second/SampleRate, b.at-s.got[0].at
			if (all - since).Abs() > frameTime {
				t.Fatalf("phase %v, packet %d: the timestamps have come %v far in %v", phase, i, all, since)
			}
		}
	}
}

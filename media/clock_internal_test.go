package media

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// ticks is a programme that notes the ticks it is asked for.
type ticks struct{ asked []uint64 }

func (p *ticks) Frame(_ Codec, tick uint64) []byte {
	p.asked = append(p.asked, tick)
	return make([]byte, FrameSamples)
}

// listening makes an endpoint without a session: its stream plays into a socket that is closed.
func listening(p Program) *Endpoint {
	ep := &Endpoint{out: newStream(socket{fd: -1})}
	ep.out.open = true
	ep.out.setSource(p, nil)
	return ep
}

// Each listener's packets are due exactly 20 ms apart, and listeners are spread over the phases, those who came
// one after the other together.
func TestMetronome_Pacing(t *testing.T) {
	m := newMetronome(zerolog.Nop())
	for range runLength*phases + 1 {
		m.add(listening(&ticks{}))
	}
	m.admit(0)
	sent := map[int][]time.Duration{}
	for now := time.Duration(0); now < 100*time.Millisecond; {
		phase, at, ok := m.due()
		if !ok || at < now {
			t.Fatalf("phase %d due at %v, now %v", phase, at, now)
		}
		now = at
		m.run(phase, now)
		sent[phase] = append(sent[phase], now)
	}
	if len(sent) != phases {
		t.Errorf("%d phases in use", len(sent))
	}
	for phase, at := range sent {
		if n := len(m.lists[phase]); n != runLength && (phase > 0 || n != runLength+1) {
			t.Errorf("phase %d has %d listeners", phase, n)
		}
		for i, now := range at {
			if now != time.Duration(i)*frameTime+time.Duration(phase)*phaseTime {
				t.Errorf("phase %d: packet %d at %v", phase, i, now)
			}
		}
	}
}

// Held up, it leaves out what is late by more than a period and never sends twice at once.
func TestMetronome_CatchesUpWithoutBurst(t *testing.T) {
	m := newMetronome(zerolog.Nop())
	p := &ticks{}
	ep := listening(p)
	m.add(ep)
	m.admit(0)
	first := ep.out.ts
	for _, now := range []time.Duration{0, 20, 55, 200, 201, 220, 240} { // milliseconds; the phase is 0
		now *= time.Millisecond
		for phase, at, _ := m.due(); at <= now; phase, at, _ = m.due() {
			m.run(phase, now)
		}
	}
	if want := []uint64{0, 1, 2, 10, 11, 12}; !slices.Equal(p.asked, want) {
		t.Errorf("ticks %v, want %v", p.asked, want)
	}
	if ep.out.ts-first != 13*FrameSamples { // time goes on through the hole
		t.Errorf("timestamp rose by %d", ep.out.ts-first)
	}
}

// Who stops listening is forgotten, and comes back when a programme does; a phase that rested
// starts at its next due time.
func TestMetronome_Listeners(t *testing.T) {
	m := newMetronome(zerolog.Nop())
	p := &ticks{}
	ep := listening(p)
	m.add(ep)
	m.admit(5 * time.Millisecond)
	phase, at, ok := m.due()
	if !ok || at != frameTime {
		t.Fatalf("due at %v", at)
	}
	m.run(phase, at)
	ep.out.setSource(nil, nil)
	m.run(phase, at+frameTime)
	if _, _, ok := m.due(); ok || m.listeners() != 0 {
		t.Error("a listener is left")
	}
	if _, list, _ := ep.out.setSource(p, nil); !list {
		t.Error("coming back, it is not listed")
	}
	if _, list, _ := ep.out.setSource(&ticks{}, nil); list {
		t.Error("another programme lists it a second time")
	}
}

type faulty struct{}

func (faulty) Frame(Codec, uint64) []byte { panic("no such frame") }

type short struct{}

func (short) Frame(Codec, uint64) []byte { return []byte{1, 2, 3} }

func TestMetronome_FaultyProgramme(t *testing.T) {
	m := newMetronome(zerolog.Nop())
	p := &ticks{}
	m.add(listening(faulty{}))
	m.add(listening(short{}))
	m.add(listening(p)) // takes the place of the first, which is forgotten
	m.admit(0)
	for range 2 * phases {
		phase, at, ok := m.due()
		if !ok {
			t.Fatal("nobody listens")
		}
		m.run(phase, at)
	}
	if len(p.asked) < 2 || m.listeners() != 2 {
		t.Errorf("the other programme played %d frames; %d listeners", len(p.asked), m.listeners())
	}
	if m.buf[rtpHeader+2] != 3 || m.buf[rtpHeader+3] != PCMU.Silence() {
		t.Errorf("a short frame is filled with % x", m.buf[rtpHeader:rtpHeader+4])
	}
}

// The loop sleeps until a phase is due, wakes for a new listener and ends when told.
func TestMetronome_Loop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMetronome(zerolog.Nop())
		start, stop := time.Now(), make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			m.loop(func() time.Duration { return time.Since(start) }, stop)
		}()
		time.Sleep(time.Minute) // nobody listens
		p := &ticks{}
		ep := listening(p)
		m.add(ep)
		time.Sleep(time.Second)
		synctest.Wait()
		ep.out.mu.Lock()
		asked := p.asked
		ep.out.mu.Unlock()
		if len(asked) < 50 || len(asked) > 51 || asked[0] < 3000 {
			t.Errorf("%d frames in a second, the first for tick %d", len(asked), asked[0])
		}
		close(stop)
		<-done
	})
}

func TestPick_FillsOneFirst(t *testing.T) {
	list := []*metronome{newMetronome(zerolog.Nop()), newMetronome(zerolog.Nop())}
	for range fullMetronome + 2 {
		pick(list).add(&Endpoint{})
	}
	if a, b := list[0].listeners(), list[1].listeners(); a != fullMetronome || b != 2 {
		t.Errorf("%d and %d listeners", a, b)
	}
	list[1].load[0] += fullMetronome
	pick(list).add(&Endpoint{})
	if a := list[0].listeners(); a != fullMetronome+1 {
		t.Errorf("all full: %d listeners of the one with fewer", a)
	}
}

package media

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// frameTime is the length of a frame and the period of the clock.
const frameTime = 20 * time.Millisecond

// phases is the number of groups that the listeners of a metronome are spread over within a
// period, so that their packets leave evenly and not all at once. More of them would wake the
// process more often for fewer packets.
const phases = 10

// fullMetronome is how many listeners a metronome gets before the next one is used as well: the
// work of about a quarter of a processor.
const fullMetronome = 2000

const phaseTime = frameTime / phases

// metronome sends the frames of its listeners, one phase after the other. Tick t of phase p is due
// at t·frameTime + p·phaseTime of the engine's clock. Its lists belong to the goroutine that runs
// it; others only append to inbox.
type metronome struct {
	log  zerolog.Logger
	wake chan struct{} // one is enough: look at inbox

	mu    sync.Mutex
	inbox []listing
	load  [phases]int // listeners by phase, those in inbox included

	lists [phases][]*Endpoint
	next  [phases]uint64 // the tick that is due next
	buf   frameBuffer
	heard *backlog // for what listeners say, see onBeat
}

type listing struct {
	ep    *Endpoint
	phase int
}

func newMetronome(log zerolog.Logger) *metronome {
	return &metronome{log: log, wake: make(chan struct{}, 1), heard: new(backlog)}
}

// pick returns the metronome for one more listener.
func pick(list []*metronome) *metronome {
	best, fewest := list[0], -1
	for _, m := range list {
		n := m.listeners()
		if n < fullMetronome {
			return m
		}
		if fewest < 0 || n < fewest {
			best, fewest = m, n
		}
	}
	return best
}

// runLength is how many listeners that came one after the other a phase gets at a time. What the kernel and we
// keep of them mostly lies side by side, so that the processor finds the next one more quickly. It makes phases
// unequal by a tenth of a millisecond.
const runLength = 32

// add enlists an endpoint in the phase with the fewest listeners.
func (m *metronome) add(ep *Endpoint) {
	m.mu.Lock()
	phase := 0
	for p := range m.load {
		if m.load[p]/runLength < m.load[phase]/runLength {
			phase = p
		}
	}
	m.load[phase]++
	m.inbox = append(m.inbox, listing{ep, phase})
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// listeners is the number of endpoints in the lists and in inbox.
func (m *metronome) listeners() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, l := range m.load {
		n += l
	}
	return n
}

// admit moves what is in inbox to the lists. A phase that was empty starts at its next due time.
func (m *metronome) admit(now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, l := range m.inbox {
		if len(m.lists[l.phase]) == 0 {
			m.next[l.phase] = uint64((now - time.Duration(l.phase)*phaseTime + frameTime - 1) / frameTime)
		}
		m.lists[l.phase] = append(m.lists[l.phase], l.ep)
		m.inbox[i] = listing{}
	}
	m.inbox = m.inbox[:0]
}

// due returns the phase whose turn is next and when, and false when nobody listens.
func (m *metronome) due() (phase int, at time.Duration, ok bool) {
	for p := range m.lists {
		if len(m.lists[p]) == 0 {
			continue
		}
		t := time.Duration(m.next[p])*frameTime + time.Duration(p)*phaseTime
		if !ok || t < at {
			phase, at, ok = p, t, true
		}
	}
	return phase, at, ok
}

// run sends one frame to each listener of a phase. When the process was held up for more than a
// period the frames between are left out: a listener never gets two packets at once.
func (m *metronome) run(phase int, now time.Duration) {
	tick := max(m.next[phase], uint64((now-time.Duration(phase)*phaseTime)/frameTime))
	m.next[phase] = tick + 1
	list := m.lists[phase]
	for i := 0; i < len(list); {
		if m.play(list[i], tick, now) {
			i++
			continue
		}
		list[i] = list[len(list)-1]
		list[len(list)-1] = nil
		list = list[:len(list)-1]
		m.mu.Lock()
		m.load[phase]--
		m.mu.Unlock()
	}
	m.lists[phase] = list
}

// play keeps a programme that panics from ending more than its own music.
func (m *metronome) play(ep *Endpoint, tick uint64, now time.Duration) (listening bool) {
	defer func() {
		if r := recover(); r != nil {
			m.log.Error().Str("leg", ep.label).Any("panic", r).Msg("programme stopped")
			listening = true // its next turn finds that there is no programme
		}
	}()
	if !ep.out.play(&m.buf, tick, int64(now)) {
		ep.attend()
		return false
	}
	if (tick+uint64(ep.out.ssrc))%beat == 0 { // its own fifth tick, by a number that is random
		ep.onBeat(m.heard)
	}
	return true
}

// loop runs the metronome until stop is closed. clock is the time since the engine's start.
func (m *metronome) loop(clock func() time.Duration, stop <-chan struct{}) {
	var armed time.Duration // what the timer is set to; 0: it is not
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		m.admit(clock())
		phase, at, ok := m.due()
		wait := time.Hour
		if ok {
			wait = at - clock()
		}
		if wait <= 0 {
			m.run(phase, clock())
			select {
			case <-stop:
				return
			default:
			}
			continue
		}
		// A timer that is set anew before it went off makes the runtime look through all its timers
		// when it does, and of those there are several for each call: not for every new listener.
		if armed != at || !ok {
			timer.Reset(wait)
			armed = at
		}
		select {
		case <-timer.C:
			armed = 0
		case <-m.wake:
		case <-stop:
			return
		}
	}
}

package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNoKeys: the peer takes no keys, because it did not agree to telephone-event or wants to hear nothing.
var ErrNoKeys = errors.New("the peer takes no telephone-events")

// How long a key may be pressed. Receivers need 40 ms (ITU-T Q.24); beyond 8 s an event needs a
// second segment (RFC 4733 2.5.1.3), which nobody presses for.
const (
	minPress     = 40 * time.Millisecond
	maxPress     = 5 * time.Second
	defaultPress = 100 * time.Millisecond
)

const (
	keyNames  = "0123456789*#ABCD" // by their event codes, RFC 4733 3.2
	keyVolume = 10                 // below 0 dBm0, in dB: the level of a key, RFC 4733 2.3.4
	keyEnds   = 3                  // final packets of an event, RFC 4733 2.5.1.4
	keyPause  = 2                  // frames between the final packets of one key and the next key
	maxKeys   = 64                 // waiting to be sent
	eventSize = 4                  // bytes of payload
)

// relayedEvent is how long after a packet of an event of the bridged endpoint another one may follow.
const relayedEvent = int64(3 * frameTime)

// press is one key that is to be sent.
type press struct {
	code   byte
	frames uint16 // how long it is pressed
}

// keyboard is the keys that a stream has to send.
type keyboard struct {
	queue  []press
	on     bool   // the stream is theirs
	sent   uint16 // packets of the first one
	pause  int    // frames until the next may begin
	others int64  // when an event of the bridged endpoint was last sent, ns of the engine's clock; 0: never
}

// Press sends keys to the peer as telephone-events (RFC 4733), one after the other, each held for a
// time of 40 ms to 5 s, rounded up to 20 ms; 0: 100 ms. Keys are 0-9 * # A-D; those of earlier calls
// come first, and at most 64 can wait. It returns at once. While keys are sent the peer hears nothing
// else: what a bridged endpoint or a programme has to say meanwhile is left out, and the stream goes
// on where it would have been. A key that the bridged endpoint is pressing itself is finished first.
// ErrNoKeys when the peer cannot be told; if that comes about later, keys not sent yet are dropped.
func (ep *Endpoint) Press(keys string, each time.Duration) error {
	if each == 0 {
		each = defaultPress
	}
	if each < minPress || each > maxPress {
		return fmt.Errorf("a key pressed for %v: not within %v to %v", each, minPress, maxPress)
	}
	var list []press
	for _, key := range keys {
		code := strings.IndexRune(keyNames, key)
		if code < 0 {
			return fmt.Errorf("%q is no key", key)
		}
		list = append(list, press{byte(code), uint16((each + frameTime - 1) / frameTime)})
	}
	enlist, err := ep.out.press(list)
	if enlist {
		pick(ep.engine.metronomes).add(ep)
	}
	return err
}

// TakesKeys tells whether the peer has agreed to telephone-events.
func (ep *Endpoint) TakesKeys() bool {
	ep.out.mu.Lock()
	defer ep.out.mu.Unlock()
	return ep.out.types.event != noType
}

// press puts keys in the queue. list is true when the clock has to be told.
func (s *stream) press(keys []press) (list bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false, ErrClosed
	case !s.open || s.types.event == noType:
		return false, ErrNoKeys
	case len(s.keys.queue)+len(keys) > maxKeys:
		return false, fmt.Errorf("more than %d keys at once", maxKeys)
	case len(keys) == 0:
		return false, nil
	}
	s.keys.queue = append(s.keys.queue, keys...)
	list = !s.listed
	s.listed = true
	return list, nil
}

// forgetKeys drops the keys when the peer does not take them any more. Accessed with mu held.
func (s *stream) forgetKeys() {
	if s.keys.on {
		s.fitted = false
	}
	s.keys = keyboard{others: s.keys.others}
}

// playKeys has its turn once a frame and sends the next packet of a key, built in buf; false: there is
// none, or the bridged endpoint's own must end before. Accessed with mu held.
func (s *stream) playKeys(buf *frameBuffer, now int64) bool {
	k := &s.keys
	switch {
	case len(k.queue) == 0:
		return false
	case !k.on && k.others != 0 && now-k.others < relayedEvent:
		return false
	}
	k.on = true
	if k.pause > 0 {
		k.pause--
		return true
	}
	marker := k.sent == 0
	if marker { // the timestamp is the key's beginning through all its packets
		s.resume(now, false)
		s.seam.heard = false // the listener hears the key
	} else {
		s.seq++
	}
	s.fitted = false
	k.sent++
	p := k.queue[0]
	putHeader(buf[:], marker, s.types.event, s.seq, s.ts, s.ssrc)
	b := buf[:rtpHeader+eventSize]
	b[rtpHeader], b[rtpHeader+1] = p.code, keyVolume
	if k.sent >= p.frames {
		b[rtpHeader+1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[rtpHeader+2:], min(k.sent, p.frames)*FrameSamples)
	s.write(b)
	if k.sent == p.frames+keyEnds-1 {
		k.queue, k.sent, k.pause = k.queue[1:], 0, keyPause
		k.on = len(k.queue) > 0
	}
	return true
}

package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ports hands out pairs of an even port for RTP and the odd one above it for RTCP (RFC 3550 11).
type ports struct {
	first      uint16 // of pair 0; even
	quarantine time.Duration

	mu      sync.Mutex
	busy    []uint64 // bit set: in use or in quarantine
	pairs   int
	free    int
	waiting []quarantined // oldest first, from over on
	over    int           // how many at its front are out of quarantine
}

type quarantined struct {
	pair  int
	until time.Time
}

func newPorts(low, high uint16, quarantine time.Duration) (*ports, error) {
	first := int(low) + int(low)%2
	pairs := (int(high) - first + 1) / 2
	if low == 0 || pairs < 1 {
		return nil, fmt.Errorf("RTP ports %d-%d hold no pair of an even and an odd port", low, high)
	}
	return &ports{first: uint16(first), quarantine: quarantine, busy: make([]uint64, (pairs+63)/64), pairs: pairs, free: pairs}, nil
}

// take reserves the next free pair at or after start, going round. When all are
// taken, the pair that has been in quarantine for the longest is used: a call is
// worth more than the rest of its wait.
func (p *ports) take(start int, now time.Time) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(now)
	if p.free == 0 && p.over < len(p.waiting) {
		p.letGo()
	}
	for i := range p.pairs {
		pair := (start + i) % p.pairs
		if word := pair / 64; p.busy[word]>>(pair%64)&1 == 0 {
			p.busy[word] |= 1 << (pair % 64)
			p.free--
			return pair, true
		}
	}
	return 0, false
}

// release ends the quarantines that are over. Accessed with mu held.
func (p *ports) release(now time.Time) {
	for p.over < len(p.waiting) && !p.waiting[p.over].until.After(now) {
		p.letGo()
	}
}

// letGo ends the oldest quarantine. Accessed with mu held.
func (p *ports) letGo() {
	p.clear(p.waiting[p.over].pair)
	p.over++
	if 2*p.over >= len(p.waiting) { // so that each entry is moved once on average
		p.waiting = append(p.waiting[:0], p.waiting[p.over:]...)
		p.over = 0
	}
}

func (p *ports) clear(pair int) {
	p.busy[pair/64] &^= 1 << (pair % 64)
	p.free++
}

// giveBack begins the quarantine of a pair.
func (p *ports) giveBack(rtp uint16, now time.Time) {
	pair := int(rtp-p.first) / 2
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quarantine <= 0 {
		p.clear(pair)
		return
	}
	p.waiting = append(p.waiting, quarantined{pair, now.Add(p.quarantine)})
}

func (p *ports) counts(now time.Time) (pairs, free int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(now)
	return p.pairs, p.free
}

// open binds a pair at addr. Pairs that another program holds are passed over.
func (p *ports) open(addr netip.Addr) (rtp, rtcp socket, port uint16, err error) {
	start := rand.IntN(p.pairs)
	var passed []int
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, pair := range passed {
			p.clear(pair)
		}
	}()
	for {
		pair, ok := p.take(start, time.Now())
		if !ok {
			return socket{}, socket{}, 0, fmt.Errorf("%w: all %d pairs are in use or held by other programs", ErrNoPorts, p.pairs)
		}
		port = p.first + uint16(2*pair)
		if rtp, rtcp, err = openPair(addr, port); err == nil {
			return rtp, rtcp, port, nil
		}
		passed = append(passed, pair)
		if !errors.Is(err, unix.EADDRINUSE) {
			return socket{}, socket{}, 0, err
		}
		start = pair + 1
	}
}

func openPair(addr netip.Addr, port uint16) (rtp, rtcp socket, err error) {
	if rtp, err = openSocket(netip.AddrPortFrom(addr, port)); err != nil {
		return rtp, rtcp, err
	}
	if rtcp, err = openSocket(netip.AddrPortFrom(addr, port+1)); err != nil {
		rtp.close()
	}
	return rtp, rtcp, err
}

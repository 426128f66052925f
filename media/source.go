package media

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// learnPackets is how many packets in a row a source must send before it is taken for the peer,
// when neither the session description nor the signalling knows its address.
const learnPackets = 5

// learnTime is the least time over which it must send them. A peer that sends all the while wins
// against a stranger who floods the port, however fast.
const learnTime = int64(60 * time.Millisecond)

// offPace is by how much a source's timestamps may run ahead of the clock or behind it, in samples, for
// it to be taken for the peer: a flood is faster than speech.
const offPace = SampleRate / 10

// maxCandidates bounds what strangers can make us remember.
const maxCandidates = 32

// verdict says what becomes of a packet by where it comes from.
type verdict uint8

const (
	stranger verdict = iota // drop it
	known                   // the peer
	learnt                  // the peer, from this packet on
)

// sourceLock decides who the peer is. It is strict: the signalled address is believed at its first
// packet and so is another port or host that the peer's NAT explains. Only when the signalling's
// address is unknown may a stranger be learnt. Once decided it holds until the next negotiation.
type sourceLock struct {
	signalled  netip.AddrPort // from the session description
	signalling netip.Addr     // where the peer's SIP comes from; invalid: unknown
	locked     netip.AddrPort // the peer; invalid: not known yet
	before     netip.AddrPort // what was locked before the lock was opened
	strict     bool           // learn no stranger
	loopback   bool           // our own address is one that only this machine reaches
	candidates []candidate
}

// candidate is a stranger who sends what could be the peer's audio.
type candidate struct {
	from    netip.AddrPort
	ssrc    uint32
	seq     uint16
	ts      uint32 // of its first packet
	since   int64
	packets int
}

// check judges a packet that looks like RTP of this session.
func (l *sourceLock) check(from netip.AddrPort, p *packet, now int64) verdict {
	switch {
	case l.locked.IsValid():
		if from == l.locked {
			return known
		}
		return stranger
	case from == l.signalled, from == l.before, from.Addr() == l.signalled.Addr(), from.Addr() == l.signalling:
		l.lock(from)
		return learnt
	case l.strict || l.signalling.IsValid() && !(l.loopback && from.Addr().IsLoopback()):
		// A phone on this machine may signal from its network's address and send its audio to
		// our loopback from there.
		return stranger
	}
	return l.consider(from, p, now)
}

func (l *sourceLock) lock(to netip.AddrPort) {
	l.locked, l.candidates = to, nil
}

func (l *sourceLock) consider(from netip.AddrPort, p *packet, now int64) verdict {
	i := slices.IndexFunc(l.candidates, func(c candidate) bool { return c.from == from })
	if i < 0 && len(l.candidates) < maxCandidates {
		i = len(l.candidates)
		l.candidates = append(l.candidates, candidate{from: from})
	}
	if i < 0 { // the one that has shown least makes room, the oldest of these
		least := slices.MinFunc(l.candidates, func(a, b candidate) int {
			return cmp.Or(a.packets-b.packets, cmp.Compare(a.since, b.since))
		})
		i = slices.Index(l.candidates, least)
		l.candidates[i] = candidate{from: from}
	}
	c := &l.candidates[i]
	if c.packets == 0 || c.ssrc != p.ssrc || p.seq != c.seq+1 {
		*c = candidate{from: from, ssrc: p.ssrc, ts: p.ts, since: now}
	}
	c.seq = p.seq
	c.packets++
	if c.packets < learnPackets || now-c.since < learnTime {
		return stranger
	}
	ahead := int64(int32(p.ts-c.ts)) - (now-c.since)*SampleRate/int64(time.Second)
	if ahead > offPace || ahead < -offPace {
		c.packets = 0 // begins anew with its next packet
		return stranger
	}
	l.lock(from)
	return learnt
}

// open lets the peer be found anew, as a negotiation asks for that changed something. A peer that
// did not move is believed at the address it had, too.
func (l *sourceLock) open(signalled netip.AddrPort) {
	if l.locked.IsValid() {
		l.before = l.locked
	}
	if signalled != l.signalled {
		l.before = netip.AddrPort{}
	}
	l.signalled, l.locked, l.candidates = signalled, netip.AddrPort{}, nil
}

// dest is where the peer is, as far as is known.
func (l *sourceLock) dest() netip.AddrPort {
	switch {
	case l.locked.IsValid():
		return l.locked
	case l.before.IsValid():
		return l.before
	}
	return l.signalled
}

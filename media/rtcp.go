package media

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"centrala/media/sdp"

	"github.com/pion/rtcp"
)

// reportInterval is the mean time between RTCP reports; each is varied by half (RFC 3550 6.2, 6.3.1).
const reportInterval = 5 * time.Second

// reports is what an endpoint keeps for RTCP. Accessed with in.mu held.
type reports struct {
	cname     string
	signalled netip.AddrPort // where the peer wants RTCP
	mux       bool           // on the RTP port
	learnt    netip.AddrPort // where RTCP of a peer behind NAT comes from
	due       int64          // ns of the engine's clock; 0: not begun
	sent      uint64         // out.sent at our last report
	said      bool           // at least one report went out

	senderReport   uint32 // the middle of the NTP time of the peer's newest
	senderReportAt int64

	peerLost, peerExpected       uint64
	peerJitter, rtt              time.Duration
	peerJitterSum, peerJitterMax time.Duration
	peerJitters                  int64 // how many are in the sum
}

// newCNAME is different for each endpoint, so that it tells nothing about the others (RFC 7022 4.2).
func newCNAME() string {
	b := binary.LittleEndian.AppendUint64(nil, rand.Uint64())
	b = binary.LittleEndian.AppendUint32(b, rand.Uint32())
	return base64.RawURLEncoding.EncodeToString(b)
}

func (r *reports) negotiated(a sdp.Agreed) {
	if a.RemoteRTCP != r.signalled {
		r.learnt = netip.AddrPort{}
	}
	r.signalled, r.mux = a.RemoteRTCP, a.Mux
}

// readRTCP takes one packet from the RTCP socket. Called by the poller.
func (ep *Endpoint) readRTCP(buf []byte, from *sockaddr, now int64) {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	if ep.in.closed {
		return
	}
	n, errno := ep.rtcp.receive(buf, from)
	switch {
	case errno != 0:
	case n > maxPacket || !isRTCP(buf[:n]):
		ep.in.malformed++
	default:
		ep.control(buf[:n], from.addrPort(), false, now)
	}
}

// control handles RTCP from the peer; that of others is counted only. onRTP: it came to the RTP
// port. Accessed with in.mu held.
func (ep *Endpoint) control(b []byte, from netip.AddrPort, onRTP bool, now int64) {
	in, rep := &ep.in, &ep.reports
	peer := in.source.dest()
	switch {
	case onRTP && from != peer && !in.web, !onRTP && from.Addr() != peer.Addr() && from != rep.signalled, in.security.unproven():
		in.strangers++
		return
	}
	b, genuine := in.security.openControl(b)
	if !genuine {
		in.forged++
		return
	}
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		in.malformed++
		return
	}
	if !onRTP && in.source.locked.IsValid() && in.source.locked != in.source.signalled {
		rep.learnt = from
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			rep.senderReport, rep.senderReportAt = uint32(p.NTPTime>>16), now
			ep.peerReports(p.Reports, now)
		case *rtcp.ReceiverReport:
			ep.peerReports(p.Reports, now)
		}
		// A BYE ends nothing: it can be forged, and the signalling says when a call is over.
	}
}

// peerReports takes what the peer says of our stream. Accessed with in.mu held.
func (ep *Endpoint) peerReports(list []rtcp.ReceptionReport, now int64) {
	rep := &ep.reports
	ep.out.mu.Lock()
	factor := clockFactor(ep.out.opus)
	ep.out.mu.Unlock()
	for _, r := range list {
		if r.SSRC != ep.out.ssrc {
			continue
		}
		if r.TotalLost < 1<<23 { // else negative: more came than was sent
			rep.peerLost = uint64(r.TotalLost)
		}
		// The upper half of the number is how often the peer saw the lower half begin anew.
		if n := r.LastSequenceNumber - uint32(ep.out.first) + 1; n < 1<<31 {
			rep.peerExpected = uint64(n)
		}
		rep.peerJitter = time.Duration(r.Jitter) * sampleTime / time.Duration(factor)
		rep.peerJitterSum += rep.peerJitter
		rep.peerJitterMax = max(rep.peerJitterMax, rep.peerJitter)
		rep.peerJitters++
		if r.LastSenderReport == 0 {
			continue
		}
		// RFC 3550 6.4.1: in units of 1/65536 s
		trip := uint32(ep.engine.ntp(now)>>16) - r.LastSenderReport - r.Delay
		if trip < 60<<16 {
			rep.rtt = time.Duration(trip) * time.Second >> 16
		}
	}
}

// report sends a report, with a BYE at the end. Accessed with mu held.
func (ep *Endpoint) report(now int64, bye bool) {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	ep.out.mu.Lock()
	defer ep.out.mu.Unlock()
	in, out, rep := &ep.in, &ep.out, &ep.reports

	var packets []rtcp.Packet
	if out.sent != rep.sent {
		packets = append(packets, &rtcp.SenderReport{
			SSRC: out.ssrc, NTPTime: ep.engine.ntp(now),
			RTPTime:     out.ts + uint32((now-out.tsAt)*int64(clockFactor(out.opus))/int64(sampleTime)),
			PacketCount: uint32(out.sent), OctetCount: uint32(out.sentBytes), Reports: in.reception(rep, now),
		})
	} else {
		packets = append(packets, &rtcp.ReceiverReport{SSRC: out.ssrc, Reports: in.reception(rep, now)})
	}
	packets = append(packets, rtcp.NewCNAMESourceDescription(out.ssrc, rep.cname))
	if bye {
		packets = append(packets, &rtcp.Goodbye{Sources: []uint32{out.ssrc}})
	}
	b, err := rtcp.Marshal(packets)
	if err != nil {
		ep.engine.log.Error().Err(err).Str("leg", ep.label).Msg("RTCP report not sent")
		return
	}
	rep.sent = out.sent
	b, ok := out.security.sealControl(b)
	if !ok {
		return
	}
	if rep.mux || ep.web != nil {
		if out.open || out.connected {
			rep.said = out.sock.sendTo(b, &out.dest) == 0 || rep.said
		}
		return
	}
	dest := rep.signalled
	if in.source.locked.IsValid() && in.source.locked != in.source.signalled {
		dest = rep.learnt // behind NAT the signalled address is nobody's, or a stranger's
	}
	if dest.IsValid() && !dest.Addr().IsUnspecified() {
		var to sockaddr
		to.set(dest)
		rep.said = ep.rtcp.sendTo(b, &to) == 0 || rep.said
	}
}

// reception reports on the peer's stream (RFC 3550 A.3).
func (r *receiver) reception(rep *reports, now int64) []rtcp.ReceptionReport {
	if !r.have {
		return nil
	}
	expected := r.expected()
	interval := expected - r.expectedAt
	came := r.count - r.countAt
	r.expectedAt, r.countAt = expected, r.count
	fraction := uint8(0)
	if interval > came {
		fraction = uint8((interval - came) * 256 / (interval + 1))
	}
	report := rtcp.ReceptionReport{
		SSRC: r.ssrc, FractionLost: fraction, TotalLost: uint32(min(r.lost(), 1<<23-1)),
		LastSequenceNumber: r.cycles<<16 | uint32(r.top), Jitter: uint32(r.jitter*int64(clockFactor(r.opus))) >> 4,
	}
	if rep.senderReportAt != 0 {
		report.LastSenderReport = rep.senderReport
		report.Delay = uint32((now - rep.senderReportAt) * 65536 / int64(time.Second))
	}
	return []rtcp.ReceptionReport{report}
}

// goodbye ends our stream for the peer, if it has heard of it (RFC 3550 6.6). Accessed with mu held.
func (ep *Endpoint) goodbye() {
	ep.in.mu.Lock()
	ep.out.mu.Lock()
	known := ep.reports.said || ep.out.sent > 0
	ep.out.mu.Unlock()
	ep.in.mu.Unlock()
	if known {
		ep.report(int64(ep.engine.clock()), true)
	}
}

// schedule sets the timer for the next report or time-out, whichever is first, and sends a report
// that is due. Accessed with mu held.
func (ep *Endpoint) schedule(now int64) {
	ep.in.mu.Lock()
	if ep.reports.due == 0 {
		ep.reports.due = now + randomInterval()/2 // RFC 3550 6.2: half the time for the first
	}
	report := now >= ep.reports.due
	if report {
		ep.reports.due = now + randomInterval()
	}
	wake := ep.reports.due
	if limit, ok := ep.limit(); ok {
		wake = min(wake, limit)
	}
	ep.in.mu.Unlock()
	if report {
		ep.report(now, false)
	}
	if ep.timer == nil {
		ep.timer = time.AfterFunc(time.Duration(wake-now), ep.onTimer)
	} else {
		ep.timer.Reset(time.Duration(wake - now))
	}
}

// limit is when the peer is given up; false: it may be as it is. Accessed with mu and in.mu held.
func (ep *Endpoint) limit() (at int64, ok bool) {
	switch {
	case ep.timeout <= 0 || ep.in.timedOut || ep.web != nil && ep.web.lost:
		return 0, false
	case ep.web != nil && ep.web.by != 0:
		return ep.web.by, true
	case ep.agreed.Send && ep.agreed.Receive:
		return ep.in.last + int64(ep.timeout), true
	}
	return 0, false
}

// overdue tells that the peer is given up now, once. Accessed with mu and in.mu held.
func (ep *Endpoint) overdue(now int64) (e Event, yes bool) {
	if limit, ok := ep.limit(); !ok || now < limit {
		return e, false
	}
	if ep.web != nil && ep.web.by != 0 {
		ep.web.lost = true
		return Event{Kind: EventUnconnected, Why: ep.web.missing()}, true
	}
	ep.in.timedOut = true
	return Event{Kind: EventTimeout}, true
}

func randomInterval() int64 {
	return int64(reportInterval)/2 + rand.Int64N(int64(reportInterval))
}

func (ep *Endpoint) onTimer() {
	ep.mu.Lock()
	if ep.final != nil {
		ep.mu.Unlock()
		return
	}
	now := int64(ep.engine.clock())
	ep.in.mu.Lock()
	e, over := ep.overdue(now)
	ep.in.mu.Unlock()
	ep.schedule(now)
	ep.mu.Unlock()
	if over && ep.onEvent != nil {
		ep.onEvent(e)
	}
}

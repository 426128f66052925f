package media

import "time"

// Stats are figures of one endpoint since it was made.
type Stats struct {
	Sent, SentBytes         uint64        // RTP packets and their payload
	Received, ReceivedBytes uint64        // accepted from the peer
	Opus                    bool          // the newest audio from the peer was Opus, not G.711
	Lost                    uint64        // never arrived from the peer, as sequence numbers tell
	Jitter                  time.Duration // RFC 3550 6.4.1, of what we receive, now
	JitterMean, JitterMax   time.Duration // the same over all packets of audio received
	PeerLost                uint64        // of our packets, as the peer reports
	PeerExpected            uint64        // of our packets, as the peer reports: how many there were for it to receive; 0: no report
	PeerJitter              time.Duration // as the peer reports, latest
	PeerJitterMean          time.Duration // the same over all its reports
	PeerJitterMax           time.Duration
	RTT                     time.Duration // from the peer's latest report; 0: unknown
	MOS                     float64       // estimate for what the peer sends, 1 to 4.5, see estimateMOS; 0: nothing received
	PeerMOS                 float64       // estimate for what the peer hears of us, 1 to 4.5; 0: it has not reported
	Strangers               uint64        // packets from addresses that are not the peer's, and from a browser's before it has proven to be the peer
	Malformed               uint64        // neither RTP of this session nor RTCP
	Forged                  uint64        // from the peer's address, but not encrypted by the peer, or seen before
	Unsent                  uint64        // what could not be sent: no such payload type at the peer, too late, or the send failed
}

const sampleTime = time.Second / SampleRate

// figures collects the stats. Accessed with mu held.
func (ep *Endpoint) figures() Stats {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	ep.out.mu.Lock()
	defer ep.out.mu.Unlock()
	in, out, rep := &ep.in, &ep.out, &ep.reports
	s := Stats{
		Sent: out.sent, SentBytes: out.sentBytes, Unsent: out.unsent,
		Received: in.received, ReceivedBytes: in.receivedBytes, Opus: in.opus,
		Strangers: in.strangers, Malformed: in.malformed, Forged: in.forged,
		Lost: in.lostBefore + in.lost(), Jitter: time.Duration(in.jitter>>4) * sampleTime,
		JitterMax: time.Duration(in.jitterMax>>4) * sampleTime,
		PeerLost:  rep.peerLost, PeerExpected: rep.peerExpected,
		PeerJitter: rep.peerJitter, PeerJitterMax: rep.peerJitterMax, RTT: rep.rtt,
	}
	if rep.peerJitters > 0 {
		s.PeerJitterMean = rep.peerJitterSum / time.Duration(rep.peerJitters)
	}
	if in.timings > 0 {
		s.JitterMean = time.Duration(in.jitterSum/in.timings>>4) * sampleTime
	}
	s.judge()
	return s
}

// EngineStats are figures for metrics.
type EngineStats struct {
	Endpoints        int    // open now
	PortPairs        int    // in the range
	PortPairsFree    int    // neither in use nor in quarantine
	PacketsSent      uint64 // RTP, by endpoints closed and open
	PacketsReceived  uint64 // RTP that was accepted
	PacketsDiscarded uint64 // from strangers, malformed, forged, of unknown payload type
}

func (s *EngineStats) add(ep Stats) {
	s.PacketsSent += ep.Sent
	s.PacketsReceived += ep.Received
	s.PacketsDiscarded += ep.Strangers + ep.Malformed + ep.Forged
}

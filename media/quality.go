package media

import "time"

// The E-model of ITU-T G.107 (06/2015), with its default values for all that cannot be measured here,
// and G.711 with concealment of lost packets (G.711 Appendix I), as telephones do it.
const (
	defaultRating = 93.2 // R without any impairment by the network, G.107 table 2 and 7.7
	bplG711       = 25.1 // robustness against random loss, G.113 Appendix I table I.4
	bestMOS       = 4.5  // what R = 100 is worth, G.107 Annex B
)

// estimateMOS is what a listener is thought to say of a call, from 1 (bad) to 4.5 (as good as a
// telephone gets); an undisturbed call of ours has 4.4. loss is the share of packets lost, 0 to 1. The
// delay from mouth to ear is taken as half the round trip, a frame, and a jitter buffer of twice the
// mean jitter, which then loses nothing; echo is cancelled, and losses do not come in bursts.
func estimateMOS(loss float64, jitter, rtt time.Duration) float64 {
	return mosOf(defaultRating - delayImpairment(rtt/2+frameTime+2*jitter) - lossImpairment(loss))
}

// delayImpairment is Id. Its formula, which follows the curves of G.107 7.4 for a call without echo up
// to 400 ms, is that of Cole and Rosenbluth, Voice over IP Performance Monitoring, 2001.
func delayImpairment(d time.Duration) float64 {
	const knee = 177.3
	ms := float64(d) / float64(time.Millisecond)
	return 0.024*ms + 0.11*max(ms-knee, 0)
}

// lossImpairment is Ie,eff (G.107 7.5) of random losses; the codec itself impairs nothing.
func lossImpairment(loss float64) float64 {
	percent := min(max(loss, 0), 1) * 100
	return 95 * percent / (percent + bplG711)
}

// mosOf turns a rating into an opinion (G.107 Annex B). The formula falls below 1 for R under 6.5.
func mosOf(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return bestMOS
	}
	return max(1, 1+0.035*r+7e-6*r*(r-60)*(100-r))
}

// Loss is the share of the peer's packets that never arrived, 0 to 1.
func (s *Stats) Loss() float64 { return share(s.Lost, s.Lost+s.Received) }

// PeerLoss is the share of packets that the peer misses of our stream, 0 to 1. Where a call is bridged
// that includes what was lost before it came to us.
func (s *Stats) PeerLoss() float64 { return share(s.PeerLost, s.PeerExpected) }

func share(part, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return min(float64(part)/float64(of), 1)
}

// judge sets the estimates from the other figures.
func (s *Stats) judge() {
	if s.Received > 0 {
		s.MOS = estimateMOS(s.Loss(), s.JitterMean, s.RTT)
	}
	if s.PeerExpected > 0 {
		s.PeerMOS = estimateMOS(s.PeerLoss(), s.PeerJitterMean, s.RTT)
	}
}

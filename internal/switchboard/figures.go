package switchboard

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/queuegroups"

	"github.com/rs/zerolog"
)

// Figures tells how the audio of a leg is now; false: no leg of this node has the
// id, or ctx was over before its call could say. It may be called from any goroutine.
func (b *Board) Figures(ctx context.Context, id acd.LegID) (acd.MediaFigures, bool) {
	c := b.holder(id)
	if c == nil {
		return acd.MediaFigures{}, false
	}
	figures := make(chan *acd.MediaFigures, 1)
	if !c.box.Post(func() {
		if l := c.legByID(id); l != nil && l.media != nil {
			figures <- figuresOf(l.media, l.media.Stats())
			return
		}
		figures <- nil
	}) {
		return acd.MediaFigures{}, false
	}
	select {
	case f := <-figures:
		if f != nil {
			return *f, true
		}
	case <-ctx.Done():
	}
	return acd.MediaFigures{}, false
}

// LegAudio is a leg of a call and how its audio is.
type LegAudio struct {
	Leg   acd.LegID
	Agent queuegroups.AgentID // whose phone it is; empty: somebody's from outside
	Media acd.MediaFigures
}

// Audio tells how the audio of each leg of a call is now, the caller's first, of a call by any of its legs. It is
// empty where Figures has none. It may be called from any goroutine.
func (b *Board) Audio(ctx context.Context, id acd.LegID) []LegAudio {
	c := b.holder(id)
	if c == nil {
		return nil
	}
	told := make(chan []LegAudio, 1)
	if !c.box.Post(func() {
		var list []LegAudio
		for _, l := range c.legs {
			if l.media != nil {
				list = append(list, LegAudio{l.id, l.agent, *figuresOf(l.media, l.media.Stats())})
			}
		}
		first := func(l LegAudio) int {
			if l.Leg == c.id {
				return 0
			}
			return len(l.Leg) // phones are numbered in the order in which they were rung
		}
		slices.SortFunc(list, func(x, y LegAudio) int {
			return cmp.Or(cmp.Compare(first(x), first(y)), cmp.Compare(x.Leg, y.Leg))
		})
		told <- list
	}) {
		return nil
	}
	select {
	case list := <-told:
		return list
	case <-ctx.Done():
		return nil
	}
}

// figuresOf is what is said of a leg's audio outside of media.
func figuresOf(ep *media.Endpoint, s media.Stats) *acd.MediaFigures {
	f := &acd.MediaFigures{
		SRTP: string(ep.Encrypted()), RoundTrip: s.RTT.Microseconds(), Discarded: s.Strangers + s.Malformed + s.Forged,
		Out: acd.MediaWay{
			Packets: s.Sent, Expected: s.PeerExpected, Lost: s.PeerLost,
			JitterMean: s.PeerJitterMean.Microseconds(), JitterMax: s.PeerJitterMax.Microseconds(), MOS: hundredths(s.PeerMOS),
		},
		In: acd.MediaWay{
			Packets: s.Received, Expected: s.Received + s.Lost, Lost: s.Lost,
			JitterMean: s.JitterMean.Microseconds(), JitterMax: s.JitterMax.Microseconds(), MOS: hundredths(s.MOS),
		},
	}
	if codec, agreed := ep.Codec(); s.Opus {
		f.Codec = "opus"
	} else if agreed {
		f.Codec = codec.String()
	}
	return f
}

func hundredths(n float64) int { return int(math.Round(n * 100)) }

// quality adds the same figures to a line of the log, as far as they are known.
// Times are in milliseconds.
func quality(e *zerolog.Event, f *acd.MediaFigures) *zerolog.Event {
	e = e.Uint64("rtp_in", f.In.Packets).Uint64("rtp_out", f.Out.Packets).Uint64("rtp_lost", f.In.Lost)
	if f.In.Packets > 0 {
		e = e.Float64("rtp_jitter_ms", milliseconds(f.In.JitterMean)).Float64("rtp_jitter_max_ms", milliseconds(f.In.JitterMax)).
			Float64("mos", float64(f.In.MOS)/100)
	}
	if f.Out.Expected > 0 {
		e = e.Uint64("peer_lost", f.Out.Lost).Float64("peer_jitter_ms", milliseconds(f.Out.JitterMean)).
			Float64("peer_mos", float64(f.Out.MOS)/100)
	}
	if f.RoundTrip > 0 {
		e = e.Float64("rtt_ms", milliseconds(f.RoundTrip))
	}
	if f.SRTP != "" {
		e = e.Str("srtp", f.SRTP)
	}
	return e
}

// milliseconds rounds to tenths.
func milliseconds(us int64) float64 {
	const tenth = int64(100 * time.Microsecond / time.Microsecond)
	return float64((us+tenth/2)/tenth) / 10
}

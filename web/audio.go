package web

import (
	"context"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// Calls is the telephony behind calls that go on.
type Calls interface {
	// Audio tells how the audio of each leg of a call is now, the caller's first. It is empty where nothing is
	// known of the call, or ctx is over before it can say.
	Audio(ctx context.Context, leg acd.LegID) []CallLeg
}

// CallLeg is a leg of a call that goes on.
type CallLeg struct {
	Leg   acd.LegID
	Agent queuegroups.AgentID // whose phone it is; empty: somebody's from outside
	Media acd.MediaFigures
}

// LegAudio is an end of a call that goes on, and how its audio is.
type LegAudio struct {
	Leg       string  `json:"leg"`
	Agent     string  `json:"agent,omitempty" doc:"Whose telephone it is. Left out: somebody's from outside."`
	Codec     string  `json:"codec,omitempty"`
	SRTP      string  `json:"srtp,omitempty" doc:"What encrypts it. Left out: nothing."`
	In        Audio   `json:"in" doc:"From the far end to us."`
	Out       Audio   `json:"out" doc:"From us to the far end, as it reported."`
	RoundTrip float64 `json:"round_trip_seconds,omitempty" doc:"Left out: the far end has not reported."`
}

// Audio is one direction of the audio of a leg.
type Audio struct {
	Packets    uint64  `json:"packets"`
	Expected   uint64  `json:"expected,omitempty" doc:"That should have arrived. Left out: nothing is known of their arrival."`
	Lost       uint64  `json:"lost"`
	JitterMean float64 `json:"jitter_mean_seconds" doc:"RFC 3550 6.4.1."`
	JitterMax  float64 `json:"jitter_max_seconds"`
	MOS        float64 `json:"mos,omitempty" doc:"What a listener is thought to say, from 1 to 4.5, by ITU-T G.107. Left out: unknown."`
}

// audioTime is how long a call is given to tell how its audio is.
const audioTime = time.Second

// legsOf asks the call of an interaction how its audio is; a chat has none.
func (s *Server) legsOf(ctx context.Context, v *acd.InteractionView) []LegAudio {
	list := []LegAudio{}
	if v.Leg == "" {
		return list
	}
	ctx, cancel := context.WithTimeout(ctx, audioTime)
	defer cancel()
	for _, l := range s.calls.Audio(ctx, v.Leg) {
		a := viewAudio(&l.Media)
		a.Leg, a.Agent = string(l.Leg), string(l.Agent)
		list = append(list, a)
	}
	return list
}

func viewAudio(m *acd.MediaFigures) LegAudio {
	way := func(w *acd.MediaWay) Audio {
		return Audio{w.Packets, w.Expected, w.Lost, seconds(w.JitterMean), seconds(w.JitterMax), float64(w.MOS) / 100}
	}
	return LegAudio{Codec: m.Codec, SRTP: m.SRTP, In: way(&m.In), Out: way(&m.Out), RoundTrip: seconds(m.RoundTrip)}
}

package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"centrala/acd"
)

// Traces are what a server remembers of its latest calls.
type Traces interface {
	// Trace is all that is remembered of an interaction; false: nothing is.
	Trace(id acd.InteractionID) (Trace, bool)
}

// Trace is the messages of a call, in order of time.
type Trace struct {
	Parties  []TraceParty   `json:"parties" nullable:"false" doc:"The far ends, in the order in which they came."`
	Messages []TraceMessage `json:"messages" nullable:"false"`
	Omitted  int            `json:"omitted,omitempty" doc:"Left out of the middle for want of room."`
}

// TraceParty is the far end of a leg.
type TraceParty struct {
	Leg string `json:"leg"`
	Who string `json:"who" doc:"As in: trunk carrier, agent anna."`
}

// TraceMessage is a SIP message.
type TraceMessage struct {
	At      time.Time `json:"at"`
	Leg     string    `json:"leg,omitempty"`
	Sent    bool      `json:"sent" doc:"By us."`
	Network string    `json:"network"`
	Remote  string    `json:"remote"`
	Summary string    `json:"summary" doc:"The first line."`
	CSeq    string    `json:"cseq,omitempty"`
	Audio   string    `json:"audio,omitempty" doc:"What it says of the audio, in short."`
	Text    string    `json:"text"`
}

const codeNoTrace = "no_trace" // nothing is remembered of the call

type traceOut struct{ Body Trace }

func (s *Server) getTrace(ctx context.Context, c *Caller, in *InteractionPath) (*traceOut, error) {
	id := strconv.FormatUint(in.Interaction, 10)
	if in.Interaction > 1<<63-1 {
		return nil, notFound("interaction", id)
	}
	f, err := s.record.Facts(ctx, acd.InteractionID(in.Interaction))
	if err != nil {
		return nil, unavailable(err)
	}
	if f == nil || !c.seesPast(f) {
		return nil, notFound("interaction", id)
	}
	if s.traces != nil {
		if t, ok := s.traces.Trace(f.ID); ok {
			return &traceOut{t}, nil
		}
	}
	return nil, problem(http.StatusNotFound, codeNoTrace, "this server remembers no messages of the call: newer calls needed the room, it was restarted, or another node had the call")
}

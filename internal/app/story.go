package app

import (
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/eventlog"
	"centrala/internal/switchboard"
)

// story hands what was applied to the switchboard and then writes down what the
// core decided and why: a line for each step of an interaction, and one at its end.
type story struct {
	board *switchboard.Board
	facts *eventlog.Log
	node  acd.NodeID
	trace *tracing // nil: nothing is traced
	over  *histograms
	log   zerolog.Logger
}

// Applied implements eventlog.Handler.
func (s *story) Applied(e acd.Entry, commands []acd.Command) {
	s.board.Applied(e, commands)
	told := s.log.GetLevel() <= zerolog.InfoLevel
	s.facts.View(func(st *acd.State) {
		ended := st.Ended()
		for _, r := range ended {
			if r.Node == s.node {
				s.over.ended(r)
			}
		}
		callOf := func(id acd.InteractionID) (call acd.LegID, node acd.NodeID, ok bool) {
			call, node, ok = st.CallOf(id)
			for _, r := range ended {
				if r.Interaction == id {
					return r.Leg, r.Node, true
				}
			}
			return call, node, ok
		}
		if s.trace != nil {
			s.trace.applied(e, commands, st.Trace(), func(id acd.InteractionID) acd.LegID {
				call, _, _ := callOf(id)
				return call
			})
		}
		if !told {
			return
		}
		for _, step := range st.Trace() {
			call, node, ok := callOf(step.Interaction)
			if step.Kind == acd.StepAgent || ok && node == s.node {
				s.step(step, call)
			}
		}
		for _, r := range ended {
			if r.Node == s.node {
				s.ended(r)
			}
		}
	})
}

func (s *story) step(step acd.Step, call acd.LegID) {
	e := s.log.Info().Uint64("index", step.Index)
	if step.Interaction != 0 {
		e = e.Uint64("interaction", uint64(step.Interaction)).Str("call_id", string(call))
	}
	if step.Group != "" {
		e = e.Str("group", string(step.Group))
	}
	if step.Agent != "" {
		e = e.Str("agent", string(step.Agent))
	}
	if step.What != "" {
		e = e.Str("what", step.What)
	}
	if step.Why != "" {
		e = e.Str("why", step.Why)
	}
	if step.Choice != nil {
		e = e.Stringer("choice", step.Choice)
	}
	e.Msg(string(step.Kind))
}

func (s *story) ended(r acd.Record) {
	e := s.log.Info().Str("call_id", string(r.Leg)).Uint64("interaction", uint64(r.Interaction)).
		Str("from", r.From.Number).Str("to", r.To).Str("group", string(r.Group)).Str("end", string(r.End))
	talked := time.Duration(0)
	waited := r.Ended.Sub(r.Arrived)
	if !r.Answered.IsZero() {
		waited, talked = r.Answered.Sub(r.Arrived), r.Ended.Sub(r.Answered)
		e = e.Str("agent", string(r.Agent))
	}
	e.Int64("waited_ms", waited.Milliseconds()).Int64("talked_ms", talked.Milliseconds()).Msg("interaction ended")
}

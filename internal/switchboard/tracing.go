package switchboard

import (
	"fmt"

	"centrala/acd"
	"centrala/media"
)

// untraced is the Tracer of a Board that has none.
type untraced struct{}

func (untraced) Leg(_, _ acd.LegID, _, _ string) {}
func (untraced) Audio(_, _ acd.LegID, _ string)  {}
func (untraced) Key(_, _ acd.LegID, _ byte)      {}
func (untraced) Gone(acd.LegID)                  {}

// traced tells the Tracer of a leg that began.
func (c *call) traced(l *leg) {
	who := "somebody"
	switch {
	case l.agent != "":
		who = "agent " + string(l.agent)
	case l.sip.Trunk() != "":
		who = "trunk " + l.sip.Trunk()
	case l.offer != nil:
		who = "number " + l.offer.number
	}
	c.board.trace.Leg(c.id, l.id, l.sip.CallID(), who)
}

// heard tells the Tracer that the far end's first packet was accepted, and what was agreed on.
func (c *call) heard(l *leg, e media.Event) {
	codec, _ := l.media.Codec()
	how := "plain"
	if suite := l.media.Encrypted(); suite != "" {
		how = string(suite)
	}
	c.board.trace.Audio(c.id, l.id, fmt.Sprintf("first packet from %v, which is the source from now on; %s, %s", e.From, codec, how))
}

// silent tells the Tracer how the audio of a leg was that has ended.
func (c *call) silent(l *leg, s media.Stats) {
	c.board.trace.Audio(c.id, l.id, fmt.Sprintf("ended: %d packets in, %d out, %d lost, %d from strangers, jitter %v",
		s.Received, s.Sent, s.Lost, s.Strangers, s.JitterMean))
}

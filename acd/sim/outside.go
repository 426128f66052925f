package sim

import (
	"fmt"
	"strings"
	"time"

	"centrala/acd"
)

// outside is what a bystander sees who knows the commands and the facts but not
// the state.
type outside struct {
	phones map[acd.OfferID]*phone
	hear   map[acd.LegID]acd.LegID // whom each leg hears
	music  map[acd.LegID]bool      // legs that hear music
	nodes  map[acd.LegID]acd.NodeID
	ended  map[acd.InteractionID]bool
}

// phone is an agent's phones as one offer makes them ring.
type phone struct {
	agent     string
	cancelled time.Time
}

func newOutside() *outside {
	return &outside{
		phones: map[acd.OfferID]*phone{}, hear: map[acd.LegID]acd.LegID{}, music: map[acd.LegID]bool{},
		nodes: map[acd.LegID]acd.NodeID{}, ended: map[acd.InteractionID]bool{},
	}
}

// see takes note of an entry and finds: a caller given to two agents, somebody
// left in silence, an agent with a phone still ringing rung again, an end told twice.
func (o *outside) see(e acd.Entry, commands []acd.Command, ended []acd.Record) error {
	switch ev := e.Event.(type) {
	case *acd.OfferFailed:
		delete(o.phones, ev.Offer)
	case *acd.OfferAnswered:
		delete(o.phones, ev.Offer)
		o.nodes[ev.Leg] = ev.Node
	case *acd.Claimed:
		o.nodes[ev.Leg] = ev.Node
	case *acd.CallArrived:
		o.nodes[ev.Leg] = ev.Node
	case *acd.LegEnded:
		o.hungUp(ev.Leg)
	case *acd.NodeLost:
		o.lost(ev.Node)
	case *acd.NodeStarted:
		o.lost(ev.Node)
	case *acd.ConfigApplied:
		clear(o.phones) // an agent taken away and declared again is another one
	case *acd.DeadlinePassed:
		if ev.Deadline.Kind == "leg" { // given up
			o.hungUp(acd.LegID(ev.Deadline.Name))
		}
	}
	for _, c := range commands {
		if o.ended[c.Head().Interaction] && !ends(c) {
			return fmt.Errorf("interaction %d is over: %s", c.Head().Interaction, acd.Describe(c))
		}
		if err := o.command(e.At, c); err != nil {
			return err
		}
	}
	for _, r := range ended {
		if o.ended[r.Interaction] {
			return fmt.Errorf("interaction %d ends twice", r.Interaction)
		}
		o.ended[r.Interaction] = true
	}
	return nil
}

// ends: the command takes something down.
func ends(c acd.Command) bool {
	switch c.(type) {
	case *acd.EndLeg, *acd.Reject, *acd.CancelRing:
		return true
	}
	return false
}

func (o *outside) command(at time.Time, c acd.Command) error {
	switch c := c.(type) {
	case *acd.Ring:
		return o.ring(at, c)
	case *acd.CancelRing:
		if p := o.phones[c.Offer]; p != nil {
			p.cancelled = at
		}
	case *acd.Play:
		leg := c.Leg
		if leg == "" {
			leg = c.Call
		}
		o.part(leg)
		o.music[leg] = true
	case *acd.Bridge:
		for _, pair := range [][2]acd.LegID{{c.A, c.B}, {c.B, c.A}} {
			if other, is := o.hear[pair[0]]; is && other != pair[1] && !o.music[other] {
				return fmt.Errorf("%s is bridged with %s while it hears %s", pair[0], pair[1], other)
			}
		}
		o.part(c.A)
		o.part(c.B)
		o.hear[c.A], o.hear[c.B] = c.B, c.A
	case *acd.EndLeg:
		o.hungUp(c.Leg)
	case *acd.Reject:
		o.hungUp(c.Call)
	}
	return nil
}

// part: the leg hears nobody any more.
func (o *outside) part(leg acd.LegID) {
	if other, is := o.hear[leg]; is {
		delete(o.hear, other)
	}
	delete(o.hear, leg)
	delete(o.music, leg)
}

func (o *outside) hungUp(leg acd.LegID) { o.part(leg) }

// lost: a node is gone, and who is still ringing where is anybody's guess.
func (o *outside) lost(n acd.NodeID) {
	clear(o.phones)
	for leg, node := range o.nodes {
		if node == n {
			o.part(leg)
		}
	}
}

// hears: who talks is heard, and who waits hears music.
func (o *outside) hears(v *acd.Standing) error {
	for k := range v.Interactions {
		i := &v.Interactions[k]
		if strings.HasPrefix(string(i.Group), string(acd.ChannelGroup(""))) {
			continue // a chat
		}
		a, b := i.Leg, i.AgentLeg
		if i.Consults != "" && !i.Aside {
			a, b = i.AgentLeg, i.Consults
		}
		switch i.Phase {
		case acd.PhaseConnecting, acd.PhaseTalking:
			if o.hear[a] != b {
				return fmt.Errorf("interaction %d is %s, %s does not hear %s", i.ID, i.Phase, a, b)
			}
		case acd.PhaseConsulting:
			if i.Consults != "" && o.hear[a] != b {
				return fmt.Errorf("interaction %d is %s, %s does not hear %s", i.ID, i.Phase, a, b)
			}
			if left := i.Leg; !i.Aside && !o.music[left] || i.Aside && !o.music[i.Consults] {
				return fmt.Errorf("interaction %d is %s, and somebody hears nothing", i.ID, i.Phase)
			}
		case acd.PhaseParked:
			if !o.music[a] {
				return fmt.Errorf("interaction %d is %s and hears nothing", i.ID, i.Phase)
			}
		case acd.PhaseQueued:
			if !o.music[a] && i.Group != "" {
				return fmt.Errorf("interaction %d is %s and hears nothing", i.ID, i.Phase)
			}
		case acd.PhaseOffered, acd.PhaseDialled, acd.PhaseServed:
			if o.hear[a] != "" {
				return fmt.Errorf("interaction %d is %s and hears %s", i.ID, i.Phase, o.hear[a])
			}
		default: // of a chat
		}
	}
	return nil
}

// ring: the phone must not be ringing for the same agent already, unless it was
// told to stop two seconds ago. Agents with room for more calls are left out.
func (o *outside) ring(at time.Time, c *acd.Ring) error {
	if c.Channel != "" {
		return nil
	}
	for id, p := range o.phones {
		if p.agent == string(c.Agent) && !roomy(p.agent) && (p.cancelled.IsZero() || at.Sub(p.cancelled) < 2*time.Second) {
			return fmt.Errorf("%s is rung for offer %s while %s still rings", c.Agent, c.Offer, id)
		}
	}
	o.phones[c.Offer] = &phone{agent: string(c.Agent)}
	return nil
}

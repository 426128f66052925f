package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// Desk does to calls of this node what their phones could have done. Each method
// returns false where it could not be.
type Desk interface {
	HangUp(leg acd.LegID) bool
	Hold(agent acd.LegID, on bool) bool
	Held(agent acd.LegID) bool
	Decline(call acd.LegID, offer acd.OfferID) bool
	// Call rings the agent's phones, and calls what was dialled as soon as one is picked up.
	Call(agent queuegroups.AgentID, dialled string) bool
}

// Codes of problems with commands.
const (
	codeWrongPhase   = "wrong_phase"        // it is not, or no longer, in a state for that
	codePhoneAnswers = "phone_must_answer"  // the agent's phone has to be picked up
	codeNotOffered   = "not_offered"        // it does not ring at theirs
	codeNotPossible  = "not_possible"       // the core says why
	codeGone         = "leg_gone"           // the call has just changed, or is another node's
	codeNotEntitled  = "number_not_allowed" // the agent may not call that number
	codeAgentCannot  = "agent_cannot_take"  // nobody could be rung
	codeSlotTaken    = "slot_taken"
	codeNotPickedUp  = "pickup_not_allowed"
	codeOnlyForCalls = "only_for_calls"
)

func (s *Server) commandRoutes() {
	write := Needs(queuegroups.RightInteractionsWrite)
	command := func(id, path, summary, description string) Route {
		return Route{ID: id, Method: http.MethodPost, Path: "/interactions/{interaction}/" + path, Tag: "interactions", Summary: summary, Description: description}
	}
	Operation(s, write, command("hang-up", "hang-up", "Hang up", "The agent hangs up; one who waits is hung up on."), s.hangUp)
	Operation(s, write, command("hold", "hold", "Put on hold", "The customer hears music and the agent nothing."), s.hold)
	Operation(s, write, command("resume", "resume", "Take from hold", ""), s.resume)
	Operation(s, write, command("transfer", "transfer", "Hand over and leave", "A blind transfer. A chat can also be handed over by whom it is offered to."), s.transfer)
	Operation(s, write, command("consult", "consult", "Ask somebody first", "The customer hears music meanwhile."), s.consult)
	Operation(s, write, command("swap", "consult/swap", "Turn to the other one", "From the colleague to the customer, or back."), s.swap)
	Operation(s, write, command("complete", "consult/complete", "Connect customer and colleague, and leave", ""), s.complete)
	Operation(s, write, command("cancel", "consult/cancel", "Let the colleague go", "Agent and customer hear each other again."), s.cancel)
	Operation(s, write, command("park", "park", "Put into a parking slot", "Anybody may fetch it there."), s.park)
	Operation(s, write, command("accept", "accept", "Accept an offer", "A chat is the caller's then. A desk phone must be picked up: 409 "+codePhoneAnswers+"."), s.accept)
	Operation(s, write, command("decline", "decline", "Decline an offer", "The phone stops ringing, and others are rung."), s.decline)
	Operation(s, write, command("claim", "claim", "Pick up", "What waits, rings or is parked rings at the caller's own phone, and nowhere else. A chat is theirs at once; "+
		"where the channel lets nobody pick up, those whose rights reach it are offered it."), s.claim)
	Operation(s, write, command("move", "move", "Send elsewhere", "What waits, rings or is parked; its arrival is kept. For those whose rights reach its group."), s.move)
	Operation(s, write, command("prioritise", "priority", "Credit with waiting time", "Instead of what its group and number gave. For those whose rights reach its group."), s.prioritise)
}

// Target is where an interaction is to go: exactly one of the three.
type Target struct {
	Agent  string `json:"agent,omitempty" maxLength:"64"`
	Group  string `json:"group,omitempty" maxLength:"80" example:"sales"`
	Number string `json:"number,omitempty" maxLength:"64" doc:"Outside; without + one of the region."`
}

// target reads a target and looks at whether it is there.
func (s *Server) target(t *Target, of queuegroups.AgentID) (to acd.Target, p *Problem) {
	named := 0
	for _, x := range []string{t.Agent, t.Group, t.Number} {
		if x != "" {
			named++
		}
	}
	if named != 1 {
		return to, invalid("body.to", "name one of agent, group and number")
	}
	s.core.View(func(st *acd.State) {
		to.Agent, to.Group = queuegroups.AgentID(t.Agent), queuegroups.GroupID(t.Group)
		switch {
		case t.Agent != "":
			if _, ok := st.Agent(to.Agent); !ok {
				p = invalid("body.to.agent", "there is no agent %q", t.Agent)
			}
		case t.Group != "":
			if _, ok := st.Group(to.Group); !ok {
				p = invalid("body.to.group", "there is no group %q", t.Group)
			}
		default:
			number, err := queuegroups.Normalize(t.Number, st.Config().Region)
			if err != nil {
				p = invalid("body.to.number", "%v", err)
				return
			}
			to.Number = number
			if of == "" {
				return
			}
			if _, ok := st.Config().MayCall(of, number); !ok {
				p = problem(http.StatusForbidden, codeNotEntitled, "%s may not call %s", of, number)
			}
		}
	})
	return to, p
}

// held looks at an interaction that an agent has, for a command of that agent's or of somebody whose rights reach
// its group.
func (s *Server) held(c *Caller, id uint64, phases ...acd.Phase) (v acd.InteractionView, p *Problem) {
	if v, p = s.interaction(c, id); p != nil {
		return v, p
	}
	switch {
	case !c.own(v.Agent) && !c.inReach(v.Group):
		p = forbidden("you do not have this interaction")
	case !slices.Contains(phases, v.Phase) || v.Agent == "":
		p = conflict(codeWrongPhase, "it is %s", v.Phase)
	case v.Channel != "":
		p = conflict(codeOnlyForCalls, "this is for calls")
	}
	return v, p
}

// done shows how the interaction stands after a command; one that ended by it has no more to show.
func (s *Server) done(ctx context.Context, c *Caller, before acd.InteractionView) (*afterOut, error) {
	target := "interactions/" + number(before.ID)
	if c.own(before.Agent) || before.Agent == "" && c.partOf(&before) {
		ownAct(ctx)
	}
	out := &afterOut{}
	s.core.View(func(st *acd.State) {
		if v, ok := st.Interaction(before.ID); ok {
			out.Body.Interaction, out.Body.Live = viewInteraction(v), true
			return
		}
		out.Body.Interaction = viewInteraction(before)
	})
	var after any
	if out.Body.Live {
		after = out.Body.Interaction
	}
	changed(ctx, target, viewInteraction(before), after)
	return out, nil
}

// After is how an interaction stands after a command.
type After struct {
	Live        bool        `json:"live" doc:"It goes on; else it is as it was before the command."`
	Interaction Interaction `json:"interaction"`
}

type afterOut struct{ Body After }

// fact logs what an agent asked for and tells what the core says to it: it never refuses a fact, but notes in the
// story why nothing came of it.
func (s *Server) fact(ctx context.Context, c *Caller, before acd.InteractionView, e acd.Event) (*afterOut, error) {
	if err := s.core.Append(ctx, e); err != nil {
		return nil, unavailable(err)
	}
	var refused string
	s.core.View(func(st *acd.State) {
		v, ok := st.Interaction(before.ID)
		if !ok {
			return
		}
		for _, x := range slices.Backward(v.Steps) {
			if len(before.Steps) > 0 && x.Index <= before.Steps[len(before.Steps)-1].Index {
				return
			}
			if x.What == "not" {
				refused = x.Why
				return
			}
		}
	})
	if refused != "" {
		return nil, conflict(codeNotPossible, "%s", refused)
	}
	return s.done(ctx, c, before)
}

// byDesk does something to a leg and shows how things stand.
func (s *Server) byDesk(ctx context.Context, c *Caller, v acd.InteractionView, ok bool) (*afterOut, error) {
	if !ok {
		return nil, conflict(codeGone, "the call has just changed, or another node has it")
	}
	return s.done(ctx, c, v)
}

func (s *Server) hangUp(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.interaction(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	switch {
	case v.Channel != "":
		return nil, conflict(codeOnlyForCalls, "this is for calls")
	case v.Phase == acd.PhaseTalking && v.Agent != "":
		if _, p = s.held(c, in.Interaction, acd.PhaseTalking); p != nil {
			return nil, p
		}
		return s.byDesk(ctx, c, v, s.desk.HangUp(v.AgentLeg))
	case !c.inReach(v.Group):
		return nil, forbidden("you do not have this interaction")
	case v.Phase == acd.PhaseConsulting || v.Phase == acd.PhaseConnecting:
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	}
	return s.byDesk(ctx, c, v, s.desk.HangUp(v.Leg))
}

func (s *Server) hold(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseTalking)
	if p != nil {
		return nil, p
	}
	return s.byDesk(ctx, c, v, s.desk.Hold(v.AgentLeg, true))
}

func (s *Server) resume(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseTalking)
	if p != nil {
		return nil, p
	}
	return s.byDesk(ctx, c, v, s.desk.Hold(v.AgentLeg, false))
}

type targetIn struct {
	InteractionPath
	Body struct {
		To Target `json:"to"`
	}
}

func (s *Server) transfer(ctx context.Context, c *Caller, in *targetIn) (*afterOut, error) {
	v, p := s.interaction(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	if v.Channel != "" {
		return s.transferChat(ctx, c, v, &in.Body.To)
	}
	if v, p = s.held(c, in.Interaction, acd.PhaseTalking); p != nil {
		return nil, p
	}
	to, p := s.target(&in.Body.To, v.Agent)
	if p != nil {
		return nil, p
	}
	return s.fact(ctx, c, v, &acd.TransferAsked{Leg: v.AgentLeg, To: to})
}

func (s *Server) consult(ctx context.Context, c *Caller, in *targetIn) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseTalking)
	if p != nil {
		return nil, p
	}
	to, p := s.target(&in.Body.To, v.Agent)
	if p != nil {
		return nil, p
	}
	return s.fact(ctx, c, v, &acd.ConsultAsked{Leg: v.AgentLeg, To: to})
}

func (s *Server) swap(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseConsulting)
	if p != nil {
		return nil, p
	}
	if len(v.Offers) > 0 {
		return nil, conflict(codeWrongPhase, "%s has not answered yet", v.Consults)
	}
	return s.fact(ctx, c, v, &acd.ConsultSwapped{Leg: v.AgentLeg})
}

func (s *Server) complete(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseConsulting)
	if p != nil {
		return nil, p
	}
	return s.fact(ctx, c, v, &acd.ConsultDone{Leg: v.AgentLeg, Connect: true})
}

func (s *Server) cancel(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseConsulting)
	if p != nil {
		return nil, p
	}
	return s.fact(ctx, c, v, &acd.ConsultDone{Leg: v.AgentLeg})
}

type parkIn struct {
	InteractionPath
	Body struct {
		Slot string `json:"slot" pattern:"^[0-9]{1,4}$" example:"1"`
	}
}

func (s *Server) park(ctx context.Context, c *Caller, in *parkIn) (*afterOut, error) {
	v, p := s.held(c, in.Interaction, acd.PhaseTalking)
	if p != nil {
		return nil, p
	}
	if err := s.core.Append(ctx, &acd.Parked{Leg: v.AgentLeg, Slot: in.Body.Slot}); err != nil {
		return nil, unavailable(err)
	}
	parked := false
	s.core.View(func(st *acd.State) {
		now, ok := st.Interaction(v.ID)
		parked = ok && now.Slot == in.Body.Slot
	})
	if !parked {
		return nil, conflict(codeSlotTaken, "the slot %s is taken", in.Body.Slot)
	}
	return s.done(ctx, c, v)
}

// offered finds the offer of an interaction that rings at the caller's own phone.
func (s *Server) offered(c *Caller, id uint64) (v acd.InteractionView, o acd.OfferView, p *Problem) {
	if v, p = s.interaction(c, id); p != nil {
		return v, o, p
	}
	for _, o := range v.Offers {
		if c.own(o.Agent) {
			return v, o, nil
		}
	}
	if !c.partOf(&v) && !c.inReach(v.Group) {
		return v, o, forbidden("it does not ring at yours")
	}
	return v, o, conflict(codeNotOffered, "it does not ring at yours")
}

func (s *Server) accept(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, o, p := s.offered(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	if v.Channel != "" {
		return s.acceptChat(ctx, c, v, o)
	}
	return nil, conflict(codePhoneAnswers, "your phone rings: pick it up")
}

func (s *Server) decline(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, o, p := s.offered(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	if v.Channel != "" {
		return s.fact(ctx, c, v, &acd.OfferFailed{Offer: o.ID, Class: acd.FailDeclined})
	}
	return s.byDesk(ctx, c, v, s.desk.Decline(v.Leg, o.ID))
}

// fetchable are the phases in which an interaction can be sent elsewhere.
func fetchable(v *acd.InteractionView) bool {
	switch v.Phase {
	case acd.PhaseQueued, acd.PhaseOffered, acd.PhaseParked, acd.PhaseAsleep:
		return true
	default:
		return false
	}
}

func (s *Server) claim(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	var v acd.InteractionView
	var own acd.AgentView
	var p *Problem
	var chat bool // that is to be theirs at once
	s.core.View(func(st *acd.State) {
		sees := c.look(st)
		var ok bool
		if v, ok = st.Interaction(acd.InteractionID(in.Interaction)); !ok || !sees.interaction(&v) {
			p = notFound("interaction", strconv.FormatUint(in.Interaction, 10))
			return
		}
		chat = v.Channel != "" && st.LetsPickUp(v.Group)
		own, ok = st.Agent(c.Agent)
		switch {
		case c.Agent == "" || !ok:
			p = conflict(codeAgentCannot, "only agents can pick up")
		case !fetchable(&v):
			p = conflict(codeWrongPhase, "it is %s", v.Phase)
		case v.Channel != "" && !c.inReach(v.Group) && !sees.mayPickUp(&v) && !c.partOf(&v):
			p = problem(http.StatusForbidden, codeNotPickedUp, "you do not serve the channel %s, or it lets nobody pick up", v.Channel)
		case v.Channel != "": // the core looks at who may have it
		case v.Phase != acd.PhaseParked && !c.inReach(v.Group) && !sees.mayPickUp(&v):
			p = problem(http.StatusForbidden, codeNotPickedUp, "the group %s lets nobody pick up", v.Group)
		case !own.CanTake && own.Status != acd.Ringing && own.Status != acd.Reserved:
			p = conflict(codeAgentCannot, "you are %s", own.Status)
		}
	})
	if p != nil {
		return nil, p
	}
	ownAct(ctx)
	if chat {
		return s.takeChat(ctx, c, v)
	}
	return s.fact(ctx, c, v, &acd.Moved{Interaction: v.ID, To: acd.Target{Agent: c.Agent}, By: c.Agent})
}

// reached looks at an interaction for those whose rights reach its group.
func (s *Server) reached(c *Caller, id uint64) (v acd.InteractionView, p *Problem) {
	if v, p = s.interaction(c, id); p == nil && !c.inReach(v.Group) {
		p = forbidden("your rights do not reach the group of this interaction")
	}
	return v, p
}

func (s *Server) move(ctx context.Context, c *Caller, in *targetIn) (*afterOut, error) {
	v, p := s.reached(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	to, p := s.target(&in.Body.To, c.Agent)
	switch {
	case p != nil:
		return nil, p
	case !fetchable(&v):
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	}
	return s.fact(ctx, c, v, &acd.Moved{Interaction: v.ID, To: to, By: c.by("")})
}

type priorityIn struct {
	InteractionPath
	Body struct {
		Seconds int `json:"seconds" minimum:"0" maximum:"86400"`
	}
}

func (s *Server) prioritise(ctx context.Context, c *Caller, in *priorityIn) (*afterOut, error) {
	v, p := s.reached(c, in.Interaction)
	switch {
	case p != nil:
		return nil, p
	case v.Phase != acd.PhaseQueued && v.Phase != acd.PhaseOffered:
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	}
	return s.fact(ctx, c, v, &acd.Prioritised{Interaction: v.ID, Credit: time.Duration(in.Body.Seconds) * time.Second, By: c.by("")})
}

package journal

import (
	"cmp"
	"encoding/json"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
)

// page is an interaction that has not ended: its row, and of its other rows how
// many were written and which one is not complete yet.
type page struct {
	Row       Interaction            `json:"row"`
	Visit     *Visit                 `json:"visit,omitempty"`
	Visits    int                    `json:"visits,omitempty"`
	Offers    map[acd.OfferID]*Offer `json:"offers,omitempty"`
	Talk      *Talk                  `json:"talk,omitempty"`
	Talks     int                    `json:"talks,omitempty"`
	Stints    int                    `json:"stints,omitempty"`    // seen of the core's
	Unbridged bool                   `json:"unbridged,omitempty"` // Talk has not begun for the customer
	Hold      *Hold                  `json:"hold,omitempty"`
	Holds     int                    `json:"holds,omitempty"`
	Transfer  *Transfer              `json:"transfer,omitempty"`
	Transfers int                    `json:"transfers,omitempty"`
	Handed    bool                   `json:"handed,omitempty"` // whoever is rung now, it was handed over to
	Via       string                 `json:"via,omitempty"`    // the kind of the offer that was answered last
	Answer    *Answer                `json:"answer,omitempty"` // that the customer of a chat waits for
	Answers   int                    `json:"answers,omitempty"`
	Asleep    Micros                 `json:"asleep,omitempty"` // since when the chat waits for its channel to open
	Agents    []queuegroups.AgentID  `json:"agents,omitempty"` // who called, have it, had it or are being offered it
}

// step writes down what a step of an interaction changes.
func (b *book) step(st acd.Step) {
	if st.Kind == acd.StepArrived {
		b.arrived(st)
	}
	p := b.Pages[st.Interaction]
	if p == nil {
		return
	}
	b.touched = append(b.touched, st.Interaction)
	if st.Group != "" && p.Visit != nil && p.Visit.Group != st.Group {
		b.leave(p, b.passedOn())
		b.enter(p, st.Group)
	}
	switch st.Kind {
	case acd.StepQueued:
		b.queued(p)
	case acd.StepOffer:
		b.offered(p, st, b.offerKind(p, st))
	case acd.StepClaim:
		b.offered(p, st, OfferPickup)
	case acd.StepRinging:
		if o := p.offer(b, st); o.Ringing == 0 {
			o.Ringing = b.now
		}
	case acd.StepOutcome:
		b.outcome(p, st)
	case acd.StepBridged:
		if p.Unbridged {
			b.answered(p)
		}
	case acd.StepHeld:
		if p.Talk != nil && p.Talk.by(st) {
			b.hold(p, HoldHold)
		}
	case acd.StepResumed:
		if p.Hold != nil && p.Hold.Kind == HoldHold && p.Talk.by(st) {
			b.resume(p)
		}
	case acd.StepTransfer:
		b.transfer(p, st)
	case acd.StepConsult:
		b.consult(p, st)
	case acd.StepParked:
		b.settle(p, TransferLeft, "")
		b.handOver(p, TransferParked, st.Agent, st.What)
	case acd.StepRequeue:
		p.Handed = false
		if p.Transfer != nil && p.Transfer.Kind == TransferParked {
			b.settle(p, TransferReturned, st.Why)
		}
	case acd.StepUnanswered:
		p.Row.Unanswered = true
		b.change(p)
	default: // told as an event, and in the story
	}
}

// arrived begins the page.
func (b *book) arrived(st acd.Step) {
	r := Interaction{ID: st.Interaction, Kind: KindCall, Direction: DirectionIn, FirstGroup: st.Group, LastGroup: st.Group, Arrived: b.now}
	switch e := b.event.(type) {
	case *acd.CallArrived:
		r.Trunk, r.Number, r.Caller, r.CallerName, r.CallerAgent = e.Trunk, e.To, e.From.Number, e.From.Name, e.Agent
		r.Node, r.Leg = e.Node, e.Leg
		switch {
		case e.Agent != "" && strings.HasPrefix(e.To, "+"):
			r.Direction = DirectionOut
		case e.Agent != "":
			r.Direction = DirectionInternal
		}
	case *acd.ChatArrived:
		r.Kind, r.Channel, r.Caller, r.CallerName, r.Node, r.Leg = KindChat, e.Channel, e.From.Number, e.From.Name, e.Node, e.Leg
	default:
		return
	}
	p := &page{Row: r}
	b.Pages[r.ID] = p
	b.change(p)
	if r.Kind == KindChat {
		p.Answer = &Answer{Interaction: r.ID, N: 1, Asked: b.now} // it begins with a message
		p.Answers = 1
	}
	if st.Group != "" {
		b.enter(p, st.Group)
		p.Visit.Via = ViaArrived
	}
}

// enter begins a time of waiting for a group.
func (b *book) enter(p *page, g queuegroups.GroupID) {
	p.Visits++
	p.Visit = &Visit{Interaction: p.Row.ID, N: p.Visits, Group: g, Via: b.via(), Entered: b.now}
	b.visits = append(b.visits, visitEvent{p, *p.Visit})
	p.Handed = false
	if p.Row.LastGroup != g {
		b.rows.Regrouped = append(b.rows.Regrouped, p.Row.Arrived)
		p.Row.LastGroup = g
		p.Row.FirstGroup = cmp.Or(p.Row.FirstGroup, g)
		b.change(p)
	}
}

// via is how an interaction comes into a group in this entry.
func (b *book) via() string {
	switch b.event.(type) {
	case *acd.Moved:
		return ViaMoved
	case *acd.TransferAsked, *acd.ConsultDone, *acd.Joined:
		return ViaTransfer
	case *acd.LegEnded, *acd.DeadlinePassed, *acd.NodeLost, *acd.NodeStarted, *acd.DutySet:
		return ViaRequeue
	default:
		return ViaOverflow
	}
}

// passedOn is how it leaves the group before.
func (b *book) passedOn() string {
	if _, ok := b.event.(*acd.Moved); ok {
		return VisitMoved
	}
	return VisitOverflow
}

// leave ends the time of waiting for a group.
func (b *book) leave(p *page, outcome string) {
	if p.Visit == nil {
		return
	}
	if p.Visit.Via == ViaRequeue && outcome == VisitOverflow && p.Visit.Entered == b.now {
		p.Visit.Via = ViaOverflow
	}
	p.Visit.Left, p.Visit.Outcome = b.now, outcome
	b.rows.Visits = append(b.rows.Visits, *p.Visit)
	b.visits = append(b.visits, visitEvent{p, *p.Visit})
	p.Visit = nil
}

// queued notes what the customer could be told when they came to wait.
func (b *book) queued(p *page) {
	if p.Visit == nil || p.Visit.Position != 0 {
		return
	}
	x, ok := b.state.Expect(p.Row.ID, b.state.Now())
	if !ok {
		return
	}
	p.Visit.Position = x.Position
	if a, ok := b.state.AccountOf(p.Row.ID); ok {
		p.Visit.Promised = MicrosOf(a.Promised)
	}
}

// offer finds an offer of the page. Of one that was not told when it was made,
// which is that of a consultation, it begins the row.
func (p *page) offer(b *book, st acd.Step) *Offer {
	o := p.Offers[st.Offer]
	if o == nil {
		o = &Offer{ID: st.Offer, Interaction: p.Row.ID, Group: p.Row.LastGroup, Agent: st.Agent, Kind: OfferConsult, Made: b.now}
		if p.Transfer != nil && p.Transfer.Kind == TransferConsult {
			o.Made = p.Transfer.At
			if st.Agent == "" {
				o.Number = p.Transfer.Target
			}
		}
		p.put(o)
	}
	return o
}

func (p *page) put(o *Offer) {
	if p.Offers == nil {
		p.Offers = map[acd.OfferID]*Offer{}
	}
	p.Offers[o.ID] = o
}

// offered begins the row of an offer.
func (b *book) offered(p *page, st acd.Step, kind string) {
	o := &Offer{ID: st.Offer, Interaction: p.Row.ID, Group: st.Group, Agent: st.Agent, Kind: kind, Made: b.now}
	if st.Agent == "" {
		o.Number = st.What
	}
	p.put(o)
}

func (b *book) offerKind(p *page, st acd.Step) string {
	a, _ := b.state.AccountOf(p.Row.ID) // empty where it ended in this very entry
	personal := st.Agent != "" && a.For == st.Agent
	switch {
	case p.Handed && (personal || st.Agent == ""):
		return OfferTransfer
	case st.Group == "":
		return OfferDirect
	case st.Agent == "":
		return OfferForward
	case personal:
		return OfferKept
	default:
		return OfferOffer
	}
}

// outcome writes an offer down.
func (b *book) outcome(p *page, st acd.Step) {
	o := p.offer(b, st)
	delete(p.Offers, st.Offer)
	o.Ended, o.Outcome, o.Why = b.now, acd.Outcome(st.What), st.Why
	if e, ok := b.event.(*acd.OfferFailed); ok && e.Offer == o.ID {
		o.Code = e.Code
	}
	if o.Outcome == acd.OutcomeAnswered {
		p.Via = o.Kind
	}
	b.rows.Offers = append(b.rows.Offers, *o)
}

// sync compares the page with how the interaction stands.
func (b *book) sync(p *page, a acd.Account) {
	b.sleep(p, a.Phase == acd.PhaseAsleep)
	b.stints(p, a.Stints, a.Phase == acd.PhaseConnecting)
	if p.Visit != nil && p.Visit.Group != a.Group {
		b.leave(p, b.passedOn())
		if a.Group != "" {
			b.enter(p, a.Group)
		}
	}
	waits := a.Phase == acd.PhaseQueued || a.Phase == acd.PhaseOffered || a.Phase == acd.PhaseAsleep
	if p.Visit == nil && p.Talk == nil && waits && a.Group != "" && a.For == "" {
		b.enter(p, a.Group)
	}
}

// finish writes down what is left of an interaction that has ended.
func (b *book) finish(r *acd.Record) {
	p := b.Pages[r.Interaction]
	if p == nil {
		return
	}
	b.unanswered(p)
	b.stints(p, r.Stints, p.Unbridged)
	b.closeTalk(p, b.now)
	b.leave(p, string(r.End))
	outcome := TransferLeft
	if r.End == acd.Missed {
		outcome = TransferFailed
	}
	b.settle(p, outcome, "")
	group := p.Row.LastGroup
	p.Row.end(r)
	if p.Row.LastGroup != group {
		b.rows.Regrouped = append(b.rows.Regrouped, p.Row.Arrived)
	}
	b.change(p)
	delete(b.Pages, r.Interaction)
	steps, err := json.Marshal(r.Steps)
	if err != nil {
		steps = []byte("[]") // cannot be: steps are made of texts and numbers
	}
	b.rows.Decisions = append(b.rows.Decisions, Decision{Interaction: r.Interaction, Steps: steps, Omitted: r.Omitted})
}

// end takes what the record tells of the end.
func (r *Interaction) end(x *acd.Record) {
	r.Ended, r.End, r.Class, r.Unanswered = MicrosOf(x.Ended), x.End, x.Class, x.Unanswered
	r.Node, r.Leg = x.Node, x.Leg
	r.LastGroup = cmp.Or(x.Group, r.LastGroup)
}

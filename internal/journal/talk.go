package journal

import (
	"centrala/acd"
	"centrala/queuegroups"
)

// stints compares the talks with who had the interaction, as the core tells.
func (b *book) stints(p *page, stints []acd.Stint, connecting bool) {
	if len(stints) < p.Stints { // the agent's leg was gone before the bridge: they never talked
		p.Stints = len(stints)
		p.Talk, p.Unbridged = nil, false
	}
	if p.Talk != nil && p.Stints > 0 { // of a call of an agent's own that they hand over it becomes theirs
		p.Talk.Agent, p.Talk.Number = stints[p.Stints-1].Agent, stints[p.Stints-1].Number
	}
	if p.Talk != nil && p.Stints > 0 && !stints[p.Stints-1].To.IsZero() {
		b.closeTalk(p, MicrosOf(stints[p.Stints-1].To))
	}
	for ; p.Stints < len(stints); p.Stints++ {
		x := stints[p.Stints]
		p.Talk = &Talk{Interaction: p.Row.ID, Agent: x.Agent, Number: x.Number, Via: p.Via, Began: MicrosOf(x.From), Group: p.Row.LastGroup}
		p.Unbridged = connecting && p.Stints == len(stints)-1
		if !p.Unbridged {
			b.answered(p)
		}
		if !x.To.IsZero() {
			b.closeTalk(p, MicrosOf(x.To))
		}
	}
}

// answered notes that the customer talks to somebody.
func (b *book) answered(p *page) {
	p.Unbridged = false
	t := p.Talk
	if p.Row.Answered == 0 {
		p.Row.Answered = t.Began
	}
	p.Row.ByAgent, p.Row.ByNumber = t.Agent, t.Number
	b.change(p)
	p.Talks++
	t.N = p.Talks
	if p.Visit != nil {
		p.Visit.Agent = t.Agent
		outcome := VisitAnswered
		if t.Agent == "" {
			outcome = VisitForwarded
		}
		now := b.now
		b.now = t.Began
		b.leave(p, outcome)
		b.now = now
	}
	p.Handed = false
	if p.Transfer != nil {
		b.settle(p, TransferDone, "")
	}
}

// closeTalk writes down that whoever had the interaction does not any more. Who
// never heard the customer had no talk.
func (b *book) closeTalk(p *page, at Micros) {
	if p.Talk == nil {
		return
	}
	t := *p.Talk
	unbridged := p.Unbridged
	b.resume(p)
	t.Held, t.Holds = p.Talk.Held, p.Talk.Holds
	p.Talk, p.Unbridged = nil, false
	if unbridged {
		return
	}
	t.Ended = at
	if t.Agent == "" {
		b.rows.Talks = append(b.rows.Talks, t)
		return
	}
	b.talked(t)
}

// by: the step tells of whoever has the talk.
func (t *Talk) by(st acd.Step) bool {
	return st.Agent == t.Agent && (t.Agent != "" || st.What != "" && st.What == t.Number)
}

// disposed notes what came of the agent's talk, or latest one. Of one that is
// written already the row is brought up to date.
func (b *book) disposed(e *acd.Disposed) {
	if p := b.Pages[e.Interaction]; p != nil && p.Talk != nil && p.Talk.Agent == e.Agent {
		p.Talk.Disposition, p.Talk.Note = e.Code, e.Note
		return
	}
	b.rows.Disposed = append(b.rows.Disposed, Disposed{Interaction: e.Interaction, Agent: e.Agent, Code: e.Code, Note: e.Note})
}

// hold begins a time in which the customer is on hold.
func (b *book) hold(p *page, kind string) {
	if p.Talk == nil || p.Unbridged || p.Hold != nil {
		return
	}
	p.Holds++
	p.Hold = &Hold{Interaction: p.Row.ID, N: p.Holds, Talk: p.Talk.N, Kind: kind, Began: b.now}
}

// resume ends it.
func (b *book) resume(p *page) {
	if p.Hold == nil {
		return
	}
	h := *p.Hold
	p.Hold = nil
	h.Ended = b.now
	b.rows.Holds = append(b.rows.Holds, h)
	if p.Talk != nil {
		p.Talk.Held += int64(h.Ended - h.Began)
		p.Talk.Holds++
	}
}

// handOver notes that an agent, or a supervisor, wants somebody else to have it.
func (b *book) handOver(p *page, kind string, by queuegroups.AgentID, target string) {
	p.Transfers++
	p.Transfer = &Transfer{Interaction: p.Row.ID, N: p.Transfers, At: b.now, Kind: kind, By: by, Target: target}
}

// settle writes down what became of it.
func (b *book) settle(p *page, outcome, why string) {
	if p.Transfer == nil {
		return
	}
	t := *p.Transfer
	p.Transfer = nil
	t.Outcome, t.Why = outcome, why
	b.rows.Transfers = append(b.rows.Transfers, t)
}

// transfer notes where it goes, that it could not be, or that nobody took it.
func (b *book) transfer(p *page, st acd.Step) {
	course, target := st.Course()
	switch {
	case course == acd.CourseFailed:
		b.settle(p, TransferFailed, st.Why)
		p.Handed = false
	case course != acd.CourseTo:
		b.refused(p, st, TransferBlind)
	case p.Transfer != nil && p.Transfer.Kind == TransferConsult:
		b.resume(p)
		p.Transfer.Kind, p.Handed = TransferAttended, true // settled when the colleague has it
	default:
		b.settle(p, TransferOver, "")
		kind, by := TransferBlind, st.Agent
		group := queuegroups.GroupID("")
		switch e := b.event.(type) {
		case *acd.Moved:
			kind, by, group = TransferMoved, e.By, e.To.Group
		case *acd.TransferAsked:
			group = e.To.Group
		case *acd.Joined:
			kind = TransferJoined
		default:
		}
		b.handOver(p, kind, by, target)
		p.Handed = group == ""
		if group != "" {
			b.settle(p, TransferDone, "")
		}
	}
}

// refused writes down what could not be, beside a transfer that goes on.
func (b *book) refused(p *page, st acd.Step, kind string) {
	p.Transfers++
	b.rows.Transfers = append(b.rows.Transfers, Transfer{
		Interaction: p.Row.ID, N: p.Transfers, At: b.now, Kind: kind, By: st.Agent, Outcome: TransferRefused, Why: st.Why,
	})
}

// consult notes how the question goes. While the agent is with the colleague the
// customer is on hold.
func (b *book) consult(p *page, st acd.Step) {
	switch course, target := st.Course(); course {
	case acd.CourseWith:
		b.resume(p)
		b.handOver(p, TransferConsult, st.Agent, target)
		b.hold(p, TransferConsult)
	case acd.CourseNot:
		b.refused(p, st, TransferConsult)
	case acd.CourseAside:
		b.resume(p)
	case acd.CourseAgain:
		b.hold(p, TransferConsult)
	case acd.CourseOver:
		b.resume(p)
		b.settle(p, TransferOver, st.Why)
	case acd.CourseTo, acd.CourseFailed: // of transfers
	}
}

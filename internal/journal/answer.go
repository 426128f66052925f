package journal

import "centrala/acd"

// wrote notes that somebody wrote in a chat. Called before the entry is applied,
// while the state still knows who has the chat. What bots and rules say, and notes,
// are no such facts.
func (b *book) wrote(e *acd.ChatWritten) {
	of, agent, ok := b.state.ChatOf(e.Leg)
	if e.By != "" { // beside the agent
		agent = e.By
	}
	p := b.Pages[of]
	switch {
	case !ok || p == nil:
	case agent == "":
		b.asks(p)
	case p.Answer != nil:
		b.sleep(p, false)
		a := *p.Answer
		a.Agent = agent
		if account, ok := b.state.AccountOf(of); ok {
			a.Group = account.Group
		}
		b.answer(p, a, AnswerWritten)
	}
}

// asks notes that the customer waits for an answer, unless they do already.
func (b *book) asks(p *page) {
	if p.Answer != nil {
		return
	}
	// Of a chat that began before there were such rows, or of whose beginning the
	// record knows nothing, the first answer is not known: this is a later one.
	p.Answers = max(p.Answers, 1) + 1
	p.Answer = &Answer{Interaction: p.Row.ID, N: p.Answers, Asked: b.now}
}

// answer writes down that the waiting for an answer is over.
func (b *book) answer(p *page, a Answer, outcome string) {
	a.Ended, a.Outcome = b.now, outcome
	p.Answer = nil
	b.rows.Answers = append(b.rows.Answers, a)
}

// unanswered writes down that the chat ended without the answer that its customer
// waited for. Called while it is known who has it.
func (b *book) unanswered(p *page) {
	if p.Answer == nil {
		return
	}
	b.sleep(p, false)
	a := *p.Answer
	a.Group = p.Row.LastGroup
	if p.Talk != nil {
		a.Agent = p.Talk.Agent
	}
	b.answer(p, a, AnswerLeft)
}

// sleep notes whether the chat waits for its channel to open: nobody is late with
// an answer meanwhile.
func (b *book) sleep(p *page, asleep bool) {
	switch {
	case asleep && p.Asleep == 0:
		p.Asleep = b.now
	case !asleep && p.Asleep != 0:
		if p.Answer != nil {
			p.Answer.Asleep += int64(b.now - max(p.Asleep, p.Answer.Asked))
		}
		p.Asleep = 0
	}
}

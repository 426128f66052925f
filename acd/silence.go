package acd

// armSilence sets when a chat that an agent has is closed unless somebody writes
// (R67), if its channel wants that. One that waits for an agent is never closed so:
// the customer has waited long enough already.
func (s *State) armSilence(i *interaction) {
	id := i.deadline(deadlineSilence)
	if i.phase == PhaseTalking && i.group.chat.AutoClose > 0 {
		s.deadlines.arm(id, s.now.after(i.group.chat.AutoClose))
		return
	}
	s.deadlines.disarm(id)
}

// silent says how a chat ends in which nobody writes any more: whose turn it was
// has been silent; what nobody ever took has been missed.
func (i *interaction) silent() EndKind {
	switch {
	case i.phase == PhaseClosing:
		return i.closedBy
	case i.answered == 0:
		return Missed
	case i.lastBy == wroteCustomer:
		return CompletedByAgentSilence
	}
	return CompletedByCustomerSilence
}

// expired: nobody has written for too long (R30).
func (s *State) expired(i *interaction) {
	end := i.silent()
	if i.phase != PhaseClosing { // they were told then
		s.tell(i, NoticeEnded)
	}
	s.finish(i, end, "auto_expire", RejectUnavailable)
}

// autoClose: nobody has written for as long as the channel lets a conversation be
// silent (R67). The chat is closed as its agent would have closed it, with a text of
// its own.
func (s *State) autoClose(i *interaction) {
	i.closedBy = i.silent()
	s.tell(i, NoticeAutoClosed)
	s.close(i, "auto_close")
}

// close ends a chat that an agent has: at once, or it awaits its rating, or another
// message, for a while, if the channel wants that (R66).
func (s *State) close(i *interaction, why string) {
	if i.group.chat.CloseDelay <= 0 {
		s.finish(i, i.closedBy, why, RejectUnavailable)
		return
	}
	s.handled(i)
	s.become(i, PhaseClosing)
	s.step(i, Step{Kind: StepClosing, What: string(i.closedBy), Why: why})
	s.deadlines.arm(i.deadline(deadlineClosing), s.now.after(i.group.chat.CloseDelay))
	s.startWrapUp(i.agent, i)
	s.recountChat(i)
	s.refresh(i.agent, "chat closed")
}

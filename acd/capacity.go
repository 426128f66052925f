package acd

import "centrala/queuegroups"

// maxDialogs is how many open chats an agent can have at all (R44).
const maxDialogs = 1000

// load is how much of what the agent has in hand counts (R47).
func (a *agent) load() int { return a.calls + a.chats }

// room: the agent's limits leave room for one more interaction of the group. One
// budget holds over calls and chats (R45, R48d); the limits of chats hold only
// where somebody is chosen, not where all are asked (R46).
func (a *agent) room(g *group) bool {
	limit := a.def.Capacity
	if !g.isChat() {
		return a.calls < limit.Voice && !(limit.NoCallsDuringChat && a.open > 0)
	}
	switch {
	case a.open >= maxDialogs, a.calls > 0 && !limit.ChatsDuringCall:
		return false
	case g.def.Distribution == queuegroups.All:
		return true
	}
	return a.chats < limit.Chat && (g.chat.Limit == 0 || a.chatsIn[g.def.ID] < g.chat.Limit)
}

// chatsLeft is how many chats more the agent may be offered now, in the channels
// that list them: as many as their capacity leaves, if any channel has room.
func (a *agent) chatsLeft() int {
	for _, t := range a.seats {
		if t.group.isChat() && t.eligible() {
			return max(min(a.def.Capacity.Chat-a.chats, maxDialogs-a.open), 0)
		}
	}
	return 0
}

// hold counts what the agent takes in hand, or is rid of: n is 1 or -1.
func (a *agent) hold(g queuegroups.GroupID, chat bool, n int) {
	if !chat {
		a.calls += n
		return
	}
	a.open += n
	a.tally(g, n)
}

// tally counts a chat against the agent's limits, or does not any more.
func (a *agent) tally(g queuegroups.GroupID, n int) {
	a.chats += n
	if a.chatsIn == nil {
		a.chatsIn = map[queuegroups.GroupID]int{}
	}
	if a.chatsIn[g] += n; a.chatsIn[g] == 0 {
		delete(a.chatsIn, g)
	}
}

// excluded: the chat counts against no limit (R47).
func (i *interaction) excluded() bool {
	if !i.group.isChat() {
		return false
	}
	closing := i.phase == PhaseClosing
	for _, e := range i.group.chat.Exclude {
		switch e {
		case queuegroups.ExcludeAnswered, queuegroups.ExcludeClosed: // whoever has it has answered it
			if closing {
				return true
			}
		case queuegroups.ExcludeWaiting:
			if closing || i.lastBy == wroteAgent {
				return true
			}
		}
	}
	return false
}

// restFromChats leaves the agent alone with chats after an offer of one that they
// did not want, or that could not be shown to them. One that they only let pass is
// in other hands by then.
func (s *State) restFromChats(a *agent, g *group, class FailureClass) {
	if class == FailNoAnswer {
		return
	}
	a.chatRest = class
	s.deadlines.arm(DeadlineID{Kind: deadlineChatRest, Name: string(a.def.ID)}, s.now.after(max(g.backOff(class), minRest)))
}

// endChatRest has the agent be offered chats again.
func (s *State) endChatRest(a *agent) {
	a.chatRest = ""
	s.deadlines.disarm(DeadlineID{Kind: deadlineChatRest, Name: string(a.def.ID)})
}

// recountChat counts the chat against its agent's limits, or not, as it stands.
func (s *State) recountChat(i *interaction) {
	l := i.other
	if l == nil || !l.slot || !l.chat {
		return
	}
	out, quiet := i.excluded(), i.phase == PhaseClosing
	if out == l.excluded && quiet == l.quiet {
		return
	}
	if out != l.excluded {
		l.excluded = out
		l.agent.tally(l.group, sign(!out))
	}
	l.quiet = quiet
	s.refresh(l.agent, "chats counted")
}

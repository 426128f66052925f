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

// recountChat counts the chat against its agent's limits, or not, as it stands.
func (s *State) recountChat(i *interaction) {
	l := i.other
	if l == nil || !l.slot || !l.chat {
		return
	}
	if out := i.excluded(); out != l.excluded {
		l.excluded = out
		l.agent.tally(l.group, sign(!out))
		s.refresh(l.agent, "chats counted")
	}
}

package acd

import (
	"slices"

	"centrala/queuegroups"
)

// applyChatJoined: somebody of the staff writes in a chat beside the agent who has
// it, or does no longer. Nothing is decided by it: the agent stays the only owner
// (P4, P16), and whoever joined takes no slot of their own. They are in it until
// they leave, come to have it themselves, or it ends.
func (s *State) applyChatJoined(e *ChatJoined) {
	i, l := s.chatOf(e.Leg)
	if i == nil || l != i.caller || e.By == "" || slices.Contains(i.beside, e.By) == !e.Left || !e.Left && !i.mayJoin(e.By) {
		s.counters.Late++
		return
	}
	if e.Left {
		s.parts(i, e.By)
		return
	}
	i.beside = append(i.beside, e.By)
	s.step(i, Step{Kind: StepJoined, What: string(e.By)})
}

// mayJoin: somebody else has the chat.
func (i *interaction) mayJoin(who queuegroups.AgentID) bool {
	return i.agent != nil && i.agent.def.ID != who && len(i.beside) < besideMax
}

// besideMax is how many may write in a chat beside its agent.
const besideMax = 8

// parts has somebody who joined a chat leave it, if they are in it.
func (s *State) parts(i *interaction, who queuegroups.AgentID) {
	at := slices.Index(i.beside, who)
	if at < 0 {
		return
	}
	i.beside = slices.Delete(i.beside, at, at+1)
	s.step(i, Step{Kind: StepParted, What: string(who)})
}

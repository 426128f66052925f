package app

import (
	"centrala/acd"
	"centrala/chat"
)

// archive ends the chats of channels that are not declared any more (R9).
func (c *chats) archive() {
	c.Archive(func(channel string) bool {
		_, declared := (*c.channels.Load())[channel]
		return declared
	})
}

// Taken implements web.ChatCards: what the core knows of who took a chat is noted, if it was not before.
func (c *chats) Taken(id chat.SessionID) {
	var steps []acd.Step
	c.facts(func(s *acd.State) {
		if of, _, _, known := s.LegOf(acd.LegID(id)); known {
			v, _ := s.Interaction(of)
			steps = v.Steps
		}
	})
	c.Hub.Accepted(id, func(x chat.Session) (list []chat.Take) {
		handedOver, agents := false, c.agents.Load()
		// One who is not declared any more is responsible for nobody.
		gone := x.Responsible != "" && agents != nil && !(*agents)[x.Responsible]
		for _, st := range steps {
			switch course, _ := st.Course(); {
			case st.Kind == acd.StepTransfer && course == acd.CourseTo:
				handedOver = true
			case st.Kind == acd.StepOutcome && st.What == string(acd.OutcomeAnswered):
				list = append(list, chat.Take{Index: st.Index, Agent: string(st.Agent), Anew: gone || handedOver && (*c.channels.Load())[x.Channel].transfers})
			}
		}
		return list
	})
}

// retake notes who took the chats that are under way: the server may have ended before it could.
func (c *chats) retake() {
	var list []chat.SessionID
	c.facts(func(s *acd.State) {
		for v := range s.Underway(0) {
			if v.Channel != "" {
				list = append(list, chat.SessionID(v.Leg))
			}
		}
	})
	for _, id := range list {
		c.Taken(id)
	}
}

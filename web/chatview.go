package web

import (
	"cmp"
	"context"
	"slices"

	"centrala/acd"
	"centrala/chat"
)

// Trouble is a message that did not get to the customer.
type Trouble struct {
	Seq    int64  `json:"seq"`
	Status string `json:"status" enum:"failed,delayed" doc:"delayed: it could not be handed over yet, and is tried again, for a day."`
	Reason string `json:"reason,omitempty" doc:"Why it failed."`
}

// keptChat is what is kept of a chat.
type keptChat struct {
	name         string // the customer's
	conversation chat.Conversation
	troubles     []chat.Trouble
}

func (s *Server) keptOf(ctx context.Context, leg acd.LegID) (k keptChat, err error) {
	x, err := s.chats.Session(ctx, chat.SessionID(leg))
	if err == nil {
		k.conversation, err = s.chats.Conversation(ctx, x.Conversation)
	}
	if err == nil {
		k.troubles, err = s.chats.Troubles(ctx, x.Conversation, x.First)
	}
	k.name = cmp.Or(x.Name, x.Customer)
	return k, err
}

// viewChat is a chat of the calling agent's.
func (s *Server) viewChat(c *Caller, v acd.InteractionView, k keptChat) Chat {
	x, troubles := &k.conversation, []Trouble{}
	for _, m := range k.troubles {
		status := "delayed"
		if m.Failed {
			status = "failed"
		}
		troubles = append(troubles, Trouble{m.Seq, status, m.Reason})
	}
	var beside []string
	for _, w := range s.chats.Typed(x.ID, chat.ByAgent) {
		if w.Name != string(c.self()) {
			beside = append(beside, w.Name)
		}
	}
	return Chat{
		Interaction: viewInteraction(v), Conversation: x.ID, Offered: !c.own(v.Agent), Customer: k.name,
		Seq: x.Seq, ReadAgent: x.ReadAgent, ReadCustomer: x.ReadCustomer,
		Typing: len(s.chats.Typed(x.ID, chat.ByCustomer)) > 0, Beside: beside, Verified: x.Verified, Blocked: x.Blocked, Troubles: troubles,
		Email: x.Contact.Details.Email, Phone: x.Contact.Details.Phone,
	}
}

// theirChat tells whether an interaction is a chat that the caller has or is offered.
func (c *Caller) theirChat(v *acd.InteractionView) bool {
	return v.Channel != "" && (c.own(v.Agent) || slices.ContainsFunc(v.Offers, func(o acd.OfferView) bool { return c.own(o.Agent) }))
}

package app

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/chat"
	"centrala/chat/hub"
	"centrala/chat/widget"
	"centrala/internal/switchboard"
	"centrala/queuegroups"
)

// newWindow makes what serves the chat windows on websites.
func (c *chats) newWindow(realm func() string, log zerolog.Logger) *widget.Server {
	return widget.New(widget.Options{
		Store: c.Store, Hub: c.Hub, Log: log, Standing: c.standing, Agent: c.agentName,
		Channel: func(name string) *widget.Channel { return (*c.channels.Load())[name].widget },
		Wrong:   func(err error) bool { return errors.Is(err, hub.ErrUnread) },
		Realm:   realm,
	})
}

// Read notes up to which message somebody has read, and tells who watches the conversation.
func (c *chats) Read(ctx context.Context, conversation int64, by chat.Author, seq int64) error {
	err := c.Store.Read(ctx, conversation, by, seq)
	if err == nil {
		c.Touch(conversation)
	}
	return err
}

// window is what a channel says of its windows.
func window(config *queuegroups.Config, d *queuegroups.Channel) *widget.Channel {
	w := d.Widget
	hours := config.HoursOf(d.Hours)
	return &widget.Channel{
		Name: d.Name, Origins: w.Origins, Language: w.Language, Color: w.Color, Form: w.Form, Consent: widget.Text(w.Consent),
		Secret: []byte(d.Secret.Value()), Identified: w.IdentityNeeded, FileMax: w.AttachmentBytes, Rating: w.Rating, RatingCloses: w.RatingCloses, Calls: w.Call != "",
		Hours: func(at time.Time) (open bool, change time.Time) {
			if hours == nil {
				return true, change
			}
			if at, ok := hours.Next(at); ok {
				change = at
			}
			return hours.Open(at), change
		},
	}
}

// visit is what a visitor who calls wants: the agent who has their chat, by the channel's number.
func (c *chats) visit(guest string) (v switchboard.Visit, ok bool) {
	x, ok := c.window.Visit(guest)
	if !ok {
		return v, false
	}
	v.From = acd.Party{Number: x.Customer, Name: x.Name}
	c.facts(func(s *acd.State) {
		if config := s.Config(); config != nil {
			if d := config.Channel(queuegroups.ChannelID(x.Channel)); d != nil && d.Widget != nil {
				v.Number = d.Widget.Call
			}
		}
		if of, _, _, known := s.LegOf(acd.LegID(x.Session)); known {
			if i, known := s.Interaction(of); known {
				v.Agent = i.Agent
			}
		}
	})
	return v, v.Number != ""
}

// guest tells whether somebody is a visitor who may call.
func (c *chats) guest(user string) bool {
	_, ok := c.window.Visit(user)
	return ok
}

// agentName is the name of an agent that customers see (R68).
func (c *chats) agentName(id string) (name string) {
	c.facts(func(s *acd.State) {
		if config := s.Config(); config != nil {
			if a := config.Agent(queuegroups.AgentID(id)); a != nil {
				name = a.Name
			}
		}
	})
	return name
}

// standing tells how a session stands in the core.
func (c *chats) standing(id chat.SessionID) (x widget.Standing, ok bool) {
	agent := ""
	c.facts(func(s *acd.State) {
		of, _, _, known := s.LegOf(acd.LegID(id))
		if !known {
			return
		}
		v, known := s.Interaction(of)
		if !known {
			return
		}
		ok, agent = true, string(v.Agent)
		switch v.Phase {
		case acd.PhaseTalking:
			x.Phase = widget.PhaseActive
		case acd.PhaseClosing:
			x.Phase = widget.PhaseClosing
		case acd.PhaseAsleep:
			x.Phase = widget.PhaseAsleep
		default:
			x.Phase = widget.PhaseWaiting
		}
		if e, ok := s.Expect(of, time.Now()); ok {
			x.Position = e.Position
			if e.Known {
				x.Wait = e.Wait
			}
		}
	})
	if agent != "" {
		x.Agent = c.agentName(agent)
	}
	return x, ok
}

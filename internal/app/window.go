package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	o := widget.Options{
		Store: c.Store, Hub: c.Hub, Outage: c.outage, Log: log, Standing: c.standing, Face: c.face, Picture: c.picture,
		Channel: func(name string) *widget.Channel { return (*c.channels.Load())[name].widget },
		Wrong:   func(err error) bool { return errors.Is(err, hub.ErrUnread) },
		Realm:   realm,
	}
	if c.postman != nil {
		o.Post, o.Posts = c.postman.sender.ID, c.postman.wake
	}
	return widget.New(o)
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
			if i, known := s.Brief(of); known {
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

// face is what a channel's customers see of somebody who writes to them (R68).
func (c *chats) face(name, id string) widget.Face {
	x := (*c.channels.Load())[name]
	if x.config == nil {
		return widget.Face{}
	}
	d := x.config.Channel(queuegroups.ChannelID(name))
	f := x.config.FaceOf(d, queuegroups.AgentID(id))
	if f.Name == "" {
		return widget.Face{Name: d.Name, Channel: true}
	}
	return widget.Face{Name: f.Name, Title: f.Title, Picture: f.Picture.Sum}
}

// picture is one of the pictures that a channel's customers see.
func (c *chats) picture(name, id string) (kind string, data []byte, ok bool) {
	p, ok := (*c.channels.Load())[name].pictures[id]
	return p.Type, p.Data, ok
}

// named is what a channel's customers see of an agent in words.
func named(config *queuegroups.Config, d *queuegroups.Channel) func(agent string) (name, title string) {
	channel := config.Channel(d.ID)
	return func(agent string) (name, title string) {
		f := config.FaceOf(channel, queuegroups.AgentID(agent))
		return cmp.Or(f.Name, channel.Name), f.Title
	}
}

// pictures are those that customers of a channel see of agents, by their ids.
func pictures(config *queuegroups.Config, d *queuegroups.Channel) map[string]queuegroups.Picture {
	all := map[string]queuegroups.Picture{}
	for i := range config.Agents {
		if p := config.FaceOf(d, config.Agents[i].ID).Picture; p.Sum != "" {
			all[p.Sum] = p
		}
	}
	return all
}

// standingAtOnce is how many sessions are looked at between two entries of the log.
const standingAtOnce = 256

// standing tells of sessions how they stand in the core, by their places in the list; of
// those that it does not know it tells nothing.
func (c *chats) standing(ids []chat.SessionID, tell func(n int, x widget.Standing)) {
	at, n := time.Now(), 0
	for part := range slices.Chunk(ids, standingAtOnce) {
		c.facts(func(s *acd.State) {
			look := s.Lookout()
			for _, id := range part {
				if of, _, _, known := s.LegOf(acd.LegID(id)); known {
					if v, known := s.Brief(of); known {
						tell(n, stands(&v, look, at))
					}
				}
				n++
			}
		})
	}
}

// stands is how the session of a chat stands.
func stands(v *acd.InteractionView, look *acd.Lookout, at time.Time) (x widget.Standing) {
	x.Agent = string(v.Agent)
	for _, who := range v.Beside {
		x.Beside += string(who) + "\n"
	}
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
	if e, ok := look.Expect(v.ID, at); ok {
		x.Position = e.Position
		if e.Known {
			x.Wait = e.Wait
		}
	}
	return x
}

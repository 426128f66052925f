package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"centrala/acd"
	"centrala/chat"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// ChatDesk is what agents have at hand for chats, and what is thought of them.
type ChatDesk interface {
	Canned(ctx context.Context, channel string) ([]chat.Canned, error)
	CannedAnswer(ctx context.Context, channel string, id int64) (chat.Canned, error)
	AddCanned(ctx context.Context, c chat.Canned) (chat.Canned, error)
	RemoveCanned(ctx context.Context, id int64) error
	// Rate keeps a rating of a session (R73); by the same again it takes the place of the one before.
	Rate(ctx context.Context, r chat.Rating) error
}

func (s *Server) cannedRoutes() {
	read, write := Needs(queuegroups.RightInteractionsRead), Needs(queuegroups.RightInteractionsWrite)
	const path = "/channels/{channel}/canned"
	Operation(s, read, Route{
		ID: "list-canned", Method: http.MethodGet, Path: path, Tag: "chats", Summary: "Canned answers of a channel",
		Description: "By group, in each by text. For those who serve the channel or whose rights reach it.",
	}, s.listCanned)
	Operation(s, write, Route{
		ID: "add-canned", Method: http.MethodPost, Path: path, Tag: "chats", Summary: "Save a canned answer",
		Description: "The same text in the same group again is the same answer. A channel has at most 500.",
	}, s.addCanned)
	Operation(s, write, Route{
		ID: "remove-canned", Method: http.MethodDelete, Path: path + "/{canned}", Tag: "chats", Summary: "Remove a canned answer",
		Description: "One's own; of others, those whose rights reach the channel.",
	}, s.removeCanned)
	Operation(s, write, Route{
		ID: "rate-chat", Method: http.MethodPost, Path: "/interactions/{interaction}/rating", Tag: "chats", Summary: "Rate how a chat is or was served",
		Description: "For those whose rights reach its channel, and who do not have it themselves, nor had it last. One that has ended needs history:read, too, and is rated as long as it is kept. " +
			"The same person's later rating takes the place of the earlier one.",
	}, s.rateChat)
}

// Canned is a canned answer.
type Canned struct {
	ID    int64     `json:"id"`
	Group string    `json:"group,omitempty" doc:"Under which it is listed."`
	Text  string    `json:"text" doc:"Plain text."`
	By    string    `json:"by" doc:"Who saved it."`
	At    time.Time `json:"at"`
}

func viewCanned(x chat.Canned) Canned {
	return Canned{ID: x.ID, Group: x.Group, Text: x.Text, By: x.By, At: x.At}
}

// ChannelPath names a channel.
type ChannelPath struct {
	Channel string `path:"channel" maxLength:"64"`
}

type cannedListOut struct {
	Body struct {
		Items []Canned `json:"items" nullable:"false"`
	}
}

// servesChannel tells whether the caller serves a channel or their rights reach it.
func (s *Server) servesChannel(c *Caller, channel string) (p *Problem) {
	s.core.View(func(st *acd.State) {
		g := acd.ChannelGroup(queuegroups.ChannelID(channel))
		if st.Config().Channel(queuegroups.ChannelID(channel)) == nil || !c.look(st).group(g) {
			p = notFound("channel", channel)
		}
	})
	return p
}

func (s *Server) listCanned(ctx context.Context, c *Caller, in *ChannelPath) (*cannedListOut, error) {
	if p := s.servesChannel(c, in.Channel); p != nil {
		return nil, p
	}
	list, err := s.chats.Canned(ctx, in.Channel)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &cannedListOut{}
	out.Body.Items = []Canned{}
	for _, x := range list {
		out.Body.Items = append(out.Body.Items, viewCanned(x))
	}
	return out, nil
}

type cannedIn struct {
	ChannelPath
	Body struct {
		Group string `json:"group,omitempty" maxLength:"80" example:"Delivery"`
		Text  string `json:"text" minLength:"1" maxLength:"4096" example:"Parcels take two days."`
	}
}

type cannedOut struct{ Body Canned }

func (s *Server) addCanned(ctx context.Context, c *Caller, in *cannedIn) (*cannedOut, error) {
	if p := s.servesChannel(c, in.Channel); p != nil {
		return nil, p
	}
	text, group := strings.TrimSpace(in.Body.Text), strings.TrimSpace(in.Body.Group)
	switch {
	case text == "" || len(text) > chat.CannedTextMax || strings.ContainsRune(text, 0):
		return nil, invalid("body.text", "1 to %d bytes of text", chat.CannedTextMax)
	case len(group) > chat.CannedGroupMax || strings.ContainsFunc(group, func(r rune) bool { return r < ' ' }):
		return nil, invalid("body.group", "one line of at most %d bytes", chat.CannedGroupMax)
	}
	x, err := s.chats.AddCanned(ctx, chat.Canned{Channel: in.Channel, Group: group, Text: text, By: c.Name})
	switch {
	case errors.Is(err, chat.ErrFull):
		return nil, conflict(codeFull, "the channel has %d canned answers, and no room for more", chat.CannedMost)
	case err != nil:
		return nil, unavailable(err)
	}
	changed(ctx, "channels/"+in.Channel+"/canned/"+strconv.FormatInt(x.ID, 10), nil, map[string]string{"group": x.Group, "text": x.Text})
	return &cannedOut{viewCanned(x)}, nil
}

type cannedPath struct {
	ChannelPath
	Canned int64 `path:"canned"`
}

func (s *Server) removeCanned(ctx context.Context, c *Caller, in *cannedPath) (*nothingOut, error) {
	if p := s.servesChannel(c, in.Channel); p != nil {
		return nil, p
	}
	x, err := s.chats.CannedAnswer(ctx, in.Channel, in.Canned)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return nil, notFound("canned answer", strconv.FormatInt(in.Canned, 10))
	case err != nil:
		return nil, unavailable(err)
	case x.By != c.Name && !c.inReach(acd.ChannelGroup(queuegroups.ChannelID(in.Channel))):
		return nil, forbidden("it is somebody else's")
	}
	if err := s.chats.RemoveCanned(ctx, x.ID); err != nil {
		return nil, unavailable(err)
	}
	changed(ctx, "channels/"+in.Channel+"/canned/"+strconv.FormatInt(x.ID, 10), map[string]string{"group": x.Group, "text": x.Text}, nil)
	return &nothingOut{}, nil
}

type ratingIn struct {
	InteractionPath
	Body struct {
		Score   int    `json:"score" minimum:"1" maximum:"5"`
		Comment string `json:"comment,omitempty" maxLength:"2000"`
	}
}

func (s *Server) rateChat(ctx context.Context, c *Caller, in *ratingIn) (*nothingOut, error) {
	session, p := s.toRate(ctx, c, in.Interaction)
	if p != nil {
		return nil, p
	}
	err := s.chats.Rate(ctx, chat.Rating{Session: session, Who: ratedBy + c.Name, Score: in.Body.Score, Comment: in.Body.Comment})
	switch {
	case errors.Is(err, chat.ErrNotFound): // it is in the record, and what was written is kept no longer
		return nil, notFound("chat", number(in.Interaction))
	case err != nil:
		return nil, chatProblem(err)
	}
	changed(ctx, "interactions/"+number(in.Interaction)+"/rating", nil, map[string]string{"score": strconv.Itoa(in.Body.Score)})
	return &nothingOut{}, nil
}

// toRate finds the session of a chat that the caller may rate: one that goes on, or one in the record.
func (s *Server) toRate(ctx context.Context, c *Caller, id uint64) (chat.SessionID, *Problem) {
	v, _, p := s.chat(ctx, c, id)
	leg, own, reached := v.Leg, c.own(v.Agent), c.inReach(v.Group)
	if p != nil && p.Status == http.StatusNotFound && c.Role.Has(queuegroups.RightHistoryRead) {
		var f *journal.Facts
		if f, p = s.pastChat(ctx, c, id); p == nil {
			leg, own, reached = f.Leg, c.own(f.ByAgent), c.reachesPast(f)
		}
	}
	switch {
	case p != nil:
		return "", p
	case own || !reached:
		return "", forbidden("you do not rate this chat")
	}
	return chat.SessionID(leg), nil
}

// ratedBy goes before the names of supervisors who rate, so that none of them is the customer.
const ratedBy = "user:"

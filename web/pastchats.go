package web

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"centrala/acd"
	"centrala/chat"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// PastChats are chats as they are kept, those that have ended among them.
type PastChats interface {
	// MessagesOf are those of a session after one numbered, in order; more: others follow.
	MessagesOf(ctx context.Context, id chat.SessionID, seq int64, limit int) (list []chat.Message, more bool, err error)
	Ratings(ctx context.Context, id chat.SessionID) ([]chat.Rating, error)
	// AttachmentOf is a file of one of the session's messages, or chat.ErrNotFound.
	AttachmentOf(ctx context.Context, id chat.SessionID, attachment string) (chat.Attachment, *os.File, error)
}

func (s *Server) pastChatRoutes() {
	read := Needs(queuegroups.RightHistoryRead)
	Operation(s, read, Route{
		ID: "get-history-chat", Method: http.MethodGet, Path: "/history/{interaction}/chat", Tag: "history",
		Summary: "What was written in a chat, and what was thought of it", Description: "Of this one chat, by number, notes included. It may go on.",
	}, s.getPastChat)
	Operation(s, read, Route{
		ID: "get-history-attachment", Method: http.MethodGet, Path: "/history/{interaction}/attachments/{attachment}", Tag: "history", Export: true,
		Summary: "A file of a chat", Description: "Of a message of this one chat, to be kept: what might run is never sent as what it is. It is noted in the audit log.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The file.", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, s.getPastAttachment)
	Operation(s, read, Route{
		ID: "list-history-contacts", Method: http.MethodGet, Path: "/history/{interaction}/contacts", Tag: "history",
		Summary: "Other calls and chats with the same customer", Description: "Up to the end of this one, the newest first, at most 20, those made to them included: of the groups that the caller serves or that are in their reach. " +
			"Those in other channels, too, where somebody vouches that it is the same customer.",
	}, s.listPastContacts)
}

// PastChat is what is kept of a chat beside what happened to it.
type PastChat struct {
	Conversation int64     `json:"conversation"`
	Customer     string    `json:"customer" doc:"The customer's name; if they gave none, their identity in the channel."`
	Blocked      bool      `json:"blocked" doc:"The customer lets no message through now."`
	Items        []Message `json:"items" nullable:"false"`
	More         bool      `json:"more" doc:"Others follow: ask for those after the last."`
	Ratings      []Rating  `json:"ratings" nullable:"false" doc:"The oldest first."`
}

// Rating is what somebody thinks of how a chat was served.
type Rating struct {
	By      string    `json:"by,omitempty" doc:"The supervisor. Left out: the customer."`
	Score   int       `json:"score" doc:"1 to 5."`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

type pastChatIn struct {
	InteractionPath
	After int64 `query:"after" minimum:"0" doc:"Messages after the one with this number."`
	Limit int   `query:"limit" minimum:"1" maximum:"200" default:"200"`
}

type pastChatOut struct{ Body PastChat }

// past looks at what is in the record of an interaction that the caller may see.
func (s *Server) past(ctx context.Context, c *Caller, id uint64) (*journal.Facts, *Problem) {
	gone := notFound("interaction", strconv.FormatUint(id, 10))
	if id > 1<<63-1 {
		return nil, gone
	}
	f, err := s.record.Facts(ctx, acd.InteractionID(id))
	switch {
	case err != nil:
		return nil, unavailable(err)
	case f == nil || !c.seesPast(f):
		return nil, gone
	}
	return f, nil
}

// pastChat is past of a chat.
func (s *Server) pastChat(ctx context.Context, c *Caller, id uint64) (*journal.Facts, *Problem) {
	f, p := s.past(ctx, c, id)
	if p == nil && f.Kind != "chat" {
		return nil, conflict(codeOnlyForChats, "this is for chats")
	}
	return f, p
}

func (s *Server) getPastChat(ctx context.Context, c *Caller, in *pastChatIn) (*pastChatOut, error) {
	f, p := s.pastChat(ctx, c, in.Interaction)
	if p != nil {
		return nil, p
	}
	id := chat.SessionID(f.Leg)
	x, err := s.chats.Session(ctx, id)
	if errors.Is(err, chat.ErrNotFound) { // what is too old, or was erased
		return nil, notFound("chat", number(f.ID))
	}
	var conversation chat.Conversation
	if err == nil {
		conversation, err = s.chats.Conversation(ctx, x.Conversation)
	}
	var list []chat.Message
	var ratings []chat.Rating
	out := &pastChatOut{PastChat{Conversation: x.Conversation, Customer: x.Name, Blocked: conversation.Blocked, Items: []Message{}, Ratings: []Rating{}}}
	if err == nil {
		list, out.Body.More, err = s.chats.MessagesOf(ctx, id, in.After, in.Limit)
	}
	if err == nil {
		ratings, err = s.chats.Ratings(ctx, id)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if x.Name == "" {
		out.Body.Customer = x.Customer
	}
	for _, m := range list {
		out.Body.Items = append(out.Body.Items, viewMessage(m))
	}
	for _, r := range ratings {
		if r.Who == string(chat.ByCustomer) {
			r.Who = ""
		}
		out.Body.Ratings = append(out.Body.Ratings, Rating{strings.TrimPrefix(r.Who, ratedBy), r.Score, r.Comment, r.At})
	}
	return out, nil
}

type pastAttachmentIn struct {
	InteractionPath
	Attachment string `path:"attachment" maxLength:"64"`
}

func (s *Server) getPastAttachment(ctx context.Context, c *Caller, in *pastAttachmentIn) (*huma.StreamResponse, error) {
	f, p := s.pastChat(ctx, c, in.Interaction)
	if p != nil {
		return nil, p
	}
	a, file, err := s.chats.AttachmentOf(ctx, chat.SessionID(f.Leg), in.Attachment)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		return nil, notFound("attachment", in.Attachment)
	case err != nil:
		return nil, unavailable(err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer file.Close()
		r, w := humago.Unwrap(hc)
		a.Send(w, r, file)
	}}, nil
}

// PastContact is another call or chat with a customer.
type PastContact struct {
	Contact
	Together bool `json:"together" doc:"It went on at the same time: a chat that became a call, and the call."`
}

type pastContactsOut struct {
	Body struct {
		Items []PastContact `json:"items" nullable:"false"`
	}
}

// pastContactsMost is how many of them are listed.
const pastContactsMost = 20

func (s *Server) listPastContacts(ctx context.Context, c *Caller, in *InteractionPath) (*pastContactsOut, error) {
	f, p := s.past(ctx, c, in.Interaction)
	if p != nil {
		return nil, p
	}
	out := &pastContactsOut{}
	out.Body.Items = []PastContact{}
	customer := f.Caller
	if f.Direction == "out" {
		customer = f.Number
	}
	if customer == "" || f.Direction == "internal" {
		return out, nil
	}
	names, err := s.chats.Known(ctx, chat.SessionID(f.Leg), customer)
	if err != nil {
		return nil, unavailable(err)
	}
	rows, err := s.record.Contacts(ctx, journal.Filter{Caller: customer, Parties: names, To: f.Ended, Groups: s.groupsOf(c), Limit: pastContactsMost + 1})
	if err != nil {
		return nil, unavailable(err)
	}
	for i := range rows {
		x := &rows[i]
		if x.ID == f.ID || len(out.Body.Items) == pastContactsMost {
			continue
		}
		over := x.Ended != 0 && x.Ended < f.Arrived || f.Ended != 0 && f.Ended < x.Arrived
		out.Body.Items = append(out.Body.Items, PastContact{viewContact(x), !over && x.Kind != f.Kind})
	}
	slices.SortStableFunc(out.Body.Items, func(a, b PastContact) int { // those of the same time first
		switch {
		case a.Together == b.Together:
			return 0
		case a.Together:
			return -1
		}
		return 1
	})
	return out, nil
}

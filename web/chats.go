package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"centrala/acd"
	"centrala/chat"
	"centrala/queuegroups"
)

// ConnectorsPath is where third parties bring events (docs/guides/connectors.md).
const ConnectorsPath = "/connectors/{channel}/events"

// Chats are conversations and what is written in them.
type Chats interface {
	Session(ctx context.Context, id chat.SessionID) (chat.Session, error)
	Conversation(ctx context.Context, id int64) (chat.Conversation, error)
	// After and Before return messages by number, in order, at most limit of them.
	After(ctx context.Context, conversation, seq int64, limit int) ([]chat.Message, error)
	Before(ctx context.Context, conversation, seq int64, limit int) ([]chat.Message, error)
	// Read notes up to which message somebody has read.
	Read(ctx context.Context, conversation int64, by chat.Author, seq int64) error
	// Say keeps what an agent wrote, who has the session by the leg, and sends it.
	Say(ctx context.Context, d chat.Draft, leg string) (chat.Message, error)
	// Changed is closed when the conversation changes next.
	Changed(conversation int64) <-chan struct{}
	// Watch tells that one of the conversations last set has changed.
	Watch() (changed <-chan struct{}, set func(conversations []int64), stop func())
	// Typing tells that somebody types, and Typed who does now, by the id by which the core knows them.
	Typing(conversation int64, by chat.Author, name string)
	Typed(conversation int64, by chat.Author) []chat.Typist
	// Troubles are the newest messages of a conversation, from one on, that did not get to the customer.
	Troubles(ctx context.Context, conversation, from int64) ([]chat.Trouble, error)
	// Faults are what keeps connectors from working, by channel. Those that work are left out.
	Faults() map[queuegroups.ChannelID]string
	ChatFiles
	ChatDesk
	PastChats
	ChatCards
	ChatArchive
}

// Codes of problems with chats.
const (
	codeOnlyForChats = "only_for_chats"
	codeTaken        = "taken" // somebody else has it
	codeNotYours     = "not_yours"
	codeChatOver     = "chat_over"
	codeFull         = "full"
)

// waitMax is how long a request for messages waits for one, in seconds.
const waitMax = 20

func (s *Server) chatRoutes() {
	read, write := Needs(queuegroups.RightInteractionsRead), Needs(queuegroups.RightInteractionsWrite)
	at := func(method, id, path, summary, description string) Route {
		return Route{ID: id, Method: method, Path: "/interactions/{interaction}/" + path, Tag: "chats", Summary: summary, Description: description}
	}
	Operation(s, read, Route{
		ID: "list-chats", Method: http.MethodGet, Path: "/chats", Tag: "chats",
		Summary: "The caller's chats", Description: "Those that the calling agent has or is offered, by arrival.",
	}, s.listChats)
	Operation(s, read, at(http.MethodGet, "list-messages", "messages", "Messages of a chat",
		"All of the customer's conversation in the channel, earlier chats included, by number. Whoever has seen up to one asks for those after it, and misses nothing."), s.listMessages)
	Operation(s, write, at(http.MethodPost, "send-message", "messages", "Write to the customer", "The same id again is the same message."), s.sendMessage)
	Operation(s, write, at(http.MethodPost, "add-note", "notes", "Write a note that only agents see", "The same id again is the same note."), s.addNote)
	Operation(s, write, at(http.MethodPost, "mark-read", "read", "Note up to which message agents have read", "It never goes back."), s.markRead)
	Operation(s, write, at(http.MethodPost, "type-message", "typing", "Tell the customer that the agent types", "To be told every 3 seconds; it is never kept."), s.typeMessage)
	Operation(s, write, at(http.MethodPost, "close-chat", "close", "Close a chat", "It awaits its rating, or another message, as long as its channel says."), s.closeChat)
	Operation(s, write, at(http.MethodPost, "leave-chat", "leave", "Give a chat back to the queue", "With its arrival."), s.leaveChat)
	Operation(s, Needs(queuegroups.RightHistoryRead), Route{
		ID: "list-conversation", Method: http.MethodGet, Path: "/conversations/{conversation}/messages", Tag: "chats",
		Summary: "Messages of a conversation", Description: "Whether a chat goes on in it or not. For those whose rights reach its channel.",
	}, s.listConversation)
	s.besideRoutes()
	s.pastChatRoutes()
	s.chatFileRoutes()
	s.cannedRoutes()
	s.archiveRoutes()
	s.mux.HandleFunc("POST "+ConnectorsPath, func(w http.ResponseWriter, r *http.Request) {
		requestOf(r.Context()).route = "connectors"
		s.connectors.ServeHTTP(w, r)
	})
}

// Chat is a chat of the calling agent's.
type Chat struct {
	Interaction  Interaction `json:"interaction"`
	Conversation int64       `json:"conversation"`
	Offered      bool        `json:"offered" doc:"The agent has not accepted it yet."`
	Customer     string      `json:"customer" doc:"The customer's name; if they gave none, their identity in the channel."`
	Seq          int64       `json:"seq" doc:"The number of the last message."`
	ReadAgent    int64       `json:"read_agent" doc:"Up to here agents have read."`
	ReadCustomer int64       `json:"read_customer"`
	Typing       bool        `json:"typing" doc:"The customer types."`
	Beside       []string    `json:"typing_beside,omitempty" nullable:"false" doc:"Who else of the staff types to the customer."`
	Verified     bool        `json:"verified" doc:"Somebody vouches for who the customer is."`
	Email        string      `json:"email,omitempty" doc:"As the customer told it."`
	Phone        string      `json:"phone,omitempty"`
	Blocked      bool        `json:"blocked" doc:"The customer lets no message through."`
	Troubles     []Trouble   `json:"troubles" nullable:"false" doc:"Messages of this chat that did not get to the customer, the newest 20."`
}

// Message is one message of a conversation.
type Message struct {
	Seq         int64            `json:"seq"`
	ID          string           `json:"id,omitempty" doc:"What its writer called it."`
	Author      string           `json:"author" enum:"customer,agent,system"`
	Agent       string           `json:"agent,omitempty"`
	Kind        string           `json:"kind" enum:"text,note"`
	Text        string           `json:"text" doc:"Plain text, as it was written."`
	Status      string           `json:"status" enum:"accepted,sent,delivered,read,failed"`
	Reason      string           `json:"reason,omitempty" doc:"Why it failed."`
	At          time.Time        `json:"at"`
	Attachments []ChatAttachment `json:"attachments,omitempty" nullable:"false"`
	Corrects    int64            `json:"corrects,omitempty" doc:"The number of the customer's earlier message that they changed into this one."`
}

// ChatAttachment is a file that belongs to a message.
type ChatAttachment struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type" doc:"Found out by its bytes."`
	Size int64  `json:"size"`
}

func viewMessage(m chat.Message) Message {
	id := m.Client
	if m.Author == chat.ByAgent {
		id = strings.TrimPrefix(id, m.Name+" ") // no two agents' ids are the same
	}
	out := Message{
		Seq: m.Seq, ID: id, Author: string(m.Author), Agent: m.Name, Kind: string(m.Kind), Text: m.Text,
		Status: string(m.Status), Reason: m.Reason, At: m.At, Corrects: m.Corrects,
	}
	for _, a := range m.Attachments {
		a.Type = a.SafeType()
		out.Attachments = append(out.Attachments, ChatAttachment(a))
	}
	return out
}

// chatProblem is what is answered to an error of Chats.
func chatProblem(err error) *Problem {
	switch {
	case errors.Is(err, chat.ErrNotFound), errors.Is(err, chat.ErrClosed):
		return conflict(codeChatOver, "the chat is over")
	case errors.Is(err, chat.ErrEmpty), errors.Is(err, chat.ErrTooLong), errors.Is(err, chat.ErrText):
		return invalid("body.text", "%v", err)
	case errors.Is(err, chat.ErrID):
		return invalid("body.id", "%v", err)
	}
	return unavailable(err)
}

func (s *Server) listChats(ctx context.Context, c *Caller, in *PageIn) (*PageOut[Chat], error) {
	position, bad := in.position()
	if bad != nil {
		return nil, bad
	}
	after, err := strconv.ParseUint(position, 10, 64)
	if err != nil && position != "" {
		return nil, problem(http.StatusBadRequest, codeBadCursor, "that is no cursor of ours")
	}
	var mine []acd.InteractionView
	s.core.View(func(st *acd.State) {
		for v := range st.Underway(acd.InteractionID(after)) {
			if !c.theirChat(&v) {
				continue
			}
			if mine = append(mine, v); len(mine) > in.Limit {
				return
			}
		}
	})
	list := make([]Chat, 0, len(mine))
	for _, v := range mine {
		x, err := s.keptOf(ctx, v.Leg)
		if err != nil {
			return nil, chatProblem(err)
		}
		list = append(list, s.viewChat(c, v, x))
	}
	all := func(Chat) bool { return true }
	return &PageOut[Chat]{cut(list, in, func(x Chat) string { return x.Interaction.ID }, all)}, nil
}

// chat looks at a chat that the caller may see, and finds its conversation.
func (s *Server) chat(ctx context.Context, c *Caller, id uint64) (v acd.InteractionView, conversation int64, p *Problem) {
	if v, p = s.interaction(c, id); p != nil {
		return v, 0, p
	}
	if v.Channel == "" {
		return v, 0, conflict(codeOnlyForChats, "this is for chats")
	}
	x, err := s.chats.Session(ctx, chat.SessionID(v.Leg))
	if err != nil {
		return v, 0, chatProblem(err)
	}
	return v, x.Conversation, nil
}

// chatOf looks at a chat that an agent has: the caller, or, where others may too, one whose
// channel the caller's rights reach.
func (s *Server) chatOf(c *Caller, id uint64, others bool) (v acd.InteractionView, p *Problem) {
	if v, p = s.interaction(c, id); p != nil {
		return v, p
	}
	switch {
	case v.Channel == "":
		p = conflict(codeOnlyForChats, "this is for chats")
	case v.Agent == "":
		p = conflict(codeWrongPhase, "it is %s", v.Phase)
	case !c.own(v.Agent) && !(others && c.inReach(v.Group)):
		p = problem(http.StatusForbidden, codeNotYours, "you do not have this chat")
	}
	return v, p
}

// MessagesIn says which messages are asked for.
type MessagesIn struct {
	After  int64  `query:"after" minimum:"0" doc:"Those after the one with this number, the first of them first."`
	Before int64  `query:"before" minimum:"0" doc:"Those before the one with this number, the nearest of them. Not with after."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Wait   int    `query:"wait" minimum:"0" maximum:"20" doc:"If there is none after the number, to wait so many seconds for one."`
	Text   string `query:"text" maxLength:"100" doc:"Only those that contain this, in whatever letters: the newest of them. Not with after, before or wait."`
}

type messagesIn struct {
	InteractionPath
	MessagesIn
}

type conversationIn struct {
	Conversation int64 `path:"conversation"`
	MessagesIn
}

// Messages are some of a conversation.
type Messages struct {
	Conversation int64     `json:"conversation"`
	Seq          int64     `json:"seq" doc:"The number of its last message."`
	ReadAgent    int64     `json:"read_agent" doc:"Up to here agents have read."`
	ReadCustomer int64     `json:"read_customer"`
	Items        []Message `json:"items" nullable:"false"`
}

type messagesOut struct{ Body Messages }

func (s *Server) listMessages(ctx context.Context, c *Caller, in *messagesIn) (*messagesOut, error) {
	_, conversation, p := s.chat(ctx, c, in.Interaction)
	if p != nil {
		return nil, p
	}
	return s.messages(ctx, conversation, &in.MessagesIn)
}

func (s *Server) listConversation(ctx context.Context, c *Caller, in *conversationIn) (*messagesOut, error) {
	x, err := s.chats.Conversation(ctx, in.Conversation)
	switch {
	case errors.Is(err, chat.ErrNotFound) || err == nil && !c.inReach(acd.ChannelGroup(queuegroups.ChannelID(x.Channel))):
		return nil, notFound("conversation", strconv.FormatInt(in.Conversation, 10))
	case err != nil:
		return nil, unavailable(err)
	}
	return s.messages(ctx, x.ID, &in.MessagesIn)
}

func (s *Server) messages(ctx context.Context, conversation int64, in *MessagesIn) (*messagesOut, error) {
	switch {
	case in.Before > 0 && in.After > 0:
		return nil, invalid("query.before", "not with after")
	case in.Text != "" && (in.Before > 0 || in.After > 0 || in.Wait > 0):
		return nil, invalid("query.text", "not with after, before or wait")
	}
	var list []chat.Message
	var err error
	timeout := time.NewTimer(time.Duration(min(in.Wait, waitMax)) * time.Second)
	defer timeout.Stop()
	for over := in.Wait == 0 || in.Before > 0; ; {
		changed := s.chats.Changed(conversation) // before they are looked at
		switch {
		case in.Text != "":
			list, err = s.containing(ctx, conversation, in.Text, in.Limit)
		case in.Before > 0:
			list, err = s.chats.Before(ctx, conversation, in.Before, in.Limit)
		default:
			list, err = s.chats.After(ctx, conversation, in.After, in.Limit)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		if over || len(list) > 0 {
			break
		}
		select {
		case <-changed:
		case <-timeout.C:
			over = true
		case <-s.stopping:
			over = true
		case <-ctx.Done():
			return nil, unavailable(ctx.Err())
		}
	}
	x, err := s.chats.Conversation(ctx, conversation)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &messagesOut{Messages{Conversation: conversation, Seq: x.Seq, ReadAgent: x.ReadAgent, ReadCustomer: x.ReadCustomer, Items: []Message{}}}
	for _, m := range list {
		out.Body.Items = append(out.Body.Items, viewMessage(m))
	}
	return out, nil
}

type sayIn struct {
	InteractionPath
	Body struct {
		ID   string `json:"id" minLength:"1" maxLength:"100" doc:"Yours, and no other message's." example:"0193a7c0-5b1e-7000-8000-000000000001"`
		Text string `json:"text" minLength:"1" maxLength:"16384" example:"Good morning, how can I help?"`
	}
}

type messageOut struct{ Body Message }

func (s *Server) sendMessage(ctx context.Context, c *Caller, in *sayIn) (*messageOut, error) {
	v, leg, p := s.writer(c, in.Interaction)
	if p != nil {
		return nil, p
	}
	return s.say(ctx, c, &v, leg, in, chat.KindText)
}

func (s *Server) addNote(ctx context.Context, c *Caller, in *sayIn) (*messageOut, error) {
	v, _, p := s.chat(ctx, c, in.Interaction)
	switch {
	case p != nil:
		return nil, p
	case !c.partOf(&v) && !c.inReach(v.Group):
		return nil, forbidden("you do not have this chat")
	}
	return s.say(ctx, c, &v, v.AgentLeg, in, chat.KindNote)
}

// say keeps what somebody of the staff wrote, whom the core knows by the leg.
func (s *Server) say(ctx context.Context, c *Caller, v *acd.InteractionView, leg acd.LegID, in *sayIn, kind chat.Kind, files ...chat.Attachment) (*messageOut, error) {
	if c.partOf(v) && !c.beside(v) {
		ownAct(ctx)
	}
	name := string(c.self())
	m, err := s.chats.Say(ctx, chat.Draft{
		Session: chat.SessionID(v.Leg), Author: chat.ByAgent, Name: name, Kind: kind, Client: name + " " + in.Body.ID, Text: in.Body.Text, Files: files,
	}, string(leg))
	if err != nil {
		return nil, chatProblem(err)
	}
	return &messageOut{viewMessage(m)}, nil
}

type markIn struct {
	InteractionPath
	Body struct {
		Seq int64 `json:"seq" minimum:"1"`
	}
}

func (s *Server) markRead(ctx context.Context, c *Caller, in *markIn) (*struct{}, error) {
	v, conversation, p := s.chat(ctx, c, in.Interaction)
	switch {
	case p != nil:
		return nil, p
	case !c.own(v.Agent):
		return nil, problem(http.StatusForbidden, codeNotYours, "you do not have this chat")
	}
	ownAct(ctx)
	if err := s.chats.Read(ctx, conversation, chat.ByAgent, in.Body.Seq); err != nil {
		return nil, unavailable(err)
	}
	return nil, nil
}

func (s *Server) typeMessage(ctx context.Context, c *Caller, in *InteractionPath) (*struct{}, error) {
	_, conversation, p := s.chat(ctx, c, in.Interaction)
	if p == nil {
		_, _, p = s.writer(c, in.Interaction)
	}
	if p != nil {
		return nil, p
	}
	ownAct(ctx)
	s.chats.Typing(conversation, chat.ByAgent, string(c.self()))
	return nil, nil
}

func (s *Server) closeChat(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.chatOf(c, in.Interaction, true)
	switch {
	case p != nil:
		return nil, p
	case v.Phase != acd.PhaseTalking:
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	}
	return s.fact(ctx, c, v, &acd.ChatClosed{Leg: v.AgentLeg})
}

func (s *Server) leaveChat(ctx context.Context, c *Caller, in *InteractionPath) (*afterOut, error) {
	v, p := s.chatOf(c, in.Interaction, true)
	switch {
	case p != nil:
		return nil, p
	case v.Phase != acd.PhaseTalking:
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	}
	return s.fact(ctx, c, v, &acd.LegEnded{Leg: v.AgentLeg, Cause: acd.EndHangup})
}

// acceptChat gives the agent the chat that is offered to them, unless somebody else was faster.
func (s *Server) acceptChat(ctx context.Context, c *Caller, v acd.InteractionView, o acd.OfferView) (*afterOut, error) {
	leg := acd.LegID(string(v.Leg) + "." + strconv.FormatUint(uint64(o.ID), 10))
	return s.became(ctx, c, v, leg, &acd.OfferAnswered{Offer: o.ID, Leg: leg, Node: v.Node})
}

// takeChat gives an agent a chat that was not offered to them.
func (s *Server) takeChat(ctx context.Context, c *Caller, v acd.InteractionView) (*afterOut, error) {
	leg := acd.LegID(string(v.Leg) + "." + strings.ToLower(rand.Text()))
	return s.became(ctx, c, v, leg, &acd.Claimed{Agent: c.Agent, Leg: leg, Node: v.Node, Kind: acd.ClaimInteraction, Interaction: v.ID})
}

// became logs that an agent takes a chat, and looks at whether they have it then.
func (s *Server) became(ctx context.Context, c *Caller, v acd.InteractionView, leg acd.LegID, e acd.Event) (*afterOut, error) {
	if err := s.core.Append(ctx, e); err != nil {
		return nil, unavailable(err)
	}
	has := false
	s.core.View(func(st *acd.State) {
		now, ok := st.Interaction(v.ID)
		has = ok && now.AgentLeg == leg
	})
	if !has {
		return nil, conflict(codeTaken, "you cannot have it: somebody else was faster, or you have no room for it")
	}
	s.chats.Taken(chat.SessionID(v.Leg))
	return s.done(ctx, c, v)
}

// transferChat hands a chat over: one that the agent has (R52), or that is offered to them (R51).
func (s *Server) transferChat(ctx context.Context, c *Caller, v acd.InteractionView, t *Target) (*afterOut, error) {
	to, p := s.target(t, "")
	if p != nil {
		return nil, p
	}
	offered := slices.ContainsFunc(v.Offers, func(o acd.OfferView) bool { return c.own(o.Agent) })
	switch {
	case v.Phase == acd.PhaseTalking && (c.own(v.Agent) || c.inReach(v.Group)):
		return s.fact(ctx, c, v, &acd.TransferAsked{Leg: v.AgentLeg, To: to})
	case v.Phase == acd.PhaseOffered && (offered || c.inReach(v.Group)):
		return s.fact(ctx, c, v, &acd.Moved{Interaction: v.ID, To: to, By: c.by("")})
	case c.own(v.Agent) || offered || c.inReach(v.Group):
		return nil, conflict(codeWrongPhase, "it is %s", v.Phase)
	}
	return nil, problem(http.StatusForbidden, codeNotYours, "you do not have this chat")
}

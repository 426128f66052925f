package widget

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"centrala/chat"
)

// client is one connection of a visitor's.
type client struct {
	visitor *visitor
	wake    func() // something may have changed; it does not wait

	// accessed by whoever follows for it
	channel      *Channel   // as it was declared when it was looked at last
	since        int64      // the last message it has; less than 0: none, and only the newest are wanted
	conversation int64      // 0: there is none yet
	shown        stateFrame // as it was last told, but for the hours
	state        uint64     // a hash of it; 0: it was not
	typed        time.Time

	// accessed under the lock of clients
	session chat.SessionID // whose standing is watched; empty: none
	told    Standing
}

// clients are those that are connected.
type clients struct {
	mu            sync.Mutex
	conversations map[int64]map[*client]bool
	customers     map[string]map[*client]bool
}

// clientsOf is how many connections a visitor may have at once: one a tab.
const clientsOf = 12

func nameOf(channel, customer string) string { return channel + "\x00" + customer }

// enter lists a client; false: the visitor has too many.
func (x *clients) enter(c *client) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	name := nameOf(c.visitor.Channel, c.visitor.Customer)
	if len(x.customers[name]) >= clientsOf {
		return false
	}
	list(x.customers, name, c)
	return true
}

// leave takes a client from the lists.
func (x *clients) leave(c *client) {
	x.mu.Lock()
	defer x.mu.Unlock()
	unlist(x.customers, nameOf(c.visitor.Channel, c.visitor.Customer), c)
	unlist(x.conversations, c.conversation, c)
}

// joins lists a client under its conversation.
func (x *clients) joins(c *client) {
	x.mu.Lock()
	defer x.mu.Unlock()
	list(x.conversations, c.conversation, c)
}

// watches notes whose standing a client was told.
func (x *clients) watches(c *client, session chat.SessionID, told Standing) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c.session, c.told = session, told
}

func list[K comparable](m map[K]map[*client]bool, k K, c *client) {
	if m[k] == nil {
		m[k] = map[*client]bool{}
	}
	m[k][c] = true
}

func unlist[K comparable](m map[K]map[*client]bool, k K, c *client) {
	if delete(m[k], c); len(m[k]) == 0 {
		delete(m, k)
	}
}

// Changed has whoever follows a conversation look at it, and, if a customer's name is given,
// the customer's connections, which may not know of it yet. It does not wait.
func (s *Server) Changed(conversation int64, channel, customer string) {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	for c := range s.clients.conversations[conversation] {
		c.wake()
	}
	if customer == "" {
		return
	}
	for c := range s.clients.customers[nameOf(channel, customer)] {
		c.wake()
	}
}

// lookEvery is how often it is looked at how sessions stand.
const lookEvery = time.Second

// watch has clients look whose sessions stand otherwise in the core than they were told.
func (s *Server) watch() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stopped:
			return
		case <-t.C:
		}
		var all, changed []*client
		var ids []chat.SessionID
		var told []Standing
		s.clients.mu.Lock()
		for _, m := range s.clients.conversations {
			for c := range m {
				if c.session != "" {
					all, ids, told = append(all, c), append(ids, c.session), append(told, c.told)
				}
			}
		}
		s.clients.mu.Unlock()
		s.stand(ids, func(n int, now Standing) {
			if now != told[n] {
				changed = append(changed, all[n])
			}
		})
		for _, c := range changed {
			c.wake()
		}
	}
}

// stand tells of sessions how they stand, with the wait in whole minutes, so that it does not change all the time.
func (s *Server) stand(ids []chat.SessionID, tell func(n int, x Standing)) {
	s.standing(ids, func(n int, x Standing) {
		x.Wait = (x.Wait + time.Minute - 1) / time.Minute * time.Minute
		tell(n, x)
	})
}

// stands tells how a session stands; false: the core does not know it.
func (s *Server) stands(id chat.SessionID) (x Standing, ok bool) {
	s.stand([]chat.SessionID{id}, func(_ int, now Standing) { x, ok = now, true })
	return x, ok
}

// What a window is sent.
type (
	shownFile struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
		Size int64  `json:"size"`
	}
	shownMessage struct {
		Seq   int64       `json:"seq"`
		By    chat.Author `json:"by"`
		Name  string      `json:"name,omitempty"` // of the agent
		Title string      `json:"title,omitempty"`
		Face  string      `json:"face,omitempty"` // the id of the agent's picture
		ID    string      `json:"id,omitempty"`   // the visitor's own
		Text  string      `json:"text,omitempty"`
		At    time.Time   `json:"at"`
		Files []shownFile `json:"files,omitempty"`
	}
	messagesFrame struct {
		Type  string         `json:"type"` // messages
		To    int64          `json:"to"`   // whoever has these has all up to here
		More  bool           `json:"more,omitempty"`
		Reset bool           `json:"reset,omitempty"` // what the window had before is to be forgotten
		Items []shownMessage `json:"items"`
	}
	stateFrame struct {
		Type     string         `json:"type"` // state
		Phase    Phase          `json:"phase"`
		Session  chat.SessionID `json:"session,omitempty"`
		Agent    string         `json:"agent,omitempty"`
		Beside   string         `json:"beside,omitempty"` // who joined the agent
		Position int            `json:"position,omitempty"`
		Minutes  int            `json:"minutes,omitempty"` // expected to wait
		Open     bool           `json:"open"`
		Opens    *time.Time     `json:"opens,omitempty"`
		Read     int64          `json:"read"` // up to here agents have read
		Seen     int64          `json:"seen"` // and the visitor
		Rate     bool           `json:"rate,omitempty"`
		Mail     string         `json:"mail,omitempty"` // where the conversation can be sent to
	}
	typingFrame struct {
		Type string `json:"type"` // typing
		Name string `json:"name"` // of the agent, or of who joined them
	}
)

// firstPage is how many of the newest messages a window is sent that has none.
const firstPage = 50

// frames are what a client is to be sent now.
func (s *Server) frames(ctx context.Context, c *client) (out []any, err error) {
	s.redeclared(c)
	x, err := s.store.ConversationOf(ctx, c.visitor.Channel, c.visitor.Customer)
	switch {
	case errors.Is(err, chat.ErrNotFound):
		if c.since > 0 { // what it had is no more
			out, c.since = append(out, &messagesFrame{Type: "messages", Reset: true, Items: []shownMessage{}}), 0
		}
		return s.state(out, c, &stateFrame{Type: "state", Phase: PhaseNone})
	case err != nil:
		return nil, err
	}
	if c.conversation == 0 {
		c.conversation = x.ID
		s.clients.joins(c)
		if x, err = s.store.ConversationOf(ctx, c.visitor.Channel, c.visitor.Customer); err != nil { // it may have changed before
			return nil, err
		}
	}
	reset := c.since > x.Seq
	more := false
	if reset || c.since < 0 {
		c.since = max(x.Seq-firstPage, 0)
		more = c.since > 0
	}
	for reset || c.since < x.Seq {
		page, err := s.store.After(ctx, x.ID, c.since, firstPage)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		c.since = page[len(page)-1].Seq
		out = append(out, &messagesFrame{Type: "messages", To: c.since, Reset: reset, More: more, Items: s.shown(c.visitor.Channel, page)})
		reset, more = false, false
	}
	state := &stateFrame{Type: "state", Phase: PhaseClosed, Read: x.ReadAgent, Seen: x.ReadCustomer}
	if err := s.session(ctx, c, x.ID, state); err != nil {
		return nil, err
	}
	if state.Mail, err = s.mailable(ctx, &x, state); err != nil {
		return nil, err
	}
	if list := s.hub.Typed(x.ID, chat.ByAgent); len(list) > 0 {
		if last := list[len(list)-1]; last.At.After(c.typed) {
			c.typed = last.At
			out = append(out, &typingFrame{"typing", s.face(c.visitor.Channel, last.Name).Name})
		}
	}
	return s.state(out, c, state)
}

// redeclared takes up how the client's channel is declared now; one that is not any more is as it was.
func (s *Server) redeclared(c *client) {
	if now := s.channel(c.visitor.Channel); now != nil {
		c.channel = now
	}
}

// session fills in how the newest session of a conversation stands.
func (s *Server) session(ctx context.Context, c *client, conversation int64, state *stateFrame) error {
	last, err := s.store.LastSession(ctx, conversation)
	if err != nil {
		return err
	}
	state.Session = last.ID
	var now Standing
	if last.Closed.IsZero() {
		var ok bool
		if now, ok = s.stands(last.ID); !ok { // the core is told of it in a moment
			now = Standing{Phase: PhaseWaiting}
		}
		s.clients.watches(c, last.ID, now)
		state.Phase, state.Position, state.Minutes = now.Phase, now.Position, int(now.Wait/time.Minute)
		s.who(c.visitor.Channel, now, state)
	} else {
		s.clients.watches(c, "", Standing{})
	}
	if c.channel.Rating && (state.Phase == PhaseClosed || state.Phase == PhaseClosing) {
		rated, err := s.rated(ctx, last.ID)
		state.Rate = !rated
		return err
	}
	return nil
}

// who fills in whom the visitor talks to. Of those who joined the agent nobody is named who
// speaks for the channel.
func (s *Server) who(channel string, now Standing, state *stateFrame) {
	if now.Agent != "" {
		state.Agent = s.face(channel, now.Agent).Name
	}
	var beside []string
	for _, id := range strings.FieldsFunc(now.Beside, func(r rune) bool { return r == '\n' }) {
		if face := s.face(channel, id); !face.Channel {
			beside = append(beside, face.Name)
		}
	}
	state.Beside = strings.Join(beside, ", ")
}

func (s *Server) rated(ctx context.Context, id chat.SessionID) (bool, error) {
	list, err := s.store.Ratings(ctx, id)
	for _, r := range list {
		if r.Who == string(chat.ByCustomer) {
			return true, nil
		}
	}
	return false, err
}

// state adds the state to the frames, unless the client knows it.
func (s *Server) state(out []any, c *client, state *stateFrame) ([]any, error) {
	c.shown = *state
	open, change := c.channel.Hours(s.now())
	if state.Open = open; !open && !change.IsZero() {
		state.Opens = &change
	}
	text, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	sum := fnv.New64a()
	_, _ = sum.Write(text) // it never fails
	if c.state == sum.Sum64() {
		return out, nil
	}
	c.state = sum.Sum64()
	return append(out, state), nil
}

// passed are the frames for a client to whom nothing happened for a while: a sign of life, and the hours, which
// may have changed. The error is errToken where the client's is over.
func (s *Server) passed(c *client) ([]any, error) {
	s.redeclared(c)
	if s.now().Unix() > c.visitor.Expires {
		return nil, errToken
	}
	beat := []any{beatFrame{"beat"}}
	if c.state == 0 {
		return beat, nil
	}
	state := c.shown
	return s.state(beat, c, &state)
}

// shown are messages as customers of a channel see them: no notes.
func (s *Server) shown(channel string, list []chat.Message) []shownMessage {
	out := []shownMessage{}
	for _, m := range list {
		if m.Kind != chat.KindText {
			continue
		}
		x := shownMessage{Seq: m.Seq, By: m.Author, Text: m.Text, At: m.At}
		if m.Author == chat.ByCustomer {
			x.ID = m.Client
		}
		if m.Author == chat.ByAgent {
			face := s.face(channel, m.Name)
			x.Name, x.Title, x.Face = face.Name, face.Title, face.Picture
		}
		for _, f := range m.Attachments {
			x.Files = append(x.Files, shownFile{f.ID, f.Name, f.SafeType(), f.Size})
		}
		out = append(out, x)
	}
	return out
}

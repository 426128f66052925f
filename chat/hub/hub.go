// Package hub stands between connectors, the store and the core. What comes in is
// kept as it came, acknowledged, and then dealt with: one event after another of
// each customer, and again after a restart until all is done. What goes out waits in
// the store until the connector's other side has it.
//
// It decides nothing about who gets which chat: it tells the core that customers
// wrote, and does what the core asks for.
package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
)

// What can be wrong.
var (
	ErrChannel = errors.New("the channel has no connector")
	ErrOver    = errors.New("the session is over")
	ErrUnread  = errors.New("the event cannot be read")
	ErrEarly   = errors.New("chats are not taken up yet")
)

// Store keeps what is written: *store.Store, whose methods it has.
type Store interface {
	Keep(ctx context.Context, e chat.Event) (id int64, fresh bool, err error)
	Left(ctx context.Context) ([]chat.Event, error)
	Done(ctx context.Context, id int64, fault string) error

	Take(ctx context.Context, in chat.Incoming) (chat.Taken, error)
	Write(ctx context.Context, d chat.Draft) (m chat.Message, again bool, err error)
	StatusOf(ctx context.Context, channel, id string, status chat.Status, reason string) error
	Restart(ctx context.Context, m chat.Message) (chat.Session, error)
	SetBot(ctx context.Context, id chat.SessionID, b chat.BotState) error
	LastWritten(ctx context.Context, conversation int64) (time.Time, error)
	Attach(r io.Reader, name string) (chat.Attachment, error)
	Blocked(ctx context.Context, channel, customer string, blocked bool) (conversation int64, err error)
	Answered(ctx context.Context, id chat.SessionID) (bool, error)
	Known(ctx context.Context, session chat.SessionID, number string) ([]string, error)
	Rate(ctx context.Context, r chat.Rating) error
	Accepted(ctx context.Context, id chat.SessionID, takes []chat.Take) error

	Open(ctx context.Context) ([]chat.Session, error)
	OpenOf(ctx context.Context, channel, customer string) (chat.Session, error)
	Session(ctx context.Context, id chat.SessionID) (chat.Session, error)
	Close(ctx context.Context, id chat.SessionID) error

	Outbox(ctx context.Context, most int, but ...string) ([]chat.Outgoing, error)
	Trying(ctx context.Context, o chat.Outgoing, id string) error
	Later(ctx context.Context, o chat.Outgoing, next time.Time) error
	Partly(ctx context.Context, o chat.Outgoing, parts int, externals []string) error
	Sent(ctx context.Context, o chat.Outgoing, externals []string) error
	Failed(ctx context.Context, o chat.Outgoing, reason string) error
}

// Core is told what happens. Its methods return once that is logged; telling it
// the same again does no harm.
type Core interface {
	Arrived(ctx context.Context, s chat.Session) error
	// Written may return ErrOver: the session is no more, and nobody sees what is written in it.
	// By is who of the staff wrote beside the agent, with the customer's leg; empty: whose leg it is.
	Written(ctx context.Context, leg, by string) error
	Closed(ctx context.Context, leg string) error // the customer, or the agent, with the leg did
	Ended(ctx context.Context, leg string) error  // the customer's end is no more
	// Underway are the sessions that the core believes to be open here.
	Underway() []chat.SessionID
}

// Options are what a Hub needs; all but Now and Log are required.
type Options struct {
	Store Store
	Core  Core
	// Connector is that of a channel at present; nil: it has none here.
	Connector func(channel string) chat.Connector
	// Text is that of a channel for a notice; empty: nothing is said.
	Text func(channel string, n chat.Notice) string
	// Rating is what customers are asked when a chat is closed, with buttons; empty: nothing. nil: nowhere.
	Rating func(channel string) string
	// Share is what a button says, below the text that begins a session, by which customers share
	// their telephone number; empty: there is none. nil: nowhere.
	Share func(channel string) string
	// Bot is that of a channel, which gets its sessions first; nil: it has none. Patience is
	// how long a customer may be silent with it, and Target reads to whom it hands over. All
	// three may be left out where no channel has a bot.
	Bot      func(channel string) chat.Bot
	Patience func(channel string) time.Duration
	Target   func(to string) (channel, agent string, ok bool)
	// Changed is told of every change of a conversation, and, if a customer's message began
	// it or followed in it, whose it is. It does not wait. nil: nobody wants to know.
	Changed func(conversation int64, channel, customer string)
	// Outage tells of the database that is away; nil: each who needs it does.
	Outage *chat.Outage
	Log    zerolog.Logger
	Now    func() time.Time // nil: time.Now
}

// Hub passes chats on. Its methods may be called from any goroutine.
type Hub struct {
	store     Store
	core      Core
	connector func(string) chat.Connector
	text      func(string, chat.Notice) string
	rating    func(string) string
	share     func(string) string
	tell      func(int64, string, string)
	bot       func(string) chat.Bot
	patience  func(string) time.Duration
	target    func(string) (string, string, bool)
	outage    *chat.Outage
	log       zerolog.Logger
	now       func() time.Time

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	busy   sync.WaitGroup
	lanes  lanes
	kick   chan struct{} // something is to go out

	mu      sync.Mutex
	stopped bool
	ready   bool                    // what was left has been taken up: what comes now comes after it
	changed map[int64]chan struct{} // of conversations that somebody watches; closed at the next change
	typing  map[side][]chat.Typist  // the one who did last is the last

	watchers map[int64]map[*watcher]bool
}

// New makes a hub. It does what it is asked from then on; Start takes up what was left.
func New(o Options) *Hub {
	h := &Hub{
		store: o.Store, core: o.Core, connector: o.Connector, text: o.Text, rating: o.Rating, share: o.Share, tell: o.Changed, outage: o.Outage, log: o.Log, now: o.Now,
		kick: make(chan struct{}, 1), changed: map[int64]chan struct{}{}, typing: map[side][]chat.Typist{},
		watchers: map[int64]map[*watcher]bool{},
	}
	if h.bot, h.patience, h.target = o.Bot, o.Patience, o.Target; h.bot == nil {
		h.bot = func(string) chat.Bot { return nil }
	}
	if h.now == nil {
		h.now = time.Now
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.lanes.run = h.run
	return h
}

// Start takes up what was left when the server ended: sessions that are open go on
// in the core, events are dealt with, and messages go out. The error is the
// database's or the log's.
func (h *Hub) Start(ctx context.Context) error {
	open, err := h.store.Open(ctx)
	if err != nil {
		return fmt.Errorf("chats: %w", err)
	}
	is := make(map[chat.SessionID]bool, len(open))
	for _, s := range open {
		is[s.ID] = true
		if s.Bot.Has {
			continue
		}
		if err := h.core.Arrived(ctx, s); err != nil {
			return fmt.Errorf("chats: %w", err)
		}
	}
	for _, id := range h.core.Underway() { // it was closed, and the core not told
		if is[id] {
			continue
		}
		s, err := h.store.Session(ctx, id)
		if err == nil && s.Closed.IsZero() {
			continue // it began meanwhile
		}
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return fmt.Errorf("chats: %w", err)
		}
		if err := h.core.Ended(ctx, string(id)); err != nil {
			return fmt.Errorf("chats: %w", err)
		}
	}
	left, err := h.store.Left(ctx)
	if err != nil {
		return fmt.Errorf("chats: %w", err)
	}
	for _, e := range left {
		h.lanes.add(lane(e.Channel, e.Customer), func() { h.deal(e) })
	}
	h.mu.Lock()
	h.ready = true
	h.mu.Unlock()
	h.run(h.courier)
	if h.patience != nil {
		h.run(h.sweepBots)
	}
	return nil
}

// Stop ends what is under way. What was kept is taken up by the next Start.
func (h *Hub) Stop() {
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	h.cancel()
	h.busy.Wait()
}

// run has f run beside its caller, unless the hub has stopped.
func (h *Hub) run(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.busy.Go(f)
	}
}

// Receive keeps what came in at a channel, under its sender's id of it, and has it
// dealt with after what came before of the same customer. It has been kept when
// Receive returns nil, and what was kept before is not kept again. The error is
// ErrEarly, ErrChannel, ErrUnread with the connector's word of what is wrong with
// it, or the database's.
func (h *Hub) Receive(ctx context.Context, channel, event string, body []byte) error {
	c := h.connector(channel)
	if c == nil {
		return ErrChannel
	}
	what, err := c.Read(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnread, err)
	}
	h.mu.Lock()
	ready := h.ready
	h.mu.Unlock()
	if !ready {
		return ErrEarly
	}
	e := chat.Event{Channel: channel, Event: event, Customer: what.Customer, Body: body}
	// Kept and in its lane in the same order: of two that come at once either may be first.
	id, fresh, err := h.store.Keep(ctx, e)
	if err != nil {
		return err
	}
	h.outage.Over()
	if !fresh {
		return nil
	}
	e.ID = id
	h.lanes.add(lane(channel, what.Customer), func() { h.deal(e) })
	return nil
}

func lane(channel, customer string) string { return channel + "\x00" + customer }

// deal makes of an event what it means.
func (h *Hub) deal(e chat.Event) {
	fault := ""
	h.insist("deal with an event", func(ctx context.Context) error {
		err := h.happened(ctx, e)
		if err != nil && lasting(err) {
			fault = err.Error()
			h.log.Warn().Err(err).Str("channel", e.Channel).Str("event", e.Event).Msg("nothing came of an event")
			return nil
		}
		return err
	})
	h.insist("note an event as dealt with", func(ctx context.Context) error { return h.store.Done(ctx, e.ID, fault) })
}

// lasting tells whether an event will never be anything: what is wrong is wrong with itself.
func lasting(err error) bool {
	for _, is := range []error{
		ErrChannel, ErrUnread, chat.ErrNotFound, chat.ErrEmpty, chat.ErrTooLong, chat.ErrText, chat.ErrID, chat.ErrTooMany, chat.ErrScore,
	} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

func (h *Hub) happened(ctx context.Context, e chat.Event) error {
	c := h.connector(e.Channel)
	if c == nil {
		return ErrChannel
	}
	what, err := c.Read(e.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnread, err)
	}
	switch {
	case what.Message != nil:
		in := *what.Message
		in.Channel = e.Channel
		if err := h.fetch(ctx, c, &in); err != nil {
			return err
		}
		return h.take(ctx, in)
	case what.Status != nil:
		return h.store.StatusOf(ctx, e.Channel, what.Status.External, what.Status.Status, what.Status.Reason)
	case what.Rated != nil:
		return h.rated(ctx, e.Channel, what.Customer, *what.Rated)
	case what.Closed:
		return h.left(ctx, e.Channel, what.Customer)
	case what.Blocked != nil:
		return h.blocked(ctx, e.Channel, what.Customer, *what.Blocked)
	}
	return nil
}

// take keeps a customer's message and tells the core of it.
func (h *Hub) take(ctx context.Context, in chat.Incoming) error {
	in.Bot = h.bot(in.Channel) != nil
	t, err := h.store.Take(ctx, in)
	if err != nil {
		return err
	}
	h.wrote(t.Message.Conversation, chat.ByCustomer, "")
	h.noteOf(t.Message.Conversation, in.Channel, in.Customer)
	switch {
	case !t.Session.Closed.IsZero(): // it came again, after all was over
		return nil
	case t.Session.Bot.Has:
		return h.ask(ctx, t)
	case !t.Begins && t.Message.Seq == t.Session.Bot.Answered: // it was handed over, and the core perhaps not told
	case !t.Begins:
		err := h.core.Written(ctx, string(t.Session.ID), "")
		if !errors.Is(err, ErrOver) {
			return err
		}
		if t.Session, err = h.store.Restart(ctx, t.Message); err != nil {
			return err
		}
		h.note(t.Message.Conversation)
	}
	// Before the core knows of the chat: what it may have to say at once, that nobody can answer say, comes after it.
	if err := h.notice(ctx, t.Session.ID, "first", chat.NoticeFirst); err != nil {
		return err
	}
	return h.core.Arrived(ctx, t.Session)
}

// left: the customer ended the enquiry, if there is one.
func (h *Hub) left(ctx context.Context, channel, customer string) error {
	s, err := h.store.OpenOf(ctx, channel, customer)
	if err != nil {
		return err
	}
	if s.Bot.Has {
		if err := h.store.Close(ctx, s.ID); err != nil {
			return err
		}
		h.note(s.Conversation)
		return nil
	}
	return h.core.Closed(ctx, string(s.ID))
}

// Say keeps what an agent wrote, who has the session by the leg, and sends it
// unless it is a note. With the session's own leg it is somebody's who writes beside
// the agent. Said twice under one id it is one message. The error is the store's or
// the log's; after the log's the same may be said again.
func (h *Hub) Say(ctx context.Context, d chat.Draft, leg string) (chat.Message, error) {
	d.Fetched = h.fetched
	m, again, err := h.store.Write(ctx, d)
	if err != nil {
		return m, err
	}
	if !again {
		h.wrote(m.Conversation, chat.ByAgent, d.Name)
		h.note(m.Conversation)
	}
	if d.Kind == chat.KindNote {
		return m, nil
	}
	h.wake()
	by := ""
	if leg == string(d.Session) {
		by = d.Name
	}
	return m, h.core.Written(ctx, leg, by)
}

// fetched tells whether the customers of a channel fetch what is written to them.
func (h *Hub) fetched(channel string) bool {
	_, is := h.connector(channel).(chat.Fetched)
	return is
}

// Tell sends the customer of a session a text of its channel's, once for each id.
// It does not wait.
func (h *Hub) Tell(id chat.SessionID, command string, n chat.Notice) {
	h.lanes.add(string(id), func() {
		h.insist("send a text of the channel's", func(ctx context.Context) error {
			err := h.notice(ctx, id, command, n)
			if err == nil && (n == chat.NoticeEnded || n == chat.NoticeAutoClosed) {
				err = h.askRating(ctx, id)
			}
			return err
		})
	})
}

func (h *Hub) notice(ctx context.Context, id chat.SessionID, once string, n chat.Notice) error {
	s, err := h.store.Session(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	text := h.text(s.Channel, n)
	if text == "" {
		return nil
	}
	d := chat.Draft{Session: id, Client: string(id) + " " + once, Text: text}
	if n == chat.NoticeFirst {
		if d.Buttons, err = h.shareButton(ctx, &s); err != nil {
			return err
		}
	}
	return h.sayOurs(ctx, d)
}

// sayOurs has a text of the channel's own sent, once for each id.
func (h *Hub) sayOurs(ctx context.Context, d chat.Draft) error {
	d.Author, d.Kind, d.Fetched = chat.BySystem, chat.KindText, h.fetched
	m, again, err := h.store.Write(ctx, d)
	if err == nil && !again {
		h.note(m.Conversation)
		h.wake()
	}
	return err
}

// End ends a session, after what was asked for it before, and tells the core so.
// It does not wait.
func (h *Hub) End(id chat.SessionID) {
	h.lanes.add(string(id), func() {
		h.insist("close a session", func(ctx context.Context) error {
			if err := h.store.Close(ctx, id); err != nil {
				return err
			}
			if s, err := h.store.Session(ctx, id); err == nil {
				h.note(s.Conversation)
			}
			return h.core.Ended(ctx, string(id))
		})
	})
}

// Pauses between tries of what must be done.
const (
	pauseMin = 50 * time.Millisecond
	pauseMax = 10 * time.Second
)

// insist tries until it succeeds or the hub stops: the database or the log may be away. The log is
// told of the first failure, and of how long it took.
func (h *Hub) insist(what string, f func(context.Context) error) {
	var failed time.Time
	for pause := pauseMin; h.ctx.Err() == nil; pause = min(2*pause, pauseMax) {
		err := f(h.ctx)
		if err == nil {
			h.outage.Over()
			if !failed.IsZero() {
				h.log.Info().Str("what", what).Dur("after_ms", h.now().Sub(failed)).Msg("chats go on")
			}
			return
		}
		if h.ctx.Err() != nil {
			return
		}
		if !h.outage.Is(err) && failed.IsZero() {
			failed = h.now()
			h.log.Error().Err(err).Str("what", what).Msg("chats wait")
		}
		select {
		case <-h.ctx.Done():
		case <-time.After(pause):
		}
	}
}

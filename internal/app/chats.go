package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"centrala/acd"
	"centrala/chat"
	"centrala/chat/bot"
	"centrala/chat/hub"
	"centrala/chat/partner"
	"centrala/chat/store"
	"centrala/chat/telegram"
	"centrala/chat/widget"
	"centrala/configs"
	"centrala/internal/journal"
	"centrala/internal/switchboard"
	"centrala/queuegroups"
)

// chats are the open channels of this node: what the web server and the
// switchboard ask for, they find here.
type chats struct {
	*store.Store
	*hub.Hub
	window   *widget.Server
	outage   *chat.Outage
	bots     *bots
	facts    func(func(*acd.State))
	client   *http.Client
	life     context.Context // ends with stop
	cancel   context.CancelFunc
	starting sync.WaitGroup
	channels atomic.Pointer[map[string]channel]
	agents   atomic.Pointer[map[string]bool]
	asking   *http.Client // of bots
	settings configs.Connectors
	herald   herald
	postman  *postman // nil: no letters are sent
}

// channel is what is needed of one that is declared.
type channel struct {
	config   *queuegroups.Config            // that it is declared in
	pictures map[string]queuegroups.Picture // of agents, by their ids
	texts    queuegroups.ChatTexts
	rating   string              // what is asked when a chat is closed; empty: nothing
	share    string              // the label of the button that shares a number; empty: there is none
	text     string              // of the no-answer action
	partner  *partner.Connector  // nil: another connector has it
	widget   *widget.Channel     // nil: likewise
	telegram *telegram.Connector // nil: likewise
	bot      chat.Bot            // nil: it has none
	expire   time.Duration       // of its sessions that a bot has
	// transfers: who takes a chat that was transferred is responsible for its customer (R60).
	transfers bool
}

// attachmentsIn is the folder of attachments in the data folder, and orphanAge how
// old a file must be that belongs to no message, to be removed.
const (
	attachmentsIn = "attachments"
	orphanAge     = 24 * time.Hour
)

func newChats(a *App) (*chats, error) {
	c := &chats{client: partner.NewClient(), asking: bot.NewClient(), facts: a.State, settings: a.server.Connectors}
	c.life, c.cancel = context.WithCancel(context.Background())
	c.channels.Store(&map[string]channel{})
	log := part(a.log, "chat")
	c.Store = store.New(store.Options{DB: a.database, Dir: attachmentsOf(a.server.Data), Log: log, Rated: journal.Rated})
	c.outage = chat.NewOutage(a.database.Away, log, nil)
	c.Hub = hub.New(hub.Options{
		Outage: c.outage,
		Store:  c.Store, Core: switchboard.ChatFacts{Node: nodeID(a.server), Append: a.append, View: a.State}, Log: log,
		Connector: c.connector, Text: c.says, Bot: c.botOf, Target: c.target,
		Share:    func(name string) string { return (*c.channels.Load())[name].share },
		Rating:   func(name string) string { return (*c.channels.Load())[name].rating },
		Patience: func(name string) time.Duration { return cmp.Or((*c.channels.Load())[name].expire, botExpire) },
		Changed:  func(conversation int64, channel, customer string) { c.window.Changed(conversation, channel, customer) },
	})
	var err error
	if c.postman, err = newPostman(c, a.server.Mail, log); err != nil {
		return nil, err
	}
	c.window = c.newWindow(func() string { return a.stack.Domain() }, log)
	c.bots = c.newBots(a)
	c.herald.news = make(chan struct{}, 1)
	return c, nil
}

// setConfig takes up the channels of a configuration. What is on its way is not disturbed.
func (c *chats) setConfig(config *queuegroups.Config) error {
	channels := make(map[string]channel, len(config.Channels))
	for _, d := range config.Channels {
		x := channel{config: config, pictures: pictures(config, &d), texts: d.Texts, text: d.NoAnswer.Text}
		if slices.Contains(c.settings.Off, d.Connector) {
			d.Connector, d.Widget, d.Telegram = "", nil, nil // R7
		}
		if d.Connector == queuegroups.ConnectorHTTP {
			var err error
			if x.partner, err = partner.New(partner.Options{URL: d.URL, Secret: d.Secret.Value(), Client: c.client, Face: named(config, &d)}); err != nil {
				return fmt.Errorf("channel %s: %w", d.ID, err) // the loader let none through
			}
		}
		if d.Widget != nil {
			x.widget = window(config, &d)
		}
		if d.Telegram != nil {
			x.telegram, x.rating, x.share = c.bots.declare(d), d.Telegram.Rating, d.Telegram.Share
		}
		var err error
		if x.bot, err = c.newBot(&d); err != nil {
			return fmt.Errorf("channel %s: %w", d.ID, err) // the loader let none through
		}
		x.transfers = d.TransferResponsible
		x.expire = cmp.Or(d.AutoExpire, botExpire)
		channels[string(d.ID)] = x
	}
	agents := make(map[string]bool, len(config.Agents))
	for _, d := range config.Agents {
		agents[string(d.ID)] = true
	}
	c.agents.Store(&agents)
	c.channels.Store(&channels)
	c.bots.keep(channels)
	c.herald.look()
	return nil
}

func (c *chats) partner(name string) *partner.Connector { return (*c.channels.Load())[name].partner }

func (c *chats) connector(name string) chat.Connector {
	x := (*c.channels.Load())[name]
	switch {
	case x.partner != nil:
		return x.partner
	case x.widget != nil:
		return widget.Connector{}
	case x.telegram != nil:
		return x.telegram
	}
	return nil
}

// says is the text of a channel for a notice.
func (c *chats) says(name string, n chat.Notice) string {
	x := (*c.channels.Load())[name]
	switch n {
	case chat.NoticeFirst:
		return x.texts.First
	case chat.Notice(acd.NoticeNobody):
		return x.texts.Nobody
	case chat.Notice(acd.NoticeClosed):
		return x.texts.Closed
	case chat.Notice(acd.NoticeEnded):
		return x.texts.Ended
	case chat.Notice(acd.NoticeFull):
		return x.texts.Full
	case chat.Notice(acd.NoticeAutoClosed):
		return x.texts.AutoClosed
	case chat.Notice(acd.NoticeUnanswered):
		return x.text
	}
	return ""
}

// start takes up the chats that were open when the server ended, and what the core
// asked for and does not know the outcome of. Without its database the server takes
// calls all the same, and chats once that is there: what the database is away for is
// tried again.
func (c *chats) start(a *App) {
	var left []acd.Command
	a.State(func(s *acd.State) { left = s.Pending(nodeID(a.server)) })
	a.board.ChatsLeft(left)
	c.starting.Go(func() {
		log := part(a.log, "chat")
		for pause := time.Second; ; pause = min(2*pause, time.Minute) {
			err := c.Start(c.life)
			if err == nil {
				c.outage.Over()
				break
			}
			if c.life.Err() != nil {
				return
			}
			if !c.outage.Is(err) {
				log.Error().Err(err).Dur("again_in_ms", pause).Msg("chats are not taken up yet")
			}
			select {
			case <-c.life.Done():
				return
			case <-time.After(pause):
			}
		}
		c.retake()
		c.archive()
		c.bots.start()
		c.starting.Go(func() { c.announce(log) })
		if c.postman != nil {
			c.starting.Go(func() { c.postman.run(c.life) })
		}
		log.Info().Msg("chats are taken up")
		if err := c.Sweep(c.life, orphanAge); err != nil && c.life.Err() == nil {
			log.Warn().Err(err).Msg("attachments that nobody has stay")
		}
	})
}

func (c *chats) stop() {
	c.cancel()
	c.starting.Wait()
	c.bots.stop()
	c.window.Stop()
	c.Hub.Stop()
}

// entrance is where third parties bring events (R7), and Telegram updates.
func (c *chats) entrance(a *App) http.Handler {
	partners := &partner.Entrance{
		Connector: c.partner,
		Receive:   c.Receive,
		Outage:    c.outage,
		Wrong:     func(err error) bool { return errors.Is(err, hub.ErrUnread) },
		Log:       part(a.log, "chat"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := (*c.channels.Load())[r.PathValue("channel")].telegram; t != nil {
			t.ServeHTTP(w, r)
			return
		}
		partners.ServeHTTP(w, r)
	})
}

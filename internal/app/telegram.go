package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"sync"

	"centrala/chat/hub"
	"centrala/chat/telegram"
	"centrala/queuegroups"
)

// bots are the bots of Telegram of the channels, each of which asks for its updates until the
// channel is declared otherwise. Of the nodes of a cluster the one that leads asks: Telegram
// turns away all but one.
type bots struct {
	make func(queuegroups.Channel) *telegram.Connector

	mu      sync.Mutex
	started bool
	leads   bool // this node
	of      map[queuegroups.ChannelID]*runningBot
	busy    sync.WaitGroup
}

type runningBot struct {
	declared queuegroups.Telegram
	token    string
	c        *telegram.Connector
	cancel   context.CancelFunc // nil: it does not run
	done     chan struct{}      // closed when it ran the last time and does not any more; nil: it never did
}

func (c *chats) newBots(a *App) *bots {
	client := telegram.NewClient()
	log := part(a.log, "chat")
	return &bots{of: map[queuegroups.ChannelID]*runningBot{}, make: func(d queuegroups.Channel) *telegram.Connector {
		o := telegram.Options{
			Channel: string(d.ID), Token: d.Telegram.Token.Value(), URL: d.Telegram.Server, Client: client, Store: c.Store,
			Receive: c.Receive, Wrong: func(err error) bool { return errors.Is(err, hub.ErrUnread) }, Log: log,
			Open: func(ctx context.Context, id string) (io.ReadCloser, error) {
				_, _, f, err := c.Attachment(ctx, id)
				return f, err
			},
		}
		if d.Telegram.Webhook != "" {
			o.Webhook = d.Telegram.Webhook + "/connectors/" + string(d.ID) + "/events"
		}
		return telegram.New(o)
	}}
}

// declare takes up what a channel says of its bot, and returns its connector.
func (b *bots) declare(d queuegroups.Channel) *telegram.Connector {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.of[d.ID]
	declared, token := *d.Telegram, d.Telegram.Token.Value()
	declared.Token, declared.Rating, declared.Share = queuegroups.Secret{}, "", "" // which another bot is not needed for
	if old != nil && old.declared == declared && old.token == token {
		return old.c
	}
	b.end(old)
	x := &runningBot{declared: declared, token: token, c: b.make(d)}
	b.of[d.ID] = x
	b.turn(x)
	return x.c
}

// keep ends the bots of channels that are not declared any more.
func (b *bots) keep(channels map[string]channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, x := range b.of {
		if channels[string(id)].telegram == nil {
			b.end(x)
			delete(b.of, id)
		}
	}
}

// turn begins or ends a bot, as things are. It is called under mu.
func (b *bots) turn(x *runningBot) {
	switch runs := b.started && b.leads; {
	case !runs:
		b.end(x)
	case x.cancel == nil:
		ctx, cancel := context.WithCancel(context.Background())
		before, done := x.done, make(chan struct{})
		x.cancel, x.done = cancel, done
		b.busy.Go(func() {
			defer close(done)
			if before != nil {
				<-before
			}
			x.c.Run(ctx)
		})
	}
}

func (b *bots) end(x *runningBot) {
	if x != nil && x.cancel != nil {
		x.cancel()
		x.cancel = nil
	}
}

// set changes what decides whether the bots run.
func (b *bots) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	for _, x := range b.of {
		b.turn(x)
	}
}

// lead tells whether this node leads. It does not wait.
func (b *bots) lead(yes bool) { b.set(func() { b.leads = yes }) }

func (b *bots) start() { b.set(func() { b.started = true }) }

func (b *bots) stop() {
	b.set(func() { b.started = false })
	b.busy.Wait()
}

// Faults are what keeps connectors from working, by channel.
func (c *chats) Faults() map[queuegroups.ChannelID]string {
	out := c.bots.faults()
	maps.DeleteFunc(out, func(_ queuegroups.ChannelID, fault string) bool { return fault == "" })
	return out
}

// faults are those of the channels with a bot that runs here; empty: it works.
func (b *bots) faults() map[queuegroups.ChannelID]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[queuegroups.ChannelID]string{}
	for id, x := range b.of {
		if x.cancel != nil {
			out[id] = x.c.Fault()
		}
	}
	return out
}

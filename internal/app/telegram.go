package app

import (
	"context"
	"errors"
	"io"
	"sync"

	"centrala/chat/hub"
	"centrala/chat/telegram"
	"centrala/queuegroups"
)

// bots are the bots of Telegram of this node's channels, each of which asks for its
// updates until the channel is declared otherwise.
type bots struct {
	make func(queuegroups.Channel) *telegram.Connector

	mu      sync.Mutex
	running bool
	of      map[queuegroups.ChannelID]*runningBot
	busy    sync.WaitGroup
}

type runningBot struct {
	declared queuegroups.Telegram
	token    string
	c        *telegram.Connector
	cancel   context.CancelFunc // nil: it does not run
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
	declared.Token = queuegroups.Secret{}
	if old != nil && old.declared == declared && old.token == token {
		return old.c
	}
	b.end(old)
	x := &runningBot{declared: declared, token: token, c: b.make(d)}
	b.of[d.ID] = x
	if b.running {
		b.begin(x)
	}
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

func (b *bots) begin(x *runningBot) {
	ctx, cancel := context.WithCancel(context.Background())
	x.cancel = cancel
	b.busy.Go(func() { x.c.Run(ctx) })
}

func (b *bots) end(x *runningBot) {
	if x != nil && x.cancel != nil {
		x.cancel()
	}
}

func (b *bots) start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = true
	for _, x := range b.of {
		b.begin(x)
	}
}

func (b *bots) stop() {
	b.mu.Lock()
	b.running = false
	for _, x := range b.of {
		b.end(x)
	}
	b.mu.Unlock()
	b.busy.Wait()
}

// faults are those of the channels with a bot; empty: it works.
func (b *bots) faults() map[queuegroups.ChannelID]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[queuegroups.ChannelID]string{}
	for id, x := range b.of {
		out[id] = x.c.Fault()
	}
	return out
}

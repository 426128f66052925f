package hub

import (
	"context"
	"errors"
	"time"

	"centrala/chat"
)

// How messages go out.
const (
	sendLimit  = time.Minute    // for an attempt
	sendAtOnce = 16             // attempts at a time
	giveUp     = 24 * time.Hour // after so long a message has failed
	lookAgain  = time.Minute    // for what nobody told of
)

// pauses are those between attempts; the last one is repeated.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// wake has the courier look at what is to go out.
func (h *Hub) wake() {
	select {
	case h.kick <- struct{}{}:
	default: // it is awake
	}
}

// courier sends what is to go out: of each conversation one message at a time.
func (h *Hub) courier() {
	under := map[int64]bool{} // conversations of which a message is on its way
	back := make(chan int64)
	for {
		// Some of these are under way already, but never more than sendAtOnce.
		out, err := h.store.Outbox(h.ctx, 2*sendAtOnce)
		if err != nil && h.ctx.Err() == nil {
			h.log.Error().Err(err).Msg("messages wait: what is to go out cannot be read")
		}
		next := h.now().Add(lookAgain)
		if err != nil {
			next = h.now().Add(pauseMax)
		}
		for _, o := range out {
			switch {
			case under[o.Message.Conversation] || len(under) >= sendAtOnce:
			case o.Next.After(h.now()):
				if o.Next.Before(next) {
					next = o.Next
				}
			default:
				under[o.Message.Conversation] = true
				h.busy.Go(func() {
					h.send(o)
					select {
					case back <- o.Message.Conversation:
					case <-h.ctx.Done():
					}
				})
			}
		}
		timer := time.NewTimer(next.Sub(h.now()))
		select {
		case <-h.ctx.Done():
			timer.Stop()
			return
		case c := <-back:
			delete(under, c)
		case <-h.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// send tries to send one message, and notes what became of it.
func (h *Hub) send(o chat.Outgoing) {
	c := h.connector(o.Channel)
	switch {
	case c == nil:
		h.failed(o, ErrChannel.Error())
		return
	case o.Trying && c.Key(o) == "":
		h.failed(o, "the server ended while it was being sent: nobody knows whether it arrived")
		return
	}
	// Were this not noted first, what was sent by a server that then ended would be
	// sent again as if it never had been.
	if err := h.store.Trying(h.ctx, o, c.Key(o)); err != nil {
		h.later(o, pauses[0])
		return
	}
	ctx, cancel := context.WithTimeout(h.ctx, sendLimit)
	defer cancel()
	externals, err := c.Send(ctx, o)
	if err == nil {
		h.insist("note a message as sent", func(ctx context.Context) error { return h.store.Sent(ctx, o, externals) })
		h.note(o.Message.Conversation)
		return
	}
	if h.ctx.Err() != nil {
		return // the next Start finds it under way
	}
	pause := pauses[min(o.Attempts, len(pauses)-1)]
	var s *chat.SendError
	told := errors.As(err, &s)
	if told && s.Parts > o.Parts { // so far it went well
		h.insist("note a part of a message as sent", func(ctx context.Context) error { return h.store.Partly(ctx, o, s.Parts, s.IDs) })
		pause = pauses[0]
	}
	if told && s.Blocked {
		h.insist("note that a customer lets nothing through", func(ctx context.Context) error { return h.blocked(ctx, o.Channel, o.Customer, true) })
	}
	switch {
	case told && s.Permanent, h.now().Sub(o.Message.At) > giveUp:
		h.failed(o, err.Error())
		return
	case told:
		pause = max(pause, min(s.After, giveUp))
	}
	h.log.Warn().Err(err).Str("channel", o.Channel).Int("attempt", o.Attempts+1).Dur("again_in", pause).Msg("message not sent yet")
	h.later(o, pause)
}

func (h *Hub) later(o chat.Outgoing, pause time.Duration) {
	h.insist("put a message off", func(ctx context.Context) error { return h.store.Later(ctx, o, h.now().Add(pause)) })
}

func (h *Hub) failed(o chat.Outgoing, reason string) {
	h.log.Warn().Str("channel", o.Channel).Str("reason", reason).Msg("message not sent")
	h.insist("note a message as failed", func(ctx context.Context) error { return h.store.Failed(ctx, o, reason) })
	h.note(o.Message.Conversation)
}

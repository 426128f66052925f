package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"centrala/chat"
)

// How messages go out.
const (
	sendLimit  = time.Minute    // for an attempt
	sendAtOnce = 16             // attempts at a time, in each channel
	lookMost   = 256            // messages are found at once
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

// courier sends what is to go out: of each conversation one message at a time, and of each channel so many that
// one whose other side does not answer holds up no other. It looks through what waits of a channel when it has
// begun with all that it found of it, not after each message.
func (h *Hub) courier() {
	under := map[int64]bool{}             // conversations of which a message is on its way
	atOnce := map[string]int{}            // how many are on their way of a channel
	ready := map[string][]chat.Outgoing{} // by channel: was found, and is not on its way yet
	back := make(chan chat.Outgoing)
	next := time.Time{}
	for look := true; ; {
		if look {
			next = h.waiting(under, atOnce, ready)
		}
		for channel := range ready {
			for len(ready[channel]) > 0 && atOnce[channel] < sendAtOnce {
				o := ready[channel][0]
				ready[channel] = ready[channel][1:]
				under[o.Message.Conversation] = true
				atOnce[channel]++
				h.busy.Go(func() {
					h.send(o)
					select {
					case back <- o:
					case <-h.ctx.Done():
					}
				})
			}
			if len(ready[channel]) == 0 {
				delete(ready, channel)
			}
		}
		timer := time.NewTimer(next.Sub(h.now()))
		select {
		case <-h.ctx.Done():
			timer.Stop()
			return
		case o := <-back:
			delete(under, o.Message.Conversation)
			if atOnce[o.Channel]--; atOnce[o.Channel] == 0 {
				delete(atOnce, o.Channel)
			}
			look = len(ready[o.Channel]) == 0
		case <-h.kick:
			look = true
		case <-timer.C:
			look = true
		}
		timer.Stop()
	}
}

// waiting finds what is due, but for conversations of which a message is on its way, and when it is to be looked again at
// the latest. It leaves out channels of which something is ready still, or no more can be on its way.
func (h *Hub) waiting(under map[int64]bool, atOnce map[string]int, ready map[string][]chat.Outgoing) (next time.Time) {
	var full []string
	for channel, n := range atOnce { // what is ready waits for them
		if n >= sendAtOnce {
			full = append(full, channel)
		}
	}
	slices.Sort(full)
	out, err := h.store.Outbox(h.ctx, lookMost, full...)
	next = h.now().Add(lookAgain)
	if err != nil {
		if h.ctx.Err() == nil && !h.outage.Is(err) {
			h.log.Error().Err(err).Msg("messages wait: what is to go out cannot be read")
		}
		return h.now().Add(pauseMax)
	}
	h.outage.Over()
	for _, o := range out {
		switch {
		case under[o.Message.Conversation]:
		case !o.Next.After(h.now()):
			ready[o.Channel] = append(ready[o.Channel], o)
		case o.Next.Before(next):
			next = o.Next
		}
	}
	return next
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
		h.stopping(o, err)
		return
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
	h.log.Warn().Err(err).Str("channel", o.Channel).Int("attempt", o.Attempts+1).Dur("again_in_ms", pause).Msg("message not sent yet")
	h.later(o, pause)
	if o.Attempts == 0 {
		h.note(o.Message.Conversation) // the agent is told that it did not arrive at once
	}
}

// noteFor is how long may be taken for a last note when the hub stops.
const noteFor = 5 * time.Second

// stopping notes of a message which the end of the hub interrupted that it has surely not
// gone out, so that the next Start sends it. Of any other it finds that it is under way.
func (h *Hub) stopping(o chat.Outgoing, why error) {
	var s *chat.SendError
	if !errors.As(why, &s) || s.Permanent {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), noteFor)
	defer cancel()
	var err error
	if s.Parts > o.Parts {
		err = h.store.Partly(ctx, o, s.Parts, s.IDs)
	}
	if err == nil {
		err = h.store.Later(ctx, o, h.now())
	}
	if err != nil {
		h.log.Error().Err(err).Str("channel", o.Channel).Msg("a message that was not sent is not noted as that")
	}
}

func (h *Hub) later(o chat.Outgoing, pause time.Duration) {
	h.insist("put a message off", func(ctx context.Context) error { return h.store.Later(ctx, o, h.now().Add(pause)) })
}

func (h *Hub) failed(o chat.Outgoing, reason string) {
	h.log.Warn().Str("channel", o.Channel).Str("reason", reason).Msg("message not sent")
	h.insist("note a message as failed", func(ctx context.Context) error { return h.store.Failed(ctx, o, reason) })
	h.note(o.Message.Conversation)
}

package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"centrala/chat"
)

// botSweep is how often sessions are looked for whose customers have left the bot.
const botSweep = time.Minute

// ask has the bot answer a customer's message. A bot that fails is asked no more: the
// session goes to the queue (R74). Whatever fails on our side is done again, and what
// was said already is known.
func (h *Hub) ask(ctx context.Context, t chat.Taken) error {
	s := t.Session
	if err := h.notice(ctx, s.ID, "first", chat.NoticeFirst); err != nil {
		return err
	}
	if t.Message.Seq <= s.Bot.Answered {
		return nil // it came again, after all was done
	}
	reply := chat.Reply{HandOver: true}
	if b := h.bot(s.Channel); b != nil {
		var err error
		if reply, err = b.Answer(ctx, chat.Asked{Session: s, Message: t.Message, State: s.Bot.State}); err == nil {
			err = reply.Check()
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err() // not the bot's fault
			}
			h.log.Warn().Err(err).Str("channel", s.Channel).Msg("the bot failed: the chat goes to the queue")
			reply = chat.Reply{HandOver: true}
		}
	}
	for k, text := range reply.Texts {
		d := chat.Draft{Session: s.ID, Client: fmt.Sprintf("%s bot %d.%d", s.ID, t.Message.Seq, k), Text: text}
		if k == len(reply.Texts)-1 {
			d.Buttons = buttons(reply.Choices)
		}
		if err := h.sayOurs(ctx, d); err != nil {
			return err
		}
	}
	next := chat.BotState{State: reply.State, Answered: t.Message.Seq, Has: !reply.HandOver && !reply.Close}
	if reply.HandOver && reply.To != "" {
		var ok bool
		if next.ToChannel, next.ToAgent, ok = h.target(reply.To); !ok {
			h.log.Warn().Str("channel", s.Channel).Str("to", reply.To).Msg("the bot hands over to nobody who is there: the chat goes to its own queue")
		}
	}
	if reply.Close && !reply.HandOver {
		err := h.store.Close(ctx, s.ID)
		h.note(s.Conversation)
		return err
	}
	if err := h.store.SetBot(ctx, s.ID, next); err != nil || next.Has {
		return err
	}
	s.Bot = next
	return h.core.Arrived(ctx, s)
}

// sweepBots closes sessions that are a bot's, and in which nobody wrote for too long.
func (h *Hub) sweepBots() {
	for tick := time.NewTicker(botSweep); ; {
		open, err := h.store.Open(h.ctx)
		if err != nil && h.ctx.Err() == nil {
			h.log.Warn().Err(err).Msg("sessions of bots cannot be looked at")
		}
		for _, s := range open {
			if s.Bot.Has {
				h.expire(s)
			}
		}
		select {
		case <-h.ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// expire closes a bot's session that is over, after what is under way with its customer.
func (h *Hub) expire(s chat.Session) {
	h.lanes.add(lane(s.Channel, s.Customer), func() {
		h.insist("close a session of a bot's", func(ctx context.Context) error {
			s, err := h.store.Session(ctx, s.ID)
			if errors.Is(err, chat.ErrNotFound) || err == nil && !s.Bot.Has {
				return nil
			}
			if err != nil {
				return err
			}
			last, err := h.store.LastWritten(ctx, s.Conversation)
			if err != nil || h.now().Sub(last) < h.patience(s.Channel) {
				return err
			}
			if err := h.store.Close(ctx, s.ID); err != nil {
				return err
			}
			h.note(s.Conversation)
			return nil
		})
	})
}

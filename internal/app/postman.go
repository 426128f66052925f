package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/mail"
	"centrala/configs"
)

// How letters go: so long in one attempt, and looked for so often where nobody told of any.
const (
	letterLimit = time.Minute
	letterLook  = time.Minute
)

// letterPauses are those between attempts at a letter; after the last one it has failed.
var letterPauses = []time.Duration{time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour}

// postman sends the letters that customers asked for (R10): each is noted as under way before
// it is, and is not sent again where nobody knows whether it arrived.
type postman struct {
	c      *chats
	sender *mail.Sender
	kick   chan struct{}
	log    zerolog.Logger
}

// newPostman makes one; nil: the settings have no mail server.
func newPostman(c *chats, m configs.Mail, log zerolog.Logger) (*postman, error) {
	if m.Server == "" {
		return nil, nil
	}
	sender, err := mail.New(mail.Options{Server: m.Server, User: m.User, Password: m.Password.Value(), From: m.From})
	if err != nil {
		return nil, err
	}
	return &postman{c: c, sender: sender, kick: make(chan struct{}, 1), log: log}, nil
}

// wake has letters looked for.
func (p *postman) wake() {
	select {
	case p.kick <- struct{}{}:
	default: // they will be
	}
}

// run sends letters until the context ends.
func (p *postman) run(ctx context.Context) {
	for {
		l, err := p.c.NextLetter(ctx)
		pause := letterLook
		switch {
		case err == nil:
			pause = p.send(ctx, l)
		case !errors.Is(err, chat.ErrNotFound) && ctx.Err() == nil:
			p.log.Error().Err(err).Msg("letters wait")
		}
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-time.After(pause):
		}
	}
}

// send tries to send a letter, and tells after how long to look for letters again.
func (p *postman) send(ctx context.Context, l chat.Letter) time.Duration {
	limited, cancel := context.WithTimeout(ctx, letterLimit)
	defer cancel()
	err := p.deliver(limited, l)
	var no *mail.Error
	told := errors.As(err, &no)
	noted, done := context.WithTimeout(context.WithoutCancel(ctx), letterLimit)
	defer done()
	last := l.Attempts > len(letterPauses)
	pause := letterPauses[min(l.Attempts, len(letterPauses))-1]
	again := time.Duration(0)
	switch {
	case err == nil:
		err = p.c.LetterSent(noted, l, "")
	case told && (no.Permanent || no.Unknown) || last || errors.Is(err, chat.ErrNotFound):
		p.log.Warn().Err(err).Str("session", string(l.Session)).Msg("a letter was not sent")
		err = p.c.LetterSent(noted, l, err.Error())
	default:
		p.log.Warn().Err(err).Str("session", string(l.Session)).Dur("again_in_ms", pause).Msg("a letter was not sent yet")
		again = pause
		err = p.c.LetterLater(noted, l, time.Now().Add(pause), err.Error())
	}
	if err != nil {
		p.log.Error().Err(err).Str("session", string(l.Session)).Msg("it is not noted what became of a letter")
	}
	return min(again, letterLook)
}

// deliver writes a letter and has the mail server take it.
func (p *postman) deliver(ctx context.Context, l chat.Letter) error {
	s, err := p.c.Session(ctx, l.Session)
	if err != nil {
		return fmt.Errorf("the letter's session: %w", err)
	}
	subject, text, err := p.c.window.Letter(ctx, s.Channel, l)
	if err != nil {
		return fmt.Errorf("the letter's text: %w", err)
	}
	return p.sender.Send(ctx, mail.Letter{ID: l.MessageID, To: l.Address, Subject: subject, Text: text, At: l.Made})
}

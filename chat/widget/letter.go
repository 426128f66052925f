package widget

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"time"

	"centrala/chat"
)

// mailable is the address to which a conversation can be sent as things stand (R10): that of
// the customer, once a session is closed in which an agent answered, and once of each session.
func (s *Server) mailable(ctx context.Context, x *chat.Conversation, state *stateFrame) (string, error) {
	if s.post == nil || x.Contact.Details.Email == "" || state.Session == "" || state.Phase != PhaseClosed && state.Phase != PhaseClosing {
		return "", nil
	}
	has, err := s.store.HasLetter(ctx, state.Session)
	if err != nil || has {
		return "", err
	}
	answered, err := s.store.Answered(ctx, state.Session)
	if err != nil || !answered {
		return "", err
	}
	return x.Contact.Details.Email, nil
}

// mail has the conversation sent to the customer's address. Nobody gets more than a few such
// letters, whoever asks for them.
func (s *Server) mail(ctx context.Context, v *visitor, c *Channel, from netip.Addr, x *chat.Conversation, f *frame) (any, *refusal) {
	last, err := s.store.LastSession(ctx, x.ID)
	if err != nil {
		return nil, s.away(err)
	}
	state := &stateFrame{Session: last.ID, Phase: PhaseClosed}
	if now, ok := s.stands(last.ID); last.Closed.IsZero() && (!ok || now.Phase != PhaseClosing) {
		return nil, refused(codeNoMail)
	}
	to, err := s.mailable(ctx, x, state)
	switch {
	case err != nil:
		return nil, s.away(err)
	case to == "":
		return nil, refused(codeNoMail)
	}
	for _, who := range []string{strings.ToLower(to), network(from)} {
		if no := s.limits.letters.take(who); no != nil {
			return nil, no
		}
	}
	if _, err := time.LoadLocation(f.Zone); err != nil {
		f.Zone = ""
	}
	err = s.store.AddLetter(ctx, chat.Letter{
		Session: last.ID, Conversation: x.ID, Seq: x.Seq, Address: to, Language: wordsOf(cmp.Or(c.Language, f.Speaks)).language, Zone: f.Zone,
		MessageID: s.post(strings.ToLower(rand.Text())),
	})
	if err != nil {
		return nil, s.away(err)
	}
	s.posts()
	s.hub.Touch(x.ID)
	return &keptFrame{"kept", f.ID}, nil
}

// Letter writes the text of a letter, and what it is about. The error is chat.ErrNotFound
// where the channel has no window any more, or the database's.
func (s *Server) Letter(ctx context.Context, channel string, l chat.Letter) (subject, text string, err error) {
	c := s.channel(channel)
	if c == nil {
		return "", "", chat.ErrNotFound
	}
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return "", "", errors.Join(chat.ErrNotFound, err)
	}
	w := wordsOf(l.Language)
	text, err = s.transcriptOf(ctx, channel, c, l.Conversation, l.Seq, w, zone)
	return c.Name + " – " + w.title, text, err
}

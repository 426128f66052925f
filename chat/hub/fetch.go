package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"centrala/chat"
)

// How files are fetched from where they are: so long in one try, and so often.
const (
	fetchLimit = 2 * time.Minute
	fetchTries = 8
)

// fetch brings the files of a customer's message here. One that cannot be had leaves
// a word in the text: the message is not held up for ever, nor those after it. The
// error is the context's.
func (h *Hub) fetch(ctx context.Context, c chat.Connector, in *chat.Incoming) error {
	from, ok := c.(chat.Fetcher)
	if !ok || len(in.Remote) == 0 {
		return nil
	}
	for _, r := range in.Remote {
		a, err := h.fetchOne(ctx, from, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			h.log.Warn().Err(err).Str("channel", in.Channel).Str("file", r.Name).Msg("a customer's file could not be fetched")
			reason := "could not be fetched"
			if errors.Is(err, chat.ErrTooBig) {
				reason = fmt.Sprintf("is larger than %d MiB", chat.AttachmentMax>>20)
			}
			in.Text = strings.TrimSpace(fmt.Sprintf("%s\n[%s %s]", in.Text, r.Name, reason))
			continue
		}
		in.Files = append(in.Files, a)
	}
	return nil
}

func (h *Hub) fetchOne(ctx context.Context, from chat.Fetcher, r chat.Remote) (a chat.Attachment, err error) {
	pause := pauseMin
	for range fetchTries {
		if a, err = h.tryFetch(ctx, from, r); err == nil || errors.Is(err, chat.ErrTooBig) || errors.Is(err, chat.ErrNotFound) || errors.Is(err, chat.ErrEmpty) {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(pause):
		}
		pause = min(4*pause, pauseMax)
	}
	return a, err
}

func (h *Hub) tryFetch(ctx context.Context, from chat.Fetcher, r chat.Remote) (chat.Attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	body, err := from.Fetch(ctx, r)
	if err != nil {
		return chat.Attachment{}, err
	}
	defer body.Close()
	return h.store.Attach(body, r.Name)
}

// blocked: the customer lets no message through, or does again.
func (h *Hub) blocked(ctx context.Context, channel, customer string, is bool) error {
	conversation, err := h.store.Blocked(ctx, channel, customer, is)
	if err != nil {
		return err
	}
	h.note(conversation)
	return nil
}

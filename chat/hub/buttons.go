package hub

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"centrala/chat"
)

// buttons are those by which a customer chooses: pressed, they say what the customer would write.
func buttons(choices []string) (list []chat.Button) {
	for k, label := range choices {
		data := label
		if len(data) > chat.ButtonMax {
			data = strconv.Itoa(k + 1)
		}
		list = append(list, chat.Button{Label: label, Data: data})
	}
	return list
}

// shareButton is that by which the customer of a session may share their telephone number,
// where the channel has one and their number is not known (R57).
func (h *Hub) shareButton(ctx context.Context, s *chat.Session) ([]chat.Button, error) {
	if h.share == nil {
		return nil, nil
	}
	label := h.share(s.Channel)
	if label == "" {
		return nil, nil
	}
	names, err := h.store.Known(ctx, s.ID, "")
	if err != nil || slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "+") }) {
		return nil, err
	}
	return []chat.Button{{Label: label, Data: chat.ShareContact}}, nil
}

// askRating asks the customer of a session that was closed what they think of it, where an
// agent answered them and the channel asks (R71).
func (h *Hub) askRating(ctx context.Context, id chat.SessionID) error {
	if h.rating == nil {
		return nil
	}
	s, err := h.store.Session(ctx, id)
	if errors.Is(err, chat.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	text := h.rating(s.Channel)
	if text == "" {
		return nil
	}
	answered, err := h.store.Answered(ctx, id)
	if err != nil || !answered {
		return err
	}
	d := chat.Draft{Session: id, Client: string(id) + " rating", Text: text}
	for score := 1; score <= 5; score++ {
		d.Buttons = append(d.Buttons, chat.Button{Label: strconv.Itoa(score) + " ★", Data: chat.RatingData(id, score)})
	}
	return h.sayOurs(ctx, d)
}

// rated keeps what a customer thinks of a session of theirs. That of another is none.
func (h *Hub) rated(ctx context.Context, channel, customer string, r chat.Rating) error {
	s, err := h.store.Session(ctx, r.Session)
	if err != nil {
		return err
	}
	if s.Channel != channel || s.Customer != customer {
		return chat.ErrNotFound
	}
	r.Who = string(chat.ByCustomer)
	if err := h.store.Rate(ctx, r); err != nil {
		return err
	}
	h.note(s.Conversation)
	return nil
}

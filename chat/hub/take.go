package hub

import (
	"context"
	"errors"

	"centrala/chat"
)

// Accepted notes that agents took a session, as takes tells of it, which is told how it is
// kept. It does not wait.
func (h *Hub) Accepted(id chat.SessionID, takes func(chat.Session) []chat.Take) {
	h.lanes.add(string(id), func() {
		h.insist("note who is responsible", func(ctx context.Context) error {
			s, err := h.store.Session(ctx, id)
			if errors.Is(err, chat.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			list := takes(s)
			if len(list) == 0 || list[len(list)-1].Index <= s.Taken {
				return nil
			}
			return h.store.Accepted(ctx, id, list)
		})
	})
}

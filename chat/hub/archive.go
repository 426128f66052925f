package hub

import "context"

// Archive ends the sessions of channels that are not declared any more: nobody can
// write in them. Their conversations stay (R9). It does not wait.
func (h *Hub) Archive(declared func(channel string) bool) {
	h.lanes.add("", func() {
		h.insist("look for sessions of channels that are gone", func(ctx context.Context) error {
			open, err := h.store.Open(ctx)
			for _, s := range open {
				if !declared(s.Channel) {
					h.log.Warn().Str("channel", s.Channel).Str("session", string(s.ID)).Msg("the chat ends: its channel is not declared any more")
					h.End(s.ID)
				}
			}
			return err
		})
	})
}

package hub

import (
	"time"

	"centrala/chat"
)

// Changed returns what is closed when the conversation changes next. Whoever asks
// for it before they look misses nothing.
func (h *Hub) Changed(conversation int64) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.changed[conversation]
	if c == nil {
		c = make(chan struct{})
		h.changed[conversation] = c
	}
	return c
}

// Touch tells those who watch a conversation that it changed in the store.
func (h *Hub) Touch(conversation int64) { h.note(conversation) }

// note tells those who watch a conversation that it changed.
func (h *Hub) note(conversation int64) { h.noteOf(conversation, "", "") }

func (h *Hub) noteOf(conversation int64, channel, customer string) {
	h.mu.Lock()
	if c := h.changed[conversation]; c != nil {
		close(c)
		delete(h.changed, conversation)
	}
	h.mu.Unlock()
	if h.tell != nil {
		h.tell(conversation, channel, customer)
	}
}

// typist is one side of a conversation.
type typist struct {
	conversation int64
	by           chat.Author
}

// typingFor is how long somebody who typed counts as typing, and typistsMost how many
// are remembered before those are forgotten who do not any more.
const (
	typingFor   = 6 * time.Second
	typistsMost = 1000
)

// Typing tells that somebody types in a conversation. It is never kept.
func (h *Hub) Typing(conversation int64, by chat.Author) {
	h.mu.Lock()
	now := h.now()
	if len(h.typing) >= typistsMost {
		for who, at := range h.typing {
			if now.Sub(at) > typingFor {
				delete(h.typing, who)
			}
		}
	}
	h.typing[typist{conversation, by}] = now
	h.mu.Unlock()
	h.note(conversation)
}

// Typed tells when somebody last typed in a conversation, of which nothing came yet; zero: they do not type now.
func (h *Hub) Typed(conversation int64, by chat.Author) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.typing[typist{conversation, by}]
	if h.now().Sub(at) > typingFor {
		return time.Time{}
	}
	return at
}

// wrote: what was typed has come.
func (h *Hub) wrote(conversation int64, by chat.Author) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.typing, typist{conversation, by})
}

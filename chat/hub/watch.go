package hub

import (
	"slices"
	"time"

	"centrala/chat"
)

// watchedMost is how many conversations may be watched at once. Conversations that are
// over never change, and whoever watched them has long left.
const watchedMost = 20_000

// Changed returns what is closed when the conversation changes next, or perhaps without
// a change: then one looks in vain. Whoever asks for it before they look misses nothing.
func (h *Hub) Changed(conversation int64) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.changed[conversation]
	if c == nil {
		if len(h.changed) >= watchedMost {
			for _, c := range h.changed {
				close(c)
			}
			clear(h.changed)
		}
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
	h.tellWatchers(conversation)
	h.mu.Unlock()
	if h.tell != nil {
		h.tell(conversation, channel, customer)
	}
}

// side is that of the customer or of the staff in a conversation.
type side struct {
	conversation int64
	by           chat.Author
}

// typingFor is how long somebody who typed counts as typing, and typingMost in how many
// conversations it is remembered before those are forgotten where nobody does any more.
const (
	typingFor  = 6 * time.Second
	typingMost = 1000
)

// Typing tells that somebody types in a conversation; name says who of the staff. It is never kept.
func (h *Hub) Typing(conversation int64, by chat.Author, name string) {
	h.mu.Lock()
	now := h.now()
	if len(h.typing) >= typingMost {
		for of, list := range h.typing {
			if now.Sub(list[len(list)-1].At) > typingFor {
				delete(h.typing, of)
			}
		}
	}
	of := side{conversation, by}
	h.typing[of] = append(others(h.typing[of], name), chat.Typist{Name: name, At: now})
	h.mu.Unlock()
	h.note(conversation)
}

// Typed tells who types in a conversation now and wrote nothing since; who did last is the last.
func (h *Hub) Typed(conversation int64, by chat.Author) (list []chat.Typist) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for _, x := range h.typing[side{conversation, by}] {
		if now.Sub(x.At) <= typingFor {
			list = append(list, x)
		}
	}
	return list
}

// wrote: what somebody typed has come.
func (h *Hub) wrote(conversation int64, by chat.Author, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := side{conversation, by}
	if h.typing[of] = others(h.typing[of], name); len(h.typing[of]) == 0 {
		delete(h.typing, of)
	}
}

// others are those who type but one.
func others(list []chat.Typist, name string) []chat.Typist {
	return slices.DeleteFunc(list, func(x chat.Typist) bool { return x.Name == name })
}

// watcher is told of changes of some conversations.
type watcher struct {
	of   []int64
	poke chan struct{}
}

// Watch returns a channel on which it is told that one of some conversations has changed, from when
// set was called with them on; a change or several are one word. Stop ends it; set and stop are
// called by one goroutine.
func (h *Hub) Watch() (changed <-chan struct{}, set func(conversations []int64), stop func()) {
	w := &watcher{poke: make(chan struct{}, 1)}
	set = func(conversations []int64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range w.of {
			if delete(h.watchers[c], w); len(h.watchers[c]) == 0 {
				delete(h.watchers, c)
			}
		}
		w.of = conversations
		for _, c := range w.of {
			if h.watchers[c] == nil {
				h.watchers[c] = map[*watcher]bool{}
			}
			h.watchers[c][w] = true
		}
	}
	return w.poke, set, func() { set(nil) }
}

// tellWatchers is called under mu.
func (h *Hub) tellWatchers(conversation int64) {
	for w := range h.watchers[conversation] {
		select {
		case w.poke <- struct{}{}:
		default: // it will look
		}
	}
}

package widget

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"centrala/chat"
)

// How long a connection may take for things.
const (
	helloWithin = 10 * time.Second
	writeWithin = 10 * time.Second
	pollMax     = 25 * time.Second
)

// beatFrame is a sign of life, in both directions.
type beatFrame struct {
	Type string `json:"type"` // beat
}

// enter takes in a connection of a visitor's, whom wake has look when there may be something for it.
func (s *Server) enter(v *visitor, channel *Channel, since int64, wake func()) (*client, *refusal) {
	c := &client{visitor: v, channel: channel, wake: wake, since: since}
	if channel.Identified && !v.verified() {
		return nil, refused(codeIdentity)
	}
	if !s.clients.enter(c) {
		return nil, &refusal{code: codeTooMany, after: s.beat}
	}
	return c, nil
}

// follow sends the client of a stream what there is for it, and signs of life, until that fails or the server stops.
func (s *Server) follow(ctx context.Context, c *client, poke <-chan struct{}, write func(any) error) error {
	beat := time.NewTicker(s.beat)
	defer beat.Stop()
	for {
		list, err := s.frames(ctx, c)
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := write(f); err != nil {
				return err
			}
		}
	wait:
		for {
			select {
			case <-poke:
				break wait
			case <-beat.C:
				list, err := s.passed(c)
				if err != nil {
					return err
				}
				for _, f := range list {
					if err := write(f); err != nil {
						return err
					}
				}
			case <-s.stopped:
				return errStopping
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// poking returns a way to wake whoever waits on the channel.
func poking() (wake func(), poke chan struct{}) {
	poke = make(chan struct{}, 1)
	return func() {
		select {
		case poke <- struct{}{}:
		default: // it will look
		}
	}, poke
}

// admit lets in who asks with a token, to be told what came since; nil: they were refused, and told so.
func (a *ask) admit() (*client, <-chan struct{}) {
	v, no := a.bearer()
	if no == nil {
		wake, poke := poking()
		var c *client
		if c, no = a.enter(v, a.channel, since(a.r), wake); no == nil {
			return c, poke
		}
	}
	a.refuse(no)
	return nil, nil
}

// stream sends frames as server-sent events, where WebSockets do not get through.
func (a *ask) stream() {
	c, poke := a.admit()
	if c == nil {
		return
	}
	defer a.clients.leave(c)
	out := http.NewResponseController(a.w)
	_ = out.SetReadDeadline(time.Time{}) // the request has been read; not every connection has deadlines
	h := a.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	_ = a.follow(a.r.Context(), c, poke, func(v any) error { // the window connects anew
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_ = out.SetWriteDeadline(time.Now().Add(writeWithin))
		if _, err := a.w.Write([]byte("data: " + string(text) + "\n\n")); err != nil {
			return err
		}
		return out.Flush()
	})
}

// polled is what a window that asks again and again knows beside the messages: it hands it
// back with the next request, since nothing else remembers it between two of them.
type polled struct {
	state uint64 // a hash of how things stand
	typed int64  // when the agent typed last, nanoseconds since 1970
}

// readPolled reads what String wrote; anything else is a window that knows nothing.
func readPolled(text string) polled {
	state, typed, _ := strings.Cut(text, ".")
	var x polled
	var err error
	if x.state, err = strconv.ParseUint(state, 36, 64); err != nil {
		return polled{}
	}
	if x.typed, err = strconv.ParseInt(typed, 36, 64); err != nil {
		return polled{}
	}
	return x
}

// String writes it into an address.
func (x polled) String() string {
	return strconv.FormatUint(x.state, 36) + "." + strconv.FormatInt(x.typed, 36)
}

// poll answers with the frames that there are, and waits a while for some.
func (a *ask) poll() {
	c, poke := a.admit()
	if c == nil {
		return
	}
	defer a.clients.leave(c)
	known := readPolled(a.r.URL.Query().Get("state"))
	c.typed = time.Unix(0, known.typed)
	timeout := time.NewTimer(pollMax)
	defer timeout.Stop()
	for over := false; ; {
		list, err := a.frames(a.r.Context(), c)
		if err != nil {
			a.refuse(a.away(err))
			return
		}
		now := polled{c.state, c.typed.UnixNano()}
		if now.state == known.state {
			list = slices.DeleteFunc(list, func(f any) bool { _, is := f.(*stateFrame); return is })
		}
		if len(list) > 0 || over {
			a.answer(map[string]any{"frames": list, "state": now.String(), "since": c.since})
			return
		}
		select {
		case <-poke:
		case <-timeout.C:
			over = true
		case <-a.stopped:
			over = true
		case <-a.r.Context().Done():
			return
		}
	}
}

// since is the number of the last message that a request says it has.
func since(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// earlier answers with messages before those that the window has.
func (a *ask) earlier() {
	v, no := a.bearer()
	if no == nil {
		no = a.limits.signs.take(v.Customer)
	}
	if no != nil {
		a.refuse(no)
		return
	}
	before, err := strconv.ParseInt(a.r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 1 {
		a.refuse(refused(codeBad))
		return
	}
	x, err := a.store.ConversationOf(a.r.Context(), a.name, v.Customer)
	var page []chat.Message
	if err == nil {
		page, err = a.store.Before(a.r.Context(), x.ID, before, firstPage)
	}
	if err != nil {
		a.refuse(a.away(err))
		return
	}
	a.answer(&messagesFrame{Type: "earlier", More: len(page) > 0 && page[0].Seq > 1, Items: a.shown(a.name, page)})
}

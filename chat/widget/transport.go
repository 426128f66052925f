package widget

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

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

// enter takes in a connection of a visitor's.
func (a *ask) enter(v *visitor, since int64) (*client, *refusal) {
	c := &client{visitor: v, channel: a.channel, poke: make(chan struct{}, 1), since: since}
	if a.channel.Identified && !v.verified() {
		return nil, refused(codeIdentity)
	}
	if !a.clients.enter(c) {
		return nil, &refusal{code: codeTooMany, after: a.beat}
	}
	return c, nil
}

// socket is a WebSocket (RFC 6455): the first frame says who it is, so that no token is in an address.
func (a *ask) socket() {
	conn, err := websocket.Accept(a.w, a.r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // Serve looked at the origin
	if err != nil {
		return // it was answered
	}
	defer func() { _ = conn.CloseNow() }() // it may be closed already
	conn.SetReadLimit(frameMax)
	ctx, cancel := context.WithCancel(a.r.Context())
	defer cancel()
	write := func(v any) error {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		within, cancel := context.WithTimeout(ctx, writeWithin)
		defer cancel()
		return conn.Write(within, websocket.MessageText, text)
	}
	c, no := a.hello(ctx, conn)
	if no != nil {
		_ = write(refusedFrame{"refused", "", no.code, seconds(no.after)}) // the visitor is gone
		_ = conn.Close(websocket.StatusPolicyViolation, no.code)
		return
	}
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		defer cancel()
		_ = a.follow(ctx, c, write) // the window connects anew and says what it has
		_ = conn.CloseNow()
	}()
	a.listen(ctx, conn, c, write)
	cancel()
	<-followed
	a.clients.leave(c)
}

// hello waits for the first frame.
func (a *ask) hello(ctx context.Context, conn *websocket.Conn) (*client, *refusal) {
	within, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	_, text, err := conn.Read(within)
	var f frame
	if err != nil || json.Unmarshal(text, &f) != nil || f.Type != "hello" {
		return nil, refused(codeBad)
	}
	v, no := a.known(f.Token)
	if no != nil {
		return nil, no
	}
	return a.enter(v, f.Since)
}

// listen does what the frames of a socket ask for, until it ends or is silent for too long.
func (a *ask) listen(ctx context.Context, conn *websocket.Conn, c *client, write func(any) error) {
	for {
		within, cancel := context.WithTimeout(ctx, 5*a.beat/2)
		_, text, err := conn.Read(within)
		cancel()
		if err != nil {
			return
		}
		var f frame
		var answer any
		var no *refusal
		switch {
		case json.Unmarshal(text, &f) != nil:
			no = refused(codeBad)
		case f.Type == "beat":
			continue
		default:
			answer, no = a.take(ctx, c.visitor, c.channel, a.from, &f)
		}
		if no != nil && (f.Type == "message" || f.Type == "rate" || f.Type == "close" || f.Type == "") {
			answer = refusedFrame{"refused", f.ID, no.code, seconds(no.after)}
		}
		if answer != nil && write(answer) != nil {
			return
		}
	}
}

// follow sends a client what there is for it, and signs of life, until that fails or the server stops.
func (s *Server) follow(ctx context.Context, c *client, write func(any) error) error {
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
			case <-c.poke:
				break wait
			case <-beat.C:
				if err := write(beatFrame{"beat"}); err != nil {
					return err
				}
				if s.now().Unix() > c.visitor.Expires {
					return errToken
				}
				break wait // the hours may have changed
			case <-s.stopped:
				return errStopping
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// admit lets in who asks with a token, to be told what came since; nil: they were refused, and told so.
func (a *ask) admit() *client {
	v, no := a.bearer()
	if no == nil {
		var c *client
		if c, no = a.enter(v, since(a.r)); no == nil {
			return c
		}
	}
	a.refuse(no)
	return nil
}

// stream sends frames as server-sent events, where WebSockets do not get through.
func (a *ask) stream() {
	c := a.admit()
	if c == nil {
		return
	}
	defer a.clients.leave(c)
	out := http.NewResponseController(a.w)
	_ = out.SetReadDeadline(time.Time{}) // the request has been read; not every connection has deadlines
	h := a.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	_ = a.follow(a.r.Context(), c, func(v any) error { // the window connects anew
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
	c := a.admit()
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
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(c.state)) // it never fails
		now := polled{sum.Sum64(), c.typed.UnixNano()}
		if now.state == known.state {
			list = slices.DeleteFunc(list, func(f any) bool { _, is := f.(*stateFrame); return is })
		}
		if len(list) > 0 || over {
			a.answer(map[string]any{"frames": list, "state": now.String(), "since": c.since})
			return
		}
		select {
		case <-c.poke:
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
	a.answer(&messagesFrame{Type: "earlier", More: len(page) > 0 && page[0].Seq > 1, Items: a.shown(page)})
}

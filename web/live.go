package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"centrala/queuegroups"
)

const (
	// livePing is how long a live stream is silent at most: whoever hears nothing for twice as long
	// knows that it is cut.
	livePing = 5 * time.Second
	// deskAround is how long at least a desk is left as it is when only that has changed which
	// surrounds the agent: who else waits.
	deskAround = time.Second
	// liveDoubt is how soon it is looked again at what the caller may see after somebody's command,
	// which may have changed it: where many look on, commands are many.
	liveDoubt = time.Second
)

func (s *Server) liveRoute() {
	Operation(s, Needs(queuegroups.RightAgentsRead), Route{
		ID: "stream-live", Method: http.MethodGet, Path: "/live", Tag: "board", Summary: "Board and desk, as they change",
		Description: "Server-sent events: board, with the data of a change of GET /board; desk, with all of GET /desk; chats, with all of GET /chats, of those who ask for the desk and are agents; time, the server's, every 5 seconds at least. A client that comes again with the id of the last " +
			"change, as Last-Event-ID, is told what it has missed, or everything anew. Changes come at most every quarter of a second. " +
			"The stream ends when the session does.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The stream.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}, s.streamLive)
}

type liveIn struct {
	LastID string `header:"Last-Event-ID" maxLength:"40" doc:"The id of the last change of the board that was taken."`
	Board  bool   `query:"board" doc:"Tell of the board. Neither board nor desk: both."`
	Desk   bool   `query:"desk" doc:"Tell of the caller's desk."`
}

func (s *Server) streamLive(_ context.Context, c *Caller, in *liveIn) (*huma.StreamResponse, error) {
	if !in.Board && !in.Desk {
		in.Board, in.Desk = true, true
	}
	leave := s.streams.enter(c.Name)
	if leave == nil {
		p := problem(http.StatusTooManyRequests, codeTooMany, "%d streams at once are enough", streamsMax)
		p.retryAfter = streamPing
		return nil, p
	}
	l := &liveStream{s: s, caller: c, board: in.Board, desk: in.Desk, last: in.LastID}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		hr, w := humago.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // proxies of the nginx kind pass it on at once
		w.WriteHeader(http.StatusOK)
		l.w, l.out = w, http.NewResponseController(w)
		_ = l.out.SetReadDeadline(time.Time{}) // the request has been read; not every connection has deadlines
		err := l.run(hr.Context())
		if r := requestOf(hr.Context()); r != nil {
			r.cause = err
		}
	}}, nil
}

// liveStream is one browser that looks on. Accessed by its request only.
type liveStream struct {
	s           *Server
	caller      *Caller
	board, desk bool
	scope       scope
	config      *queuegroups.Config // that the scope goes by
	last        string              // the id of the last change of the board that was sent

	own, around uint64 // of the desk that was looked at
	calls       bool   // were on it
	sent        []byte // that desk, without its time
	looked      time.Time
	chats       liveChats

	doubt   bool // the caller's rights may have changed
	checked time.Time

	out *http.ResponseController
	w   http.ResponseWriter
	buf []byte
}

// run tells of changes until the client goes, is too slow, may not see them any more, or the server stops.
func (l *liveStream) run(ctx context.Context) error {
	defer l.s.board.watch()()
	again := l.s.streams.signal()
	ping := time.NewTicker(livePing)
	defer ping.Stop()
	l.checked = time.Now()
	later := time.NewTimer(0)
	defer later.Stop()
	l.time()
	var stop func()
	l.chats.changed, l.chats.set, stop = l.s.chats.Watch()
	defer stop()
	for {
		pic, turned, err := l.s.board.now()
		if err != nil {
			return err
		}
		if l.config != pic.config {
			l.scope, l.config, l.looked = l.s.scope(l.caller), pic.config, time.Time{}
		}
		if err := l.tell(ctx, pic); err != nil {
			return err
		}
		later.Reset(l.chats.rest(deskAround))
		select {
		case <-l.chats.changed:
			l.chats.stale = true
		case <-turned:
		case <-later.C:
		case <-ping.C:
			l.time()
		case <-again:
			again, l.doubt = l.s.streams.signal(), true
		case <-l.s.stopping:
			return nil
		case <-ctx.Done():
			return nil
		}
		if passed := time.Since(l.checked); passed >= streamPing || l.doubt && passed >= liveDoubt {
			if err := l.recheck(ctx); err != nil {
				return err
			}
		}
	}
}

// time tells what time it is here, and that the stream lives.
func (l *liveStream) time() {
	l.buf = fmt.Appendf(l.buf, "event: time\ndata: %q\n\n", l.s.now().Format(time.RFC3339Nano))
}

// tell sends what has changed.
func (l *liveStream) tell(ctx context.Context, pic *picture) error {
	if l.board {
		list, id, err := l.s.board.since(l.scope, l.last)
		if err != nil {
			return err
		}
		for k, c := range list {
			l.buf = append(l.buf, "event: board\n"...)
			if k == len(list)-1 {
				l.buf = fmt.Appendf(l.buf, "id: %s\n", id)
			}
			l.buf = append(append(append(l.buf, "data: "...), c...), "\n\n"...)
		}
		l.last = id
	}
	if l.desk {
		own, around := pic.deskMarks(l.caller)
		if err := l.tellDesk(pic, own, around); err != nil {
			return err
		}
		if err := l.tellChats(ctx, pic, own); err != nil {
			return err
		}
	}
	if len(l.buf) == 0 {
		return nil
	}
	defer func() { l.buf = l.buf[:0] }()
	if err := l.out.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := l.w.Write(l.buf); err != nil {
		return err
	}
	return l.out.Flush()
}

// tellDesk sends the desk if it is another one now. What is on it comes from the core, and a little
// of the telephones': that is why it is looked at now and then though the core stands still.
func (l *liveStream) tellDesk(pic *picture, own, around uint64) error {
	switch passed := time.Since(l.looked); {
	case l.sent == nil, own != l.own, passed >= livePing:
	case passed >= deskAround && (around != l.around || l.calls):
	default:
		return nil
	}
	l.own, l.around, l.looked = own, around, time.Now()
	d := l.s.viewDesk(l.caller, pic)
	l.calls = len(d.Calls) > 0
	at := d.Now
	d.Now = time.Time{}
	body, err := json.Marshal(&d)
	if err != nil {
		return err
	}
	if bytes.Equal(body, l.sent) {
		return nil
	}
	l.sent, d.Now = body, at
	if body, err = json.Marshal(&d); err != nil {
		return err
	}
	l.buf = append(append(append(l.buf, "event: desk\ndata: "...), body...), "\n\n"...)
	return nil
}

// recheck finds out whether the caller may still look on, and at what.
func (l *liveStream) recheck(ctx context.Context) error {
	c, err := l.s.again(ctx, l.caller, queuegroups.RightAgentsRead)
	if err != nil {
		return err
	}
	l.caller = c
	l.scope, l.doubt, l.checked = l.s.scope(l.caller), false, time.Now()
	return nil
}

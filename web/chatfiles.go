package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"centrala/chat"
	"centrala/queuegroups"
)

// ChatFiles are attachments of chats.
type ChatFiles interface {
	Attach(r io.Reader, name string) (chat.Attachment, error)
	Attachment(ctx context.Context, id string) (a chat.Attachment, conversation int64, f *os.File, err error)
}

// uploadFor is how long an agent may take to bring a file.
const uploadFor = 2 * time.Minute

// chatFileRoutes are beside the operations, which are JSON: here files travel as they are.
func (s *Server) chatFileRoutes() {
	const at = Prefix + "/interactions/{interaction}/attachments"
	handle := func(pattern, route string, need Need, f func(http.ResponseWriter, *http.Request, *request, uint64) *Problem) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, hr *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			r := requestOf(hr.Context())
			r.route = route
			p := s.admit(w, r, hr, need)
			id, err := strconv.ParseUint(hr.PathValue("interaction"), 10, 64)
			if p == nil && err != nil {
				p = notFound("interaction", hr.PathValue("interaction"))
			}
			if p == nil {
				p = f(w, hr, r, id)
			}
			if p != nil {
				s.refuse(w, hr, p)
			}
		})
	}
	handle("GET "+at+"/{attachment}", "get-attachment", Needs(queuegroups.RightInteractionsRead), s.sendAttachment)
	handle("POST "+at, "send-attachment", Needs(queuegroups.RightInteractionsWrite), s.takeAttachment)
}

// sendAttachment sends a file of a chat's conversation to whoever may see the chat.
func (s *Server) sendAttachment(w http.ResponseWriter, hr *http.Request, r *request, interaction uint64) *Problem {
	_, conversation, p := s.chat(hr.Context(), r.caller, interaction)
	if p != nil {
		return p
	}
	id := hr.PathValue("attachment")
	a, of, f, err := s.chats.Attachment(hr.Context(), id)
	if err == nil {
		defer f.Close()
	}
	switch {
	case errors.Is(err, chat.ErrNotFound) || err == nil && of != conversation:
		return notFound("attachment", id)
	case err != nil:
		return unavailable(err)
	}
	a.Send(w, hr, f)
	return nil
}

// takeAttachment sends the customer a file: the body, whose name the query tells, as the agent's
// message with the id of the query. The same id again is the same message.
func (s *Server) takeAttachment(w http.ResponseWriter, hr *http.Request, r *request, interaction uint64) *Problem {
	v, leg, p := s.writer(r.caller, interaction)
	if p != nil {
		return p
	}
	in := &sayIn{}
	in.Body.ID = hr.URL.Query().Get("id")
	if in.Body.ID == "" || len(in.Body.ID) > 100 {
		return invalid("query.id", "1 to 100 characters")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadFor)) // not every connection has deadlines
	a, err := s.chats.Attach(hr.Body, hr.URL.Query().Get("name"))
	switch {
	case errors.Is(err, chat.ErrTooBig), errors.Is(err, chat.ErrEmpty):
		return invalid("body", "%v", err)
	case err != nil:
		return unavailable(err)
	}
	out, err := s.say(hr.Context(), r.caller, &v, leg, in, chat.KindText, a)
	if err != nil {
		var p *Problem
		if errors.As(err, &p) {
			return p
		}
		return unavailable(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out.Body) // the client is gone
	return nil
}

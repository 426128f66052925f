package web

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"centrala/internal/events"
	"centrala/queuegroups"
)

// Events are what happened, in order: *events.Hub, whose methods it has.
type Events interface {
	// After returns events behind an id; its error may be events.ErrGone.
	After(ctx context.Context, after int64, limit int) ([]*events.Event, error)
	// Newest is the id of the newest; 0: there is none.
	Newest(ctx context.Context) (int64, error)
	// Forget has events read anew that were changed.
	Forget()
	// Changed returns a channel that is closed when there are more than now.
	Changed() <-chan struct{}
}

func (s *Server) eventRoutes() {
	Operation(s, Needs(queuegroups.RightEventsRead), Route{
		ID: "stream-events", Method: http.MethodGet, Path: "/events", Tag: "events", Summary: "What happens, as it happens",
		Description: "Server-sent events. Each has an id; a client that comes again with the id of the last event that it saw, as Last-Event-ID or after, " +
			"misses nothing and gets nothing twice. Without one the stream begins now. What is no longer kept is answered 410 " + codeEventsGone +
			": read anew how things stand, and begin without an id. One sees what one's rights reach: of interactions with interactions:read, " +
			"of agents with agents:read, of trunks and the configuration with config:read. Every 15 seconds at least there is a comment. The stream ends when the session does.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The stream. The data of each event are as described here, on one line.",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: s.eventSchema()}},
		}},
	}, s.streamEvents)
}

// eventSchema describes all events: one schema for each type, by the name of the type.
func (s *Server) eventSchema() *huma.Schema {
	schemas := s.api.OpenAPI().Components.Schemas
	all := &huma.Schema{}
	for _, k := range events.Kinds() {
		envelope := *schemas.Schema(reflect.TypeFor[events.Envelope](), false, "")
		properties := map[string]*huma.Schema{}
		for name, p := range envelope.Properties {
			properties[name] = p
		}
		properties["type"] = &huma.Schema{Type: huma.TypeString, Enum: []any{string(k.Type)}}
		properties["data"] = schemas.Schema(reflect.TypeOf(k.Data), true, "")
		envelope.Properties, envelope.Description = properties, k.About
		name := "event." + string(k.Type)
		schemas.Map()[name] = &envelope
		all.OneOf = append(all.OneOf, &huma.Schema{Ref: "#/components/schemas/" + name})
	}
	return all
}

type eventsIn struct {
	After   string   `query:"after" maxLength:"20" doc:"The id of the last event that was seen. Last-Event-ID goes before it."`
	LastID  string   `header:"Last-Event-ID" maxLength:"20" doc:"What browsers send when they connect anew."`
	Types   []string `query:"types" maxItems:"100" doc:"Only these types, with commas between; call.* is all that begins with call."`
	Group   string   `query:"group" maxLength:"80" doc:"Only those of the group."`
	started int64
}

// Resolve checks what the tags cannot.
func (in *eventsIn) Resolve(huma.Context) []error {
	var bad []error
	in.started = -1
	if last := in.LastID; last != "" || in.After != "" {
		where := "header.Last-Event-ID"
		if last == "" {
			last, where = in.After, "query.after"
		}
		id, err := strconv.ParseInt(last, 10, 64)
		if err != nil || id < 0 {
			bad = append(bad, &huma.ErrorDetail{Location: where, Message: "that is no id of an event"})
		}
		in.started = id
	}
	for _, name := range in.Types {
		if !events.Known(name) {
			bad = append(bad, &huma.ErrorDetail{Location: "query.types", Message: "there is no such type of events; the description of the API has the list"})
		}
	}
	return bad
}

func (s *Server) streamEvents(ctx context.Context, c *Caller, in *eventsIn) (*huma.StreamResponse, error) {
	st := &stream{s: s, caller: c, types: in.Types, group: queuegroups.GroupID(in.Group), last: in.started}
	if st.last < 0 {
		newest, err := s.events.Newest(ctx)
		if err != nil {
			return nil, unavailable(err)
		}
		st.last = newest
	}
	st.changed = s.events.Changed()
	list, err := s.events.After(ctx, st.last, streamPage)
	switch {
	case errors.Is(err, events.ErrGone):
		return nil, problem(http.StatusGone, codeEventsGone,
			"the events behind %d are not kept: read anew how things stand, and begin without an id", st.last)
	case err != nil:
		return nil, unavailable(err)
	}
	if st.leave = s.streams.enter(c.Name); st.leave == nil {
		p := problem(http.StatusTooManyRequests, codeTooMany, "%d streams at once are enough", streamsMax)
		p.retryAfter = streamPing
		return nil, p
	}
	st.look()
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer st.leave()
		hr, w := humago.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no") // proxies of the nginx kind pass it on at once
		w.WriteHeader(http.StatusOK)
		st.run(hr.Context(), w, list)
	}}, nil
}

// ofQueue tells whether a type is about waiting and being offered, which colleagues who may pick up see.
func ofQueue(t events.Type) bool {
	switch t {
	case events.GroupEntered, events.GroupLeft, events.OfferMade, events.OfferRinging, events.OfferEnded:
		return true
	default:
	}
	_, name, _ := strings.Cut(string(t), ".")
	return name == "arrived" || name == "queued"
}

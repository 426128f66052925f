package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"centrala/acd"
	"centrala/internal/events"
	"centrala/internal/webhooks"
	"centrala/queuegroups"
)

// Webhooks send events to others: *webhooks.Webhooks, whose methods it has.
type Webhooks interface {
	Add(ctx context.Context, e webhooks.Endpoint) (secret string, made webhooks.Endpoint, err error)
	List(ctx context.Context) ([]webhooks.Endpoint, error)
	Get(ctx context.Context, id string) (*webhooks.Endpoint, error)
	Change(ctx context.Context, e webhooks.Endpoint) error
	Remove(ctx context.Context, id string) error
	Rotate(ctx context.Context, id string) (secret string, err error)
	Test(ctx context.Context, id string) (status int, why string, err error)
	Deliveries(ctx context.Context, id, state string, before int64, limit int) ([]webhooks.Delivery, error)
	Replay(ctx context.Context, id string, event int64) error
}

func (s *Server) webhookRoutes() {
	read, write := Needs(queuegroups.RightWebhooksRead), Needs(queuegroups.RightWebhooksWrite)
	route := func(id, method, path, summary, description string) Route {
		return Route{ID: id, Method: method, Path: "/webhooks" + path, Tag: "webhooks", Summary: summary, Description: description}
	}
	Operation(s, read, route("list-webhooks", http.MethodGet, "", "Who is sent events", ""), s.listWebhooks)
	add := route("add-webhook", http.MethodPost, "", "Send events to an address",
		"What happens from now on, as Standard Webhooks 1.0.0 has it, in the envelope of GET /events. The secret is shown this once.")
	add.Status = http.StatusCreated
	Operation(s, write, add, s.addWebhook)
	Operation(s, read, route("get-webhook", http.MethodGet, "/{webhook}", "One webhook", ""), s.getWebhook)
	Operation(s, write, route("change-webhook", http.MethodPatch, "/{webhook}", "Change a webhook",
		"What is left out stays. One that is enabled again is sent what happened meanwhile, as far as it is kept."), s.changeWebhook)
	Operation(s, write, route("remove-webhook", http.MethodDelete, "/{webhook}", "Remove a webhook", ""), s.removeWebhook)
	Operation(s, write, route("rotate-webhook-secret", http.MethodPost, "/{webhook}/secret", "Make a new secret",
		"For 24 hours there is a signature by the one before, too."), s.rotateWebhook)
	Operation(s, write, route("test-webhook", http.MethodPost, "/{webhook}/test", "Send an event of the type webhook.test now", ""), s.testWebhook)
	Operation(s, read, route("list-deliveries", http.MethodGet, "/{webhook}/deliveries", "What was sent, the newest events first", ""), s.listDeliveries)
	Operation(s, write, route("replay-delivery", http.MethodPost, "/{webhook}/deliveries/{event}/replay", "Send an event again", ""), s.replayDelivery)
}

// Webhook is somebody who is sent events.
type Webhook struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	URL       string    `json:"url"`
	Types     []string  `json:"types" nullable:"false" doc:"Only these; none: all. call.* is all that begins with call."`
	Groups    []string  `json:"groups" nullable:"false" doc:"Only those of these groups; none: all."`
	Enabled   bool      `json:"enabled"`
	Why       string    `json:"why,omitempty" doc:"It is disabled, in words."`
	Disabled  time.Time `json:"disabled,omitzero" doc:"Since."`
	Created   time.Time `json:"created"`
	Succeeded time.Time `json:"succeeded,omitzero" doc:"The last delivery."`
}

func viewWebhook(e *webhooks.Endpoint) Webhook {
	return Webhook{
		ID: e.ID, Title: e.Title, URL: e.URL, Types: append([]string{}, e.Types...), Groups: append([]string{}, e.Groups...), Enabled: e.Disabled.IsZero(),
		Why: e.Why, Disabled: e.Disabled, Created: e.Created, Succeeded: e.Succeeded,
	}
}

// asWebhookProblem tells what webhooks refuse.
func asWebhookProblem(err error) *Problem {
	switch {
	case errors.Is(err, webhooks.ErrNotFound):
		return problem(http.StatusNotFound, codeNotFound, "there is no such thing")
	case errors.Is(err, webhooks.ErrURL):
		return invalid("body.url", "%v", webhooks.ErrURL)
	case errors.Is(err, webhooks.ErrAddress):
		return invalid("body.url", "%v", webhooks.ErrAddress)
	case errors.Is(err, webhooks.ErrTooMany):
		return conflict("too_many_webhooks", "%v", err)
	}
	return unavailable(err)
}

// everywhere refuses callers whose rights have bounds: webhooks are sent what happens everywhere.
func everywhere(c *Caller) *Problem {
	if c.Role.Reach != queuegroups.ReachAll {
		return forbidden("this is for those whose rights reach all groups")
	}
	return nil
}

func (s *Server) listWebhooks(ctx context.Context, c *Caller, in *PageIn) (*PageOut[Webhook], error) {
	if p := everywhere(c); p != nil {
		return nil, p
	}
	endpoints, err := s.webhooks.List(ctx)
	if err != nil {
		return nil, asWebhookProblem(err)
	}
	list := make([]Webhook, len(endpoints))
	for k := range endpoints {
		list[k] = viewWebhook(&endpoints[k])
	}
	return pageOf(list, in, func(w Webhook) string { return w.ID })
}

type addWebhookIn struct {
	Body struct {
		Title  string   `json:"title" minLength:"1" maxLength:"100" doc:"What it is for."`
		URL    string   `json:"url" maxLength:"2000" example:"https://example.com/hook" doc:"https://, or http:// to an address that webhooks.allow in the server's settings has."`
		Types  []string `json:"types,omitempty" maxItems:"100" nullable:"false" doc:"Only these; left out: all. call.* is all that begins with call."`
		Groups []string `json:"groups,omitempty" maxItems:"200" nullable:"false" doc:"Only those of these groups; left out: all."`
	}
}

type webhookOut struct{ Body Webhook }

type addWebhookOut struct {
	Body struct {
		Webhook
		Secret string `json:"secret" doc:"What signatures are made with."`
	}
}

// filters checks what an endpoint wants to be sent.
func (s *Server) filters(types, groups []string) *Problem {
	for _, name := range types {
		if !events.Known(name) {
			return invalid("body.types", "there is no type of events %q", name)
		}
	}
	var p *Problem
	s.core.View(func(st *acd.State) {
		for _, g := range groups {
			if _, ok := st.Group(queuegroups.GroupID(g)); !ok {
				p = invalid("body.groups", "there is no group %q", g)
			}
		}
	})
	return p
}

func (s *Server) addWebhook(ctx context.Context, c *Caller, in *addWebhookIn) (*addWebhookOut, error) {
	if p := everywhere(c); p != nil {
		return nil, p
	}
	if p := s.filters(in.Body.Types, in.Body.Groups); p != nil {
		return nil, p
	}
	secret, made, err := s.webhooks.Add(ctx, webhooks.Endpoint{Title: in.Body.Title, URL: in.Body.URL, Types: in.Body.Types, Groups: in.Body.Groups})
	if err != nil {
		return nil, asWebhookProblem(err)
	}
	out := &addWebhookOut{}
	out.Body.Webhook, out.Body.Secret = viewWebhook(&made), secret
	changed(ctx, "webhooks/"+made.ID, nil, out.Body.Webhook)
	return out, nil
}

// WebhookPath names a webhook in the path.
type WebhookPath struct {
	Webhook string `path:"webhook" maxLength:"40"`
}

func (s *Server) webhook(ctx context.Context, c *Caller, id string) (*webhooks.Endpoint, *Problem) {
	if p := everywhere(c); p != nil {
		return nil, p
	}
	e, err := s.webhooks.Get(ctx, id)
	if err != nil {
		return nil, asWebhookProblem(err)
	}
	return e, nil
}

func (s *Server) getWebhook(ctx context.Context, c *Caller, in *WebhookPath) (*webhookOut, error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	return &webhookOut{viewWebhook(e)}, nil
}

type changeWebhookIn struct {
	WebhookPath
	Body struct {
		Title   *string   `json:"title,omitempty" minLength:"1" maxLength:"100"`
		URL     *string   `json:"url,omitempty" maxLength:"2000"`
		Types   *[]string `json:"types,omitempty" maxItems:"100"`
		Groups  *[]string `json:"groups,omitempty" maxItems:"200"`
		Enabled *bool     `json:"enabled,omitempty"`
	}
}

func (s *Server) changeWebhook(ctx context.Context, c *Caller, in *changeWebhookIn) (*webhookOut, error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	before := viewWebhook(e)
	if b := &in.Body; b.Title != nil {
		e.Title = *b.Title
	}
	if in.Body.URL != nil {
		e.URL = *in.Body.URL
	}
	if in.Body.Types != nil {
		e.Types = *in.Body.Types
	}
	if in.Body.Groups != nil {
		e.Groups = *in.Body.Groups
	}
	if on := in.Body.Enabled; on != nil && *on != e.Disabled.IsZero() {
		e.Disabled, e.Why = time.Time{}, ""
		if !*on {
			e.Disabled, e.Why = s.now(), "by "+c.Name
		}
	}
	if p := s.filters(e.Types, e.Groups); p != nil {
		return nil, p
	}
	if err := s.webhooks.Change(ctx, *e); err != nil {
		return nil, asWebhookProblem(err)
	}
	after := viewWebhook(e)
	changed(ctx, "webhooks/"+e.ID, before, after)
	return &webhookOut{after}, nil
}

func (s *Server) removeWebhook(ctx context.Context, c *Caller, in *WebhookPath) (*nothingOut, error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	if err := s.webhooks.Remove(ctx, e.ID); err != nil {
		return nil, asWebhookProblem(err)
	}
	changed(ctx, "webhooks/"+e.ID, viewWebhook(e), nil)
	return &nothingOut{}, nil
}

type secretOut struct {
	Body struct {
		Secret string `json:"secret"`
	}
}

func (s *Server) rotateWebhook(ctx context.Context, c *Caller, in *WebhookPath) (*secretOut, error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	out := &secretOut{}
	var err error
	if out.Body.Secret, err = s.webhooks.Rotate(ctx, e.ID); err != nil {
		return nil, asWebhookProblem(err)
	}
	return out, nil
}

type testWebhookOut struct {
	Body struct {
		Delivered bool   `json:"delivered"`
		Status    int    `json:"status,omitempty" doc:"HTTP status of the answer."`
		Why       string `json:"why,omitempty" doc:"It was not delivered, in words."`
	}
}

func (s *Server) testWebhook(ctx context.Context, c *Caller, in *WebhookPath) (*testWebhookOut, error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	out := &testWebhookOut{}
	var err error
	if out.Body.Status, out.Body.Why, err = s.webhooks.Test(ctx, e.ID); err != nil {
		return nil, asWebhookProblem(err)
	}
	out.Body.Delivered = out.Body.Why == ""
	return out, nil
}

type deliveriesIn struct {
	WebhookPath
	PageIn
	State string `query:"state" enum:"pending,delivered,failed" doc:"Only those."`
}

// Delivery is an event that is sent to a webhook.
type Delivery struct {
	Event    string    `json:"event" doc:"The id of the event, which is webhook-id, too."`
	State    string    `json:"state" enum:"pending,delivered,failed"`
	Attempts int       `json:"attempts" doc:"So far."`
	Next     time.Time `json:"next,omitzero" doc:"When it is tried next."`
	Status   int       `json:"status,omitempty" doc:"HTTP status of the last answer."`
	Why      string    `json:"why,omitempty" doc:"The last attempt failed, in words."`
	Created  time.Time `json:"created"`
	Tried    time.Time `json:"tried,omitzero" doc:"Last."`
}

func (s *Server) listDeliveries(ctx context.Context, c *Caller, in *deliveriesIn) (*PageOut[Delivery], error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	position, bad := in.position()
	if bad != nil {
		return nil, bad
	}
	before, err := strconv.ParseInt(position, 10, 64)
	if err != nil && position != "" {
		return nil, problem(http.StatusBadRequest, codeBadCursor, "that is no cursor of ours")
	}
	found, err := s.webhooks.Deliveries(ctx, e.ID, in.State, before, in.Limit+1)
	if err != nil {
		return nil, asWebhookProblem(err)
	}
	list := make([]Delivery, len(found))
	for k, d := range found {
		list[k] = Delivery{strconv.FormatInt(d.Event, 10), d.State, d.Attempts, d.Due, d.Status, d.Why, d.Created, d.Tried}
	}
	all := func(Delivery) bool { return true }
	return &PageOut[Delivery]{cut(list, &in.PageIn, func(d Delivery) string { return d.Event }, all)}, nil
}

type replayIn struct {
	WebhookPath
	Event int64 `path:"event" minimum:"1"`
}

func (s *Server) replayDelivery(ctx context.Context, c *Caller, in *replayIn) (*nothingOut, error) {
	e, p := s.webhook(ctx, c, in.Webhook)
	if p != nil {
		return nil, p
	}
	if err := s.webhooks.Replay(ctx, e.ID, in.Event); err != nil {
		return nil, asWebhookProblem(err)
	}
	return &nothingOut{}, nil
}

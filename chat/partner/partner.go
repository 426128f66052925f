// Package partner is the connector for third parties (R7): they bring messages of
// their customers by signed HTTP requests, and are brought the answers by signed
// requests of ours, both as Standard Webhooks 1.0 say. The contract is in
// docs/guides/connectors.md.
package partner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"centrala/chat"
)

// BodyMax is the largest body of a request, in bytes.
const BodyMax = 256 << 10

// answerMax is how much of an answer is read, in bytes.
const answerMax = 16 << 10

// Options are what a Connector needs.
type Options struct {
	URL    string // where messages for customers go
	Secret string // that both sides sign with; see Key
	Client *http.Client
	// Face is what the channel's customers see of an agent: name and title, which may be
	// empty; nil: nothing.
	Face func(agent string) (name, title string)
	Now  func() time.Time // nil: time.Now
}

// Connector serves one channel.
type Connector struct {
	url    string
	key    []byte
	client *http.Client
	face   func(string) (string, string)
	now    func() time.Time
}

// NewClient makes the client for all connectors. It follows no redirection: what
// is signed for one address is sent to no other.
func NewClient() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// New makes a connector. The error is ErrSecret.
func New(o Options) (*Connector, error) {
	key, err := Key(o.Secret)
	if err != nil {
		return nil, err
	}
	c := &Connector{url: o.URL, key: key, client: o.Client, face: o.Face, now: o.Now}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// wireCustomer, wireMessage and wireEvent are what travels, in both directions.
type wireCustomer struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type wireMessage struct {
	ID     string    `json:"id"`
	Text   string    `json:"text,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Author string    `json:"author,omitempty"`
	Name   string    `json:"name,omitempty"`  // of the agent, as customers see it
	Title  string    `json:"title,omitempty"` // likewise
}

type wireEvent struct {
	Type     string        `json:"type"`
	Channel  string        `json:"channel,omitempty"`
	Session  string        `json:"session,omitempty"`
	Customer *wireCustomer `json:"customer,omitempty"`
	Message  *wireMessage  `json:"message,omitempty"`
	Status   string        `json:"status,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Address  string        `json:"address,omitempty"` // where events are to be brought
}

// Read implements chat.Connector.
func (c *Connector) Read(body []byte) (h chat.Happening, err error) {
	var e wireEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return h, fmt.Errorf("no JSON of an event: %w", err)
	}
	needs := func(customer, message bool) error {
		switch {
		case customer && (e.Customer == nil || e.Customer.ID == ""):
			return errors.New("customer.id is missing")
		case message && (e.Message == nil || e.Message.ID == ""):
			return errors.New("message.id is missing")
		}
		return nil
	}
	switch e.Type {
	case "message":
		if err := needs(true, true); err != nil {
			return h, err
		}
		h.Customer = e.Customer.ID
		h.Message = &chat.Incoming{Channel: "it", Customer: h.Customer, Name: e.Customer.Name, External: e.Message.ID, Text: e.Message.Text}
		return h, h.Message.Check()
	case "status":
		if err := needs(false, true); err != nil {
			return h, err
		}
		h.Status = &chat.Report{External: e.Message.ID, Status: chat.Status(e.Status), Reason: e.Reason}
		return h, h.Status.Check()
	case "closed":
		h.Closed = true
		if err := needs(true, false); err != nil {
			return h, err
		}
		h.Customer = e.Customer.ID
		return h, chat.CheckID(h.Customer)
	}
	return h, errors.New("type is message, status or closed")
}

// Key implements chat.Connector: the contract asks of the other side to know a
// webhook-id that it has seen.
func (c *Connector) Key(o chat.Outgoing) string {
	return fmt.Sprintf("%d-%d", o.Message.Conversation, o.Message.Seq)
}

// Send implements chat.Connector.
func (c *Connector) Send(ctx context.Context, o chat.Outgoing) ([]string, error) {
	m := &o.Message
	id := c.Key(o)
	message := &wireMessage{ID: id, Text: m.Text, At: m.At, Author: string(m.Author)}
	if m.Author == chat.ByAgent && c.face != nil {
		message.Name, message.Title = c.face(m.Name)
	}
	body, err := json.Marshal(wireEvent{
		Type: "message", Channel: o.Channel, Session: string(m.Session), Customer: &wireCustomer{ID: o.Customer}, Message: message,
	})
	if err != nil {
		return nil, err
	}
	answer, err := c.post(ctx, id, body)
	if err != nil {
		return nil, err
	}
	return externals(answer), nil
}

// announceFor is how long a connector may take to hear where this server is.
const announceFor = 30 * time.Second

// Announce tells the other side at which address it brings the events of a channel, which
// has changed (R6). The error means that it does not know.
func (c *Connector) Announce(ctx context.Context, channel, address string) error {
	ctx, cancel := context.WithTimeout(ctx, announceFor)
	defer cancel()
	body, err := json.Marshal(wireEvent{Type: "address", Channel: channel, Address: address})
	if err != nil {
		return err
	}
	// No id is used twice: the same address may come again after another one.
	_, err = c.post(ctx, fmt.Sprintf("address-%d", c.now().UnixNano()), body)
	return err
}

// post hands something over, and returns what the other side said. The error may be a
// *chat.SendError; any other is passing.
func (c *Connector) post(ctx context.Context, id string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, &chat.SendError{Reason: err.Error(), Permanent: true}
	}
	req.Header.Set("Content-Type", "application/json")
	c.Sign(req.Header, id, body)
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, answerMax))
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode/100 == 2:
		return answer, nil
	case res.StatusCode/100 == 5, res.StatusCode == http.StatusRequestTimeout, res.StatusCode == http.StatusTooEarly, res.StatusCode == http.StatusTooManyRequests:
		return nil, &chat.SendError{Reason: "answered " + res.Status, After: retryAfter(res.Header)}
	}
	return nil, &chat.SendError{Reason: "answered " + res.Status, Permanent: true}
}

// externals are the other side's ids of a message that it took; it need not have any.
func externals(answer []byte) []string {
	var a struct {
		IDs []string `json:"ids"`
	}
	_ = json.Unmarshal(answer, &a) // it need not say anything
	out := []string{}
	for _, x := range a.IDs {
		if x != "" && chat.CheckID(x) == nil && len(out) < chat.AttachmentsMax {
			out = append(out, x)
		}
	}
	return out
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(min(seconds, 24*3600)) * time.Second
}

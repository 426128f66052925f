package widget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"centrala/chat"
)

// event is what came in from a window, as it is kept until it was dealt with.
type event struct {
	Customer string            `json:"customer"`
	Verified bool              `json:"verified,omitempty"`
	Name     string            `json:"name,omitempty"`
	Details  chat.Details      `json:"details,omitzero"`
	Consent  string            `json:"consent,omitempty"` // the version agreed to
	Address  string            `json:"address,omitempty"` // that it was agreed to from
	ID       string            `json:"id,omitempty"`
	Text     string            `json:"text,omitempty"`
	Files    []chat.Attachment `json:"files,omitempty"`
	At       time.Time         `json:"at,omitzero"`
	Closed   bool              `json:"closed,omitempty"`
}

// Connector is the connector of the chat window: windows fetch what is written to them from the
// store, so that nothing is left to be sent.
type Connector struct{}

var (
	_ chat.Connector = Connector{}
	_ chat.Fetched   = Connector{}
)

// Read implements chat.Connector.
func (Connector) Read(body []byte) (h chat.Happening, err error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return h, fmt.Errorf("no event of a window: %w", err)
	}
	if h.Customer = e.Customer; h.Customer == "" {
		return h, errors.New("it is nobody's")
	}
	if h.Closed = e.Closed; h.Closed {
		return h, nil
	}
	h.Message = &chat.Incoming{
		Channel: "it", Customer: e.Customer, Verified: e.Verified, Name: e.Name, Details: e.Details, Client: e.ID, Text: e.Text, Files: e.Files, At: e.At,
		Consent: chat.Consent{Version: e.Consent, Address: e.Address},
	}
	if e.Verified { // the site signed for them, too
		h.Message.Vouched = e.Details
	}
	return h, h.Message.Check()
}

// Fetched implements chat.Fetched.
func (Connector) Fetched() {}

// Send implements chat.Connector: what was written when the channel had another one.
func (Connector) Send(context.Context, chat.Outgoing) ([]string, error) { return nil, nil }

// Key implements chat.Connector.
func (Connector) Key(o chat.Outgoing) string {
	return fmt.Sprintf("%d-%d", o.Message.Conversation, o.Message.Seq)
}

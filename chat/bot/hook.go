package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"centrala/chat"
	"centrala/chat/partner"
)

// answerMax is how much of an answer is read, in bytes, and textsMax how many texts of it.
const (
	answerMax = 256 << 10
	textsMax  = 10
)

// Hook is a bot that is asked by requests, which are signed as those of connectors are.
type Hook struct {
	url     string
	signer  *partner.Connector
	client  *http.Client
	timeout time.Duration
}

// NewClient makes the client for all bots. It follows no redirection: what is signed
// for one address is sent to no other. Each bot has its own time limit.
func NewClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// HookOptions are what a Hook needs.
type HookOptions struct {
	URL     string
	Secret  string
	Client  *http.Client
	Timeout time.Duration // for an answer
}

// NewHook makes one. The error is partner.ErrSecret.
func NewHook(o HookOptions) (*Hook, error) {
	signer, err := partner.New(partner.Options{URL: o.URL, Secret: o.Secret, Client: o.Client})
	if err != nil {
		return nil, err
	}
	return &Hook{url: o.URL, signer: signer, client: o.Client, timeout: o.Timeout}, nil
}

type wireAsk struct {
	Type     string       `json:"type"`
	Channel  string       `json:"channel"`
	Session  string       `json:"session"`
	Begins   bool         `json:"begins"`
	State    string       `json:"state,omitempty"`
	Customer wireCustomer `json:"customer"`
	Message  wireMessage  `json:"message"`
}

type wireCustomer struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type wireMessage struct {
	ID          string    `json:"id"`
	Text        string    `json:"text"`
	At          time.Time `json:"at"`
	Attachments int       `json:"attachments,omitempty"`
}

type wireReply struct {
	Messages []struct {
		Text string `json:"text"`
	} `json:"messages"`
	State    string `json:"state"`
	HandOver bool   `json:"hand_over"`
	To       string `json:"to"`
	Close    bool   `json:"close"`
}

// Answer implements chat.Bot. Any error, a late answer among them, is the bot's fault.
func (h *Hook) Answer(ctx context.Context, a chat.Asked) (r chat.Reply, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	id := fmt.Sprintf("%d-%d", a.Message.Conversation, a.Message.Seq)
	body, err := json.Marshal(wireAsk{
		Type: "message", Channel: a.Session.Channel, Session: string(a.Session.ID), Begins: a.Session.First == a.Message.Seq, State: a.State,
		Customer: wireCustomer{a.Session.Customer, a.Session.Name},
		Message:  wireMessage{id, a.Message.Text, a.Message.At, len(a.Message.Attachments)},
	})
	if err != nil {
		return r, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return r, err
	}
	req.Header.Set("Content-Type", "application/json")
	h.signer.Sign(req.Header, id, body)
	res, err := h.client.Do(req)
	if err != nil {
		return r, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, answerMax))
	switch {
	case err != nil:
		return r, err
	case res.StatusCode/100 != 2:
		return r, errors.New("answered " + res.Status)
	}
	var w wireReply
	if err := json.Unmarshal(text, &w); err != nil {
		return r, fmt.Errorf("answered what is no JSON of an answer: %w", err)
	}
	r = chat.Reply{State: w.State, HandOver: w.HandOver, To: w.To, Close: w.Close}
	for _, m := range w.Messages {
		r.Texts = append(r.Texts, m.Text)
	}
	switch {
	case len(r.Texts) > textsMax:
		return chat.Reply{}, fmt.Errorf("answered with more than %d messages", textsMax)
	case len(r.Texts) == 0 && !r.HandOver && !r.Close:
		return chat.Reply{}, errors.New("answered nothing")
	}
	return r, nil
}

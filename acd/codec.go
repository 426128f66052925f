package acd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// FormatVersion is the version of the encoding of events. Within a version kinds
// and fields are only added.
const FormatVersion = 1

// ErrUnknownEvent is returned for an event of a kind or version that this program
// does not know; it must not go on with such a log.
var ErrUnknownEvent = errors.New("unknown event")

// envelope is how events and commands are written: {"v":1,"t":"call_arrived","e":{…}}.
type envelope struct {
	Version int             `json:"v"`
	Kind    string          `json:"t"`
	Body    json.RawMessage `json:"e"`
}

// EncodeEvent writes an event, a pointer to one of the structs of event.go.
func EncodeEvent(e Event) ([]byte, error) {
	if e == nil {
		return nil, fmt.Errorf("%w: none", ErrUnknownEvent)
	}
	return seal(e.kind(), e)
}

// DecodeEvent reads an event. The error is ErrUnknownEvent where a newer program
// wrote it, else it tells what is malformed.
func DecodeEvent(data []byte) (Event, error) {
	if e := decodeOwn(data); e != nil {
		return vet(e)
	}
	env, err := unseal(data)
	if err != nil {
		return nil, err
	}
	e := newEvent(env.Kind)
	if e == nil {
		return nil, fmt.Errorf("%w %q", ErrUnknownEvent, env.Kind)
	}
	if err := json.Unmarshal(env.Body, e); err != nil {
		return nil, fmt.Errorf("event %s: %w", env.Kind, err)
	}
	return vet(e)
}

// vet refuses an event that this program must not go on after.
func vet(e Event) (Event, error) {
	if c, ok := e.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// decodeOwn reads an event that is laid out as EncodeEvent does it, without
// reading the envelope as JSON first; nil: it is not, or is malformed.
func decodeOwn(data []byte) Event {
	rest, ok := bytes.CutPrefix(data, []byte(`{"v":1,"t":"`))
	if !ok {
		return nil
	}
	kind, body, ok := bytes.Cut(rest, []byte(`","e":`))
	if !ok || len(body) < 3 || body[0] != '{' || body[len(body)-1] != '}' {
		return nil
	}
	e := newEvent(string(kind))
	if e == nil || json.Unmarshal(body[:len(body)-1], e) != nil {
		return nil
	}
	return e
}

func seal(kind string, body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	out := make([]byte, 0, len(raw)+len(kind)+24)
	out = fmt.Appendf(out, `{"v":%d,"t":%q,"e":`, FormatVersion, kind)
	out = append(out, raw...)
	return append(out, '}'), nil
}

func unseal(data []byte) (envelope, error) {
	var env envelope
	if err := json.Unmarshal(data, &env); err != nil {
		return env, fmt.Errorf("event: %w", err)
	}
	if env.Version != FormatVersion {
		return env, fmt.Errorf("%w: version %d", ErrUnknownEvent, env.Version)
	}
	if len(env.Body) == 0 || env.Body[0] != '{' {
		return env, fmt.Errorf("event %s: no body", env.Kind)
	}
	return env, nil
}

// encodeCommand writes a command.
func encodeCommand(c Command) (json.RawMessage, error) {
	if c == nil {
		return nil, nil
	}
	return seal(c.kind(), c)
}

// decodeCommand reads a command; no data is no command.
func decodeCommand(data json.RawMessage) (Command, error) {
	if len(data) == 0 {
		return nil, nil
	}
	env, err := unseal(data)
	if err != nil {
		return nil, err
	}
	c := newCommand(env.Kind)
	if c == nil {
		return nil, fmt.Errorf("unknown command %q", env.Kind)
	}
	if err := json.Unmarshal(env.Body, c); err != nil {
		return nil, fmt.Errorf("command %s: %w", env.Kind, err)
	}
	return c, nil
}

// Describe tells a command in a line, for traces and logs.
func Describe(c Command) string {
	h := c.Head()
	switch c := c.(type) {
	case *Reject:
		return fmt.Sprintf("reject %s: %s", h.Call, c.Reason)
	case *Play:
		if c.Leg != "" {
			return fmt.Sprintf("play %s %q", c.Leg, c.Music)
		}
		return fmt.Sprintf("play %s %q", h.Call, c.Music)
	case *Ring:
		if c.Channel != "" {
			return fmt.Sprintf("offer %s the chat %s of %s", c.Agent, h.Call, c.Channel)
		}
		if c.By != "" {
			return fmt.Sprintf("ring %s for %s about %s", c.Agent, c.By, h.Call)
		}
		return fmt.Sprintf("ring %s for %s", c.Agent, h.Call)
	case *Dial:
		return fmt.Sprintf("dial %s by %s for %s", c.Number, c.Trunk, h.Call)
	case *Serve:
		return fmt.Sprintf("serve %s: %s", h.Call, c.Service)
	case *CancelRing:
		return fmt.Sprintf("cancel_ring %s for %s elsewhere=%v", c.Offer, h.Call, c.Elsewhere)
	case *Bridge:
		return fmt.Sprintf("bridge %s with %s", c.A, c.B)
	case *EndLeg:
		if c.Why != "" {
			return fmt.Sprintf("end_leg %s: %s", c.Leg, c.Why)
		}
		return fmt.Sprintf("end_leg %s", c.Leg)
	case *Report:
		if c.Done {
			return fmt.Sprintf("report %s: done", c.Leg)
		}
		return fmt.Sprintf("report %s: %s", c.Leg, c.Class)
	case *Tell:
		return fmt.Sprintf("tell %s: %s", h.Call, c.Notice)
	}
	return fmt.Sprintf("%s %s", c.kind(), h.Call)
}

// String returns the offer's id as index and ordinal.
func (o OfferID) String() string { return fmt.Sprintf("%d.%d", uint64(o)>>16, uint64(o)&0xffff) }

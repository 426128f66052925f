package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// Event is one event. It is shared by all who read it, and never changes.
type Event struct {
	ID          int64
	At          time.Time
	Type        Type
	Group       queuegroups.GroupID // empty: of none
	Agent       queuegroups.AgentID // empty: of none
	Interaction acd.InteractionID   // 0: of none
	Data        json.RawMessage

	once     sync.Once
	frame    []byte // the envelope with what the stream puts around it
	envelope []byte // within frame
	agents   []queuegroups.AgentID
}

// Envelope is an event as it goes out, by the stream and by webhooks alike.
type Envelope struct {
	ID        string          `json:"id" doc:"Later events have larger ids."`
	Type      Type            `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// work does once for all readers what each of them needs.
func (e *Event) work() {
	e.once.Do(func() {
		data, err := json.Marshal(Envelope{strconv.FormatInt(e.ID, 10), e.Type, e.At.UTC(), e.Data})
		if err != nil { // the data are no JSON: somebody else wrote them
			data = fmt.Appendf(nil, `{"id":"%d","type":%q,"timestamp":%q,"data":{}}`, e.ID, e.Type, e.At.UTC().Format(time.RFC3339Nano))
		}
		e.frame = append(fmt.Appendf(nil, "id: %d\nevent: %s\ndata: ", e.ID, e.Type), data...)
		e.envelope = e.frame[len(e.frame)-len(data) : len(e.frame) : len(e.frame)]
		e.frame = append(e.frame, "\n\n"...)
		var of struct{ Interaction Interaction }
		if e.Interaction != 0 && json.Unmarshal(e.Data, &of) == nil {
			for _, a := range of.Interaction.Agents {
				e.agents = append(e.agents, queuegroups.AgentID(a))
			}
		}
		if e.Agent != "" {
			e.agents = append(e.agents, e.Agent)
		}
	})
}

// JSON is the event in its envelope.
func (e *Event) JSON() []byte {
	e.work()
	return e.envelope
}

// Frame is the event as the stream sends it (server-sent events).
func (e *Event) Frame() []byte {
	e.work()
	return e.frame
}

// Agents are those whom the event concerns: who have, had, or are being offered the interaction.
func (e *Event) Agents() []queuegroups.AgentID {
	e.work()
	return e.agents
}

package app

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"centrala/acd"
	"centrala/configs"
	"centrala/internal/trace"
	"centrala/sip/edge"
)

// tracing tells the recorder of traces what SIP, the switchboard and the core do.
type tracing struct {
	recorder *trace.Recorder
	keys     bool // telephone keys stay readable

	legFields map[reflect.Type][]int // which fields of an event or a command name legs; accessed by applied only
}

// newTracing gives nil where nothing is to be traced.
func newTracing(s configs.Trace) *tracing {
	if s.Calls == 0 {
		return nil
	}
	return &tracing{keys: s.Keys, legFields: map[reflect.Type][]int{}, recorder: trace.New(trace.Options{
		Calls: s.Calls, Messages: s.Messages, Bytes: s.Megabytes << 20, Keys: s.Keys,
	})}
}

// message is the edge's tap.
func (t *tracing) message(f edge.Flow, sent bool, msg []byte) {
	t.recorder.Message(trace.Message{
		At: time.Now(), Sent: sent, Network: f.Network, Local: f.Local, Remote: f.Remote, Data: msg,
	})
}

// Leg implements switchboard.Tracer.
func (t *tracing) Leg(call, leg acd.LegID, sipCallID, who string) {
	t.recorder.Leg(string(call), trace.Party{Leg: string(leg), CallID: sipCallID, Who: who})
}

// Audio implements switchboard.Tracer.
func (t *tracing) Audio(call, leg acd.LegID, what string) {
	t.recorder.Note(string(call), trace.Note{At: time.Now(), Kind: trace.KindMedia, Leg: string(leg), What: trace.Text(what)})
}

// Key implements switchboard.Tracer.
func (t *tracing) Key(call, leg acd.LegID, key byte) {
	what := "key"
	if t.keys {
		what += " " + string(rune(key))
	}
	t.Audio(call, leg, what)
}

// Gone implements switchboard.Tracer.
func (t *tracing) Gone(call acd.LegID) { t.recorder.Over(string(call)) }

// applied notes what an entry of the log did to calls: the fact with the calls whose
// legs it names, else with all that it had an effect on; each command and each step
// with its own.
func (t *tracing) applied(e acd.Entry, commands []acd.Command, steps []acd.Step, callOf func(acd.InteractionID) acd.LegID) {
	note := func(call acd.LegID, kind trace.Kind, what fmt.Stringer) {
		t.recorder.Note(string(call), trace.Note{At: e.At, Index: e.Index, Kind: kind, What: what})
	}
	var concerned calls
	for _, leg := range t.legsIn(e.Event) {
		concerned.add(leg)
	}
	for _, st := range steps {
		if call := callOf(st.Interaction); call != "" {
			t.recorder.Interaction(string(call), uint64(st.Interaction))
		}
	}
	own := make([]calls, len(commands))
	for i, cmd := range commands {
		h := cmd.Head()
		own[i].add(h.Call)
		for _, leg := range t.legsIn(cmd) {
			own[i].add(leg)
		}
		for _, call := range own[i] {
			t.recorder.Interaction(string(call), uint64(h.Interaction))
		}
	}
	if len(concerned) == 0 {
		for _, st := range steps {
			concerned.add(callOf(st.Interaction))
		}
		for _, c := range own {
			for _, call := range c {
				concerned.add(call)
			}
		}
	}
	for _, call := range concerned {
		note(call, trace.KindFact, fact{e.Event})
	}
	for _, st := range steps {
		if call := callOf(st.Interaction); call != "" {
			note(call, trace.KindDecision, decision{st})
		}
	}
	for i, cmd := range commands {
		for _, call := range own[i] {
			note(call, trace.KindCommand, command{cmd})
		}
	}
}

// calls is a set of calls, by the callers' legs.
type calls []acd.LegID

// add adds the call that a leg began with.
func (c *calls) add(leg acd.LegID) {
	root, _, _ := strings.Cut(string(leg), ".")
	if root == "" {
		return
	}
	for _, have := range *c {
		if have == acd.LegID(root) {
			return
		}
	}
	*c = append(*c, acd.LegID(root))
}

// fact puts an event into words.
type fact struct{ event acd.Event }

func (f fact) String() string {
	name := reflect.TypeOf(f.event).Elem().Name()
	body, err := json.Marshal(f.event)
	if err != nil || string(body) == "{}" {
		return name
	}
	return name + " " + string(body)
}

// MarshalJSON gives the event as the log writes it.
func (f fact) MarshalJSON() ([]byte, error) { return acd.EncodeEvent(f.event) }

// decision puts a step into words.
type decision struct{ step acd.Step }

func (d decision) String() string { return d.step.String() }

// MarshalJSON gives the step with all that led to it.
func (d decision) MarshalJSON() ([]byte, error) { return json.Marshal(d.step) }

// command puts a command into words.
type command struct{ cmd acd.Command }

func (c command) String() string { return acd.Describe(c.cmd) }

// legsIn are the legs that an event or a command names. It is called for one entry
// of the log after another.
func (t *tracing) legsIn(x any) (legs []acd.LegID) {
	v := reflect.ValueOf(x).Elem()
	known, ok := t.legFields[v.Type()]
	if !ok {
		for i := range v.NumField() {
			if v.Field(i).Type() == reflect.TypeFor[acd.LegID]() {
				known = append(known, i)
			}
		}
		t.legFields[v.Type()] = known
	}
	for _, i := range known {
		if leg := acd.LegID(v.Field(i).String()); leg != "" {
			legs = append(legs, leg)
		}
	}
	return legs
}

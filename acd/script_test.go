package acd_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"

	"github.com/google/go-cmp/cmp"
)

// The golden scripts: testdata/*.txt. Above the bar an admin's YAML and what
// happens, below it all that the core made of it. Only commit a changed trace if
// you understand what changed it.
var update = flag.Bool("update", false, "rewrite the traces of the golden scripts")

const bar = "=== trace"

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source, want, _ := strings.Cut(string(text), bar+"\n")
			got := runScript(t, source)
			if *update {
				if err := os.WriteFile(file, []byte(source+bar+"\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

// script runs one file. It plays the world: the leader who tells of deadlines,
// and, unless the script says `manual`, the nodes that carry out commands at once.
type script struct {
	t       *testing.T
	s       *acd.State
	twin    *acd.State // restored from a snapshot again and again
	configs map[string]*queuegroups.Config
	start   time.Time
	now     time.Time
	index   uint64
	manual  bool
	offers  map[queuegroups.AgentID][]acd.OfferID
	legs    int
	log     []logLine
	ended   []acd.Record
	out     strings.Builder
	lamps   lampLines
}

func runScript(t *testing.T, source string) string {
	r := newScript(t)
	r.run(source)
	return r.out.String()
}

func newScript(t *testing.T) *script {
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) // a Monday
	return &script{
		t: t, s: acd.NewState(), twin: acd.NewState(), start: start, now: start,
		configs: map[string]*queuegroups.Config{}, offers: map[queuegroups.AgentID][]acd.OfferID{},
	}
}

// run plays the whole file.
func (r *script) run(source string) {
	section, body := "", map[string]string{}
	var events []string
	for line := range strings.Lines(source) {
		switch {
		case strings.HasPrefix(line, "=== "):
			section = strings.TrimSpace(strings.TrimPrefix(line, "=== "))
		case section == "events":
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				events = append(events, line)
			}
		case section != "":
			body[section] += line
		}
	}
	for name, yaml := range body {
		r.configs[name] = loadConfig(r.t, name, yaml)
	}
	r.apply(&acd.LevelRaised{Level: acd.LevelMax})
	r.apply(&acd.ConfigApplied{Config: r.configs["config"]})
	for _, line := range events {
		r.line(line)
	}
}

func loadConfig(t testing.TB, name, yaml string) *queuegroups.Config {
	t.Helper()
	wav, err := os.ReadFile("testdata/silence.wav")
	if err != nil {
		t.Fatal(err)
	}
	c, err := queuegroups.Load(queuegroups.Options{
		Region: "PL", Files: []queuegroups.File{{Name: name, Data: []byte(yaml)}},
		Open:      func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(wav)), nil },
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// line runs one line: an optional time since the start, then a fact.
func (r *script) line(line string) {
	words := strings.Fields(line)
	if at, err := time.ParseDuration(words[0]); err == nil {
		r.advance(r.start.Add(at))
		words = words[1:]
		if len(words) == 0 {
			return
		}
	}
	fmt.Fprintf(&r.out, "%s %s\n", r.now.Sub(r.start), strings.Join(words, " "))
	r.do(words[0], words[1:])
}

// advance tells of every deadline up to the time.
func (r *script) advance(to time.Time) {
	for {
		at, id, generation, ok := r.s.NextDeadline()
		if !ok || at.After(to) {
			break
		}
		r.now = at
		r.unlessNothing(fmt.Sprintf("%s deadline %s\n", r.now.Sub(r.start), id.Kind), id.Kind == "sweep" || id.Kind == "review", &acd.DeadlinePassed{Deadline: id, Generation: generation})
	}
	r.now = to
}

func (r *script) do(verb string, args []string) {
	arg := func(n int, otherwise string) string {
		if n < len(args) {
			return args[n]
		}
		return otherwise
	}
	after := func(word, otherwise string) string {
		for k, a := range args {
			if a == word && k+1 < len(args) {
				return args[k+1]
			}
		}
		return otherwise
	}
	agent, leg := queuegroups.AgentID(arg(0, "")), acd.LegID(arg(0, ""))
	node := acd.NodeID(after("at", "n1"))
	switch verb {
	case "call": // call LEG to NUMBER [from NUMBER] [at NODE] [responsible AGENT]
		r.apply(&acd.CallArrived{
			Leg: leg, Node: node, Trunk: "carrier", To: after("to", ""), From: acd.Party{Number: after("from", "+48601000000")},
			Responsible: queuegroups.AgentID(after("responsible", "")),
		})
	case "online": // online AGENT [at NODE]
		r.apply(&acd.AgentOnline{Agent: agent, Node: node})
	case "offline":
		r.apply(&acd.AgentOffline{Agent: agent, Node: node})
	case "rings": // rings AGENT: their phone rings
		r.apply(&acd.OfferRinging{Offer: r.offer(args[0])})
	case "answers": // answers AGENT [as LEG] [at NODE]
		r.legs++
		r.apply(&acd.OfferAnswered{Offer: r.offer(args[0]), Leg: acd.LegID(after("as", fmt.Sprintf("p%d", r.legs))), Node: node})
	case "fails": // fails AGENT CLASS [CODE]
		code, _ := strconv.Atoi(arg(2, "0"))
		r.apply(&acd.OfferFailed{Offer: r.offer(args[0]), Class: acd.FailureClass(args[1]), Code: code})
	case "ends": // ends LEG [CAUSE]
		r.apply(&acd.LegEnded{Leg: leg, Cause: acd.EndCause(arg(1, "hangup"))})
	case "answered":
		r.apply(&acd.LegAnswered{Leg: leg})
	case "bridged":
		r.apply(&acd.Bridged{A: leg, B: acd.LegID(arg(1, ""))})
	case "served": // served LEG [not]
		r.apply(&acd.Served{Leg: leg, Done: arg(1, "") != "not"})
	case "node-started": // node-started NODE [AGENT…]
		e := &acd.NodeStarted{Node: acd.NodeID(args[0])}
		for _, a := range args[1:] {
			e.Online = append(e.Online, queuegroups.AgentID(a))
		}
		r.apply(e)
	case "node-lost":
		r.apply(&acd.NodeLost{Node: acd.NodeID(args[0])})
	case "config":
		r.apply(&acd.ConfigApplied{Config: r.configs[args[0]]})
	case "stale": // word of a deadline that has been moved
		_, id, generation, _ := r.s.NextDeadline()
		r.apply(&acd.DeadlinePassed{Deadline: id, Generation: generation - 1})
	case "manual", "automatic":
		r.manual = verb == "manual"
	case "pending":
		for _, c := range r.s.Pending(acd.NodeID(args[0])) {
			fmt.Fprintf(&r.out, "  still to do: %s\n", acd.Describe(c))
		}
	case "show":
		r.show(args[0])
	default:
		if !r.doQueue(verb, args) && !r.doMove(verb, args) && !r.doChat(verb, args) && !r.doAgent(verb, args) {
			r.t.Fatalf("no such line: %s %v", verb, args)
		}
	}
}

// offer finds an agent's offer: "anna" is the latest one, "anna/1" the first.
func (r *script) offer(name string) acd.OfferID {
	agent, nth, numbered := strings.Cut(name, "/")
	list := r.offers[queuegroups.AgentID(agent)]
	n := len(list)
	if numbered {
		n, _ = strconv.Atoi(nth)
	}
	if n < 1 || n > len(list) {
		return 4711 // no such offer
	}
	return list[n-1]
}

func (r *script) show(what string) {
	switch what {
	case "agents":
		for _, a := range r.s.Agents() {
			fmt.Fprintf(&r.out, "  %s: %s since %s, %d misses, can take a call: %v\n", a.ID, a.Status, a.Since.Sub(r.start), a.Misses, a.CanTake)
		}
	case "groups":
		for _, g := range r.s.Groups() {
			fmt.Fprintf(&r.out, "  %s: %d waiting of %d, %d agents free, %v\n", g.ID, g.Waiting, g.Interactions, g.Free, g.Agents)
		}
	case "interactions":
		for _, i := range r.s.Interactions() {
			fmt.Fprintf(&r.out, "  %d: %s in %s since %s, arrived %s, %d offers\n", i.ID, i.Phase, i.Group, i.Since.Sub(r.start), i.Arrived.Sub(r.start), len(i.Offers))
			for _, st := range i.Steps {
				fmt.Fprintf(&r.out, "    %s %s\n", st.At.Sub(r.start), st)
			}
		}
	case "counters":
		c := r.s.Counters()
		fmt.Fprintf(&r.out, "  late %d, unknown %d, stale %d, overdue %d, offers %v, ended %v\n", c.Late, c.Unknown, c.Stale, c.Overdue, c.Offers, c.Ended)
	case "records":
		for _, x := range r.ended {
			fmt.Fprintf(&r.out, "  %d: from %s to %s, %s, arrived %s, answered %s, ended %s: %s\n", x.Interaction, x.From.Number, x.To, x.Group, r.since(x.Arrived), r.since(x.Answered), r.since(x.Ended), x.End)
			for _, st := range x.Stints {
				fmt.Fprintf(&r.out, "    %s from %s to %s\n", string(st.Agent)+st.Number, r.since(st.From), r.since(st.To))
			}
		}
	default:
		r.t.Fatalf("cannot show %s", what)
	}
}

// apply logs a fact, writes down what follows, and has its twin do the same from
// a snapshot. Then it plays the nodes.
func (r *script) apply(e acd.Event) {
	r.index++
	raw, err := acd.EncodeEvent(e)
	if err != nil {
		r.t.Fatal(err)
	}
	decoded, err := acd.DecodeEvent(raw)
	if err != nil {
		r.t.Fatalf("%s: %v", raw, err)
	}
	commands := r.s.Apply(acd.Entry{Index: r.index, At: r.now, Event: e})
	r.log = append(r.log, logLine{Index: r.index, At: r.now, Event: raw})
	r.ended = append(r.ended, r.s.Ended()...)
	if _, all := e.(*acd.ConfigApplied); all {
		r.lamps.look(r.s)
	} else if name := r.lamps.untouched(r.s); name != "" {
		r.t.Errorf("%sthat changed the lines of %s, which was not touched", r.out.String(), name)
	}
	for _, st := range r.s.Trace() {
		fmt.Fprintf(&r.out, "  %s\n", st)
	}
	for _, c := range commands {
		fmt.Fprintf(&r.out, "  > %s\n", acd.Describe(c))
	}
	for _, rec := range r.s.Ended() {
		if len(rec.Stints) > 1 {
			for _, x := range rec.Stints {
				fmt.Fprintf(&r.out, "  %s had interaction %d from %s to %s\n", string(x.Agent)+x.Number, rec.Interaction, r.since(x.From), r.since(x.To))
			}
		}
	}
	if err := r.s.Check(); err != nil {
		r.t.Fatalf("%s\nafter that: %v", r.out.String(), err)
	}
	r.twinApply(decoded, commands)
	for _, c := range commands {
		switch c := c.(type) {
		case *acd.Ring:
			r.offers[c.Agent] = append(r.offers[c.Agent], c.Offer)
		case *acd.Dial:
			r.offers["outside"] = append(r.offers["outside"], c.Offer)
		}
	}
	if !r.manual {
		r.play(commands)
	}
}

// twinApply has the twin do the same and compares the two; then the twin goes on from
// a snapshot. Of the entries by which chats that wait are looked at again, thousands in
// a script of a week, one in twenty is followed by that.
func (r *script) twinApply(e acd.Event, want []acd.Command) {
	got := r.twin.Apply(acd.Entry{Index: r.index, At: r.now, Event: e})
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Fatalf("%s\nthe restored state commands otherwise:\n%s", r.out.String(), diff)
	}
	if passed, ok := e.(*acd.DeadlinePassed); ok && passed.Deadline.Kind == "sweep" && r.index%20 != 0 {
		return
	}
	var a, b bytes.Buffer
	if err := errors.Join(r.s.Snapshot(&a), r.twin.Snapshot(&b)); err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		r.t.Fatalf("the restored state differs:\n%s", cmp.Diff(strings.Split(a.String(), "\n"), strings.Split(b.String(), "\n")))
	}
	var err error
	if r.twin, err = acd.Restore(&b); err != nil {
		r.t.Fatal(err)
	}
}

// play carries out commands as a node without trouble would.
func (r *script) play(commands []acd.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case *acd.Answer:
			r.quietly(&acd.LegAnswered{Leg: c.Call})
		case *acd.Reject:
			r.quietly(&acd.LegEnded{Leg: c.Call, Cause: acd.EndByUs})
		case *acd.EndLeg:
			r.quietly(&acd.LegEnded{Leg: c.Leg, Cause: acd.EndByUs})
		case *acd.Bridge:
			r.quietly(&acd.Bridged{A: c.A, B: c.B})
		case *acd.CancelRing:
			r.quietly(&acd.OfferFailed{Offer: c.Offer, Class: acd.FailCancelled})
		}
	}
}

// quietly applies an outcome; it is written down only if something followed.
func (r *script) quietly(e acd.Event) {
	r.unlessNothing(fmt.Sprintf("%s done: %s\n", r.now.Sub(r.start), strings.TrimPrefix(fmt.Sprintf("%T", e), "*acd.")), true, e)
}

// unlessNothing applies a fact under a headline, which is left out, where it may
// be, when nothing follows.
func (r *script) unlessNothing(head string, mayBeLeftOut bool, e acd.Event) {
	mark := r.out.Len()
	r.out.WriteString(head)
	r.apply(e)
	if mayBeLeftOut && r.out.Len() == mark+len(head) {
		s := r.out.String()[:mark]
		r.out.Reset()
		r.out.WriteString(s)
	}
}

package stats_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// The golden days: testdata/days/*.txt say in words what happened on a day, and
// the *.jsonl beside them are the logs of these days, as a server would have
// written them. The statistics are computed from the logs.
var update = flag.Bool("update", false, "write the logs of the golden days anew")

// script plays the world of a day: the leader who tells of deadlines, and nodes
// that carry out commands at once.
type script struct {
	t      testing.TB
	s      *acd.State
	zone   *time.Location
	date   time.Time
	now    time.Time
	log    []acd.Entry
	offers map[queuegroups.AgentID]acd.OfferID // the last one; "outside": to a number

	ratings []rating
}

// rating is what somebody thinks of a chat, which is not in the log.
type rating struct {
	at    time.Time
	chat  acd.LegID
	who   string
	score int
}

// days are the names of all of them.
func days(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/days/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatal("golden days are missing", files, err)
	}
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".txt"))
	}
	return names
}

// The logs are what the scripts say: -update writes them.
func TestDays_AreWhatTheirScriptsSay(t *testing.T) {
	for _, name := range days(t) {
		var b bytes.Buffer
		for _, e := range play(t, name).log {
			raw, err := acd.EncodeEvent(e.Event)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "{\"index\":%d,\"at\":%q,\"event\":%s}\n", e.Index, e.At.UTC().Format(time.RFC3339Nano), raw)
		}
		file := "testdata/days/" + name + ".jsonl"
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, b.Bytes()) {
			t.Errorf("%s: the log is another one than the script's", name)
		}
	}
}

// recorded reads the log of a day.
func recorded(t testing.TB, name string) (log []acd.Entry) {
	t.Helper()
	data, err := os.ReadFile("testdata/days/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l struct {
			Index uint64          `json:"index"`
			At    time.Time       `json:"at"`
			Event json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		e, err := acd.DecodeEvent(l.Event)
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, acd.Entry{Index: l.Index, At: l.At, Event: e})
	}
	return log
}

// config is the configuration of a day.
func config(t testing.TB, name string) *queuegroups.Config {
	t.Helper()
	yaml, _ := source(t, name)
	c, err := queuegroups.Load(queuegroups.Options{Region: "PL", Files: []queuegroups.File{{Name: name, Data: []byte(yaml)}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func source(t testing.TB, name string) (yaml, events string) {
	t.Helper()
	text, err := os.ReadFile("testdata/days/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "=== config\n")
	yaml, events, _ = strings.Cut(rest, "=== events\n")
	return yaml, events
}

// play plays a day.
func play(t testing.TB, name string) *script {
	t.Helper()
	_, events := source(t, name)
	r := &script{t: t, s: acd.NewState(), offers: map[queuegroups.AgentID]acd.OfferID{}}
	for line := range strings.Lines(events) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "day": // day DATE ZONE: from here on
			r.day(words[1], words[2])
			if len(r.log) == 0 {
				r.apply(&acd.LevelRaised{Level: 3})
				r.apply(&acd.ConfigApplied{Config: config(t, name)})
			}
		default:
			r.advance(r.clock(words[0]))
			if len(words) > 1 {
				r.do(words[1], words[2:])
			}
		}
	}
	return r
}

func (r *script) day(date, zone string) {
	var err error
	if r.zone, err = time.LoadLocation(zone); err != nil {
		r.t.Fatal(err)
	}
	if r.date, err = time.ParseInLocation(time.DateOnly, date, r.zone); err != nil {
		r.t.Fatal(err)
	}
	r.advance(r.date)
}

// clock reads a time of the day: the zone's, or with a Z in UTC.
func (r *script) clock(text string) time.Time {
	zone := r.zone
	if utc, ok := strings.CutSuffix(text, "Z"); ok {
		text, zone = utc, time.UTC
	}
	at, err := time.ParseInLocation(time.DateOnly+" "+time.TimeOnly, r.date.Format(time.DateOnly)+" "+text, zone)
	if err != nil {
		r.t.Fatal(err)
	}
	return at
}

// advance tells of every deadline up to the time.
func (r *script) advance(to time.Time) {
	if to.Before(r.now) {
		r.t.Fatalf("%s comes after %s", to, r.now)
	}
	for {
		at, id, generation, ok := r.s.NextDeadline()
		if !ok || at.After(to) {
			break
		}
		r.now = at
		r.apply(&acd.DeadlinePassed{Deadline: id, Generation: generation})
	}
	r.now = to
}

// do carries out a line: a verb, and whom and what it is about.
func (r *script) do(verb string, args []string) {
	after := func(word string) string {
		if k := slices.Index(args, word); k >= 0 && k+1 < len(args) {
			return args[k+1]
		}
		return ""
	}
	number := func(word string) uint64 {
		n, _ := strconv.ParseUint(after(word), 10, 64)
		return n
	}
	agent, leg := queuegroups.AgentID(args[0]), acd.LegID(args[0])
	switch verb {
	case "online": // their phone
		r.apply(&acd.AgentOnline{Agent: agent, Node: "n1"})
	case "offline":
		r.apply(&acd.AgentOffline{Agent: agent, Node: "n1"})
	case "browser": // browser AGENT used|closed
		r.apply(&acd.ClientSeen{Agent: agent, Node: "n1", Client: acd.ClientBrowser, State: acd.ClientState(args[1])})
	case "duty": // duty AGENT on|break|off [for REASON]
		r.apply(&acd.DutySet{Agent: agent, Duty: acd.Duty(args[1]), Reason: after("for")})
	case "call": // call LEG from NUMBER to NUMBER
		r.apply(&acd.CallArrived{Leg: leg, Node: "n1", Trunk: "carrier", From: acd.Party{Number: after("from")}, To: after("to")})
	case "dials": // dials AGENT as LEG to NUMBER
		r.apply(&acd.CallArrived{Agent: agent, Leg: acd.LegID(after("as")), Node: "n1", To: after("to"), Outside: true})
	case "chat": // chat LEG on CHANNEL
		r.apply(&acd.ChatArrived{Leg: leg, Node: "n1", Channel: queuegroups.ChannelID(after("on")), From: acd.Party{Number: string(leg)}})
	case "writes":
		r.apply(&acd.ChatWritten{Leg: leg, By: queuegroups.AgentID(after("for"))})
	case "joins": // joins LEG for NAME
		r.apply(&acd.ChatJoined{Leg: leg, By: queuegroups.AgentID(after("for"))})
	case "closes":
		r.apply(&acd.ChatClosed{Leg: leg})
	case "rates": // rates LEG by customer|user:NAME SCORE
		r.ratings = append(r.ratings, rating{r.now, leg, after("by"), int(number(after("by")))})
	case "rings":
		r.apply(&acd.OfferRinging{Offer: r.offers[agent]})
	case "answers": // answers AGENT|outside as LEG
		r.apply(&acd.OfferAnswered{Offer: r.offers[agent], Leg: acd.LegID(after("as")), Node: "n1"})
	case "fails": // fails AGENT CLASS CODE
		code, _ := strconv.Atoi(args[2])
		r.apply(&acd.OfferFailed{Offer: r.offers[agent], Class: acd.FailureClass(args[1]), Code: code})
	case "ends": // ends LEG [mos HUNDREDTHS lost PACKETS of PACKETS]
		e := &acd.LegEnded{Leg: leg, Cause: acd.EndHangup}
		if len(args) > 1 {
			e.Media = &acd.MediaFigures{Codec: "PCMA", In: acd.MediaWay{
				Packets: number("of") - number("lost"), Expected: number("of"), Lost: number("lost"), MOS: int(number("mos")),
			}}
		}
		r.apply(e)
	case "transfers": // transfers LEG to agent:ID|group:ID
		r.apply(&acd.TransferAsked{Leg: leg, To: target(after("to"))})
	case "consults": // consults LEG with agent:ID
		r.apply(&acd.ConsultAsked{Leg: leg, To: target(after("with"))})
	case "holds", "resumes":
		r.apply(&acd.Held{Leg: leg, On: verb == "holds"})
	case "parks": // parks LEG in SLOT
		r.apply(&acd.Parked{Leg: leg, Slot: after("in")})
	case "fetches": // fetches AGENT as LEG from SLOT
		r.apply(&acd.Claimed{Agent: agent, Leg: acd.LegID(after("as")), Node: "n1", Kind: acd.ClaimParked, Slot: after("from")})
	case "connects", "returns":
		r.apply(&acd.ConsultDone{Leg: leg, Connect: verb == "connects"})
	default:
		r.t.Fatalf("no such line: %s %v", verb, args)
	}
}

func target(text string) acd.Target {
	kind, name, _ := strings.Cut(text, ":")
	if kind == "agent" {
		return acd.Target{Agent: queuegroups.AgentID(name)}
	}
	return acd.Target{Group: queuegroups.GroupID(name)}
}

// apply logs a fact, and what the nodes tell of the commands that follow.
func (r *script) apply(e acd.Event) {
	entry := acd.Entry{Index: uint64(len(r.log)) + 1, At: r.now, Event: e}
	r.log = append(r.log, entry)
	for _, c := range r.s.Apply(entry) {
		switch c := c.(type) {
		case *acd.Ring:
			r.offers[c.Agent] = c.Offer
		case *acd.Dial:
			r.offers["outside"] = c.Offer
		case *acd.Answer:
			r.apply(&acd.LegAnswered{Leg: c.Call})
		case *acd.Reject:
			r.apply(&acd.LegEnded{Leg: c.Call, Cause: acd.EndByUs})
		case *acd.EndLeg:
			r.apply(&acd.LegEnded{Leg: c.Leg, Cause: acd.EndByUs})
		case *acd.Bridge:
			r.apply(&acd.Bridged{A: c.A, B: c.B})
		case *acd.CancelRing:
			r.apply(&acd.OfferFailed{Offer: c.Offer, Class: acd.FailCancelled})
		default:
		}
	}
	if err := r.s.Check(); err != nil {
		r.t.Fatal(err)
	}
}

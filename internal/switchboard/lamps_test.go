package switchboard

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// core is a state of the core that a test applies entries to.
type core struct {
	mu    sync.Mutex
	s     *acd.State
	index uint64
}

func (c *core) View(f func(*acd.State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.s)
}

// apply takes a fact into the log and has the Board hear of it, as the log does;
// what the core wants done is carried out only if carry says so.
func (b *bench) apply(e acd.Event, carry bool) []acd.Command {
	b.t.Helper()
	b.core.mu.Lock()
	b.core.index++
	entry := acd.Entry{Index: b.core.index, At: time.Now(), Event: e}
	commands := b.core.s.Apply(entry)
	b.core.mu.Unlock()
	carried := commands
	if !carry {
		carried = nil
	}
	b.board.Applied(entry, carried)
	return commands
}

// lit is a configuration in which anna and bartek may pick up each other's calls,
// and celina nobody's. The core knows it, and who is there.
func (b *bench) lit() *queuegroups.Config {
	b.t.Helper()
	config := team(b)
	config.Version = "lit"
	config.Agents = append(config.Agents, queuegroups.Agent{ID: "celina", Extension: "103"})
	config.Numbers = []queuegroups.Number{{Number: "+48221234567", Group: "sales"}}
	for i := range config.Agents {
		config.Agents[i].Capacity.Voice = 1
	}
	for i := range config.Groups {
		config.Groups[i].Distribution, config.Groups[i].Rings = queuegroups.InOrder, 4
		config.Groups[i].Pickup = config.Groups[i].ID == "sales"
	}
	b.agents(config)
	b.apply(&acd.ConfigApplied{Config: config}, false)
	for _, a := range config.Agents {
		b.apply(&acd.AgentOnline{Agent: a.ID, Node: "n1"}, false)
	}
	return config
}

// ringsAtAnna brings a caller into sales, rings anna and gives the caller's leg.
func (b *bench) ringsAtAnna() acd.LegID {
	b.t.Helper()
	call, _ := b.arrive()
	arrived := &acd.CallArrived{Leg: call, Node: "n1", From: acd.Party{Number: "+48601", Name: "Jan"}, To: "+48221234567"}
	for _, cmd := range b.apply(arrived, false) {
		if ring, ok := cmd.(*acd.Ring); ok {
			b.apply(&acd.OfferRinging{Offer: ring.Offer}, false)
			return call
		}
	}
	b.t.Fatal("nobody is rung")
	return ""
}

// lamp is a phone with one busy lamp field.
type lamp struct {
	*rawPhone
	told     chan string // NOTIFYs, all of which are answered
	replaces string      // the dialog that the last NOTIFY named, as the value of a Replaces
	info     string      // the last document
}

// watch has an agent's phone subscribe.
func (b *bench) watch(agent, target string) *lamp {
	b.t.Helper()
	l := &lamp{rawPhone: b.phone(agent), told: make(chan string, 64)}
	l.lines = "Event: dialog\r\nExpires: 600\r\n"
	l.prove("SUBSCRIBE", target, "")
	l.recv("SIP/2.0 200")
	_ = l.conn.SetReadDeadline(time.Time{})
	go l.serve()
	l.shows("<state>terminated</state>")
	return l
}

func (l *lamp) serve() {
	buf := make([]byte, 65536)
	for {
		n, err := l.conn.Read(buf)
		if err != nil {
			return
		}
		if msg := string(buf[:n]); strings.HasPrefix(msg, "NOTIFY") {
			_, _ = l.conn.WriteToUDPAddrPort([]byte(l.answer(msg, "200 OK", "")), l.at) // lost: it comes again
			l.told <- msg
		}
	}
}

// notified waits for the next NOTIFY.
func (l *lamp) notified() string {
	l.t.Helper()
	select {
	case n := <-l.told:
		return n
	case <-time.After(patience):
		l.t.Fatalf("no NOTIFY; the last was\n%s", l.info)
		return ""
	}
}

var dialogID = regexp.MustCompile(`call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"`)

// shows waits for the NOTIFY that says so.
func (l *lamp) shows(what string) {
	l.t.Helper()
	for {
		n := l.notified()
		if _, l.info, _ = strings.Cut(n, "\r\n\r\n"); !strings.Contains(l.info, what) {
			continue
		}
		if m := dialogID.FindStringSubmatch(l.info); m != nil {
			l.replaces = m[1] + ";to-tag=" + m[3] + ";from-tag=" + m[2] + ";early-only"
		}
		return
	}
}

// A lamp goes with the call: it rings, is talked on, is over; and only colleagues
// who may pick it up see who calls. (R93)
func TestLamps_FollowACall(t *testing.T) {
	b := newBench(t, nil)
	b.lit()
	colleague, stranger, group := b.watch("bartek", "101"), b.watch("celina", "anna"), b.watch("bartek", "600")
	call := b.ringsAtAnna()
	for _, l := range []*lamp{colleague, group} {
		l.shows("<state>early</state>")
		if !strings.Contains(l.info, ">sip:+48601@localhost<") || !strings.Contains(l.info, `display="Jan"`) || l.replaces == "" {
			t.Errorf("a colleague sees\n%s", l.info)
		}
	}
	stranger.shows("<state>early</state>")
	if strings.Contains(stranger.info, "48601") || strings.Contains(stranger.info, "Jan") || stranger.replaces != "" {
		t.Errorf("a stranger sees\n%s", stranger.info)
	}
	var offer acd.OfferID
	b.core.View(func(s *acd.State) { offer = s.Interactions()[0].Offers[0].ID })
	b.apply(&acd.OfferAnswered{Offer: offer, Leg: "p", Node: "n1"}, false)
	for _, l := range []*lamp{colleague, stranger, group} {
		l.shows("<state>confirmed</state>")
	}
	b.apply(&acd.LegEnded{Leg: call, Cause: acd.EndHangup}, false)
	for _, l := range []*lamp{colleague, stranger, group} {
		l.shows("<state>terminated</state>")
	}
	b.leave(call)
}

// A phone takes the call that its lamp shows: the core is asked for this very
// call, and bridges caller and phone.
func TestLamps_PickupByReplaces(t *testing.T) {
	b := newBench(t, nil)
	b.lit()
	l := b.watch("bartek", "101")
	call := b.ringsAtAnna()
	l.shows("<state>early</state>")
	p := b.phone("bartek")
	p.lines = "Require: replaces\r\nReplaces: " + l.replaces + "\r\n"
	p.dial("101")
	p.answered()
	var id acd.InteractionID
	b.core.View(func(s *acd.State) { id = s.Interactions()[0].ID })
	claim := b.want(&acd.Claimed{Agent: "bartek", Node: "n1", Kind: acd.ClaimInteraction, Interaction: id}).(*acd.Claimed)
	for _, cmd := range b.apply(claim, false) {
		if bridge, ok := cmd.(*acd.Bridge); ok && bridge.B == claim.Leg {
			b.do(call, bridge)
		}
	}
	b.want(&acd.LegAnswered{Leg: call})
	b.want(&acd.Bridged{A: call, B: claim.Leg})
	p.hangUp()
	b.want(&acd.LegEnded{Leg: claim.Leg, Cause: acd.EndHangup})
	b.leave(call)
}

// What cannot be picked up, and why.
func TestLamps_PickupRefused(t *testing.T) {
	b := newBench(t, nil)
	b.lit()
	l := b.watch("bartek", "101")
	call := b.ringsAtAnna()
	l.shows("<state>early</state>")
	refused := func(agent, status string) {
		t.Helper()
		p := b.phone(agent)
		p.lines = "Replaces: " + l.replaces + "\r\n"
		p.dial("101")
		p.recv("SIP/2.0 " + status)
		p.ack()
		b.want(&acd.LegEnded{Cause: acd.EndByUs})
	}
	refused("celina", "403") // who was told by somebody what their lamp said
	var offer acd.OfferID
	b.core.View(func(s *acd.State) { offer = s.Interactions()[0].Offers[0].ID })
	b.apply(&acd.OfferAnswered{Offer: offer, Leg: "p", Node: "n1"}, false)
	refused("bartek", "486") // RFC 3891 section 3: it is not early any more
	b.apply(&acd.LegEnded{Leg: call, Cause: acd.EndHangup}, false)
	refused("bartek", "481")
	b.leave(call)
}

// A change of the configuration changes what is seen, and who can be watched.
func TestLamps_ConfigurationChanges(t *testing.T) {
	b := newBench(t, nil)
	config := b.lit()
	l, gone := b.watch("bartek", "101"), b.watch("bartek", "103")
	call := b.ringsAtAnna()
	l.shows("48601")
	changed := &queuegroups.Config{Version: "changed", Agents: config.Agents[:2], Groups: slices.Clone(config.Groups), Numbers: config.Numbers}
	changed.Groups[0].Pickup = false
	b.board.SetConfig(changed)
	b.apply(&acd.ConfigApplied{Config: changed}, false)
	l.shows("<state>early</state>")
	if strings.Contains(l.info, "48601") {
		t.Errorf("still seen:\n%s", l.info)
	}
	n := gone.notified()
	if got := headerOf(n, "Subscription-State"); got != "terminated;reason=noresource" {
		t.Errorf("Subscription-State: %s", got)
	}
	b.apply(&acd.LegEnded{Leg: call, Cause: acd.EndHangup}, false)
	b.leave(call)
}

// Whom there is to watch.
func TestLamps_Targets(t *testing.T) {
	b := newBench(t, nil)
	b.lit()
	for target, want := range map[string]string{
		"101": "agent anna", "Anna": "agent anna", "600": "group sales", "sales": "", "999": "", "": "", "+48221234567": "",
	} {
		if name, ok := b.board.Lamps().Lamp("bartek", target); name != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", target, name, ok, want)
		}
	}
	if New(Options{}).Lamps() != nil {
		t.Error("without a core there is nothing to watch")
	}
}

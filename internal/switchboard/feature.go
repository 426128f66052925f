package switchboard

import (
	"strconv"
	"strings"
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/tone"
	"centrala/queuegroups"
)

// feature is what an agent asks for by dialling a code (docs/guides/phones.md).
// The phone is answered, the fact logged, and a tone and words say what came of
// it; what is picked up, from a colleague or a parking slot, is heard instead.
type feature struct {
	name  string // for the log
	facts []acd.Event
	claim *acd.Claimed // who picks up; leg and node are filled in
	park  string       // the slot for the call that the agent has on another line
	echo  bool         // the phone hears itself until it hangs up
	own   bool         // the agent is told their extension
}

// longestSlot is how many digits a parking slot may have.
const longestSlot = 4

// feature finds out what an agent dialled a code for. ok is false for what is no
// code, or none that means anything.
func (b *Board) feature(agent *queuegroups.Agent, dialled string) (f *feature, ok bool) {
	config := b.config.Load()
	rest, ok := strings.CutPrefix(dialled, "*")
	if !ok {
		return nil, false
	}
	claim := func(name string, c acd.Claimed) (*feature, bool) {
		c.Agent = agent.ID
		return &feature{name: name, claim: &c}, true
	}
	if extension, directed := strings.CutPrefix(rest, "*"); directed {
		colleague, group := config.ByExtension(extension)
		switch {
		case colleague != nil:
			return claim("pickup", acd.Claimed{Kind: acd.ClaimAgent, From: colleague.ID})
		case group != nil:
			return claim("pickup", acd.Claimed{Kind: acd.ClaimGroup, Group: group.ID})
		}
		return nil, false
	}
	if slot, ok := strings.CutPrefix(rest, "5"); ok && isSlot(slot) {
		return claim("fetch", acd.Claimed{Kind: acd.ClaimParked, Slot: slot})
	}
	if slot, ok := parkingSlot(dialled); ok {
		return &feature{name: "park", park: slot}, true
	}
	switch rest {
	case "8":
		return claim("pickup", acd.Claimed{Kind: acd.ClaimGroup})
	case "98":
		return &feature{name: "own extension", own: true}, true
	case "99":
		return &feature{name: "echo test", echo: true}, true
	case "7":
		return &feature{name: "wrap-up over", facts: []acd.Event{&acd.WrapUpSet{Agent: agent.ID}}}, true
	case "90":
		return duty(agent, acd.DutyOff, ""), true
	case "91", "40":
		return duty(agent, acd.DutyOn, ""), true
	}
	if n, ok := strings.CutPrefix(rest, "4"); ok {
		return takeBreak(config, agent, n)
	}
	return seats(config, agent, rest)
}

// parkingSlot is the slot that a code parks a call in, dialled on another line or
// as the target of a transfer.
func parkingSlot(dialled string) (slot string, ok bool) {
	slot, ok = strings.CutPrefix(dialled, "*6")
	return slot, ok && isSlot(slot)
}

func isSlot(s string) bool {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	return s != "" && len(s) <= longestSlot && !strings.ContainsFunc(s, func(r rune) bool { return !digit(r) })
}

func duty(agent *queuegroups.Agent, d acd.Duty, reason string) *feature {
	return &feature{
		name:  strings.TrimSuffix("duty "+string(d)+" "+reason, " "),
		facts: []acd.Event{&acd.DutySet{Agent: agent.ID, Duty: d, Reason: reason}},
	}
}

// takeBreak begins a break with the nth of the reasons that there are; where any
// will do, the first is none at all.
func takeBreak(config *queuegroups.Config, agent *queuegroups.Agent, digit string) (*feature, bool) {
	n, err := strconv.Atoi(digit)
	reasons := config.WorkTime.Breaks
	if len(reasons) == 0 {
		reasons = []string{""}
	}
	if err != nil || len(digit) != 1 || n < 1 || n > len(reasons) {
		return nil, false
	}
	return duty(agent, acd.DutyBreak, reasons[n-1]), true
}

// seats logs the agent in to groups or out of them: of all that list them, or of
// the one with the extension.
func seats(config *queuegroups.Config, agent *queuegroups.Agent, rest string) (*feature, bool) {
	states := map[string]acd.SeatState{"21": acd.SeatIn, "20": acd.SeatOut}
	state, known := states[rest[:min(len(rest), 2)]]
	if !known {
		return nil, false
	}
	f := &feature{name: "log " + string(state)}
	for i := range config.Groups {
		g := &config.Groups[i]
		if extension := rest[2:]; extension != "" && extension != g.Extension || !g.Lists(agent.ID) {
			continue
		}
		f.facts = append(f.facts, &acd.SeatSet{Agent: agent.ID, Group: g.ID, State: state})
	}
	return f, len(f.facts) > 0
}

// beginFeature answers a phone that dialled a code; perform follows when the
// phone has acknowledged that.
func (c *call) beginFeature(f *feature) {
	c.feature = f
	c.log.Info().Str("agent", string(c.caller.agent)).Str("feature", f.name).Msg("feature code dialled")
	if err := c.caller.sip.Answer(c.answer); err != nil {
		c.caller.sip.Hangup("")
		return
	}
	c.answered = true
}

// perform does what the code asks for.
func (c *call) perform() {
	f := c.feature
	switch {
	case f.claim != nil:
		f.claim.Leg, f.claim.Node = c.id, c.board.node
		if !c.board.fact(f.claim) {
			c.tell(false, holdmusic.WordNotDone)
		} // else the core bridges this leg with what was asked for, or ends it
	case f.park != "":
		c.park(f.park)
	case f.echo:
		c.echo()
	case f.own:
		c.tellExtension()
	default:
		c.awaitFacts()
		for _, e := range f.facts {
			if !c.board.fact(e) {
				c.stopAwaiting()
				c.pending = nil
				c.tell(false, holdmusic.WordNotDone)
				return
			}
		}
	}
}

// tellExtension tells the agent what colleagues dial for them.
func (c *call) tellExtension() {
	agent := c.board.config.Load().Agent(c.caller.agent)
	if agent == nil || agent.Extension == "" {
		c.tell(false, holdmusic.WordNoExtension)
		return
	}
	c.tell(true, append([]string{holdmusic.WordYourExtension}, holdmusic.Digits(agent.Extension)...)...)
}

// nothing tells the agent that what they dialled for is not there, or not theirs to have.
func (c *call) nothing() {
	if claim := c.feature.claim; claim != nil && claim.Kind == acd.ClaimParked {
		c.tell(false, append([]string{holdmusic.WordNothingParked}, holdmusic.Digits(claim.Slot)...)...)
		return
	}
	c.tell(false, holdmusic.WordNothing)
}

// park has the core park the call that the agent has on another line. The
// phone of that line is hung up if it could be.
func (c *call) park(slot string) {
	b := c.board
	l := b.talksOn(c.caller.agent)
	if l == "" {
		c.tellParked(false)
		return
	}
	b.mu.Lock()
	b.parks[l] = c
	b.mu.Unlock()
	if !b.fact(&acd.Parked{Leg: l, Slot: slot}) {
		c.tellParked(false)
	}
}

// tellParked tells the agent in which slot their call is parked, or that it is not.
func (c *call) tellParked(done bool) {
	if !done {
		c.tell(false, holdmusic.WordNotParked)
		return
	}
	c.tell(true, append([]string{holdmusic.WordParked}, holdmusic.Digits(c.feature.park)...)...)
}

// parked tells whoever dialled for it whether the call of the leg is parked.
func (b *Board) parked(leg acd.LegID, done bool) {
	b.mu.Lock()
	c := b.parks[leg]
	delete(b.parks, leg)
	b.mu.Unlock()
	if c != nil {
		c.box.Post(func() { c.tellParked(done) })
	}
}

const (
	beepsFor     = 1200 * time.Millisecond
	beepLevel    = -15  // dBFS
	doneHertz    = 1000 // a high tone: done
	notDoneHertz = 425  // ITU-T E.180 section 5: as of a line that is busy
)

// beeps is a programme of a tone that comes and goes, 200 ms each.
type beeps struct {
	tone    *tone.Program
	silence [media.NumCodecs][]byte
}

func newBeeps(hertz int) beeps {
	b := beeps{tone: tone.NewProgram(hertz, beepLevel)}
	for c := range media.Codec(media.NumCodecs) {
		b.silence[c] = c.AppendEncoded(nil, make([]int16, media.FrameSamples))
	}
	return b
}

// Frame implements media.Program.
func (b *beeps) Frame(c media.Codec, tick uint64) []byte {
	const half = 10 // frames of 20 ms
	if tick/half%2 == 0 {
		return b.tone.Frame(c, tick)
	}
	return b.silence[c]
}

var _ media.Program = (*beeps)(nil)

package switchboard

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/media"
	"centrala/queuegroups"
)

// This file holds what an agent is told who dialled a code: a tone, high for done
// and low for not done, and the words for how things stand then, in the core's word.

// awaitFacts has the call told when the core has taken in what the agent asked for.
func (c *call) awaitFacts() {
	b, agent := c.board, c.caller.agent
	c.pending = slices.Clone(c.feature.facts)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks[agent] = append(b.asks[agent], c)
}

// stopAwaiting takes the call off the books of those that wait for the core.
func (c *call) stopAwaiting() {
	b, agent := c.board, c.caller.agent
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asks[agent] = slices.DeleteFunc(b.asks[agent], func(x *call) bool { return x == c }); len(b.asks[agent]) == 0 {
		delete(b.asks, agent)
	}
}

// featureApplied tells those who dialled for it that the core has taken a fact in.
func (b *Board) featureApplied(e acd.Event) {
	var agent queuegroups.AgentID
	switch e := e.(type) {
	case *acd.SeatSet:
		agent = e.Agent
	case *acd.DutySet:
		agent = e.Agent
	case *acd.WrapUpSet:
		agent = e.Agent
	default:
		return
	}
	b.mu.Lock()
	asks := slices.Clone(b.asks[agent])
	b.mu.Unlock()
	for _, c := range asks {
		c.box.Post(func() { c.factApplied(e) })
	}
}

// factApplied tells the agent how things stand once all that they asked for is taken in.
func (c *call) factApplied(e acd.Event) {
	i := slices.IndexFunc(c.pending, func(p acd.Event) bool { return reflect.DeepEqual(p, e) })
	if i < 0 {
		return
	}
	if c.pending = slices.Delete(c.pending, i, i+1); len(c.pending) > 0 {
		return
	}
	c.stopAwaiting()
	done, words := c.standing()
	c.tell(done, words...)
}

// standing is how things stand for an agent after what they asked for, and
// whether that is what they wanted.
func (c *call) standing() (done bool, words []string) {
	var v acd.AgentView
	if core := c.board.core; core != nil {
		core.View(func(s *acd.State) {
			for _, a := range s.Agents() {
				if a.ID == c.caller.agent {
					v = a
				}
			}
		})
	}
	if v.ID == "" { // taken out of the configuration a moment ago
		return false, []string{holdmusic.WordNotDone}
	}
	switch e := c.feature.facts[0].(type) {
	case *acd.DutySet:
		return v.Duty == e.Duty && v.Reason == e.Reason, c.duty(&v)
	case *acd.SeatSet:
		return c.seated(&v)
	default:
		return v.Status != acd.WrapUp, c.duty(&v)
	}
}

// duty puts into words what the agent does.
func (c *call) duty(v *acd.AgentView) []string {
	switch v.Duty {
	case acd.DutyOff:
		return []string{holdmusic.WordDayOver}
	case acd.DutyLeave:
		return []string{holdmusic.WordLeave}
	case acd.DutyBreak:
		words := []string{holdmusic.WordOnBreak}
		n := slices.Index(c.board.config.Load().WorkTime.Breaks, v.Reason) + 1
		if n == 0 { // it has no number, or there is none
			return words
		}
		return append(words, c.board.music.Break(c.voice(), v.Reason, n)...)
	case acd.DutyOn:
	}
	switch v.Status {
	case acd.Available, acd.BackingOff:
		return []string{holdmusic.WordAvailable}
	case acd.Offline:
		return []string{holdmusic.WordNotRegistered}
	case acd.WrapUp:
		return []string{holdmusic.WordWrapUp}
	case acd.Reserved, acd.Ringing, acd.Talking, acd.BusyElsewhere:
		return []string{holdmusic.WordOtherCall}
	default:
		return []string{holdmusic.WordNotDone}
	}
}

// seated puts into words in which of the groups dialled for the agent is logged in.
func (c *call) seated(v *acd.AgentView) (done bool, words []string) {
	config, voice := c.board.config.Load(), c.voice()
	done = true
	var each, states []string
	for _, e := range c.feature.facts {
		set, ok := e.(*acd.SeatSet)
		if !ok {
			continue
		}
		state := holdmusic.WordLoggedIn
		if slices.ContainsFunc(v.Seats, func(s acd.SeatView) bool { return s.Group == set.Group && s.State != acd.SeatIn }) {
			state = holdmusic.WordLoggedOut
		}
		done = done && (state == holdmusic.WordLoggedIn) == (set.State == acd.SeatIn)
		states = append(states, state)
		if g := config.Group(set.Group); g != nil {
			if name := c.board.music.Group(voice, string(g.ID), g.Extension); len(name) > 0 {
				each = append(append(append(each, holdmusic.WordGroup), name...), state, holdmusic.WordPause)
			}
		}
	}
	switch {
	case len(slices.Compact(slices.Clone(states))) == 1 && len(states) > 1:
		return done, []string{holdmusic.WordAllGroups, states[0]}
	case len(each) == 0:
		return done, states[:1]
	}
	return done, each[:len(each)-1]
}

// voice is that in which the agent who dialled is spoken to.
func (c *call) voice() holdmusic.Voice {
	config := c.board.config.Load()
	agent := config.Agent(c.caller.agent)
	if agent == nil {
		agent = &queuegroups.Agent{ID: c.caller.agent}
	}
	return replies(config.SpeechTo(agent))
}

// replies is the voice of what is said to people of ours.
func replies(s queuegroups.Speech) holdmusic.Voice {
	return holdmusic.Voice{Language: s.Language, Folder: s.Prompts, Replies: true}
}

// toneLength is how long the tone before the words is.
const toneLength = 200 * time.Millisecond

// tell says whether it was done, by the tone and the words, and hangs up. In a
// voice that was not loaded there are no words, and the tone is longer.
func (c *call) tell(done bool, words ...string) {
	l := c.caller
	if c.legs[l.sip] == nil {
		return
	}
	n := 0
	if done {
		n = 1
	}
	c.log.Info().Str("agent", string(l.agent)).Str("feature", c.feature.name).Bool("done", done).Strs("words", words).Msg("feature code carried out")
	hangUp := func() { l.sip.Hangup("") }
	spoken, length, ok := c.board.music.Say(c.voice(), false, append([]string{holdmusic.WordPause}, words...)...)
	if !ok || len(words) == 0 {
		c.playOnce(&c.board.beeps[n], beepsFor, hangUp)
		return
	}
	c.playOnce(&toneFirst{tone: c.board.beeps[n].tone, then: spoken}, toneLength+length, hangUp)
}

// heldUp is for how long what is played once may be interrupted, by a phone that does not listen or a
// machine that stands still.
const heldUp = 2 * time.Second

// playOnce plays so much of a programme to the caller's leg, every frame of it, and does something then, if
// the leg is still there.
func (c *call) playOnce(p media.Program, length time.Duration, then func()) {
	l, once := c.caller, sync.OnceFunc(then)
	over := func() {
		c.box.Post(func() {
			if c.legs[l.sip] != nil {
				once()
			}
		})
	}
	l.media.Play(&whole{p: p, frames: uint64(length / frameTime), over: over})
	time.AfterFunc(length+heldUp, over)
}

// echo explains the test, and has the phone hear itself then.
func (c *call) echo() {
	l := c.caller
	back := func() { media.Bridge(l.media, l.media) }
	spoken, length, ok := c.board.music.Say(c.voice(), false, holdmusic.WordEcho)
	if !ok {
		back()
		return
	}
	c.playOnce(spoken, length, back)
}

const frameTime = 20 * time.Millisecond

// whole is the beginning of a programme, for one listener. What the server was held up for is played late and not
// left out, for nobody says it again.
type whole struct {
	p         media.Program
	frames, n uint64
	over      func() // called with the last frame; must not block
}

// Frame implements media.Program.
func (w *whole) Frame(c media.Codec, _ uint64) []byte {
	frame := w.p.Frame(c, w.n)
	w.n++
	if w.n == w.frames {
		w.over()
	}
	return frame
}

// toneFirst is a programme of a tone from its tick 0 on, and another programme behind it.
type toneFirst struct {
	tone, then media.Program
}

// Frame implements media.Program.
func (t *toneFirst) Frame(c media.Codec, tick uint64) []byte {
	if tick < uint64(toneLength/frameTime) {
		return t.tone.Frame(c, tick)
	}
	return t.then.Frame(c, tick)
}

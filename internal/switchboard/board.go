// Package switchboard stands between the core and the world. It carries out the
// core's commands on this node's SIP legs and media, and turns what happens
// there into facts for the log. It decides nothing about who gets which call.
//
// Every call has one actor: a mailbox in which everything about its legs runs,
// one thing at a time. SIP, media and the log only post to it.
package switchboard

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/chat"
	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"
	"centrala/queuegroups"
	"centrala/sip"
)

// Appender takes facts for the log. Append never blocks; the order of one
// caller's facts is their order in the log. An error means that the fact is not
// and will not be in the log.
type Appender interface {
	Append(acd.Event) error
}

// Tracer is told of every leg and what happens to its audio. Its methods must not block.
type Tracer interface {
	// Leg tells of a leg that began for a call, and who is at its far end.
	Leg(call, leg acd.LegID, sipCallID, who string)
	// Audio tells what happened to the audio of a leg.
	Audio(call, leg acd.LegID, what string)
	// Key tells that a key was pressed at a leg's telephone.
	Key(call, leg acd.LegID, key byte)
	// Gone tells that nothing is left of a call here.
	Gone(call acd.LegID)
}

// Options are what a Board needs; all fields but Core, Waiting and Log are required.
type Options struct {
	Node  acd.NodeID
	Facts Appender
	Media *media.Engine
	Music *holdmusic.Library
	Core  Core   // nil: phones can watch nobody
	Trace Tracer // is told of legs and audio; nil: nobody
	Chats Chats  // carries out what concerns chats; nil: nothing here shows chats
	// Waiting is asked, from any goroutine, what callers can be told; nil: nothing is announced.
	Waiting Waiting
	// Visit tells what a guest of the SIP stack's calls for; false: for nothing any more. nil: there are no guests.
	Visit func(guest string) (Visit, bool)
	Log   zerolog.Logger
}

// Board owns the calls of this node. Its methods may be called from any goroutine.
type Board struct {
	node    acd.NodeID
	facts   Appender
	media   *media.Engine
	music   *holdmusic.Library
	core    Core
	waiting Waiting
	visit   func(guest string) (Visit, bool)
	trace   Tracer
	chats   Chats
	log     zerolog.Logger
	stack   *sip.Stack // set once by Attach, before any call

	confirmTime time.Duration // confirmTime, but for tests

	beeps [2]beeps // what an agent hears who dialled a feature code: it was not done, it was

	config  atomic.Pointer[queuegroups.Config]
	ringing atomic.Pointer[tone.Progress] // as a phone that rings sounds in the configuration's country
	counts  counters
	patient time.Duration // how long a phone waits for what becomes of the transfer that it asked for

	mu    sync.Mutex
	calls map[acd.LegID]*call
	homes map[acd.LegID]*call             // of legs that are not those of the call that they began with
	busy  map[queuegroups.AgentID][]*leg  // legs on which agents talk, the newest last
	parks map[acd.LegID]*call             // by the leg that parks: who asked for it
	asks  map[queuegroups.AgentID][]*call // who dialled a code, and is told when the core has taken it in
	await map[*leg]bool                   // agents' phones that are told of a transfer before they are hung up on
	empty chan struct{}                   // closed when draining and no call is left
	drain bool
}

// Stats are counts since the start, and gauges of now.
type Stats struct {
	Calls   int    // calls that have a leg here now
	Arrived uint64 // callers' and agents' INVITEs handed to the core
	Refused uint64 // callers' INVITEs refused before the core saw them
	Denied  uint64 // calls and transfers of agents to numbers outside that they may not call
	// Redirections of agents' phones (302), and of numbers outside, by what became of them.
	RedirectsFollowed, RedirectsRefused uint64

	Offers       uint64 // Ring commands carried out
	Bridges      uint64 // Bridge commands carried out
	Panics       uint64 // calls ended by a fault of ours
	FactsRefused uint64 // facts that the log did not take
}

type counters struct {
	arrived, refused, denied, redirectsFollowed, redirectsRefused, offers, bridges, panics, factsRefused atomic.Uint64
}

// New makes a Board; Attach must follow before calls come in.
func New(o Options) *Board {
	b := &Board{
		patient: reportWithin, confirmTime: confirmTime, node: o.Node, facts: o.Facts, media: o.Media, music: o.Music, core: o.Core, waiting: o.Waiting,
		trace: o.Trace, chats: o.Chats, visit: o.Visit, log: o.Log,
		beeps: [2]beeps{newBeeps(notDoneHertz), newBeeps(doneHertz)},
		calls: make(map[acd.LegID]*call),
		homes: make(map[acd.LegID]*call),
		busy:  make(map[queuegroups.AgentID][]*leg),
		parks: make(map[acd.LegID]*call),
		asks:  make(map[queuegroups.AgentID][]*call),
		await: make(map[*leg]bool),
		empty: make(chan struct{}),
	}
	if b.trace == nil {
		b.trace = untraced{}
	}
	b.SetConfig(&queuegroups.Config{})
	return b
}

// Attach gives the Board the stack whose handler it is. It is called once,
// before the stack starts.
func (b *Board) Attach(s *sip.Stack) { b.stack = s }

// SetConfig tells the Board the configuration in force: agents' fixed phones, and
// the region for numbers and tones. It disturbs no call.
func (b *Board) SetConfig(c *queuegroups.Config) {
	if old := b.config.Swap(c); old == nil || old.Region != c.Region {
		b.ringing.Store(tone.NewProgress(c.Region, tone.Ringback))
	}
}

// Stats returns the present figures.
func (b *Board) Stats() Stats {
	b.mu.Lock()
	n := len(b.calls)
	b.mu.Unlock()
	return Stats{
		Calls: n, Arrived: b.counts.arrived.Load(), Refused: b.counts.refused.Load(), Denied: b.counts.denied.Load(),
		RedirectsFollowed: b.counts.redirectsFollowed.Load(), RedirectsRefused: b.counts.redirectsRefused.Load(),
		Offers: b.counts.offers.Load(), Bridges: b.counts.bridges.Load(),
		Panics: b.counts.panics.Load(), FactsRefused: b.counts.factsRefused.Load(),
	}
}

// Drained starts the wait for the last call to end and returns a channel that
// is closed when it has. New calls must be kept away by the stack.
func (b *Board) Drained() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.drain {
		b.drain = true
		if len(b.calls) == 0 {
			close(b.empty)
		}
	}
	return b.empty
}

// EndAll hangs up every leg of this node; Drained tells when it is done.
func (b *Board) EndAll() {
	b.mu.Lock()
	calls := make([]*call, 0, len(b.calls))
	for _, c := range b.calls {
		calls = append(calls, c)
	}
	b.mu.Unlock()
	for _, c := range calls {
		c.box.Post(c.tearDown)
	}
}

// Reachable is the stack's word that an agent's first phone registered or the last one left.
func (b *Board) Reachable(user string, yes bool) {
	agent := queuegroups.AgentID(user)
	b.log.Info().Str("agent", user).Bool("online", yes).Msg("agent reachable")
	if yes {
		b.fact(&acd.AgentOnline{Agent: agent, Node: b.node})
	} else {
		b.fact(&acd.AgentOffline{Agent: agent, Node: b.node})
	}
}

// TrunkSeen is the stack's word that a carrier is in another state than before.
func (b *Board) TrunkSeen(trunk string, now sip.TrunkState, why string) {
	state := acd.TrunkDown
	switch now {
	case sip.TrunkUp:
		state = acd.TrunkUp
	case sip.TrunkDown:
	case sip.TrunkRegistered:
		state = acd.TrunkRegistered
	case sip.TrunkUnregistered:
		state = acd.TrunkUnregistered
	}
	b.fact(&acd.TrunkSeen{Node: b.node, Trunk: queuegroups.TrunkID(trunk), State: state, Why: why})
}

// Invite is the stack's word that a carrier brings a call, or that an agent calls.
func (b *Board) Invite(l *sip.Leg) {
	c := newCall(b, l)
	b.mu.Lock()
	refuse := b.drain
	if !refuse {
		b.calls[c.id] = c
	}
	b.mu.Unlock()
	l.Bind(&c.box, c)
	if refuse {
		c.box.Post(func() { c.refuse(503, "Shutting Down") })
		return
	}
	c.box.Post(c.begin)
}

// Applied is the log's word that an entry was applied and what the core wants
// done. It only posts; it never waits.
func (b *Board) Applied(e acd.Entry, commands []acd.Command) {
	b.transferApplied(e.Event, commands)
	for _, cmd := range commands {
		if cmd.Head().Node == b.node {
			if ring, ok := cmd.(*acd.Ring); ok {
				b.release(ring.Agent)
			}
			b.Execute(cmd)
		}
	}
	b.featureApplied(e.Event)
	b.lampsApplied(e.Event)
}

// Execute carries out one command, now or as soon as its call's actor gets to it.
func (b *Board) Execute(cmd acd.Command) {
	call := cmd.Head().Call
	if end, ok := cmd.(*acd.EndLeg); ok && call == "" {
		call = callOf(end.Leg) // the core has forgotten whose phone that was
	}
	if b.chats != nil && chat.IsSession(string(call)) {
		b.inChat(call, cmd)
		return
	}
	var of acd.LegID // it is about one leg, wherever that went
	switch cmd := cmd.(type) {
	case *acd.EndLeg:
		of = cmd.Leg
	case *acd.Report:
		of = cmd.Leg
	default: // of a call
	}
	b.mu.Lock()
	c := b.calls[call]
	if home := b.homes[of]; home != nil {
		c = home
	}
	b.mu.Unlock()
	if c == nil || !c.box.Post(func() { c.execute(cmd) }) {
		b.unexecutable(cmd)
	}
}

// unexecutable logs the outcome of a command that cannot be carried out, most
// often because its call is gone, so that the core never waits for it. A fact
// that was logged before is ignored there.
func (b *Board) unexecutable(cmd acd.Command) {
	switch cmd := cmd.(type) {
	case *acd.Ring:
		class := acd.FailCancelled
		if cmd.Channel != "" {
			b.log.Warn().Str("channel", string(cmd.Channel)).Str("agent", string(cmd.Agent)).Msg("a chat cannot be offered: nothing here shows chats")
			class = acd.FailUnreachable
		}
		b.fact(&acd.OfferFailed{Offer: cmd.Offer, Class: class})
	case *acd.Report: // which has no outcome: nobody is left to be told
	case *acd.Tell: // neither has this
		b.log.Warn().Str("leg", string(cmd.Head().Call)).Str("notice", string(cmd.Notice)).Msg("text not sent: nothing here carries chats")
	case *acd.CancelRing:
		b.fact(&acd.OfferFailed{Offer: cmd.Offer, Class: acd.FailCancelled})
	case *acd.Dial:
		b.fact(&acd.OfferFailed{Offer: cmd.Offer, Class: acd.FailUnreachable})
	case *acd.Serve:
		b.fact(&acd.Served{Leg: cmd.Head().Call})
	case *acd.Bridge:
		b.fact(&acd.LegEnded{Leg: cmd.A, Cause: acd.EndFailed})
		b.fact(&acd.LegEnded{Leg: cmd.B, Cause: acd.EndFailed})
	case *acd.EndLeg:
		b.fact(&acd.LegEnded{Leg: cmd.Leg, Cause: acd.EndByUs})
	default: // Alert, Answer, Play, Reject concern the caller's leg
		b.fact(&acd.LegEnded{Leg: cmd.Head().Call, Cause: acd.EndFailed})
	}
}

func (b *Board) fact(e acd.Event) bool {
	if err := b.facts.Append(e); err != nil {
		b.counts.factsRefused.Add(1)
		b.log.Error().Err(err).Str("event", fmt.Sprintf("%T", e)).Msg("fact not logged")
		return false
	}
	return true
}

// gone takes a finished call off the books.
func (b *Board) gone(c *call) {
	b.trace.Gone(c.id)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls[c.id] != c {
		return // refused before it was entered
	}
	delete(b.calls, c.id)
	if b.drain && len(b.calls) == 0 {
		close(b.empty)
	}
}

// contacts are the phones at which an agent can be rung now.
func (b *Board) contacts(agent queuegroups.AgentID) []sip.Contact {
	if a := b.config.Load().Agent(agent); a != nil && a.Contact != "" {
		contact, err := b.stack.ContactURI(a.Contact)
		if err != nil {
			b.log.Warn().Err(err).Str("agent", string(agent)).Msg("fixed contact unusable")
			return nil
		}
		return []sip.Contact{contact}
	}
	return b.stack.Contacts(string(agent))
}

// number brings a dialled or presented number into the form that the core compares.
func (b *Board) number(s string) string {
	if n, err := queuegroups.Normalize(s, b.config.Load().Region); err == nil {
		return n
	}
	return s
}

// endpoint makes the media of a leg; browser tells that the far end is one.
func (b *Board) endpoint(label string, local, peer netip.Addr, browser bool, security sdp.Security, on func(media.Event)) (*media.Endpoint, error) {
	return b.media.NewEndpoint(media.EndpointOptions{Label: label, Local: local, Signalling: peer, WebRTC: browser, Security: security, OnEvent: on})
}

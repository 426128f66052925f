package switchboard

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/mailbox"
	"centrala/media"
	"centrala/media/sdp"
	"centrala/queuegroups"
	"centrala/sip"
)

// call is the actor of one caller and of all the phones rung for them. Its
// fields are accessed in its mailbox only.
type call struct {
	board *Board
	id    acd.LegID // the caller's leg; the one id of the call in logs
	log   zerolog.Logger
	box   mailbox.Box

	caller   *leg
	answered bool   // the caller's leg: our 200 was sent
	answer   []byte // the SDP for that 200
	ending   bool   // torn down: no new legs

	offers map[acd.OfferID]*offer
	legs   map[*sip.Leg]*leg        // the caller's and the phones'
	phones int                      // phones rung so far, for leg ids
	held   queuegroups.MusicID      // what whoever is put on hold hears
	refers map[acd.LegID]*requested // transfers asked for by phones, of which the core has not spoken

	made    *made                  // the agent makes the call at their desk; nil: their phone, or somebody else's, does
	feature *feature               // what the agent dialled instead of a number; nil: a number
	sent    *sentAway              // the newest transfer to a number outside that a phone asked for; nil: none
	pending []acd.Event            // of the feature's facts, those that the core has not taken in
	wanted  map[acd.LegID]*fetched // legs of other calls that are to come here

	announcer *announcer // nil: the customer hears no music
	told      told
}

// leg is one SIP leg with its media.
type leg struct {
	id         acd.LegID
	sip        *sip.Leg
	media      *media.Endpoint
	home       atomic.Pointer[call] // whose leg it is; set in the mailbox of the call that gives it away
	agent      queuegroups.AgentID  // whose phone it is; empty: a caller's from outside
	late       bool                 // an offerless INVITE: the answer comes with the ACK
	answered   bool                 // by a 200 and, for those who called us, their ACK
	offer      *offer               // nil for the caller's
	exit       *exit                // how it leaves; nil: it is a caller's, or an agent's phone
	with       *leg                 // whom it is bridged with
	waits      bool                 // bridged, and hears music because the other end holds the call
	playing    *acd.Play            // what it hears unless it is bridged; nil: nothing
	early      *leg                 // who hears it though it has not answered; nil: nobody
	own        bool                 // rings so that its agent can call somebody: the core knows nothing of it
	up         bool                 // an agent's, or of a telephone outside: it answered or came for the call, and the core was told
	gaveUp     acd.EndCause         // why we ended it though the core had not asked for that; empty: we did not
	asked      bool                 // it answered, and was asked to accept the call by a key
	connecting bool                 // it answered, and cannot be heard yet
	holds      bool                 // the agent put the other end on hold at their desk
	toldHold   bool                 // the core knows that it holds
	hungUp     bool                 // the agent hung up at their desk
	keys       keypad               // what an agent types during the call
}

func newCall(b *Board, l *sip.Leg) *call {
	c := b.emptyCall(acd.LegID(l.ID()))
	c.caller = &leg{id: c.id, sip: l, agent: queuegroups.AgentID(l.User())}
	c.legs[l] = c.caller
	c.traced(c.caller)
	return c
}

// emptyCall is a call without any leg yet.
func (b *Board) emptyCall(id acd.LegID) *call {
	c := &call{
		board:  b,
		id:     id,
		log:    b.log.With().Str("call_id", string(id)).Logger(),
		offers: make(map[acd.OfferID]*offer),
		legs:   make(map[*sip.Leg]*leg),
		refers: make(map[acd.LegID]*requested),
		wanted: make(map[acd.LegID]*fetched),
	}
	c.box = mailbox.Box{Run: c.guarded, Idle: c.finished, Overflow: c.overflow}
	return c
}

// guarded runs one item of the mailbox; a panic ends this call and no other.
func (c *call) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			c.board.counts.panics.Add(1)
			c.log.Error().Str("panic", fmt.Sprint(r)).Bytes("stack", debug.Stack()).Msg("call ended by a fault")
			if !c.ending {
				c.box.Post(c.tearDown)
			}
		}
	}()
	f()
}

func (c *call) overflow() {
	c.log.Error().Int("limit", mailbox.Limit).Msg("call ended: its mailbox is full")
	c.box.Post(c.tearDown)
}

// finished tells whether nothing is left of the call; the mailbox then closes.
func (c *call) finished() bool {
	if len(c.legs) > 0 || len(c.offers) > 0 || len(c.wanted) > 0 || c.made != nil && len(c.made.rung) > 0 {
		return false
	}
	c.ownOver()
	c.board.gone(c)
	return true
}

// begin takes in the caller's INVITE: their media first, then the fact.
func (c *call) begin() {
	l := c.caller.sip
	if _, alive := c.legs[l]; !alive {
		return // the caller was faster than we
	}
	if err := c.openCaller(); err != nil {
		c.log.Warn().Err(err).Msg("caller refused")
		if errors.Is(err, media.ErrNoCodec) || errors.Is(err, media.ErrInsecure) {
			c.refuse(488, "")
		} else {
			c.refuse(503, "")
		}
		return
	}
	if l.Guest() != "" {
		c.beginVisit(l.Guest())
		return
	}
	if l.User() != "" {
		c.beginOwn(queuegroups.AgentID(l.User()))
		return
	}
	c.arrived(&acd.CallArrived{
		Trunk: trunkID(l), From: acd.Party{Number: c.board.number(l.From().User), Name: l.From().Name}, To: c.board.number(l.To()),
	})
}

// arrived hands the call over to the core.
func (c *call) arrived(e *acd.CallArrived) {
	e.Leg, e.Node = c.id, c.board.node
	line := c.log.Info()
	if e.Agent != "" {
		line = line.Str("agent", string(e.Agent))
	} else {
		line = line.Str("trunk", string(e.Trunk))
	}
	line.Str("sip_call_id", c.caller.sip.CallID()).Str("from", e.From.Number).Str("to", e.To).Msg("call arrived")
	if !c.board.fact(e) {
		c.refuse(503, "")
		return
	}
	if c.made != nil {
		c.made.told = true
	}
	c.board.counts.arrived.Add(1)
}

// openCaller makes the caller's endpoint and the SDP that we will answer with.
func (c *call) openCaller() error {
	l := c.caller
	policy := c.board.trunkSRTP(trunkID(l.sip))
	if l.agent != "" {
		policy = c.board.phoneSRTP(l.agent)
	}
	security := security(policy, l.sip.Secure())
	browser := l.sip.Browser() || l.agent != "" && sdp.OffersWeb(l.sip.SDP())
	ep, err := c.board.endpoint(string(c.id), l.sip.Local(), l.sip.Remote().Addr(), browser, security, c.mediaEvents(l))
	if err != nil {
		return err
	}
	l.media = ep
	if offer := l.sip.SDP(); len(offer) > 0 {
		c.answer, err = ep.AcceptOffer(offer)
		return err
	}
	l.late, c.answer = true, ep.Offer()
	return nil
}

// refuse turns the caller away before the core knows of them.
func (c *call) refuse(code int, reason string) {
	c.board.counts.refused.Add(1)
	if c.made != nil { // their phone was picked up
		c.refuseOwn()
		return
	}
	c.caller.sip.Reject(code, reason)
}

// answerCaller sends our 200 unless it was sent before.
func (c *call) answerCaller() bool {
	if c.answered {
		return true
	}
	if c.ending || c.legs[c.caller.sip] == nil {
		return false
	}
	if c.made != nil { // who makes a call at their desk has picked up before
		c.answered = true
		c.board.fact(&acd.LegAnswered{Leg: c.id})
		return true
	}
	if err := c.caller.sip.Answer(c.answer); err != nil {
		c.log.Warn().Err(err).Msg("answer not sent")
		c.caller.sip.Hangup("")
		return false
	}
	c.answered = true
	c.board.fact(&acd.LegAnswered{Leg: c.id})
	c.log.Info().Msg("caller answered")
	return true
}

// tearDown hangs up all legs; their ends are logged as they come.
func (c *call) tearDown() {
	c.ending = true
	for _, l := range c.legs {
		l.sip.Hangup("")
	}
}

// mediaEvents posts what the media of a leg of this call reports, to whatever
// call has the leg then.
func (c *call) mediaEvents(l *leg) func(media.Event) {
	l.home.Store(c)
	var report func(e media.Event)
	report = func(e media.Event) {
		home := l.home.Load()
		home.box.Post(func() {
			if l.home.Load() != home {
				report(e) // it has moved on meanwhile
				return
			}
			home.mediaEvent(l, e)
		})
	}
	return report
}

func (c *call) mediaEvent(l *leg, e media.Event) {
	if c.legs[l.sip] == nil {
		return
	}
	switch e.Kind {
	case media.EventDTMF:
		c.key(l, e.Digit, false)
		return
	case media.EventHeard:
		c.heard(l, e)
		c.connected(l)
		return
	case media.EventUnconnected:
		c.giveUp(l, acd.EndNoPath, e.Why, `SIP;cause=408;text="No path for media"`)
	case media.EventTimeout:
		if !l.answered {
			return // whoever rings, or hears it ring, may be silent; the core limits for how long
		}
		c.giveUp(l, acd.EndTimeout, "no packet for too long", `SIP;cause=408;text="No media"`)
	}
}

// giveUp ends a leg whose far end cannot be heard.
func (c *call) giveUp(l *leg, cause acd.EndCause, why, reason string) {
	c.board.trace.Audio(c.id, l.id, why)
	c.log.Warn().Str("leg_id", string(l.id)).Str("why", why).Msg("no media from the far end: leg ended")
	l.gaveUp = cause
	l.sip.Hangup(reason)
}

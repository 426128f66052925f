package switchboard

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// This file holds calls that agents make at their desks and talk in on their phones: the
// phone is rung, and what it would have dialled is called when it is picked up. From then on
// the call is as if the phone had made it. The core hears of it before the phone is rung, so
// that nobody else's call is offered to who waits for theirs.

// madeRings is how long an agent's own phone is rung for a call of theirs.
const madeRings = 45 * time.Second

// made is a call that an agent makes at their desk.
type made struct {
	arrived *acd.CallArrived // what the core is told when a phone is picked up
	told    bool             // it was
	rung    map[*leg]bool    // phones that ring
}

// Call rings the agent's phones, and calls what was dialled as soon as one is picked up,
// by the rules for calls that the phone makes. False: the agent may not call that, makes such a call
// already, or has no phone that can be rung; telephones in browsers make their calls themselves.
func (b *Board) Call(id queuegroups.AgentID, dialled string) bool {
	agent := b.config.Load().Agent(id)
	if agent == nil {
		return false
	}
	arrived, may := b.ownCall(agent, dialled)
	if !may {
		b.counts.denied.Add(1)
		b.log.Warn().Str("agent", string(id)).Str("number", dialled).Msg("call at the desk denied: the agent may not call that")
		return false
	}
	var phones []sip.Contact
	for _, contact := range b.contacts(id) {
		if !contact.Browser() {
			phones = append(phones, contact)
		}
	}
	if len(phones) == 0 {
		return false
	}
	c := b.emptyCall(acd.LegID(strings.ToLower(rand.Text()[:16])))
	c.made = &made{arrived: arrived, rung: make(map[*leg]bool)}
	b.mu.Lock()
	refuse := b.drain
	for _, other := range b.calls { // one at a time
		refuse = refuse || other.made != nil && other.made.arrived.Agent == id
	}
	if refuse {
		b.mu.Unlock()
		return false
	}
	b.calls[c.id] = c
	b.mu.Unlock()
	arrived.Asked = c.id
	if !b.fact(&acd.CallAsked{Leg: c.id, Node: b.node, Agent: id, To: arrived.To}) {
		b.gone(c)
		return false
	}
	return c.box.Post(func() { c.ringOwn(phones) })
}

// ringOwn rings all phones of the agent who calls. What they show is whom they are to call.
func (c *call) ringOwn(phones []sip.Contact) {
	m := c.made
	if c.ending {
		return
	}
	c.log.Info().Str("agent", string(m.arrived.Agent)).Str("to", m.arrived.To).Int("phones", len(phones)).Msg("ringing the phone of who calls")
	shown := sip.Party{User: m.arrived.To, Name: c.board.named(m.arrived.To)}
	for _, contact := range phones {
		c.ringOne(contact, shown)
	}
	time.AfterFunc(madeRings, func() { c.box.Post(func() { c.hushOwn(nil, "") }) })
}

// ringOne rings one phone. A host name is looked up first: the audio has to be where we call from.
func (c *call) ringOne(contact sip.Contact, shown sip.Party) {
	m := c.made
	l := &leg{id: c.id, agent: m.arrived.Agent, own: true}
	if c.phones++; c.phones > 1 {
		l.id = acd.LegID(strings.ToLower(rand.Text()[:16])) // whichever is picked up gives the call its name
	}
	m.rung[l] = true
	begin := func(to sip.Contact, err error) {
		if err == nil && (c.ending || c.caller != nil || !m.rung[l]) {
			err = errLegGone
		}
		if err == nil {
			srtp := c.board.phoneSRTP(l.agent)
			l.media, err = c.board.endpoint(string(l.id), to.Local, to.Remote, false, security(srtp, to.Secure()), c.mediaEvents(l))
		}
		if err != nil {
			delete(m.rung, l)
			c.log.Warn().Err(err).Str("contact", contact.URI).Msg("phone not rung")
			return
		}
		l.sip = c.board.stack.Dial(&c.box, c, sip.Dial{ID: string(l.id), To: to, From: shown, SDP: l.media.Offer()})
		c.legs[l.sip] = l
		c.traced(l)
	}
	if contact.Located() {
		begin(contact, nil)
		return
	}
	c.board.stack.Locate(contact, func(to sip.Contact, err error) {
		c.box.Post(func() { begin(to, err) })
	})
}

// ownAnswered: a phone was picked up, and is the caller's from now on. The others stop ringing.
func (c *call) ownAnswered(l *leg, sdp []byte) {
	if c.caller != nil || c.ending {
		l.sip.Hangup("")
		return
	}
	if err := l.media.AcceptAnswer(sdp); err != nil {
		c.log.Warn().Err(err).Msg("phone's answer unusable")
		l.sip.Hangup(`SIP;cause=488;text="Not acceptable"`)
		return
	}
	l.own, c.caller = false, l
	delete(c.made.rung, l)
	c.rename(l.id)
	c.hushOwn(l, completedElsewhere)
	e := *c.made.arrived
	c.arrived(&e)
}

// rename gives the call the id of the leg that it begins with. Nobody else knows it by another one yet.
func (c *call) rename(id acd.LegID) {
	if c.id == id {
		return
	}
	b := c.board
	b.mu.Lock()
	delete(b.calls, c.id)
	c.id, c.log = id, b.log.With().Str("call_id", string(id)).Logger()
	b.calls[id] = c
	b.mu.Unlock()
	c.traced(c.caller)
}

// hushOwn has the agent's phones stop ringing, but for one.
func (c *call) hushOwn(but *leg, reason string) {
	for l := range c.made.rung {
		if l == but {
			continue
		}
		delete(c.made.rung, l)
		if l.sip != nil {
			l.sip.Hangup(reason)
		}
	}
}

// refuseOwn: the core refuses a call. Phones that ring stop; one that was picked up already hears that it is busy.
func (c *call) refuseOwn() {
	if c.caller == nil {
		c.log.Info().Str("agent", string(c.made.arrived.Agent)).Msg("phone of who calls not rung: they have another call")
		c.ending = true // also where they do not ring yet
		c.hushOwn(nil, "")
		return
	}
	c.playOnce(&c.board.beeps[0], beepsFor, func() { c.caller.sip.Hangup("") })
}

// named is what an agent reads about what they dialled; empty: nothing but the number is known.
func (b *Board) named(dialled string) string {
	switch agent, group := b.config.Load().ByExtension(dialled); {
	case agent != nil:
		return agent.Name
	case group != nil:
		return group.Name
	}
	return ""
}

// ownOver tells the core that no phone was picked up.
func (c *call) ownOver() {
	if c.made != nil && !c.made.told {
		c.made.told = true
		c.board.fact(&acd.LegEnded{Leg: c.made.arrived.Asked, Cause: acd.EndCancel})
	}
}

// ownEnded logs the end of a phone that was not picked up for a call of its agent's.
func (c *call) ownEnded(l *leg, e *zerolog.Event) {
	delete(c.made.rung, l)
	e.Str("agent", string(l.agent)).Msg("phone of who calls not picked up")
}

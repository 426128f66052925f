package switchboard

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/media"
	"centrala/queuegroups"
	"centrala/sip"
)

var errLegGone = errors.New("the leg is gone")

// offer is one Ring command being carried out, all phones of one agent, or one
// Dial command, a telephone outside.
type offer struct {
	id        acd.OfferID
	agent     queuegroups.AgentID // empty: outside
	by        queuegroups.AgentID // who asks the agent; empty: the caller is offered
	number    string              // outside
	from      acd.Party           // shown on the agent's phone
	group     string              // its name, as shown there
	followed  []string            // numbers that the agent's phones sent the call to
	srtp      queuegroups.SRTP    // of the agent's phones
	ringing   bool
	answered  bool
	cancelled bool
	declined  bool             // at the agent's desk
	live      int              // phones not answered and not failed
	worst     acd.FailureClass // the most telling failure so far
	code      int
}

// whom adds to a log line who is called.
func (o *offer) whom(e *zerolog.Event) *zerolog.Event {
	if o.agent == "" {
		return e.Str("number", o.number)
	}
	return e.Str("agent", string(o.agent))
}

// ring dials every phone of the agent.
func (c *call) ring(cmd *acd.Ring) {
	if c.offers[cmd.Offer] != nil {
		return // the same command again
	}
	o := &offer{
		id: cmd.Offer, agent: cmd.Agent, by: cmd.By, from: cmd.From, group: cmd.Group,
		srtp: c.board.phoneSRTP(cmd.Agent), worst: acd.FailUnreachable,
	}
	c.offers[o.id] = o
	c.board.counts.offers.Add(1)
	from := sip.Party{User: cmd.From.Number, Name: cmp.Or(cmd.From.Name, cmd.From.Number) + " · " + cmd.Group}
	if !c.ending {
		for _, contact := range c.board.contacts(o.agent) {
			c.dial(o, nil, sip.Dial{To: contact, From: from})
		}
	}
	c.settle(o)
}

// dial calls one telephone of an offer, x being how it leaves, nil for an agent's phone;
// d wants for the leg's id and the session. A host name is looked up first: the audio
// has to be where we call from.
func (c *call) dial(o *offer, x *exit, d sip.Dial) {
	o.live++
	if x != nil {
		x.open = true
	}
	if d.To.Located() {
		c.begun(o, x, d, nil)
		return
	}
	c.board.stack.Locate(d.To, func(to sip.Contact, err error) {
		c.box.Post(func() {
			d.To = to
			c.begun(o, x, d, err)
			c.nextWay(o, x)
		})
	})
}

// begun calls a telephone that was looked up, or not found.
func (c *call) begun(o *offer, x *exit, d sip.Dial, err error) {
	if err == nil && (c.ending || o.cancelled || o.answered) {
		err = errLegGone
	}
	if err == nil {
		err = c.invite(o, x, d)
	}
	if err != nil {
		o.live--
		if x != nil {
			x.open = false
		}
		o.whom(c.log.Warn().Err(err)).Str("contact", d.To.URI).Msg("phone not rung")
	}
}

// invite opens the audio and sends the INVITE. Who is at a number outside has none of
// an agent's rights, though it be one's phone that the call was sent there by.
func (c *call) invite(o *offer, x *exit, d sip.Dial) error {
	c.phones++
	l := &leg{id: phoneLeg(c.id, c.phones), offer: o, exit: x}
	srtp := o.srtp
	if x == nil {
		l.agent = o.agent
	} else {
		srtp = x.srtp
	}
	ep, err := c.board.endpoint(string(l.id), d.To.Local, d.To.Remote, d.To.Browser(), security(srtp, d.To.Secure()), c.mediaEvents(l))
	if err != nil {
		return err
	}
	l.media = ep
	d.ID, d.SDP = string(l.id), ep.Offer()
	l.sip = c.board.stack.Dial(&c.box, c, d)
	c.legs[l.sip] = l
	c.traced(l)
	o.whom(c.log.Debug().Str("leg_id", string(l.id))).Str("contact", d.To.URI).Msg("ringing")
	return nil
}

// phoneLeg names the nth phone rung for a call, so that callOf finds the call again.
func phoneLeg(call acd.LegID, n int) acd.LegID { return acd.LegID(fmt.Sprintf("%s.%d", call, n)) }

// callOf is the call that a leg belongs to.
func callOf(l acd.LegID) acd.LegID {
	call, _, _ := strings.Cut(string(l), ".")
	return acd.LegID(call)
}

// phoneAnswered tells the core, which knows whether this answer was the first.
func (c *call) phoneAnswered(l *leg, sdp []byte) {
	if err := l.media.AcceptAnswer(sdp); err != nil {
		c.log.Warn().Err(err).Str("leg_id", string(l.id)).Msg("phone's answer unusable")
		l.sip.Hangup(`SIP;cause=488;text="Not acceptable"`)
		return
	}
	if l.exit != nil && l.exit.confirm != nil {
		c.ask(l)
		return
	}
	if l.connecting = !l.media.Connected(); l.connecting {
		l.offer.whom(c.log.Debug().Str("leg_id", string(l.id))).Msg("browser answered, sound is awaited")
		return
	}
	c.accepted(l)
}

// connected has an agent who answered in their browser take the call, now that sound gets through. ICE and DTLS take
// their time, or find no way: until then the customer goes on hearing what they hear, and others go on being rung.
func (c *call) connected(l *leg) {
	if l.connecting && !l.offer.cancelled && l.media.Connected() {
		l.connecting = false
		c.accepted(l)
	}
}

// accepted has the one who answered take the call.
func (c *call) accepted(l *leg) {
	o := l.offer
	l.up, o.answered = true, true
	c.board.busyWith(l)
	o.live--
	o.whom(c.log.Debug().Str("leg_id", string(l.id))).Msg("phone answered")
	c.board.fact(&acd.OfferAnswered{Offer: o.id, Leg: l.id, Node: c.board.node})
	c.hangupPhones(o, completedElsewhere)
	c.settle(o)
}

// phoneFailed counts a phone that will not answer any more.
func (c *call) phoneFailed(l *leg, t sip.Termination) {
	o := l.offer
	o.live--
	if t.Code/100 == 3 && c.redirected(l, t) {
		c.settle(o)
		return
	}
	class := failureClass(t)
	switch {
	case l.asked:
		class = unconfirmed(t)
	case l.connecting && t.Class == sip.ClassHangup && !t.ByUs: // they answered, and did not want to wait
		class = acd.FailDeclined
	}
	if telling(class) > telling(o.worst) || o.code == 0 {
		o.worst, o.code = class, t.Code
	}
	x := l.exit
	if x != nil {
		x.open = false
		if !l.asked && !o.cancelled && x.another(t) {
			o.whom(c.log.Info().Str("leg_id", string(l.id))).Int("code", t.Code).Str("why", t.Reason).Msg("calling by the next trunk")
		} else {
			x.ways = nil
		}
	}
	c.nextWay(o, x)
}

// settle closes an offer of which no phone is left open, telling the core
// unless one of them answered.
func (c *call) settle(o *offer) {
	if o.live > 0 || c.offers[o.id] != o {
		return
	}
	delete(c.offers, o.id)
	switch {
	case o.answered:
	case o.declined && !o.cancelled && !c.ending:
		c.board.fact(&acd.OfferFailed{Offer: o.id, Class: acd.FailDeclined})
	case o.cancelled || c.ending:
		c.board.fact(&acd.OfferFailed{Offer: o.id, Class: acd.FailCancelled})
	default:
		c.board.fact(&acd.OfferFailed{Offer: o.id, Class: o.worst, Code: o.code})
		o.whom(c.log.Debug()).Str("class", string(o.worst)).Int("code", o.code).Msg("offer failed")
	}
}

// cancelRing stops an offer's phones; the outcome follows when they have stopped.
func (c *call) cancelRing(cmd *acd.CancelRing) {
	o := c.offers[cmd.Offer]
	if o == nil {
		// Its outcome was logged before, or another command with this id
		// was carried out; saying so again harms nothing.
		c.board.fact(&acd.OfferFailed{Offer: cmd.Offer, Class: acd.FailCancelled})
		return
	}
	o.cancelled = true
	reason := ""
	if cmd.Elsewhere {
		reason = completedElsewhere
	}
	c.hangupPhones(o, reason)
}

// completedElsewhere tells a phone not to list a missed call (RFC 3326).
const completedElsewhere = `SIP;cause=200;text="Call completed elsewhere"`

func (c *call) hangupPhones(o *offer, reason string) {
	for _, l := range c.legs {
		if l.offer == o && !l.up {
			l.sip.Hangup(reason)
		}
	}
}

// bridge lets caller and agent hear each other, once both are legs of this call.
func (c *call) bridge(cmd *acd.Bridge) {
	c.fetch(cmd.A, func() {
		c.fetch(cmd.B, func() { c.connect(cmd) })
	})
}

func (c *call) connect(cmd *acd.Bridge) {
	a, b := c.legByID(cmd.A), c.legByID(cmd.B)
	if a == nil || b == nil || a == c.caller && !c.answerCaller() {
		return // the end of either is or will be logged
	}
	for _, l := range []*leg{a, b} {
		c.part(l)
		c.hushFor(l)
		if l.agent != "" && !l.up { // who called: their keys count from now on
			l.up = true
			c.board.busyWith(l)
		}
	}
	a.with, b.with = b, a
	a.playing, b.playing, a.early, b.early = nil, nil, nil, nil
	c.held = cmd.Music
	media.Bridge(a.media, b.media)
	c.suit(a, b)
	c.arrange(a)
	c.board.counts.bridges.Add(1)
	c.board.fact(&acd.Bridged{A: a.id, B: b.id})
	c.board.tellHold(a)
	c.board.tellHold(b)
	c.log.Debug().Str("leg_id", string(a.id)).Str("with", string(b.id)).Msg("bridged")
}

// suit has both ends of a bridge send what the other one takes and sounds best: Opus, where both are browsers; else
// G.711, which everybody has. It stays as it is while they hear music, which is G.711 to all, or hold each other.
func (c *call) suit(a, b *leg) {
	opus := a.media.TakesOpus() && b.media.TakesOpus()
	for _, l := range []*leg{a, b} {
		if l.media.PreferOpus(opus) {
			c.log.Debug().Str("leg_id", string(l.id)).Bool("opus", opus).Msg("codec changes")
			l.sip.Propose()
		}
	}
}

// part ends what the leg was bridged with: neither hears the other any more.
func (c *call) part(l *leg) {
	if b := l.with; b != nil {
		media.Unbridge(l.media, b.media)
		l.waits, b.waits, l.holds, b.holds = false, false, false, false
		b.with, l.with = nil, nil
		for _, end := range []*leg{l, b} {
			if c.legs[end.sip] == end { // of one that has ended there is nothing more to tell
				c.board.tellHold(end)
			}
		}
	}
}

func (c *call) legByID(id acd.LegID) *leg {
	for _, l := range c.legs {
		if l.id == id {
			return l
		}
	}
	return nil
}

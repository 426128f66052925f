package demo

import (
	"fmt"
	"math/rand/v2"
	"time"

	"centrala/internal/mailbox"
	"centrala/media"
	"centrala/sip"
)

// call is a robot at the telephone. Its fields are accessed in its box, but for those set at first.
type call struct {
	r        *Robots
	caller   bool   // it called; else it is an agent
	number   string // of the caller
	agent    string // the agent's id, of those
	box      mailbox.Box
	leg      *sip.Leg
	endpoint *media.Endpoint
	timer    *time.Timer // what the robot does next; nil: nothing

	over bool
}

// people are those who call. Some call again: their earlier calls can be seen.
var people = []string{
	"Jan Kowalczyk", "Ewa Michalska", "Adam Wrona", "Krystyna Lis", "Piotr Sowa", "Helena Zych", "Robert Klimek", "Joanna Duda",
	"Oksana Melnyk", "Andrij Bondar", "Maria Rossi", "Lukas Weber", "Danuta Górska", "Filip Urban", "Alicja Mazurek", "Stefan Bielak",
	"Beata Kruk", "Hubert Gajda", "", "", // who withhold their names
}

// newCall lists a call with its audio. The error is that of the audio.
func (r *Robots) newCall(c *call) error {
	c.r = r
	c.box = mailbox.Box{Run: func(f func()) { f() }, Idle: func() bool { return false }, Overflow: func() {}}
	endpoint, err := r.engine.NewEndpoint(media.EndpointOptions{Label: "robot", Local: r.o.Host, Signalling: r.o.Host})
	if err != nil {
		return err
	}
	endpoint.Play(r.music)
	c.endpoint = endpoint
	r.mu.Lock()
	r.calls[c] = struct{}{}
	r.mu.Unlock()
	return nil
}

// forget is the end of a call.
func (r *Robots) forget(c *call) {
	c.endpoint.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.calls, c)
	if r.ctx.Err() != nil && len(r.calls) == 0 {
		select {
		case <-r.idle: // Stop found none
		default:
			close(r.idle)
		}
	}
}

// dial has one of the people call a number.
func (r *Robots) dial(number string) {
	who := rand.IntN(len(people))
	from := fmt.Sprintf("+486001007%02d", who)
	r.mu.Lock()
	for c := range r.calls {
		if c.number == from { // calls already
			r.mu.Unlock()
			return
		}
	}
	r.mu.Unlock()
	to, err := r.stack.ContactURI(fmt.Sprintf("sip:%s@%v", number, r.server))
	if err != nil {
		r.o.Log.Error().Err(err).Msg("a robot cannot call")
		return
	}
	c := &call{caller: true, number: from}
	if err := r.newCall(c); err != nil {
		r.o.Log.Error().Err(err).Msg("a robot cannot call")
		return
	}
	c.box.Post(func() {
		c.leg = r.stack.Dial(&c.box, c, sip.Dial{To: to, From: sip.Party{User: from, Name: people[who]}, SDP: c.endpoint.Offer()})
		patience := between(40*time.Second, 2*time.Minute)
		if oneIn(5) {
			patience = between(8*time.Second, 25*time.Second)
		}
		c.wait(time.Now().Add(patience), time.Time{})
	})
}

// wait looks every second how it goes: a caller gives up when the patience is at an end, and hangs up
// when all has been said.
func (c *call) wait(patience, said time.Time) {
	c.after(time.Second, func() {
		now := time.Now()
		if said.IsZero() && c.r.o.Office.Talking(c.number) {
			said = now.Add(between(15*time.Second, 70*time.Second))
		}
		switch {
		case said.IsZero() && now.After(patience), !said.IsZero() && now.After(said):
			c.leg.Hangup("")
		default:
			c.wait(patience, said)
		}
	})
}

// after does something later, unless the call is over by then.
func (c *call) after(d time.Duration, f func()) {
	c.timer = time.AfterFunc(d, func() {
		c.box.Post(func() {
			if !c.over {
				f()
			}
		})
	})
}

// Invite implements sip.Handler: a robot's telephone rings. Most answer after a while.
func (r *Robots) Invite(l *sip.Leg) {
	c := &call{agent: l.To(), leg: l}
	if err := r.newCall(c); err != nil {
		r.o.Log.Error().Err(err).Msg("a robot cannot answer")
		l.Reject(503, "")
		return
	}
	l.Bind(&c.box, c)
	c.box.Post(func() {
		if r.ctx.Err() != nil {
			l.Reject(480, "")
			return
		}
		l.Ring(180, nil)
		switch {
		case oneIn(15): // is not at the desk
		case oneIn(15):
			c.after(between(2*time.Second, 4*time.Second), func() { l.Reject(603, "") })
		default:
			c.after(between(time.Second, 6*time.Second), c.answer)
		}
	})
}

func (c *call) answer() {
	sdp := c.leg.SDP()
	if sdp == nil {
		sdp = c.endpoint.Offer()
	} else if answer, err := c.endpoint.AcceptOffer(sdp); err == nil {
		sdp = answer
	} else {
		c.leg.Reject(488, "")
		return
	}
	if c.leg.Answer(sdp) != nil {
		return // the caller was faster; LegEnded follows
	}
	c.after(between(20*time.Second, 90*time.Second), func() { c.leg.Hangup("") })
}

// Reachable implements sip.Handler: nobody registers at robots.
func (r *Robots) Reachable(string, bool) {}

// LegProgress implements sip.LegEvents.
func (c *call) LegProgress(*sip.Leg, int, []byte) {}

// LegAnswered implements sip.LegEvents.
func (c *call) LegAnswered(l *sip.Leg, sdp []byte) {
	if sdp == nil {
		return // the answer was ours
	}
	if err := c.endpoint.AcceptAnswer(sdp); err != nil {
		l.Hangup("")
	}
}

// LegOffer implements sip.LegEvents.
func (c *call) LegOffer(_ *sip.Leg, sdp []byte) ([]byte, error) {
	if sdp == nil {
		return c.endpoint.Offer(), nil
	}
	return c.endpoint.AcceptOffer(sdp)
}

// LegKey implements sip.LegEvents: robots press none, and hear none.
func (c *call) LegKey(*sip.Leg, byte) {}

// LegRefer implements sip.LegEvents: robots go nowhere else.
func (c *call) LegRefer(*sip.Leg, *sip.Refer) int { return 603 }

// LegEnded implements sip.LegEvents.
func (c *call) LegEnded(l *sip.Leg, t sip.Termination) {
	c.over = true
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.agent != "" && t.Class == sip.ClassHangup && !oneIn(5) {
		r := c.r
		time.AfterFunc(between(time.Second, 5*time.Second), func() {
			if r.ctx.Err() == nil {
				r.o.Office.Outcome(c.agent, rand.IntN)
			}
		})
	}
	c.r.forget(c)
}

package switchboard

import (
	"cmp"
	"fmt"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// This file holds how a call that leaves by a trunk is presented: whom it is shown
// to come from, and by whom it was forwarded.

// sentAway is a transfer to a number outside that a phone asked for.
type sentAway struct {
	number string
	by     string // Referred-By (RFC 3892); empty: the phone gave none
}

// mostDiversions is how many times a call may have been forwarded before it is
// forwarded by us (R95, R96): each further one would hardly find anybody, and a
// call in a circle ends.
const mostDiversions = 5

// present says whom a call outside is shown to come from, and adds by whom it was
// forwarded, and why if that is known. The error tells that it goes round in circles.
func (c *call) present(cmd *acd.Dial, why string, d *sip.Dial) error {
	conf := c.board.config.Load()
	trusted, policy := false, queuegroups.CallerIDDefault
	own, _ := conf.OwnNumber(cmd.Trunk)
	if t := conf.Trunk(cmd.Trunk); t != nil {
		if trusted = t.Trusted; t.CallerID != "" {
			policy = queuegroups.CallerIDOwn
		}
	}
	if g := conf.Group(cmd.Group); g != nil {
		policy = cmp.Or(g.ForwardCallerID, policy)
	}
	if c.sent != nil && c.sent.number == cmd.Number && c.sent.by != "" {
		d.Header = append(d.Header, sip.Header{Name: "Referred-By", Value: c.sent.by})
	}
	origin, forwarded := c.origin(cmd)
	if forwarded {
		if origin.Diverted() >= mostDiversions || c.cameFrom(&origin, cmd.Number) {
			return errLoop
		}
		d.Header = append(d.Header, c.forwardedBy(cmd, why, d, &origin, trusted)...)
	}
	c.identify(cmd, d, &origin, forwarded && policy != queuegroups.CallerIDOwn, trusted, own)
	return nil
}

// origin is where the caller comes from whose call is forwarded; false: the call is
// an agent's.
func (c *call) origin(cmd *acd.Dial) (sip.Origin, bool) {
	l := c.caller.sip
	if c.caller.agent != "" || cmd.From != (acd.Party{Number: c.board.number(l.From().User), Name: l.From().Name}) {
		return sip.Origin{}, false
	}
	return l.Origin(), true
}

// cameFrom: the call has been at that number and was diverted from there.
func (c *call) cameFrom(origin *sip.Origin, number string) bool {
	for _, d := range origin.Diversions {
		if c.board.number(d.User) == number {
			return true
		}
	}
	return false
}

// identify shows the caller, if that is wished and they have a number; else us. A
// trusted carrier is told by P-Asserted-Identity whose call it is (RFC 3325): the
// caller's where another trusted carrier vouches for them, also of one who asked
// that nobody else be shown it.
func (c *call) identify(cmd *acd.Dial, d *sip.Dial, origin *sip.Origin, caller, trusted bool, own string) {
	b, number := c.board, c.board.number(origin.Caller.User)
	vouched := origin.Asserted && c.board.trusted(trunkID(c.caller.sip))
	caller = caller && strings.HasPrefix(number, "+") && (!origin.Withheld || trusted && vouched)
	if !caller {
		number, vouched = own, true
	}
	d.From = sip.Party{User: b.written(number, cmd.Trunk)}
	if caller {
		d.From.Name = origin.Caller.Name
	}
	if trusted && vouched && number != "" {
		d.Header = append(d.Header, sip.Header{
			Name: "P-Asserted-Identity", Value: fmt.Sprintf("<sip:%s@%s>", b.written(number, cmd.Trunk), b.stack.Domain()),
		})
	}
	if caller && origin.Withheld {
		d.From = sip.Party{User: "anonymous", Name: "Anonymous", Host: "anonymous.invalid"} // RFC 3323 section 4.1.1.3
		d.Header = append(d.Header, sip.Header{Name: "Privacy", Value: "id"})
	}
}

// trusted: what the carrier says in confidence may be believed, and passed on.
func (b *Board) trusted(trunk queuegroups.TrunkID) bool {
	t := b.config.Load().Trunk(trunk)
	return t != nil && t.Trusted
}

// forwardedBy are the headers that tell whose number the caller called: Diversion
// (RFC 5806) and History-Info (RFC 7044). Who forwarded the call before is told to
// trusted carriers; the others are told how often that was, which ends circles.
func (c *call) forwardedBy(cmd *acd.Dial, why string, d *sip.Dial, origin *sip.Origin, trusted bool) []sip.Header {
	var list []sip.Header
	reason, counter := cmp.Or(why, "unknown"), 1
	if c.sent != nil && c.sent.number == cmd.Number {
		reason = "deflection"
	}
	called := c.board.number(c.caller.sip.To())
	if !strings.HasPrefix(called, "+") {
		return list
	}
	us := fmt.Sprintf("<sip:%s@%s>", c.board.written(called, cmd.Trunk), c.board.stack.Domain())
	before := origin.Diversions
	if !trusted || len(before) == 0 {
		counter, before = origin.Diverted()+1, nil
	}
	list = append(list, sip.Header{Name: "Diversion", Value: fmt.Sprintf("%s;reason=%s;counter=%d", us, reason, counter)})
	for _, b := range before {
		list = append(list, sip.Header{Name: "Diversion", Value: b.Text})
	}
	index := ""
	if trusted {
		index = origin.LastIndex()
	}
	if index == "" {
		index = "1"
		list = append(list, sip.Header{Name: "History-Info", Value: us + ";index=1"})
	} else {
		for _, h := range origin.History {
			list = append(list, sip.Header{Name: "History-Info", Value: h})
		}
	}
	return append(list, sip.Header{Name: "History-Info", Value: fmt.Sprintf("<%s>;index=%s.1;mp=%s", d.To.URI, index, index)})
}

// referrer is the Referred-By of a call that an agent's phone asked for by REFER, if
// the phone gave one: the agent as they are known by their password, by the name or
// the extension that the phone says.
func (b *Board) referrer(agent queuegroups.AgentID, r *sip.Refer) string {
	by, ok := r.Referrer()
	if !ok {
		return ""
	}
	user := string(agent)
	if a := b.config.Load().Agent(agent); a != nil && a.Extension != "" && by.User == a.Extension {
		user = a.Extension
	}
	return fmt.Sprintf("<sip:%s@%s>", user, b.stack.Domain())
}

package switchboard

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/sip"
)

// twoCalls is anna at her desk with a customer, and with bartek on another line.
type twoCalls struct {
	*bench
	desk           *deskphone
	line           *rawPhone
	colleague      *sip.Leg
	customer, hers acd.LegID // the customer's call, and anna's leg in it
	own, his       acd.LegID // anna's call to bartek, and his leg in it
}

func consults(t *testing.T) *twoCalls {
	t.Helper()
	x := &twoCalls{bench: newBench(t, nil)}
	x.desk = x.deskphone()
	x.agents(x.board.config.Load())
	x.customer, x.hers = x.talks(x.desk)
	x.line = x.phone("anna")
	x.line.dial("102")
	x.own = x.want(&acd.CallArrived{Agent: "anna", To: "102"}).(*acd.CallArrived).Leg
	x.do(x.own, &acd.Ring{Offer: 2, Agent: "bartek"})
	x.colleague = x.peer.waitRung()
	x.want(&acd.OfferRinging{Offer: 2})
	x.peer.answer(x.colleague)
	x.his = x.want(&acd.OfferAnswered{Offer: 2}).(*acd.OfferAnswered).Leg
	x.do(x.own, &acd.Bridge{A: x.own, B: x.his})
	x.line.answered()
	x.want(&acd.LegAnswered{Leg: x.own})
	x.want(&acd.Bridged{A: x.own, B: x.his})
	return x
}

// referTo is a Refer-To that names a dialog, of which the tags are those that the phone knows.
func referTo(callID, remoteTag, localTag string) string {
	replaces := url.QueryEscape(callID + ";to-tag=" + remoteTag + ";from-tag=" + localTag)
	return "Refer-To: <sip:102@localhost?Replaces=" + replaces + ">\r\n"
}

func tagOf(address string) string {
	_, tag, _ := strings.Cut(address, ";tag=")
	return tag
}

// toLine names anna's call to bartek, toDesk the one with the customer.
func (x *twoCalls) toLine() string { return referTo(x.line.callID, tagOf(x.line.to), "f") }
func (x *twoCalls) toDesk() string { return referTo(x.desk.id, tagOf(x.desk.to), tagOf(x.desk.from)) }

// join is what the core makes of it.
func (x *twoCalls) join(joined acd.Event) {
	at := func(call acd.LegID) acd.Header { return acd.Header{Node: "n1", Call: call} }
	x.board.Applied(acd.Entry{Event: joined}, []acd.Command{
		&acd.EndLeg{Header: at(x.own), Leg: x.own},
		&acd.EndLeg{Header: at(x.customer), Leg: x.hers, Why: acd.EndTransferred},
		&acd.Play{Header: at(x.customer)},
		&acd.Bridge{Header: at(x.customer), A: x.customer, B: x.his},
		&acd.Report{Header: at(x.customer), Leg: x.hers, Done: true},
		&acd.Report{Header: at(x.own), Leg: x.own, Done: true},
	})
}

// wantAll waits for facts in whatever order.
func (b *bench) wantAll(facts ...acd.Event) {
	b.t.Helper()
	for range facts {
		var got acd.Event
		select {
		case got = <-b.facts.ch:
		case <-time.After(patience):
			b.t.Fatalf("missing: %v", facts)
		}
		found := false
		for i, e := range facts {
			if e != nil && matches(got, e) {
				facts[i], found = nil, true
				break
			}
		}
		if !found {
			b.t.Fatalf("fact %T%+v", got, got)
		}
	}
}

// R101, RFC 5589 section 7.3: the phone names its other call in the REFER, in
// whichever of the two. The customer then has the colleague; both of anna's legs
// end, the one that asked once it knows.
func TestJoin(t *testing.T) {
	for _, in := range []string{"the customer's call", "the call to the colleague"} {
		t.Run(in, func(t *testing.T) {
			x := consults(t)
			if in == "the customer's call" {
				x.desk.ask("REFER", x.toLine(), "")
			} else {
				x.line.send("REFER", 3, "refer", x.toDesk(), "")
			}
			joined := x.want(&acd.Joined{Leg: x.hers, With: x.own})
			x.join(joined)
			if in == "the customer's call" {
				for got := ""; got != "SIP/2.0 200 OK"; {
					got = x.desk.notified()
				}
			} else {
				for done := false; !done; {
					msg := x.line.recv("NOTIFY")
					x.line.ok(msg)
					done = strings.Contains(msg, "\r\n\r\nSIP/2.0 200 OK")
				}
			}
			x.desk.reply(x.desk.get("BYE "), "200 OK", "")
			x.line.hungUp()
			x.wantAll(&acd.LegEnded{Leg: x.own, Cause: acd.EndByUs}, &acd.LegEnded{Leg: x.hers, Cause: acd.EndByUs},
				&acd.Bridged{A: x.customer, B: x.his})
			x.peer.do(func() { x.colleague.Hangup("") }) // told as of the customer's call now
			x.want(&acd.LegEnded{Leg: x.his, Cause: acd.EndHangup})
			x.leave(x.customer)
		})
	}
}

// The core refuses, as when the colleague has hung up a moment ago: the phone is
// told, and both calls stay.
func TestJoin_RefusedByTheCore(t *testing.T) {
	x := consults(t)
	x.line.send("REFER", 3, "refer", x.toDesk(), "")
	joined := x.want(&acd.Joined{Leg: x.hers, With: x.own})
	x.board.Applied(acd.Entry{Event: joined}, nil)
	for done := false; !done; {
		msg := x.line.recv("NOTIFY")
		x.line.ok(msg)
		done = strings.Contains(msg, "\r\n\r\nSIP/2.0 603 ")
	}
	x.end()
}

// What names no call of the agent's own is refused: nobody gets hold of calls of others.
func TestJoin_NotTheirs(t *testing.T) {
	x := consults(t)
	bartek := x.phone("bartek")
	bartek.dial("601")
	other := x.want(&acd.CallArrived{Agent: "bartek"}).(*acd.CallArrived).Leg
	x.do(other, &acd.Answer{})
	bartek.answered()
	x.want(&acd.LegAnswered{Leg: other})
	for _, lines := range []string{
		referTo(bartek.callID, tagOf(bartek.to), "f"),
		referTo(x.line.callID, "nobody", "f"),
		x.toDesk(), // itself
	} {
		x.desk.ask("REFER", lines, "")
		x.desk.get("SIP/2.0 603")
	}
	bartek.send("REFER", 3, "refer", x.toDesk(), "")
	bartek.recv("SIP/2.0 603")
	bartek.send("BYE", 4, "end", "", "")
	x.want(&acd.LegEnded{Leg: other, Cause: acd.EndHangup})
	x.end()
}

// end hangs up everybody.
func (x *twoCalls) end() {
	x.t.Helper()
	x.line.hangUp()
	x.want(&acd.LegEnded{Leg: x.own, Cause: acd.EndHangup})
	x.do(x.own, &acd.EndLeg{Leg: x.his})
	x.want(&acd.LegEnded{Leg: x.his, Cause: acd.EndByUs})
	x.peer.waitEnd()
	x.desk.ask("BYE", "", "")
	x.want(&acd.LegEnded{Leg: x.hers, Cause: acd.EndHangup})
	x.leave(x.customer)
}

// RFC 3891: a phone that knows the call that rings at a colleague's picks it up
// by naming it. What somebody talks in is not to be had.
func TestReplaces_Pickup(t *testing.T) {
	b := newBench(t, nil)
	config := team(b)
	config.Agents[0].Contact = ""
	b.agents(config)
	anna, bartek := b.phone("anna"), b.phone("bartek")
	anna.register()
	b.want(&acd.AgentOnline{Agent: "anna"})
	call, _ := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	invite := anna.recv("INVITE")
	anna.reply(invite, "180 Ringing", "")
	b.want(&acd.OfferRinging{Offer: 1})
	named := fmt.Sprintf("%s;to-tag=%s;from-tag=a", headerOf(invite, "Call-ID"), tagOf(headerOf(invite, "From")))
	bartek.lines = "Require: replaces\r\nReplaces: " + named + ";early-only\r\n"
	bartek.dial("101")
	bartek.answered()
	claimed := b.want(&acd.Claimed{Agent: "bartek", Kind: acd.ClaimAgent, From: "anna"}).(*acd.Claimed)
	b.do(claimed.Leg, &acd.EndLeg{Leg: claimed.Leg}) // the core does not grant it
	b.want(&acd.LegEnded{Leg: claimed.Leg, Cause: acd.EndByUs})
	bartek.hungUp()

	anna.reply(invite, "200 OK", "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 20002 RTP/AVP 8\r\n")
	anna.recv("ACK")
	answered := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered)
	thief := b.phone("bartek")
	thief.lines = "Replaces: " + named + "\r\n"
	thief.dial("101")
	thief.refused("603")
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
	b.do(call, &acd.EndLeg{Leg: answered.Leg})
	b.want(&acd.LegEnded{Leg: answered.Leg})
	anna.hungUp()
	b.leave(call)
}

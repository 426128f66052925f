package switchboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// away is a board with the agent anna, whose phones send calls elsewhere, and carriers.
type away struct {
	*bench
	phones   []*rawPhone
	carriers []*deskphone
}

// newAway gives anna as many phones, and the server as many trunks, tried in turn;
// change changes the configuration.
func newAway(t *testing.T, phones, trunks int, change func(*queuegroups.Config)) *away {
	t.Helper()
	b := newBench(t, nil)
	a := &away{bench: b}
	d := sip.Directory{
		Realm: "localhost", Trunks: []sip.Trunk{{ID: "loop", From: loopbackOnly}},
		Users: []sip.User{{Name: "anna", Password: "anna"}, {Name: "bartek", Password: "bartek"}},
	}
	for range trunks {
		a.carriers = append(a.carriers, b.deskphone())
	}
	config := *b.board.config.Load()
	config.Agents = []queuegroups.Agent{
		{ID: "anna", Extension: "101", Calls: queuegroups.CallNational, FollowRedirects: true}, {ID: "bartek", Extension: "102"},
	}
	config.Groups = []queuegroups.Group{{ID: "sales", Name: "Sales", Extension: "600"}, {ID: "support", Name: "Support", Extension: "601"}}
	for i, c := range a.carriers {
		id, host := fmt.Sprint("carrier", i), c.conn.LocalAddr().String()
		config.Trunks = append(config.Trunks, queuegroups.Trunk{ID: queuegroups.TrunkID(id), Host: host, Priority: i})
		d.Trunks = append(d.Trunks, sip.Trunk{ID: id, Host: host})
	}
	if change != nil {
		change(&config)
	}
	b.board.stack.SetDirectory(d)
	b.board.SetConfig(&config)
	for range phones {
		p := b.phone("anna")
		p.register()
		a.phones = append(a.phones, p)
	}
	if phones > 0 {
		b.want(&acd.AgentOnline{Agent: "anna"})
	}
	return a
}

// rung lets a call be offered to anna, and gives the INVITEs at her phones.
func (a *away) rung() (call acd.LegID, invites []string) {
	a.t.Helper()
	call, _ = a.arrive()
	a.do(call, &acd.Ring{Offer: 1, Agent: "anna", From: acd.Party{Number: "+48601000000"}, Group: "Sales"})
	for _, p := range a.phones {
		invites = append(invites, p.recv("INVITE"))
	}
	return call, invites
}

// moved answers an INVITE with 302.
func (p *rawPhone) moved(invite, lines string) {
	p.t.Helper()
	text := p.answer(invite, "302 Moved Temporarily", "")
	own := "Contact: " + headerOf(text, "Contact") + "\r\n"
	if _, err := p.conn.WriteToUDPAddrPort([]byte(strings.Replace(text, own, lines, 1)), p.at); err != nil {
		p.t.Fatal(err)
	}
	p.recv("ACK")
}

// wantRedirects waits for what the board counts: a phone has the ACK to its 302 before the call reads that.
func (a *away) wantRedirects(followed, refused uint64) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); ; <-time.After(time.Millisecond) {
		s := a.board.Stats()
		if s.RedirectsFollowed == followed && s.RedirectsRefused == refused {
			return
		}
		if s.RedirectsFollowed > followed || s.RedirectsRefused > refused || time.Now().After(deadline) {
			a.t.Fatalf("%d redirections followed, %d refused; want %d, %d", s.RedirectsFollowed, s.RedirectsRefused, followed, refused)
		}
	}
}

// RFC 3261 sections 8.1.3.4, 21.3.3: where the agent's configuration says so, the best
// Contact of a 302 rings within the offer, by a trunk, with a Diversion (RFC 5806).
// Who answers there has the call, and none of the agent's rights.
func TestRedirect_Followed(t *testing.T) {
	a := newAway(t, 1, 1, nil)
	carrier := a.carriers[0]
	call, invites := a.rung()
	a.phones[0].moved(invites[0], "Contact: <sip:nobody@192.0.2.1>;q=0.1, <tel:+48229998877>;q=0.2\r\n"+
		"Contact: \"Mobile\" <sip:601234567@192.0.2.1:5099>;q=0.9\r\nDiversion: <sip:101@phone>;reason=user-busy\r\n")
	invite := carrier.get("INVITE ")
	if want := fmt.Sprintf("INVITE sip:+48601234567@%v ", carrier.conn.LocalAddr()); !strings.HasPrefix(invite, want) {
		t.Errorf("got %s, want %s", invite, want)
	}
	if got := line(invite, "Diversion"); got != "<sip:+48221234567@localhost>;reason=user-busy;counter=1" {
		t.Errorf("Diversion: %s", got)
	}
	if from := line(invite, "From"); !strings.Contains(from, "sip:+48601000000@") {
		t.Errorf("From: %s", from)
	}
	carrier.reply(invite, "180 Ringing", "")
	a.want(&acd.OfferRinging{Offer: 1})
	carrier.take(invite)
	phone := a.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
	a.do(call, &acd.Bridge{A: call, B: phone})
	a.want(&acd.LegAnswered{Leg: call})
	a.want(&acd.Bridged{A: call, B: phone})
	carrier.ask("REFER", "Refer-To: <sip:102@localhost>\r\n", "")
	if got := carrier.get("SIP/2.0 "); !strings.HasPrefix(got, "SIP/2.0 403") {
		t.Errorf("a REFER of the carrier's got %s", got)
	}
	for _, key := range "##102#" { // by which an agent hands a caller over
		carrier.ask("INFO", "Content-Type: application/dtmf-relay\r\n", fmt.Sprintf("Signal=%c\r\nDuration=100\r\n", key))
		carrier.get("SIP/2.0 200")
	}
	if id := a.board.talksOn("anna"); id != "" {
		t.Errorf("the telephone outside counts as anna's: %s", id)
	}
	a.wantRedirects(1, 0)
	carrier.ask("BYE", "", "")
	a.want(&acd.LegEnded{Leg: phone, Cause: acd.EndHangup})
	a.leave(call)
}

// What is not followed is a decline, whatever the phone names: refused, logged, counted.
// Nobody is called.
func TestTollFraud_RedirectionsNotFollowed(t *testing.T) {
	refuse := func(c *queuegroups.Config) { c.Agents[0].FollowRedirects = false }
	for name, c := range map[string]struct {
		contact string
		change  func(*queuegroups.Config)
		denied  uint64
	}{
		"by policy":                      {"<sip:601234567@192.0.2.1>", refuse, 0},
		"premium rate":                   {"<sip:+48701234567@192.0.2.1>", nil, 1},
		"another country":                {"<tel:+442079460000>", nil, 1},
		"satellite":                      {"<sip:00881234567890@192.0.2.1>", nil, 1},
		"a colleague's extension":        {"<sip:102@localhost>", nil, 0},
		"the agent's own extension":      {"<sip:101@localhost>", nil, 0},
		"the group's extension":          {"<sip:600@localhost>", nil, 0},
		"a number of ours":               {"<sip:+48221234567@localhost>", nil, 0},
		"an emergency service":           {"<sip:112@localhost>", func(c *queuegroups.Config) { c.Trunks[0].Emergency = []string{"112"} }, 0},
		"a feature code":                 {"<sip:*8@localhost>", nil, 0},
		"somebody at another server":     {"<sip:bob@192.0.2.1>", nil, 0},
		"a URI that is nobody's address": {"<http://192.0.2.1/601234567>", nil, 0},
		"nobody":                         {"", nil, 0},
		"no trunk leads out":             {"<sip:601234567@192.0.2.1>", func(c *queuegroups.Config) { c.Trunks = nil }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAway(t, 1, 1, c.change)
			call, invites := a.rung()
			lines := ""
			if c.contact != "" {
				lines = "Contact: " + c.contact + "\r\n"
			}
			a.phones[0].moved(invites[0], lines)
			a.want(&acd.OfferFailed{Offer: 1, Class: acd.FailDeclined, Code: 302})
			a.wantRedirects(0, 1)
			if s := a.board.Stats(); s.Denied != c.denied {
				t.Errorf("%d denied, want %d", s.Denied, c.denied)
			}
			if n := a.board.stack.Stats().Outbound; n != 1 {
				t.Errorf("%d calls went out, want the one to the phone", n)
			}
			a.leave(call)
		})
	}
}

// A call that was forwarded five times before is not forwarded by a phone, either.
func TestTollFraud_RedirectionInACircle(t *testing.T) {
	o := newOutward(t, &queuegroups.Config{
		Region: "PL", Trunks: []queuegroups.Trunk{{ID: "in"}, {ID: "out"}},
	})
	desk := o.phone("anna")
	config := *o.board.config.Load()
	config.Agents = []queuegroups.Agent{{ID: "anna", Contact: fmt.Sprintf("sip:anna@%v", desk.conn.LocalAddr()), FollowRedirects: true}}
	o.board.SetConfig(&config)
	for _, diversion := range []string{"<sip:+48225550000@a>;reason=no-answer;counter=5", "<sip:+48601234567@a>;reason=no-answer"} {
		p, arrived := o.caller("+48601000000", "Diversion: "+diversion+"\r\n")
		o.do(arrived.Leg, &acd.Ring{Offer: 1, Agent: "anna", From: arrived.From})
		desk.moved(desk.recv("INVITE"), "Contact: <sip:601234567@192.0.2.1>\r\n")
		o.want(&acd.OfferFailed{Offer: 1, Class: acd.FailDeclined, Code: 302})
		o.do(arrived.Leg, &acd.Reject{Reason: acd.RejectNobody})
		p.refused("480")
		o.want(&acd.LegEnded{Leg: arrived.Leg})
	}
	if s := o.board.Stats(); s.RedirectsRefused != 2 || s.RedirectsFollowed != 0 {
		t.Errorf("%+v", s)
	}
}

// What becomes of the number that was rung instead is what becomes of the offer; a
// carrier that sends the call elsewhere is not followed.
func TestRedirect_TargetFails(t *testing.T) {
	for status, want := range map[string]*acd.OfferFailed{
		"486 Busy Here":                        {Class: acd.FailBusy, Code: 486},
		"480 Temporarily Unavailable":          {Class: acd.FailNoAnswer, Code: 480},
		"302 Moved\r\nX-Contact-Follows: soon": {Class: acd.FailDeclined, Code: 302},
	} {
		t.Run(status[:3], func(t *testing.T) {
			a := newAway(t, 1, 1, nil)
			call, invites := a.rung()
			a.phones[0].moved(invites[0], "Contact: <sip:601234567@192.0.2.1>\r\n")
			a.carriers[0].reply(a.carriers[0].get("INVITE "), status, "")
			want.Offer = 1
			a.want(want)
			a.wantRedirects(1, map[bool]uint64{true: 1}[want.Code == 302])
			a.leave(call)
		})
	}
}

// A carrier's 302 for a call outside that the core asked for is not followed.
func TestTollFraud_RedirectionByCarrier(t *testing.T) {
	a := newAway(t, 0, 1, nil)
	call, _ := a.arrive()
	a.do(call, &acd.Dial{Offer: 5, Number: "+48229998877"})
	a.carriers[0].reply(a.carriers[0].get("INVITE "), "302 Moved Temporarily\r\nContact: <sip:+48601234567@192.0.2.1>", "")
	a.want(&acd.OfferFailed{Offer: 5, Class: acd.FailDeclined, Code: 302})
	a.wantRedirects(0, 1)
	if n := a.board.stack.Stats().Outbound; n != 1 {
		t.Errorf("%d calls went out, want the one", n)
	}
	a.leave(call)
}

// One phone of two sends the call elsewhere: the other one and the number ring, and
// whoever answers first has it. The number's next trunk is tried while the phone rings.
func TestRedirect_BesideAPhoneThatRings(t *testing.T) {
	for _, first := range []string{"phone", "number"} {
		t.Run(first, func(t *testing.T) {
			a := newAway(t, 2, 2, nil)
			call, invites := a.rung()
			desk, other := a.phones[0], a.phones[1]
			desk.reply(invites[0], "180 Ringing", "")
			a.want(&acd.OfferRinging{Offer: 1})
			other.moved(invites[1], "Contact: <sip:601234567@192.0.2.1>\r\n")
			a.carriers[0].reply(a.carriers[0].get("INVITE "), "503 Service Unavailable", "")
			invite := a.carriers[1].get("INVITE ")
			a.carriers[1].reply(invite, "180 Ringing", "")
			elsewhere := `SIP;cause=200;text="Call completed elsewhere"`
			var phone acd.LegID
			if first == "phone" {
				sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\n", 20000)
				desk.reply(invites[0], "200 OK", sdp)
				cancel := a.carriers[1].get("CANCEL ")
				a.carriers[1].reply(cancel, "200 OK", "")
				a.carriers[1].reply(invite, "487 Request Terminated", "")
				if got := line(cancel, "Reason"); got != elsewhere {
					t.Errorf("Reason: %s", got)
				}
				phone = a.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
			} else {
				a.carriers[1].take(invite)
				cancel := desk.recv("CANCEL")
				desk.ok(cancel)
				desk.reply(invites[0], "487 Request Terminated", "")
				if got := headerOf(cancel, "Reason"); got != elsewhere {
					t.Errorf("Reason: %s", got)
				}
				phone = a.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
			}
			a.wantRedirects(1, 0)
			a.do(call, &acd.EndLeg{Leg: phone})
			if first == "phone" {
				desk.hungUp()
			} else {
				a.carriers[1].reply(a.carriers[1].get("BYE "), "200 OK", "")
			}
			a.want(&acd.LegEnded{Leg: phone, Cause: acd.EndByUs})
			a.leave(call)
		})
	}
}

// Both phones send the call to the same number: it is called once. The offer that is
// taken back stops it.
func TestRedirect_SameNumberTwice(t *testing.T) {
	a := newAway(t, 2, 1, nil)
	call, invites := a.rung()
	for i, p := range a.phones {
		p.moved(invites[i], "Contact: <sip:601234567@192.0.2.1>\r\n")
	}
	invite := a.carriers[0].get("INVITE ")
	a.carriers[0].reply(invite, "180 Ringing", "")
	a.want(&acd.OfferRinging{Offer: 1})
	a.wantRedirects(1, 1)
	if n := a.board.stack.Stats().Outbound; n != 3 {
		t.Errorf("%d calls went out, want those to the phones and one to the number", n)
	}
	a.do(call, &acd.CancelRing{Offer: 1})
	a.carriers[0].reply(a.carriers[0].get("CANCEL "), "200 OK", "")
	a.carriers[0].reply(invite, "487 Request Terminated", "")
	a.want(&acd.OfferFailed{Offer: 1, Class: acd.FailCancelled})
	a.leave(call)
}

// A group that wants calls outside to be accepted by a key wants that of these, too:
// the mobile's voicemail has nobody's caller.
func TestRedirect_Confirmed(t *testing.T) {
	for _, accepts := range []bool{true, false} {
		t.Run(fmt.Sprint(accepts), func(t *testing.T) {
			a := newAway(t, 1, 1, func(c *queuegroups.Config) { c.Groups[0].ForwardConfirm = true })
			if !accepts {
				a.board.confirmTime = 50 * time.Millisecond
			}
			call, invites := a.rung()
			a.phones[0].moved(invites[0], "Contact: <sip:601234567@192.0.2.1>\r\n")
			carrier := a.carriers[0]
			carrier.take(carrier.get("INVITE "))
			if !accepts {
				carrier.reply(carrier.get("BYE "), "200 OK", "")
				a.want(&acd.OfferFailed{Offer: 1, Class: acd.FailNoAnswer})
				a.leave(call)
				return
			}
			carrier.ask("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\nDuration=100\r\n")
			phone := a.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
			carrier.ask("BYE", "", "")
			a.want(&acd.LegEnded{Leg: phone, Cause: acd.EndHangup})
			a.leave(call)
		})
	}
}

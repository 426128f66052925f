package switchboard

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

// outward is a board whose calls come from a raw carrier and leave to another.
type outward struct {
	*bench
	carrier *rawPhone
}

// newOutward puts the trunks in, which calls come in by from raw peers, and out into
// the directory; config says more of them.
func newOutward(t *testing.T, config *queuegroups.Config) *outward {
	t.Helper()
	b := newBench(t, nil)
	o := &outward{b, b.phone("carrier")}
	for i := range config.Trunks {
		if t := &config.Trunks[i]; t.ID == "out" {
			t.Host = o.carrier.conn.LocalAddr().String()
		}
	}
	b.board.SetConfig(config)
	b.board.stack.SetDirectory(sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{
		{ID: "in", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}},
		{ID: "out", Host: o.carrier.conn.LocalAddr().String()},
	}})
	return o
}

// caller lets somebody call 22 123 45 67 by the trunk in.
func (o *outward) caller(user, lines string) (*rawPhone, *acd.CallArrived) {
	o.t.Helper()
	p := o.phone(user)
	p.uri = fmt.Sprintf("sip:+48221234567@%v", o.at)
	p.to = "<" + p.uri + ">"
	p.send("INVITE", 2, "call"+p.callID, lines, "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8\r\n")
	return p, o.want(&acd.CallArrived{Node: "n1", Trunk: "in", To: "+48221234567"}).(*acd.CallArrived)
}

func headersOf(msg, name string) (list []string) {
	for line := range strings.SplitSeq(msg, "\r\n") {
		if n, v, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			list = append(list, v)
		}
	}
	return list
}

// Whom a forwarded call is shown to come from, and by whom it was forwarded: own
// number or the caller's, towards carriers that are trusted (RFC 3325 sections 5 and
// 7, RFC 3323 section 4.1.1.3) and others; Diversion (RFC 5806) and History-Info (RFC
// 7044 section 5).
func TestPresent(t *testing.T) {
	const (
		anna     = "P-Asserted-Identity: <tel:+48601000000>\r\n"
		diverted = "Diversion: <sip:+48225550000@a>;reason=no-answer;counter=2\r\nHistory-Info: <sip:+48225550000@a>;index=1, <sip:+48221234567@b;cause=408>;index=1.1\r\n"
	)
	us := "<sip:+48221234567@localhost>"
	for name, c := range map[string]struct {
		user, lines string // of the caller
		policy      queuegroups.CallerID
		trusted     [2]bool // in, out
		callerID    string  // of the trunk out
		from        string  // shown
		asserted    []string
		privacy     string
		diversion   []string
		history     []string
	}{
		"the caller's, by default": {
			user: "+48601000000", from: "+48601000000@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"ours, by default where the trunk has a number": {
			user: "+48601000000", callerID: "+48220000000", from: "+48220000000@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"the caller's, though the trunk has a number": {
			user: "+48601000000", policy: "caller", callerID: "+48220000000", from: "+48601000000@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"ours: the first of the trunk's numbers": {
			user: "+48601000000", policy: "own", from: "+48221111111@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"ours, asserted": {
			user: "+48601000000", policy: "own", trusted: [2]bool{true, true}, from: "+48221111111@localhost",
			asserted: []string{"<sip:+48221111111@localhost>"}, diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"the caller's, asserted by a trusted carrier to another": {
			user: "somebody", lines: anna, trusted: [2]bool{true, true}, from: "+48601000000@localhost",
			asserted: []string{"<sip:+48601000000@localhost>"}, diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"asserted by a carrier that is not trusted": {
			user: "+48601000000", lines: anna, trusted: [2]bool{false, true}, from: "+48601000000@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"not asserted by anybody": {
			user: "+48601000000", trusted: [2]bool{true, true}, from: "+48601000000@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"asserted to a carrier that is not trusted": {
			user: "+48601000000", lines: anna, trusted: [2]bool{true, false}, from: "+48601000000@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"withheld, between trusted carriers": {
			user: "anonymous", lines: anna + "Privacy: id\r\n", trusted: [2]bool{true, true}, from: "anonymous@anonymous.invalid",
			asserted: []string{"<sip:+48601000000@localhost>"}, privacy: "id", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"withheld, from a trusted carrier to another one": {
			user: "anonymous", lines: anna + "Privacy: id\r\n", trusted: [2]bool{true, false}, from: "+48221111111@localhost", diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"withheld, from a carrier that is not trusted": {
			user: "anonymous", lines: anna + "Privacy: id\r\n", trusted: [2]bool{false, true}, from: "+48221111111@localhost",
			asserted: []string{"<sip:+48221111111@localhost>"}, diversion: []string{us + ";reason=unknown;counter=1"},
		},
		"forwarded before, told to a trusted carrier": {
			user: "+48601000000", lines: diverted, trusted: [2]bool{false, true}, from: "+48601000000@localhost",
			diversion: []string{us + ";reason=unknown;counter=1", "<sip:+48225550000@a>;reason=no-answer;counter=2"},
			history:   []string{"<sip:+48225550000@a>;index=1", "<sip:+48221234567@b;cause=408>;index=1.1", "TARGET;index=1.1.1;mp=1.1"},
		},
		"forwarded before, kept from another one but for how often": {
			user: "+48601000000", lines: diverted, from: "+48601000000@localhost", diversion: []string{us + ";reason=unknown;counter=3"},
		},
		"a history that is to be kept secret": { // RFC 7044 section 10.1.2
			user: "+48601000000", lines: diverted + "Privacy: history\r\n", trusted: [2]bool{true, true}, from: "+48601000000@localhost",
			diversion: []string{us + ";reason=unknown;counter=1", "<sip:+48225550000@a>;reason=no-answer;counter=2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutward(t, &queuegroups.Config{
				Region:  "PL",
				Groups:  []queuegroups.Group{{ID: "sales", ForwardCallerID: c.policy}},
				Trunks:  []queuegroups.Trunk{{ID: "in", Trusted: c.trusted[0]}, {ID: "out", Trusted: c.trusted[1], CallerID: c.callerID}},
				Numbers: []queuegroups.Number{{Number: "+48221111111", Trunk: "out"}, {Number: "+48222222222", Trunk: "out"}},
			})
			caller, arrived := o.caller(c.user, c.lines)
			o.do(arrived.Leg, &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "out", From: arrived.From, Group: "sales"})
			invite := o.carrier.recv("INVITE")
			if from := headerOf(invite, "From"); !strings.Contains(from, "<sip:"+c.from+">") {
				t.Errorf("From %s, want %s", from, c.from)
			}
			if got := headersOf(invite, "P-Asserted-Identity"); !slices.Equal(got, c.asserted) {
				t.Errorf("P-Asserted-Identity %q, want %q", got, c.asserted)
			}
			if got := headerOf(invite, "Privacy"); got != c.privacy {
				t.Errorf("Privacy %q, want %q", got, c.privacy)
			}
			if got := headersOf(invite, "Diversion"); !slices.Equal(got, c.diversion) {
				t.Errorf("Diversion %q, want %q", got, c.diversion)
			}
			target := fmt.Sprintf("<sip:+48229998877@%v>", o.carrier.conn.LocalAddr())
			if c.history == nil {
				c.history = []string{us + ";index=1", "TARGET;index=1.1;mp=1"}
			}
			for i, h := range c.history {
				c.history[i] = strings.Replace(h, "TARGET", target, 1)
			}
			if got := headersOf(invite, "History-Info"); !slices.Equal(got, c.history) {
				t.Errorf("History-Info %q, want %q", got, c.history)
			}
			o.carrier.reply(invite, "486 Busy Here", "")
			o.want(&acd.OfferFailed{Offer: 5, Class: acd.FailBusy, Code: 486})
			caller.send("CANCEL", 2, "call"+caller.callID, "", "")
			o.want(&acd.LegEnded{Leg: arrived.Leg, Cause: acd.EndCancel})
		})
	}
}

// A call that was forwarded too often, or comes from where it is to be sent, is not
// sent: by Diversion, and by a history without it.
func TestPresent_Loops(t *testing.T) {
	for name, c := range map[string]struct {
		lines string
		sent  bool
	}{
		"four times":                 {"Diversion: <sip:+48225550000@a>;counter=3, <sip:+48225550001@a>\r\n", true},
		"five times":                 {"Diversion: <sip:+48225550000@a>;counter=4, <sip:+48225550001@a>\r\n", false},
		"a counter that is none":     {"Diversion: <sip:+48225550000@a>;counter=-9\r\n", true},
		"from there":                 {"Diversion: <sip:229998877@a>;reason=unconditional\r\n", false},
		"five times by the history":  {"History-Info: <sip:1@a>;index=1,<sip:2@a;cause=302>;index=1.1,<sip:3@a;cause=302>;index=1.2,<sip:4@a;cause=302>;index=1.3,<sip:5@a;cause=486>;index=1.4,<sip:6@a>;index=1.5;mp=1.4\r\n", false},
		"a history of proxies":       {"History-Info: <sip:1@a>;index=1,<sip:2@a>;index=1.1;rc=1,<sip:3@a>;index=1.1.1;rc=1.1,<sip:4@a>;index=1.1.1.1;rc=1,<sip:5@a>;index=1.1.1.1.1,<sip:6@a>;index=1.2\r\n", true},
		"five times, history secret": {"Privacy: history\r\nHistory-Info: <sip:2@a;cause=302>;index=1.1,<sip:3@a;cause=302>;index=1.2,<sip:4@a;cause=302>;index=1.3,<sip:5@a;cause=486>;index=1.4,<sip:6@a>;index=1.5;mp=1.4\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutward(t, &queuegroups.Config{Region: "PL", Trunks: []queuegroups.Trunk{{ID: "in"}, {ID: "out"}}})
			caller, arrived := o.caller("+48601000000", c.lines)
			o.do(arrived.Leg, &acd.Dial{Offer: 5, Number: "+48229998877", Trunk: "out", From: arrived.From})
			if c.sent {
				o.carrier.reply(o.carrier.recv("INVITE"), "486 Busy Here", "")
				o.want(&acd.OfferFailed{Offer: 5, Class: acd.FailBusy, Code: 486})
			} else {
				o.want(&acd.OfferFailed{Offer: 5, Class: acd.FailUnreachable})
			}
			caller.send("CANCEL", 2, "call"+caller.callID, "", "")
			o.want(&acd.LegEnded{Leg: arrived.Leg, Cause: acd.EndCancel})
		})
	}
}

// RFC 3892 section 2.3: who transfers is passed on, as whom their password says they
// are.
func TestPresent_ReferredBy(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"the agent":      {"Referred-By: <sip:anna@192.0.2.9:5070>;cid=1\r\n", "<sip:anna@localhost>"},
		"by extension":   {"Referred-By: \"Anna\" <sip:101@pbx.test>\r\n", "<sip:101@localhost>"},
		"somebody else":  {"Referred-By: <sip:director@pbx.test>\r\n", "<sip:anna@localhost>"},
		"nobody":         {"", ""},
		"nothing usable": {"Referred-By: <<\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			p, carrier := b.deskphone(), b.phone("carrier")
			b.board.stack.SetDirectory(sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{
				{ID: "loop", From: loopbackOnly}, {ID: "out", Host: carrier.conn.LocalAddr().String()},
			}})
			call, phone := b.talks(p)
			p.ask("REFER", "Refer-To: <sip:+48601234567@pbx.test>\r\n"+c.line, "")
			p.get("SIP/2.0 202")
			p.notified()
			b.want(&acd.TransferAsked{Leg: phone, To: acd.Target{Number: "+48601234567"}})
			b.do(call, &acd.Dial{Offer: 7, Number: "+48601234567", Trunk: "out", From: acd.Party{Number: "+48601000000"}})
			invite := carrier.recv("INVITE")
			if got := headerOf(invite, "Referred-By"); got != c.want {
				t.Errorf("Referred-By %q, want %q", got, c.want)
			}
			if got := headerOf(invite, "Diversion"); got != "<sip:+48221234567@localhost>;reason=deflection;counter=1" {
				t.Errorf("Diversion %q", got)
			}
			carrier.reply(invite, "486 Busy Here", "")
			b.want(&acd.OfferFailed{Offer: 7, Class: acd.FailBusy, Code: 486})
			b.board.Applied(acd.Entry{Event: &acd.TransferAsked{Leg: phone}}, nil) // nothing came of it
			p.notified()
			p.ask("BYE", "", "")
			b.want(&acd.LegEnded{Leg: phone, Cause: acd.EndHangup})
			b.leave(call)
		})
	}
}

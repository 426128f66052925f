package sip

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// placeAs places a call, is challenged, and places it again with credentials.
func (p *peer) placeAs(t *testing.T, user, password string, r request) {
	t.Helper()
	r.method, r.body = "INVITE", testSDP
	if r.uri == "" {
		r.uri = "sip:102@" + p.target().String()
	}
	p.send(p.request(r))
	challenge := p.recv("SIP/2.0 401")
	p.ack(challenge, r)
	r.seq = 2
	r.extra += credentials(t, challenge, "INVITE", r.uri, user, password)
	p.send(p.request(r))
}

// callAs is placeAs, and gives what was answered in the end.
func (p *peer) callAs(t *testing.T, user, password string, r request) string {
	t.Helper()
	p.placeAs(t, user, password, r)
	for {
		if got := p.recv("SIP/2.0"); field(got, "CSeq") == "2 INVITE" {
			return got
		}
	}
}

// ack acknowledges a refusal, in its transaction.
func (p *peer) ack(res string, r request) {
	p.t.Helper()
	if r.branch == "" {
		r.branch = "z9hG4bK" + r.method + r.callID + "1"
	}
	p.send(p.request(request{method: "ACK", branch: r.branch, callID: r.callID, uri: r.uri, to: field(res, "To"), from: r.from}))
}

// An agent's phone knows the password: the call is the agent's whatever From
// says, and over the way it came by. RFC 3261 section 22.2.
func TestPhone_Calls(t *testing.T) {
	for _, name := range []string{"anna", "101"} {
		t.Run(name, func(t *testing.T) {
			s := start(t, strangers)
			p := newPeer(t, s.addr("udp"))
			p.placeAs(t, name, "secret", request{callID: "mine", from: "<sip:boss@pbx.test>;tag=p"})
			l, o := s.call(t)
			if l.User() != "anna" || l.Trunk() != "" || !l.Inbound() || l.To() != "102" {
				t.Errorf("user %q, trunk %q, to %q", l.User(), l.Trunk(), l.To())
			}
			o.do(func() { l.Ring(180, nil) })
			p.recv("SIP/2.0 180")
			o.do(func() { _ = l.Answer([]byte(testSDP)) })
			ok := p.recv("SIP/2.0 200")
			if got := field(ok, "CSeq"); got != "2 INVITE" {
				t.Errorf("CSeq %s", got)
			}
			p.send(p.request(request{method: "ACK", branch: "z9hG4bKack", callID: "mine", seq: 2, to: field(ok, "To"), from: "<sip:boss@pbx.test>;tag=p"}))
			o.want("answered")
			o.do(func() { l.Hangup("") })
			bye := p.recv("BYE")
			p.send(p.reply(bye, 200, "", "", ""))
			o.wantEnd(ClassHangup, 0)
			s.idle(t)
		})
	}
}

// What is sent to a phone in a call of its own goes where the INVITE came from,
// whatever its Contact says: it may be behind a NAT.
func TestPhone_RequestsGoBackTheWayItCame(t *testing.T) {
	s := start(t, strangers)
	p := newPeer(t, s.addr("udp"))
	elsewhere := newPeer(t, s.addr("udp"))
	r := request{method: "INVITE", callID: "nat", uri: "sip:102@" + p.target().String(), body: testSDP}
	p.send(p.request(r))
	r.seq, r.extra = 2, credentials(t, p.recv("SIP/2.0 401"), "INVITE", r.uri, "anna", "secret")
	p.send(strings.Replace(p.request(r), "Contact: <sip:caller@"+p.addr()+">", "Contact: <sip:caller@"+elsewhere.addr()+">", 1))
	l, o := s.call(t)
	o.do(func() { _ = l.Answer([]byte(testSDP)) })
	ok := p.recv("SIP/2.0 200")
	p.send(p.request(request{method: "ACK", branch: "z9hG4bKack", callID: "nat", seq: 2, to: field(ok, "To")}))
	o.want("answered")
	o.do(func() { l.Hangup("") })
	bye := p.recv("BYE")
	p.send(p.reply(bye, 200, "", "", ""))
	o.wantEnd(ClassHangup, 0)
}

// Toll fraud, the plain kinds: nobody's call, one in a user's name without the
// password, and one of a user who cannot have any.
func TestTollFraud_StrangersGetNoCalls(t *testing.T) {
	s := start(t, strangers, func(o *Options) {
		o.Directory.Users = append(o.Directory.Users, User{Name: "door"})
	})
	p := newPeer(t, s.addr("udp"))
	for i, from := range []string{"<sip:anna@pbx.test>;tag=1", "<sip:eve@nowhere.example>;tag=2", "<sip:anonymous@anonymous.invalid>;tag=3"} {
		p.send(p.request(request{method: "INVITE", callID: sprintf("s%d", i), from: from, uri: "sip:+442079460000@" + p.target().String(), body: testSDP}))
		if got := p.recv("SIP/2.0"); !strings.HasPrefix(got, "SIP/2.0 401") {
			t.Fatalf("%s got\n%s", from, got)
		}
	}
	if st := s.Stats(); st.Challenged != 3 || st.Denied != 0 {
		t.Errorf("%d challenged, %d denied", st.Challenged, st.Denied)
	}
	for i, c := range []struct{ user, password string }{{"anna", "guess"}, {"eve", "guess"}, {"door", ""}} {
		if got := p.callAs(t, c.user, c.password, request{callID: sprintf("d%d", i)}); !strings.HasPrefix(got, "SIP/2.0 401") {
			t.Errorf("%v got %s", c, strings.SplitN(got, "\r\n", 2)[0])
		}
	}
	if st := s.Stats(); st.Legs != 0 || st.Inbound != 0 || st.Denied != 3 {
		t.Errorf("%+v", st)
	}
}

// A right answer to a challenge is good once: who overheard it cannot call with it.
func TestTollFraud_CredentialsAreNotUsedAgain(t *testing.T) {
	s := start(t, strangers)
	p := newPeer(t, s.addr("udp"))
	uri := "sip:+442079460000@" + p.target().String()
	p.send(p.request(request{method: "INVITE", callID: "first", uri: uri, body: testSDP}))
	extra := credentials(t, p.recv("SIP/2.0 401"), "INVITE", uri, "anna", "secret")
	p.send(p.request(request{method: "INVITE", callID: "second", uri: uri, extra: extra, body: testSDP}))
	l, o := s.call(t)
	o.do(func() { l.Reject(486, "") })
	p.recv("SIP/2.0 486")
	for name, again := range map[string]request{
		"the same":           {callID: "third", uri: uri},
		"to somebody else's": {callID: "fourth", uri: "sip:+881234567890@" + p.target().String()},
	} {
		again.method, again.extra, again.body = "INVITE", extra, testSDP
		p.send(p.request(again))
		for {
			got := p.recv("SIP/2.0")
			if field(got, "Call-ID") != again.callID {
				continue
			}
			if !strings.HasPrefix(got, "SIP/2.0 40") { // 401 stale, 400 made for another target
				t.Errorf("%s: %s", name, got)
			}
			break
		}
	}
	if n := s.Stats().Inbound; n != 1 {
		t.Errorf("%d calls", n)
	}
}

// Fifty calls at once with a stolen password: as many as the user may have come
// in, the others get 486, and each that ends makes room for one.
func TestTollFraud_ManyCallsAtOnce(t *testing.T) {
	const most, tries = 3, 50
	s := start(t, strangers, func(o *Options) { o.Directory.Users[0].MaxCalls = most })
	answers := make(chan string, tries)
	var all sync.WaitGroup
	for i := range tries {
		p := newPeer(t, s.addr("udp"))
		all.Go(func() {
			r := request{method: "INVITE", callID: sprintf("many%d", i), uri: "sip:+442079460000@" + p.target().String(), body: testSDP}
			p.send(p.request(r))
			challenge, ok := p.within(patience, "SIP/2.0 401")
			if !ok {
				answers <- "nothing"
				return
			}
			r.seq, r.extra = 2, credentials(t, challenge, "INVITE", r.uri, "anna", "secret")
			p.send(p.request(r))
			for {
				got, _ := p.within(patience, "SIP/2.0")
				if got == "" || field(got, "CSeq") == "2 INVITE" {
					answers <- got
					return
				}
			}
		})
	}
	busy := 0
	for range tries - most {
		if got := <-answers; !strings.HasPrefix(got, "SIP/2.0 486") {
			t.Errorf("got %q", got)
		}
		busy++
	}
	if st := s.Stats(); st.Legs != most || st.Denied != uint64(busy) {
		t.Errorf("%d legs, %d denied; want %d, %d", st.Legs, st.Denied, most, busy)
	}
	// A reload neither forgets the calls there are nor the limit.
	s.SetDirectory(Directory{Users: []User{{Name: "anna", Password: "secret", MaxCalls: most}}})
	p := newPeer(t, s.addr("udp"))
	if got := p.callAs(t, "anna", "secret", request{callID: "reloaded"}); !strings.HasPrefix(got, "SIP/2.0 486") {
		t.Errorf("after a reload: %s", got)
	}
	for range most {
		l, o := s.call(t)
		o.do(func() { l.Reject(480, "") })
	}
	all.Wait()
	s.idle(t)
	p.placeAs(t, "anna", "secret", request{callID: "room"})
	s.call(t)
}

// Over TCP, too, and the connection's end is the call's.
func TestPhone_CallsOverTCP(t *testing.T) {
	s := start(t, strangers)
	p := newStream(t, s)
	r := request{method: "INVITE", callID: "tcp", uri: "sip:102@pbx.test", body: testSDP}
	p.write(p.request(r))
	r.seq, r.extra = 2, credentials(t, p.read(), "INVITE", r.uri, "anna", "secret")
	r.branch = "z9hG4bK2"
	p.write(p.request(r))
	l, o := s.call(t)
	if l.User() != "anna" {
		t.Errorf("user %q", l.User())
	}
	_ = p.nc.Close()
	o.wantEnd(ClassFailed, 0)
	s.idle(t)
}

// A call from a trunk's address is the trunk's and is not challenged.
func TestPhone_TrunksGoFirst(t *testing.T) {
	s := start(t, func(o *Options) {
		o.Directory.Trunks[0].From = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	p := newPeer(t, s.addr("udp"))
	p.send(p.request(request{method: "INVITE", body: testSDP}))
	if l, _ := s.call(t); l.User() != "" || l.Trunk() != "carrier" {
		t.Errorf("user %q, trunk %q", l.User(), l.Trunk())
	}
}

// While the server drains, phones can begin no call either.
func TestPhone_Draining(t *testing.T) {
	s := start(t, strangers)
	s.Drain()
	p := newPeer(t, s.addr("udp"))
	if got := p.callAs(t, "anna", "secret", request{callID: "late"}); !strings.HasPrefix(got, "SIP/2.0 503") {
		t.Errorf("got %s", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

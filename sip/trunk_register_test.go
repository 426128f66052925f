package sip

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// registers is a trunk that registers at the peer, with short pauses.
func registers(p *peer) func(o *Options) {
	return func(o *Options) {
		withAccount(p)(o)
		o.Directory.Trunks[0].Register = true
		o.RegisterRetry = 40 * time.Millisecond
	}
}

// grant accepts a REGISTER for some seconds.
func (p *peer) grant(req string, seconds int) {
	p.t.Helper()
	p.send(p.reply(req, 200, "r", sprintf("Contact: <sip:other@192.0.2.1>;expires=1\r\nContact: %s;expires=%d\r\nExpires: 1\r\n", field(req, "Contact"), seconds), ""))
}

// registered waits until the trunk is or is not registered.
func (s *side) registered(t *testing.T, want bool) {
	t.Helper()
	eventually(t, sprintf("registered: %v", want), func() bool { return s.Trunks()[0].Registered == want })
}

func cseq(t *testing.T, msg string) int {
	t.Helper()
	n, _, _ := strings.Cut(field(msg, "CSeq"), " ")
	seq, err := strconv.Atoi(n)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// RFC 3261 section 10.2: what a REGISTER carries; refreshes have the same
// Call-ID and the next number, come in time and use the nonce again; the end of
// the stack ends the registration.
func TestRegistration_Life(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, registers(p))
	first := p.recv("REGISTER")
	aor := "<sip:acme@127.0.0.1>"
	if !strings.HasPrefix(first, "REGISTER sip:"+p.addr()+" SIP/2.0\r\n") || field(first, "To") != aor ||
		!strings.HasPrefix(field(first, "From"), aor+";tag=") || field(first, "Expires") != "600" ||
		field(first, "Contact") != "<sip:acme@"+s.addr("udp").String()+">" || field(first, "Max-Forwards") != "70" {
		t.Errorf("got\n%s", first)
	}
	if st := s.Trunks()[0]; !st.Registers || st.Registered {
		t.Errorf("%+v", st)
	}
	p.challenge(first, 401, `realm="carrier", nonce="n1"`)
	second := p.recv("REGISTER")
	proven(t, second, "Authorization", "carrier", "n1")
	granted := time.Now()
	p.grant(second, 2)
	s.registered(t, true)
	third := p.recv("REGISTER")
	if after := time.Since(granted); after < 1100*time.Millisecond {
		t.Errorf("refreshed after %v of 2 s", after)
	}
	proven(t, third, "Authorization", "carrier", "n1")
	if field(third, "Call-ID") != field(first, "Call-ID") || cseq(t, second) != cseq(t, first)+1 || cseq(t, third) != cseq(t, first)+2 {
		t.Errorf("%s %s, %s, %s", field(third, "Call-ID"), field(first, "CSeq"), field(second, "CSeq"), field(third, "CSeq"))
	}
	p.challenge(third, 401, `realm="carrier", nonce="n2", stale=true`)
	fourth := p.recv("REGISTER")
	proven(t, fourth, "Authorization", "carrier", "n2")
	p.grant(fourth, 600)
	closed := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		closed <- s.Close(ctx)
	}()
	last := p.recv("REGISTER")
	if field(last, "Expires") != "0" {
		t.Errorf("the last one has Expires %s", field(last, "Expires"))
	}
	p.send(p.reply(last, 200, "r", "", ""))
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// RFC 3261 section 10.2.8: a carrier that wants longer intervals gets them.
func TestRegistration_IntervalTooBrief(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, registers(p))
	req := p.recv("REGISTER")
	p.send(p.reply(req, 423, "r", "Min-Expires: 1800\r\n", ""))
	if req = p.recv("REGISTER"); field(req, "Expires") != "1800" {
		t.Errorf("Expires %s", field(req, "Expires"))
	}
	p.send(p.reply(req, 423, "r", "Min-Expires: 3600\r\n", "")) // never content: no more than once a round
	if req = p.recv("REGISTER"); field(req, "Expires") != "1800" {
		t.Errorf("Expires %s", field(req, "Expires"))
	}
	p.grant(req, 1800)
	s.registered(t, true)
}

// Failures: tried again after growing pauses; a wrong password is told once in
// each round and then not for long; Retry-After is heeded.
func TestRegistration_Failures(t *testing.T) {
	refuse := func(code int, extra string) func(*peer, string) {
		return func(p *peer, req string) { p.send(p.reply(req, code, "r", extra, "")) }
	}
	for name, c := range map[string]struct {
		fail  func(p *peer, req string)
		least time.Duration // until the next try
	}{
		"500":       {refuse(500, ""), 20 * time.Millisecond},
		"silence":   {func(*peer, string) {}, 100 * time.Millisecond},
		"malformed": {func(p *peer, req string) { p.send(strings.Replace(p.reply(req, 200, "r", "", ""), "CSeq", "X", 1)) }, 10 * time.Millisecond},
		"busy":      {refuse(503, "Retry-After: 1 (soon)\r\n"), time.Second},
		"nothing":   {refuse(200, "Expires: 0\r\n"), 20 * time.Millisecond},
		"wrong password": {func(p *peer, req string) {
			p.challenge(req, 401, `realm="r", nonce="1"`)
			p.challenge(p.recv("REGISTER"), 401, `realm="r", nonce="2"`)
		}, 600 * time.Millisecond},
		"forbidden": {refuse(403, ""), 600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, netip.AddrPort{})
			s := start(t, registers(p), func(o *Options) {
				if name == "silence" || name == "malformed" { // 128 ms without an answer
					o.T1, o.T2 = 2*time.Millisecond, 8*time.Millisecond
				}
			})
			first := p.recv("REGISTER")
			began := time.Now()
			c.fail(p, first)
			number := cseq(t, first)
			req := p.recv("REGISTER")
			for req == first || name == "wrong password" && cseq(t, req) < number+2 || cseq(t, req) == number { // said again, for want of an answer
				req = p.recv("REGISTER")
			}
			if took := time.Since(began); took < c.least {
				t.Errorf("tried again after %v, want %v at least", took, c.least)
			}
			if s.Trunks()[0].Registered {
				t.Error("registered")
			}
			p.grant(req, 600)
			s.registered(t, true)
		})
	}
}

// RFC 5626 section 4.5: pauses double up to a limit, at random between half and all.
func TestRegistration_Pauses(t *testing.T) {
	r := &registration{s: &Stack{retry: 10 * time.Second}}
	for k, longest := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		longest *= time.Second
		if got := r.pause(); got < longest/2 || got > longest {
			t.Errorf("pause %d: %v, want %v to %v", k, got, longest/2, longest)
		}
	}
}

// The carrier's name has two addresses, of which the first does not serve.
func TestRegistration_FailOver(t *testing.T) {
	p, z := carriers(t, 2)
	s := start(t, registers(p[0]), at(z))
	p[0].send(p[0].reply(p[0].recv("REGISTER"), 503, "r", "", ""))
	req := p[1].recv("REGISTER sip:carrier.test SIP/2.0")
	if field(req, "To") != "<sip:acme@carrier.test>" {
		t.Errorf("To %s", field(req, "To"))
	}
	p[1].grant(req, 600)
	s.registered(t, true)
}

// A call from where we are registered is the carrier's, though no address of it
// is configured; the number stands in To, the account in the Request-URI. When
// the trunk is gone, so is its registration, and the same call is challenged.
func TestRegistration_CallsComeIn(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, registers(p), withTrunk(func(c *Trunk) { c.From = nil }))
	req := p.recv("REGISTER")
	p.aim(s.addr("udp"))
	invite := request{method: "INVITE", uri: "sip:acme@" + s.addr("udp").String(), to: "<sip:+48221234567@carrier.test>", body: testSDP}
	p.send(p.request(invite))
	p.recv("SIP/2.0 401")
	p.grant(req, 600)
	s.registered(t, true)
	invite.callID = "call-2"
	p.send(p.request(invite))
	l, _ := s.call(t)
	if l.Trunk() != "carrier" || l.To() != "+48221234567" {
		t.Errorf("trunk %q, to %q", l.Trunk(), l.To())
	}
	s.SetDirectory(Directory{Trunks: []Trunk{{ID: "other"}}})
	for req = p.recv("REGISTER"); field(req, "Expires") != "0"; {
		req = p.recv("REGISTER")
	}
	p.send(p.reply(req, 200, "r", "", ""))
	invite.callID = "call-3"
	p.send(p.request(invite))
	p.recv("SIP/2.0 401")
}

// A reload that changes nothing leaves the registration alone; with a new
// password it begins anew, without taking the contact away.
func TestRegistration_Reload(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	var d Directory
	s := start(t, registers(p), func(o *Options) { d = o.Directory })
	req := p.recv("REGISTER")
	p.grant(req, 600)
	s.registered(t, true)
	s.SetDirectory(d)
	if msg, ok := p.within(100*time.Millisecond, "REGISTER"); ok {
		t.Errorf("after a reload of the same:\n%s", msg)
	}
	d.Trunks = []Trunk{{ID: "carrier", Host: p.addr(), User: "acme", Password: "changed", Register: true}}
	s.SetDirectory(d)
	again := p.recv("REGISTER")
	if field(again, "Expires") == "0" || field(again, "Call-ID") == field(req, "Call-ID") {
		t.Errorf("with the new password:\n%s", again)
	}
	p.grant(again, 600)
	s.registered(t, true)
}

// Another stack's registrar takes the registration, by UDP and TCP.
func TestRegistration_WithAStack(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			far := start(t, func(o *Options) {
				o.Directory.Trunks, o.Directory.Users = nil, []User{{Name: "acme", Password: "secret"}}
			})
			s := start(t, withTrunk(func(c *Trunk) {
				c.Host, c.Transport, c.User, c.Password, c.Register = far.addr(network).String(), network, "acme", "secret", true
			}))
			s.registered(t, true)
			if who := <-far.reachable; who != "acme true" {
				t.Errorf("%s", who)
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := s.Close(ctx); err != nil {
				t.Error(err)
			}
			if who := <-far.reachable; who != "acme false" {
				t.Errorf("%s", who)
			}
		})
	}
}

// What becomes of a registration is told when it changes: that it is had, that it ran out before
// the carrier answered again, that it is had again, that the directory wants none any more. A refresh that
// fails while it lasts is no change.
func TestRegistration_IsTold(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	told := make(chan string, 10)
	s := start(t, registers(p), tellsOfTrunks(told), func(o *Options) { o.T1, o.T2 = 2*time.Millisecond, 8*time.Millisecond })
	req := p.recv("REGISTER")
	p.send(p.reply(req, 500, "r", "", ""))
	wantTold(t, told, "carrier unregistered refused with 500 Text")
	again := func() {
		for next := p.recv("REGISTER"); ; next = p.recv("REGISTER") {
			if cseq(t, next) > cseq(t, req) {
				req = next
				return
			}
		}
	}
	again()
	p.grant(req, 2)
	wantTold(t, told, "carrier registered ")
	again()
	p.send(p.reply(req, 503, "r", "Retry-After: 4\r\n", ""))
	wantTold(t, told, "carrier unregistered "+errExpired.Error())
	again()
	p.grant(req, 600)
	wantTold(t, told, "carrier registered ")
	d := s.o.Directory
	d.Trunks = []Trunk{d.Trunks[0]}
	d.Trunks[0].Register = false
	s.SetDirectory(d)
	again()
	p.send(p.reply(req, 200, "r", "", ""))
	wantTold(t, told, "carrier unregistered "+errLeft.Error())
}

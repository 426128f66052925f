package switchboard

import (
	"fmt"
	"testing"

	"centrala/acd"
	"centrala/media/sdp"
	"centrala/queuegroups"
	"centrala/sip"
)

// policies puts configuration with these policies in force.
func (b *bench) policies(trunk, agent queuegroups.SRTP) {
	b.board.SetConfig(&queuegroups.Config{
		Region: "PL",
		Agents: []queuegroups.Agent{{ID: "anna", SRTP: agent, Contact: fmt.Sprintf("sip:anna@%v", b.peer.stack.Addrs()[0].Addr)}},
		Trunks: []queuegroups.Trunk{{ID: "loop", SRTP: trunk}},
	})
}

// wantEncrypted looks at how the leg's audio goes, as the peer sees it.
func (p *peer) wantEncrypted(l *sip.Leg, want bool) {
	p.t.Helper()
	p.do(func() {
		if suite := p.legs[l].Encrypted(); (suite != "") != want {
			p.t.Errorf("encrypted by %q, want %v", suite, want)
		}
	})
}

// What each policy of a trunk makes of a call that offers plain audio, nothing
// but encrypted audio, or both.
func TestSecurity_CallsOfATrunk(t *testing.T) {
	for _, c := range []struct {
		policy    queuegroups.SRTP
		peer      sdp.Security
		refused   bool
		encrypted bool
	}{
		{queuegroups.SRTPOptional, sdp.SecureAccepted, false, false},
		{queuegroups.SRTPOptional, sdp.SecureOffered, false, true},
		{queuegroups.SRTPOptional, sdp.SecureRequired, false, true},
		{queuegroups.SRTPRequired, sdp.SecureAccepted, true, false},
		{queuegroups.SRTPRequired, sdp.SecureOffered, false, true},
		{queuegroups.SRTPRequired, sdp.SecureRequired, false, true},
		{queuegroups.SRTPOff, sdp.SecureAccepted, false, false},
		{queuegroups.SRTPOff, sdp.SecureOffered, false, false},
		{queuegroups.SRTPOff, sdp.SecureRequired, true, false},
	} {
		t.Run(fmt.Sprintf("%q and %d", c.policy, c.peer), func(t *testing.T) {
			b := newBench(t, nil)
			b.policies(c.policy, queuegroups.SRTPOptional)
			b.peer.security = c.peer
			if c.refused {
				b.peer.call(fmt.Sprintf("sip:221234567@%v", b.at))
				b.want(&acd.LegEnded{Cause: acd.EndByUs})
				b.peer.waitEnd()
				if end := <-b.peer.why; end.Code != 488 {
					t.Errorf("refused with %+v", end)
				}
				if s := b.board.Stats(); s.Refused != 1 || s.Arrived != 0 {
					t.Errorf("%+v", s)
				}
				return
			}
			call, leg := b.arrive()
			b.do(call, &acd.Answer{})
			b.want(&acd.LegAnswered{Leg: call})
			if <-b.peer.answered != leg {
				t.Error("another leg was answered")
			}
			b.peer.wantEncrypted(leg, c.encrypted)
			b.peer.do(func() { leg.Hangup("") })
			b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
		})
	}
}

// What each policy of an agent makes of a call to a phone that wants plain
// audio, or nothing but encrypted audio.
func TestSecurity_CallsOfAnAgentsPhone(t *testing.T) {
	for _, c := range []struct {
		policy    queuegroups.SRTP
		phone     sdp.Security
		encrypted bool
		fails     bool
	}{
		{policy: queuegroups.SRTPOptional, phone: sdp.SecureAccepted},
		{policy: queuegroups.SRTPRequired, phone: sdp.SecureAccepted, encrypted: true},
		{policy: queuegroups.SRTPRequired, phone: sdp.SecureRequired, encrypted: true},
		{policy: queuegroups.SRTPRequired, phone: sdp.SecureNever, fails: true},
		{policy: queuegroups.SRTPOff, phone: sdp.SecureAccepted},
		{policy: queuegroups.SRTPOff, phone: sdp.SecureRequired, fails: true},
	} {
		t.Run(fmt.Sprintf("%q and %d", c.policy, c.phone), func(t *testing.T) {
			b := newBench(t, nil)
			b.policies(queuegroups.SRTPOptional, c.policy)
			call, _ := b.arrive()
			b.peer.do(func() { b.peer.security = c.phone })
			b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
			phone := b.peer.waitRung()
			b.want(&acd.OfferRinging{Offer: 1})
			if c.fails {
				b.peer.do(func() {
					ep := b.peer.endpoint()
					defer ep.Close()
					if _, err := ep.AcceptOffer(phone.SDP()); err == nil {
						t.Errorf("the phone takes\n%s", phone.SDP())
					}
					phone.Reject(488, "")
				})
				b.want(&acd.OfferFailed{Offer: 1, Code: 488})
			} else {
				b.peer.answer(phone)
				b.want(&acd.OfferAnswered{Offer: 1})
				b.peer.wantEncrypted(phone, c.encrypted)
			}
			b.board.EndAll()
		})
	}
}

// A phone that answers in the clear, whatever it was offered, gets no call.
func TestSecurity_PhoneAnswersPlain(t *testing.T) {
	b := newBench(t, nil)
	b.policies(queuegroups.SRTPOptional, queuegroups.SRTPRequired)
	call, leg := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.do(func() {
		ep := b.peer.endpoint()
		b.peer.legs[phone] = ep
		if err := phone.Answer(ep.Offer()); err != nil {
			t.Error(err)
		}
	})
	b.want(&acd.OfferFailed{Offer: 1, Class: acd.FailUnreachable})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
}

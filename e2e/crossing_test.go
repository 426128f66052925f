package e2e

import (
	"slices"
	"testing"
	"time"

	"centrala/media/tone"
)

// What people do with calls, crossed as they cross it: one thing while another is
// under way, or after it (R93, R100, R101).

// crossing is an office in which anna and bartek serve the caller's group and
// celina another one.
const crossing = `
agents:
  anna: {extension: "101", sip_password: anna-secret-1}
  bartek: {extension: "102", sip_password: bartek-secret-1}
  celina: {extension: "103", sip_password: celina-secret-1}
groups:
  sales: {extension: "600", agents: [anna, bartek], distribution: in_order, rings: 20, ring_length: 1s, wrap_up: 0s, hold_music: calm}
  support: {extension: "601", agents: [celina], rings: 20, ring_length: 1s, wrap_up: 0s}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48 22 123 45 67": {trunk: carrier, group: sales}
`

// crossed is a server with the three phones, and a caller who talks to anna.
type crossed struct {
	s                    *server
	anna, bartek, celina *softphone
	c                    *caller
	before               footprint
}

func newCrossed(t *testing.T, colleagues string) *crossed {
	t.Helper()
	x := &crossed{s: newServer(t, newSite(t), crossing)}
	x.before = x.s.footprint()
	x.anna = x.s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	x.bartek = x.s.softphone("bartek", "bartek-secret-1", "udp", colleagues, 700)
	x.celina = x.s.softphone("celina", "celina-secret-1", "udp", colleagues, 1100)
	x.c = x.s.call("+48600100200", "+48221234567", 500)
	x.c.waitAnswered()
	x.hears("anna", 900)
	return x
}

func (x *crossed) hears(whom string, hertz float64) {
	x.s.t.Helper()
	x.c.waitTone("the caller hears "+whom, hertz, 300*time.Millisecond)
}

// over: the caller has gone, everybody is free, and nothing is left.
func (x *crossed) over() {
	x.s.t.Helper()
	x.c.waitOver()
	x.s.waitAgents("sales", "available", 2)
	x.s.waitAgents("support", "available", 1)
	x.s.waitFootprint(x.before)
}

func TestCrossing_HoldThenTransfer(t *testing.T) {
	t.Parallel()
	x := newCrossed(t, "auto")
	x.anna.command("hold", "")
	x.hears("music", calmHertz)
	x.anna.transfer("103")
	x.anna.wait("is free", "CALL_CLOSED")
	x.hears("celina", 1100)
	x.c.hangUp()
	x.over()
}

func TestCrossing_TransferAfterPickup(t *testing.T) {
	t.Parallel()
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transferAfterPickup(t, ask)
		})
	}
}

func transferAfterPickup(t *testing.T, ask func(p *softphone, to string)) {
	s := newServer(t, newSite(t), crossing)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 700)
	celina := s.softphone("celina", "celina-secret-1", "udp", "auto", 1100)
	c := s.call("+48600100200", "+48221234567", 500)
	anna.wait("rings", "CALL_INCOMING")
	bartek.dial("*8")
	c.waitTone("the caller hears bartek, who picked it up", 700, 300*time.Millisecond)
	anna.wait("is quiet", "CALL_CLOSED")
	ask(bartek, "103")
	celina.wait("has the caller", "CALL_ESTABLISHED")
	c.waitTone("the caller hears celina", 1100, 300*time.Millisecond)
	c.hangUp()
	c.waitOver()
	celina.wait("hangs up", "CALL_CLOSED")
	s.waitAgents("sales", "available", 2)
	s.waitAgents("support", "available", 1)
	s.waitFootprint(before)
}

// asks are the ways in which an agent hands a call over at once.
var asks = map[string]func(p *softphone, to string){
	"by REFER": func(p *softphone, to string) { p.transfer(to) },
	"by keys":  func(p *softphone, to string) { p.press("##" + to + "#") },
}

// Into a group of which nobody else is there: whoever transferred is rung again.
func TestCrossing_IntoTheGroupOfTheTransferor(t *testing.T) {
	comesBack(t, "600", nil, "transfer anna to sales", "queued", "offer anna")
}

// Whom the caller is sent to is busy: they come back.
func TestCrossing_TargetIsBusy(t *testing.T) {
	celina := func(s *server) func() {
		celina := s.softphone("celina", "celina-secret-1", "udp", "manual", 1100)
		return func() { celina.declines(1) }
	}
	comesBack(t, "103", celina, "transfer anna to celina", "kept celina", "offer celina", "ringing celina", "outcome celina busy",
		"transfer anna failed", "kept anna", "offer anna")
}

// comesBack has anna hand a caller over, who comes back to her. Colleague starts the phone of one, and
// has it do its part; nil: there is none. The story is that from the transfer until she is rung again.
func comesBack(t *testing.T, to string, colleague func(s *server) (does func()), story ...string) {
	t.Parallel()
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), crossing)
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
			does := func() {}
			if colleague != nil {
				does = colleague(s)
			}
			c := anna.serves(900)
			ask(anna, to)
			does()
			anna.picksUp(2)
			c.waitTone("the caller hears anna again", 900, 300*time.Millisecond)
			c.hangUp()
			c.waitOver()
			s.waitAgents("sales", "available", 1)
			s.waitFootprint(before)
			s.wantStory("+48600100200", slices.Concat(
				[]string{"arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna"}, story,
				[]string{"ringing anna", "outcome anna answered", "bridged anna", "ended anna completed_by_caller"})...)
		})
	}
}

// The caller hangs up while the one to whom they were sent rings.
func TestCrossing_CallerHangsUpWhileItRings(t *testing.T) {
	t.Parallel()
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newCrossed(t, "manual")
			ask(x.anna, "103")
			x.celina.wait("rings", "CALL_INCOMING")
			x.c.hangUp()
			x.celina.wait("is quiet", "CALL_CLOSED")
			x.over()
		})
	}
}

// A call that was transferred is transferred again after asking, by joining two lines.
func TestCrossing_AttendedTransferOfATransfer_ByREFER(t *testing.T) {
	t.Parallel()
	x := newCrossed(t, "auto")
	x.anna.transfer("102")
	x.hears("bartek", 700)
	x.bartek.consults(x.c, x.celina, "103", 1)
	x.bartek.command("transfer", "<sip:bartek@"+domain+"?Replaces="+x.bartek.dialog("")+">")
	x.bartek.waitNth("is free", "CALL_CLOSED", 2)
	x.hears("celina", 1100)
	x.c.hangUp()
	x.over()
}

// An attended transfer of a call that was transferred already, and of that one again.
func TestCrossing_TransferOfATransfer(t *testing.T) {
	t.Parallel()
	x := newCrossed(t, "auto")
	x.anna.transfer("102")
	x.hears("bartek", 700)
	x.bartek.press("*2103#")
	x.celina.wait("is asked", "CALL_ESTABLISHED")
	x.hears("music", calmHertz)
	x.bartek.press("*3")
	x.hears("celina", 1100)
	x.celina.transfer("600")
	x.hears("anna again", 900)
	x.c.hangUp()
	x.over()
}

func TestCrossing_ConsultedColleagueIsBusy(t *testing.T) {
	t.Parallel()
	x := newCrossed(t, "manual")
	x.anna.press("*2103#")
	x.celina.wait("rings", "CALL_INCOMING")
	x.hears("music", calmHertz)
	x.anna.hearsMore(time.Second) // how it rings
	x.celina.hangUp()             // 486
	x.hears("anna, who has the caller again", 900)
	x.c.hangUp()
	x.over()
	x.anna.wait("hangs up", "CALL_CLOSED")
	const ringbackHertz = 425 // Poland's
	heard := x.anna.recordings()
	if len(heard) != 1 {
		t.Fatalf("%d recordings of one call", len(heard))
	}
	if level := slices.Max(tone.Levels(heard[0], 8000, ringbackHertz, 200*time.Millisecond)); level < -25 {
		t.Errorf("anna did not hear that celina's phone rang: %.0f dBFS", level)
	}
}

// The one who transfers hangs up while the colleague still rings: the caller is
// the colleague's to answer.
func TestCrossing_TransferorHangsUpEarly(t *testing.T) {
	t.Parallel()
	x := newCrossed(t, "manual")
	x.anna.press("*2103#")
	x.celina.wait("rings", "CALL_INCOMING")
	x.anna.hangUp()
	x.celina.accept()
	x.hears("celina", 1100)
	x.c.hangUp()
	x.over()
}

// The caller hangs up in each state of a transfer: nobody's phone rings on, and
// nobody talks to nobody.
func TestCrossing_CallerHangsUpInEachState(t *testing.T) {
	t.Parallel()
	for name, until := range map[string]func(x *crossed){
		"on hold": func(x *crossed) {
			x.anna.command("hold", "")
			x.hears("music", calmHertz)
		},
		"while the colleague who is asked rings": func(x *crossed) {
			x.anna.press("*2103#")
			x.celina.wait("rings", "CALL_INCOMING")
		},
		"while the colleague is asked": func(x *crossed) {
			x.anna.press("*2103#")
			x.celina.wait("rings", "CALL_INCOMING")
			x.celina.accept()
			x.celina.wait("is asked", "CALL_ESTABLISHED")
			x.hears("music", calmHertz)
		},
		"with the colleague aside": func(x *crossed) {
			x.anna.press("*2103#")
			x.celina.wait("rings", "CALL_INCOMING")
			x.celina.accept()
			x.celina.wait("is asked", "CALL_ESTABLISHED")
			x.hears("music", calmHertz)
			x.anna.press("*1")
			x.hears("anna", 900)
		},
		"while the transfer rings": func(x *crossed) {
			x.anna.transfer("103")
			x.celina.wait("rings", "CALL_INCOMING")
		},
		"while it is parked": func(x *crossed) {
			x.anna.transfer("*61")
			x.anna.wait("is free", "CALL_CLOSED")
			x.hears("music", calmHertz)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newCrossed(t, "manual")
			until(x)
			x.c.hangUp()
			x.over()
		})
	}
}

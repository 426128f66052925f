package e2e

import (
	"net/url"
	"testing"
	"time"
)

// owned is an office whose anna has called a telephone outside and talks to it.
type owned struct {
	s                    *server
	telephone            *carrier
	anna, bartek, celina *softphone
	before               footprint
}

func newOwned(t *testing.T, colleagues string) *owned {
	t.Helper()
	site := newSite(t)
	x := &owned{telephone: newCarrier(t, site, 1300, "carrier.xml")}
	x.s = newServer(t, site, withTrunkIn(crossing, x.telephone))
	x.before = x.s.footprint()
	x.anna = x.s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	x.bartek = x.s.softphone("bartek", "bartek-secret-1", "udp", colleagues, 700)
	x.celina = x.s.softphone("celina", "celina-secret-1", "udp", colleagues, 1100)
	x.anna.dial("601000002")
	x.telephone.waitCall()
	x.anna.wait("talks", "CALL_ESTABLISHED")
	x.hears("anna", 900)
	return x
}

func (x *owned) hears(whom string, hertz float64) {
	x.s.t.Helper()
	x.telephone.waitTone("the telephone hears "+whom, hertz, 300*time.Millisecond)
}

// over: everybody is free, and nothing is left.
func (x *owned) over(story ...string) {
	x.s.t.Helper()
	x.telephone.waitOver()
	x.s.waitAgents("sales", "available", 2)
	x.s.waitAgents("support", "available", 1)
	x.s.waitFootprint(x.before)
	x.s.wantStory("101", append([]string{"arrived +48601000002", "offer +48601000002", "ringing", "outcome answered", "bridged"}, story...)...)
}

// An agent who has called somebody outside sends them to a colleague, and to a
// group; it stays one call, that of who began it. (R100)
func TestOwnCall_BlindTransfer(t *testing.T) {
	t.Parallel()
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newOwned(t, "manual")
			ask(x.anna, "102")
			x.bartek.picksUp(1)
			x.anna.wait("is free", "CALL_CLOSED")
			x.hears("bartek", 700)
			ask(x.bartek, "601")
			x.celina.picksUp(1)
			x.hears("celina", 1100)
			x.celina.hangUp()
			x.over("reversed anna +48601000002", "transfer anna to bartek", "kept bartek", "offer bartek", "ringing bartek",
				"outcome bartek answered", "bridged bartek", "transfer bartek to support", "offer celina", "ringing celina",
				"outcome celina answered", "bridged celina", "ended celina completed_by_agent")
		})
	}
}

// Nobody takes whom she sends: they come back to her.
func TestOwnCall_ComesBack(t *testing.T) {
	t.Parallel()
	x := newOwned(t, "manual")
	x.anna.transfer("103")
	x.celina.declines(1)
	x.anna.picksUp(1) // of those that come in
	x.hears("anna again", 900)
	x.anna.hangUp()
	x.over("reversed anna +48601000002", "transfer anna to celina", "kept celina", "offer celina", "ringing celina", "outcome celina busy",
		"transfer anna failed", "kept anna", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"ended anna completed_by_agent")
}

// She asks a colleague before, by keys in the call, or on another line which she
// joins with it (R101, RFC 5589 section 7.3).
func TestOwnCall_AttendedTransfer(t *testing.T) {
	t.Parallel()
	t.Run("by keys", func(t *testing.T) {
		t.Parallel()
		x := newOwned(t, "auto")
		x.anna.press("*2102#")
		x.bartek.wait("is asked", "CALL_ESTABLISHED")
		x.anna.press("*1")
		x.hears("anna, who has turned to them", 900)
		x.anna.press("*1")
		x.anna.press("*3")
		x.anna.wait("is free", "CALL_CLOSED")
		x.hears("bartek", 700)
		x.bartek.hangUp()
		x.telephone.waitOver()
		x.s.waitAgents("sales", "available", 2)
		x.s.waitFootprint(x.before)
	})
	t.Run("by REFER", func(t *testing.T) {
		t.Parallel()
		x := newOwned(t, "auto")
		x.anna.command("hold", "")
		x.anna.dial("102")
		x.bartek.wait("is asked", "CALL_ESTABLISHED")
		x.anna.command("line", "1")
		x.anna.command("transfer", "<sip:102@"+domain+"?Replaces="+x.anna.dialog("102")+">")
		x.anna.waitNth("is free", "CALL_CLOSED", 2)
		x.hears("bartek", 700)
		x.bartek.hangUp()
		x.telephone.waitOver()
		x.s.waitAgents("sales", "available", 2)
		x.s.waitFootprint(x.before)
	})
}

// A colleague whom she has called is sent to another one, and to a telephone outside.
func TestOwnCall_ColleagueIsTransferred(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	telephone := newCarrier(t, site, 1300, "carrier.xml")
	s := newServer(t, site, withTrunkIn(crossing, telephone))
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
	celina := s.softphone("celina", "celina-secret-1", "udp", "auto", 1100)
	anna.dial("102")
	bartek.wait("talks", "CALL_ESTABLISHED")
	anna.wait("talks", "CALL_ESTABLISHED")
	s.waitAgents("sales", "talking", 2)
	anna.transfer("103")
	celina.wait("has bartek", "CALL_ESTABLISHED")
	anna.wait("is free", "CALL_CLOSED")
	celina.transfer("601000002")
	telephone.waitCall()
	telephone.waitTone("the telephone hears bartek", 700, 300*time.Millisecond)
	celina.wait("is free", "CALL_CLOSED")
	s.waitAgents("support", "available", 1)
	s.waitAgents("sales", "talking", 1)
	bartek.hangUp()
	telephone.waitOver()
	s.waitAgents("sales", "available", 2)
	s.waitFootprint(before)
}

// An agent goes on with a call at another phone of theirs, which replaces the one
// that they talked on (RFC 3891 section 3): their own call, and that of a customer.
func TestReplaces_AnotherPhoneOfTheAgent(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{false, true} {
		t.Run(map[bool]string{false: "a customer's call", true: "a call that she made"}[made], func(t *testing.T) {
			t.Parallel()
			site := newSite(t)
			telephone := newCarrier(t, site, 1300, "carrier.xml")
			s := newServer(t, site, withTrunkIn(crossing, telephone))
			before := s.footprint()
			anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
			second := s.deskPhone("anna", "anna-secret-1", 700)
			second.watch("103")
			named := ""
			var far interface {
				waitTone(what string, hertz float64, d time.Duration)
				waitOver()
			}
			if made {
				anna.dial("601000002")
				telephone.waitCall()
				anna.wait("talks", "CALL_ESTABLISHED")
				far, named = telephone, anna.dialog("601000002")
			} else {
				c := s.call("+48600100200", "+48221234567", 500)
				c.waitAnswered()
				far, named = c, anna.dialog("")
			}
			far.waitTone("her first phone is heard", 900, 300*time.Millisecond)
			second.replaces(t, named, "")
			second.waitAnswered()
			anna.wait("the first phone is hung up on", "CALL_CLOSED")
			far.waitTone("her second phone is heard", 700, 300*time.Millisecond)
			s.waitAgents("sales", "talking", 1)
			second.hangUp(2)
			far.waitOver()
			s.waitAgents("sales", "available", 1)
			s.waitFootprint(before)
		})
	}
}

// A colleague takes a call over only if sent there by who has it (RFC 3892): the far
// phone does the attended transfer. Others are refused, and the call goes on.
func TestReplaces_ColleagueIsSent(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), crossing)
	before := s.footprint()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	thief := s.deskPhone("celina", "celina-secret-1", 1100)
	thief.watch("102")
	celina := s.deskPhone("celina", "celina-secret-1", 700)
	celina.watch("102")
	c := anna.serves(900)
	named := anna.dialog("")
	thief.replaces(t, named, "")
	thief.ack(thief.answer("INVITE", 1, 603), "")
	c.waitTone("the caller still hears anna", 900, 300*time.Millisecond)
	celina.replaces(t, named, "Referred-By: <sip:anna@"+domain+">\r\n")
	celina.waitAnswered()
	c.waitTone("the caller hears celina", 700, 300*time.Millisecond)
	anna.wait("is free", "CALL_CLOSED")
	s.waitAgents("support", "talking", 1)
	c.hangUp()
	c.waitOver()
	celina.wait("is hung up on", 1, request("BYE"))
	s.wantStory("+48600100200", "arrived +48221234567", "offer anna", "ringing anna", "outcome anna answered", "bridged anna",
		"claim celina leg", "outcome celina answered", "bridged celina", "ended celina completed_by_caller")
	s.waitFootprint(before)
}

// replaces calls in the place of a call that another phone knows by that name.
func (d *deskPhone) replaces(t *testing.T, escaped, lines string) {
	t.Helper()
	named, err := url.QueryUnescape(escaped)
	if err != nil {
		t.Fatal(err)
	}
	d.id += "-taken"
	d.ask("INVITE", 1, "Replaces: "+named+"\r\n"+lines+d.proof("INVITE"), d.description(""))
}

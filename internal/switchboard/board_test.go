package switchboard

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/internal/mailbox"
	"centrala/media"
	"centrala/media/sdp"
	"centrala/queuegroups"
	"centrala/sip"
)

// patience is how long a test waits for something that must happen.
const patience = 30 * time.Second

// facts takes the Board's facts in place of the log; the test plays the core.
type facts struct {
	ch    chan acd.Event
	guard func(acd.Event) error // may refuse or panic; nil: takes all
}

func (f *facts) Append(e acd.Event) error {
	if f.guard != nil {
		if err := f.guard(e); err != nil {
			return err
		}
	}
	f.ch <- e
	return nil
}

// bench is a Board with its SIP stack and media, and a peer that is both the
// carrier and the agent's phone.
type bench struct {
	t     *testing.T
	board *Board
	facts *facts
	core  *core // what lamps show; the test applies to it
	media *media.Engine
	peer  *peer
	at    netip.AddrPort // of the Board's stack
}

// ownMusic is the music that comes with the program, decoded once for all benches.
var ownMusic = sync.OnceValue(func() *holdmusic.Library {
	return holdmusic.New(func(string) (io.ReadCloser, error) { return nil, os.ErrNotExist })
})

func newBench(t *testing.T, guard func(acd.Event) error) *bench {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	b := &bench{t: t, facts: &facts{ch: make(chan acd.Event, 256), guard: guard}, core: &core{s: acd.NewState()}}
	var err error
	if b.media, err = media.New(media.Options{PortMin: 30000, PortMax: 30399, Quarantine: -1, Log: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	b.board = New(Options{
		Node: "n1", Facts: b.facts, Media: b.media, Core: b.core, Log: zerolog.Nop(),
		Music: ownMusic(),
	})
	stack := newStack(t, b.board)
	b.board.Attach(stack)
	b.at = stack.Addrs()[0].Addr
	stack.Start()
	b.peer = newPeer(t)
	b.board.SetConfig(&queuegroups.Config{Region: "PL", Agents: []queuegroups.Agent{
		{ID: "anna", Contact: fmt.Sprintf("sip:anna@%v", b.peer.stack.Addrs()[0].Addr)},
	}})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		b.quiet()
		b.peer.close(ctx)
		if err := stack.Close(ctx); err != nil {
			t.Error(err)
		}
		select {
		case <-b.board.Drained():
		case <-time.After(patience):
			t.Errorf("%d calls left", b.board.Stats().Calls)
		}
		if s := b.media.Stats(); s.Endpoints != 0 {
			t.Errorf("%d endpoints left", s.Endpoints)
		}
		b.media.Close()
		goleak.VerifyNone(t, leaks)
	})
	return b
}

// quiet waits a moment for what both ends sent last to be answered: who is gone before
// leaves the other end asking again and again.
func (b *bench) quiet() {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); <-time.After(2 * time.Millisecond) {
		if b.board.stack.Stats().Transactions == 0 && b.peer.stack.Stats().Transactions == 0 {
			return
		}
	}
}

var loopbackOnly = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

func newStack(t *testing.T, h sip.Handler) *sip.Stack {
	t.Helper()
	var lamps sip.Lamps
	if b, ok := h.(*Board); ok {
		lamps = b.Lamps()
	}
	s, err := sip.New(sip.Options{
		Listen: []sip.Listen{{Network: "udp", Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		Domain: "localhost", Handler: h, Log: zerolog.Nop(), Lamps: lamps, LampLimits: sip.LampLimits{Every: time.Millisecond},
		Directory: sip.Directory{Realm: "localhost", Trunks: []sip.Trunk{
			{ID: "loop", From: loopbackOnly},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// want waits for the next fact and checks it; zero fields of e are not compared.
func (b *bench) want(e acd.Event) acd.Event {
	b.t.Helper()
	select {
	case got := <-b.facts.ch:
		if !matches(got, e) {
			b.t.Fatalf("fact %T%+v, want %T%+v", got, got, e, e)
		}
		return got
	case <-time.After(patience):
		b.t.Fatalf("no fact; want %T%+v", e, e)
		return nil
	}
}

func matches(got, want acd.Event) bool {
	g, w := reflect.ValueOf(got).Elem(), reflect.ValueOf(want).Elem()
	if g.Type() != w.Type() {
		return false
	}
	for i := range w.NumField() {
		if !w.Field(i).IsZero() && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			return false
		}
	}
	return true
}

func (b *bench) do(call acd.LegID, c acd.Command) {
	*c.Head() = acd.Header{Node: "n1", Call: call}
	b.board.Applied(acd.Entry{}, []acd.Command{c})
}

// arrive places a call and returns its id.
func (b *bench) arrive() (acd.LegID, *sip.Leg) {
	b.t.Helper()
	leg := b.peer.call(fmt.Sprintf("sip:221234567@%v", b.at))
	arrived := b.want(&acd.CallArrived{Node: "n1", Trunk: "loop", To: "+48221234567"}).(*acd.CallArrived)
	return arrived.Leg, leg
}

// peer is a second stack: it calls, and it answers as a phone when told to.
type peer struct {
	t     *testing.T
	stack *sip.Stack
	media *media.Engine
	box   mailbox.Box
	rung  chan *sip.Leg
	ends  chan string // "class" of each leg that ended

	security sdp.Security         // of its legs' audio
	answered chan *sip.Leg        // legs that it called and that answered
	why      chan sip.Termination // how each leg ended

	legs map[*sip.Leg]*media.Endpoint

	keyed                                                       // what keys came in
	hear  func(c media.Codec, timestamp uint32, payload []byte) // of its next leg; nil: nobody listens
}

func newPeer(t *testing.T) *peer {
	p := &peer{t: t, rung: make(chan *sip.Leg, 16), ends: make(chan string, 64), legs: map[*sip.Leg]*media.Endpoint{},
		answered: make(chan *sip.Leg, 64), why: make(chan sip.Termination, 64)}
	p.box = mailbox.Box{Run: func(f func()) { f() }, Idle: func() bool { return false }, Overflow: func() {}}
	var err error
	if p.media, err = media.New(media.Options{PortMin: 31000, PortMax: 31399, Quarantine: -1, Log: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	p.stack = newStack(t, p)
	p.stack.Start()
	return p
}

func (p *peer) close(ctx context.Context) {
	if err := p.stack.Close(ctx); err != nil {
		p.t.Error(err)
	}
	p.media.Close()
}

func (p *peer) endpoint() *media.Endpoint {
	ep, err := p.media.NewEndpoint(media.EndpointOptions{Local: netip.MustParseAddr("127.0.0.1"), Security: p.security, OnAudio: p.hear, OnEvent: p.event(p.named)})
	if err != nil {
		panic(err)
	}
	return ep
}

func (p *peer) call(uri string) *sip.Leg {
	to, err := p.stack.ContactURI(uri)
	if err != nil {
		p.t.Fatal(err)
	}
	ep := p.endpoint()
	leg := make(chan *sip.Leg)
	p.box.Post(func() {
		l := p.stack.Dial(&p.box, p, sip.Dial{ID: "caller", To: to, From: sip.Party{User: "+48601000000"}, SDP: p.without(ep.Offer())})
		p.legs[l] = ep
		leg <- l
	})
	return <-leg
}

func (p *peer) do(f func()) {
	done := make(chan struct{})
	p.box.Post(func() { f(); close(done) })
	<-done
}

// answer takes the call that rings.
func (p *peer) answer(l *sip.Leg) {
	p.do(func() {
		ep := p.endpoint()
		p.legs[l] = ep
		sdp, err := ep.AcceptOffer(p.without(l.SDP()))
		if err == nil {
			err = l.Answer(sdp)
		}
		if err != nil {
			p.t.Error(err)
		}
	})
}

func (p *peer) waitRung() *sip.Leg {
	p.t.Helper()
	select {
	case l := <-p.rung:
		return l
	case <-time.After(patience):
		p.t.Fatal("the phone was not rung")
		return nil
	}
}

func (p *peer) waitEnd() string {
	p.t.Helper()
	select {
	case class := <-p.ends:
		return class
	case <-time.After(patience):
		p.t.Fatal("the leg did not end at the peer")
		return ""
	}
}

func (p *peer) Invite(l *sip.Leg) {
	l.Bind(&p.box, p)
	p.box.Post(func() { l.Ring(180, nil); p.rung <- l })
}
func (p *peer) Reachable(string, bool)            {}
func (p *peer) LegProgress(*sip.Leg, int, []byte) {}
func (p *peer) LegAnswered(l *sip.Leg, sdp []byte) {
	_ = p.legs[l].AcceptAnswer(sdp)
	p.answered <- l
}
func (p *peer) LegOffer(l *sip.Leg, sdp []byte) ([]byte, error) {
	return p.legs[l].AcceptOffer(sdp)
}
func (p *peer) LegKey(_ *sip.Leg, key byte)       { p.pressed("INFO", key) }
func (p *peer) LegRefer(*sip.Leg, *sip.Refer) int { return 603 }
func (p *peer) LegEnded(l *sip.Leg, t sip.Termination) {
	if ep := p.legs[l]; ep != nil {
		ep.Close()
	}
	p.ends <- t.Class
	p.why <- t
}

func TestBoard_CallFromInviteToEnd(t *testing.T) {
	b := newBench(t, nil)
	call, _ := b.arrive()
	b.do(call, &acd.Answer{})
	b.do(call, &acd.Play{})
	b.want(&acd.LegAnswered{Leg: call})
	b.do(call, &acd.Ring{Offer: 7, Agent: "anna", Group: "Sales", From: acd.Party{Number: "+48601000000"}})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 7})
	if from := phone.From(); from.User != "+48601000000" || !strings.Contains(from.Name, "Sales") {
		t.Errorf("the phone shows %+v", from)
	}
	b.peer.answer(phone)
	answered := b.want(&acd.OfferAnswered{Offer: 7, Node: "n1"}).(*acd.OfferAnswered)
	b.do(call, &acd.Bridge{A: call, B: answered.Leg})
	b.want(&acd.Bridged{A: call, B: answered.Leg})
	b.peer.do(func() { phone.Hangup("") })
	b.want(&acd.LegEnded{Leg: answered.Leg, Cause: acd.EndHangup})
	b.do(call, &acd.EndLeg{Leg: call})
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndByUs})
	b.peer.waitEnd()
	b.peer.waitEnd()
}

// Whoever hears it ring sends nothing, however long that is; the silence of who was answered ends the call.
func TestBoard_Silence(t *testing.T) {
	b := newBench(t, nil)
	call, _ := b.arrive()
	b.board.mu.Lock()
	c := b.board.calls[call]
	b.board.mu.Unlock()
	silence := func() { c.box.Post(func() { c.mediaEvent(c.caller, media.Event{Kind: media.EventTimeout}) }) }
	b.do(call, &acd.Alert{})
	silence()
	b.do(call, &acd.Answer{})
	b.want(&acd.LegAnswered{Leg: call})
	for acknowledged := false; !acknowledged; {
		seen := make(chan bool)
		c.box.Post(func() { seen <- c.caller.answered })
		acknowledged = <-seen
	}
	silence()
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndTimeout})
	b.peer.waitEnd()
}

// A phone whose offer the core has forgotten is hung up all the same.
func TestBoard_EndLegWithoutItsCall(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.answer(phone)
	answered := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered)
	b.do("", &acd.EndLeg{Leg: answered.Leg})
	b.want(&acd.LegEnded{Leg: answered.Leg, Cause: acd.EndByUs})
	if class := b.peer.waitEnd(); class != sip.ClassHangup {
		t.Errorf("the phone's leg ended by %s", class)
	}
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
}

func TestBoard_BridgeAnswersTheCaller(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Alert{})
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.answer(phone)
	answered := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered)
	b.do(call, &acd.Bridge{A: call, B: answered.Leg})
	b.want(&acd.LegAnswered{Leg: call})
	b.want(&acd.Bridged{A: call, B: answered.Leg})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
	b.do(call, &acd.EndLeg{Leg: answered.Leg})
	b.want(&acd.LegEnded{Leg: answered.Leg, Cause: acd.EndByUs})
}

// A consultation: the caller is played music, two phones are bridged with each
// other, one of them is played music, and the caller is bridged with the other.
func TestBoard_LegsAreBridgedAnew(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Answer{})
	b.want(&acd.LegAnswered{Leg: call})
	var phones [2]acd.LegID
	for k := range phones {
		b.do(call, &acd.Ring{Offer: acd.OfferID(k + 1), Agent: "anna"})
		phone := b.peer.waitRung()
		b.want(&acd.OfferRinging{Offer: acd.OfferID(k + 1)})
		b.peer.answer(phone)
		phones[k] = b.want(&acd.OfferAnswered{Offer: acd.OfferID(k + 1)}).(*acd.OfferAnswered).Leg
	}
	for _, pair := range [][2]acd.LegID{{call, phones[0]}, {phones[0], phones[1]}, {call, phones[1]}, {call, phones[1]}} {
		b.do(call, &acd.Play{})
		b.do(call, &acd.Play{Leg: pair[1]})
		b.do(call, &acd.Bridge{A: pair[0], B: pair[1]})
		b.want(&acd.Bridged{A: pair[0], B: pair[1]})
	}
	b.do(call, &acd.Play{Leg: "nobody"})
	b.do(call, &acd.EndLeg{Leg: phones[0], Why: acd.EndTransferred})
	b.want(&acd.LegEnded{Leg: phones[0], Cause: acd.EndByUs})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
	b.do(call, &acd.EndLeg{Leg: phones[1]})
	b.want(&acd.LegEnded{Leg: phones[1], Cause: acd.EndByUs})
}

func TestBoard_CancelRingStopsThePhone(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.do(call, &acd.CancelRing{Offer: 1, Elsewhere: true})
	b.want(&acd.OfferFailed{Offer: 1, Class: acd.FailCancelled})
	if class := b.peer.waitEnd(); class != sip.ClassCancel {
		t.Errorf("the phone's leg ended by %s", class)
	}
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
}

func TestBoard_PhoneRefuses(t *testing.T) {
	for code, class := range map[int]acd.FailureClass{
		486: acd.FailBusy, 603: acd.FailDeclined, 404: acd.FailUnreachable, 503: acd.FailUnreachable,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			b := newBench(t, nil)
			call, leg := b.arrive()
			b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
			phone := b.peer.waitRung()
			b.want(&acd.OfferRinging{Offer: 1})
			b.peer.do(func() { phone.Reject(code, "") })
			b.want(&acd.OfferFailed{Offer: 1, Class: class, Code: code})
			b.peer.do(func() { leg.Hangup("") })
			b.want(&acd.LegEnded{Leg: call})
		})
	}
}

func TestBoard_AgentWithoutPhoneIsUnreachable(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Ring{Offer: 1, Agent: "bartek"})
	b.want(&acd.OfferFailed{Offer: 1, Class: acd.FailUnreachable})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
}

// What this version cannot do has an outcome too, so that the core goes on with the next action.
func TestBoard_ActionsThatAreNotThereYet(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	b.do(call, &acd.Serve{Service: queuegroups.ActionVoicemail})
	b.want(&acd.Served{Leg: call})
	b.do(call, &acd.Tell{Notice: acd.NoticeClosed})
	b.do(call, &acd.Ring{Offer: 6, Agent: "anna", Channel: "website"})
	b.want(&acd.OfferFailed{Offer: 6, Class: acd.FailUnreachable})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
}

func TestBoard_RejectAndItsStatus(t *testing.T) {
	b := newBench(t, nil)
	call, _ := b.arrive()
	b.do(call, &acd.Reject{Reason: acd.RejectUnknownNumber})
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndByUs})
	b.peer.waitEnd()
}

// A command whose call is gone must still have an outcome, or the core would wait for it.
func TestBoard_CommandsForACallThatIsGone(t *testing.T) {
	b := newBench(t, nil)
	for _, c := range []struct {
		command acd.Command
		want    []acd.Event
	}{
		{&acd.Answer{}, []acd.Event{&acd.LegEnded{Leg: "gone", Cause: acd.EndFailed}}},
		{&acd.Tell{Notice: acd.NoticeNobody}, nil}, // has none, and above all does not end the customer's leg
		{&acd.Ring{Offer: 2, Channel: "website"}, []acd.Event{&acd.OfferFailed{Offer: 2, Class: acd.FailUnreachable}}},
		{&acd.Ring{Offer: 3}, []acd.Event{&acd.OfferFailed{Offer: 3, Class: acd.FailCancelled}}},
		{&acd.CancelRing{Offer: 4}, []acd.Event{&acd.OfferFailed{Offer: 4, Class: acd.FailCancelled}}},
		{&acd.EndLeg{Leg: "x"}, []acd.Event{&acd.LegEnded{Leg: "x", Cause: acd.EndByUs}}},
		{&acd.Bridge{A: "gone", B: "y"}, []acd.Event{&acd.LegEnded{Leg: "gone"}, &acd.LegEnded{Leg: "y"}}},
	} {
		b.do("gone", c.command)
		for _, want := range c.want {
			b.want(want)
		}
	}
}

func TestBoard_CommandsOfOtherNodesAreNotCarriedOut(t *testing.T) {
	b := newBench(t, nil)
	b.board.Applied(acd.Entry{}, []acd.Command{&acd.EndLeg{Header: acd.Header{Node: "n2", Call: "c"}, Leg: "c"}})
	b.do("gone", &acd.EndLeg{Leg: "mark"})
	b.want(&acd.LegEnded{Leg: "mark"}) // and nothing before it
}

// A fault in one call ends that call alone.
func TestBoard_PanicEndsOneCallOnly(t *testing.T) {
	var first sync.Once
	b := newBench(t, func(e acd.Event) error {
		if _, ok := e.(*acd.LegAnswered); ok {
			first.Do(func() { panic("a fault of ours") })
		}
		return nil
	})
	broken, _ := b.arrive()
	other, leg := b.arrive()
	b.do(broken, &acd.Answer{})
	b.want(&acd.LegEnded{Leg: broken})
	b.do(other, &acd.Answer{})
	b.want(&acd.LegAnswered{Leg: other})
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: other, Cause: acd.EndHangup})
	if s := b.board.Stats(); s.Panics != 1 {
		t.Errorf("%d faults counted", s.Panics)
	}
}

// A call that cannot be logged is refused at once: the caller's carrier may know another way.
func TestBoard_LogRefusesTheFact(t *testing.T) {
	b := newBench(t, func(e acd.Event) error {
		if _, ok := e.(*acd.CallArrived); ok {
			return fmt.Errorf("overloaded")
		}
		return nil
	})
	b.peer.call(fmt.Sprintf("sip:221234567@%v", b.at))
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
	b.peer.waitEnd()
	if s := b.board.Stats(); s.Refused != 1 || s.FactsRefused != 1 {
		t.Errorf("%+v", s)
	}
}

func TestBoard_DrainedWhenTheLastCallEnds(t *testing.T) {
	b := newBench(t, nil)
	call, _ := b.arrive()
	drained := b.board.Drained()
	select {
	case <-drained:
		t.Fatal("drained with a call up")
	default:
	}
	b.board.EndAll()
	b.want(&acd.LegEnded{Leg: call})
	select {
	case <-drained:
	case <-time.After(patience):
		t.Fatal("not drained")
	}
}

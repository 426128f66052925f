package sip

import (
	"encoding/xml"
	"strings"
	"sync"
	"testing"
	"time"
)

// panel is the Lamps of a test: what there is to watch, and what each shows.
type panel struct {
	mu    sync.Mutex
	lamps map[string][]LampCall
	asked int // calls of Calls
	fault bool
}

func (p *panel) Lamp(user, target string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.lamps["lamp "+target]
	return "lamp " + target, ok
}

func (p *panel) Calls(user, name string) ([]LampCall, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.fault {
		panic("fault")
	}
	calls, ok := p.lamps[name]
	return calls, ok
}

// show sets what there is to see at a target and tells the stack.
func (p *panel) show(s *side, target string, calls ...LampCall) {
	p.mu.Lock()
	p.lamps["lamp "+target] = calls
	p.mu.Unlock()
	s.LampChanged("lamp " + target)
}

func (p *panel) remove(s *side, target string) {
	p.mu.Lock()
	delete(p.lamps, "lamp "+target)
	p.mu.Unlock()
	s.LampChanged("lamp " + target)
}

// watching starts a stack with agents 102 and 103 to be watched.
func watching(t *testing.T, limits LampLimits, change ...func(*Options)) (*side, *panel) {
	t.Helper()
	lamps := &panel{lamps: map[string][]LampCall{"lamp 102": nil, "lamp 103": nil}}
	s := start(t, append([]func(*Options){strangers, func(o *Options) { o.Lamps, o.LampLimits = lamps, limits }}, change...)...)
	return s, lamps
}

// info is what is read of a document.
type info struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
	Version int      `xml:"version,attr"`
	State   string   `xml:"state,attr"`
	Entity  string   `xml:"entity,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		CallID    string `xml:"call-id,attr"`
		LocalTag  string `xml:"local-tag,attr"`
		RemoteTag string `xml:"remote-tag,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Remote    struct {
			Identity struct {
				Display string `xml:"display,attr"`
				URI     string `xml:",chardata"`
			} `xml:"identity"`
			Target struct {
				URI string `xml:"uri,attr"`
			} `xml:"target"`
		} `xml:"remote"`
	} `xml:"dialog"`
}

func (i *info) states() string {
	var list []string
	for _, d := range i.Dialogs {
		list = append(list, d.State)
	}
	return strings.Join(list, " ")
}

func readInfo(t *testing.T, notify string) *info {
	t.Helper()
	_, body, _ := strings.Cut(notify, "\r\n\r\n")
	i := &info{}
	if err := xml.Unmarshal([]byte(body), i); err != nil {
		t.Fatalf("%v in\n%s", err, notify)
	}
	if got := field(notify, "Content-Type"); got != dialogInfoType || i.State != "full" {
		t.Errorf("%s, state %s", got, i.State)
	}
	return i
}

// subscription of a peer: the requests in its dialog.
type watch struct {
	*peer
	t    *testing.T
	req  request
	last string // CSeq of the newest NOTIFY that was answered
}

// ask sends a SUBSCRIBE, with credentials if it is challenged, and gives the
// final answer.
func (p *peer) ask(t *testing.T, r request, user, password string) string {
	t.Helper()
	r.method, r.from = "SUBSCRIBE", "<sip:anna@pbx.test>;tag="+r.callID
	if r.uri == "" {
		r.uri = "sip:102@pbx.test"
	}
	if !strings.Contains(r.extra, "Event:") {
		r.extra += "Event: dialog\r\n"
	}
	p.asked++ // or it would be the same request once more
	r.branch = sprintf("z9hG4bK%s-%d-%d", r.callID, r.seq, p.asked)
	p.send(p.request(r))
	got := p.recv("SIP/2.0")
	if !strings.HasPrefix(got, "SIP/2.0 401") || user == "" {
		return got
	}
	r.branch += "b"
	r.seq++
	r.extra += credentials(t, got, "SUBSCRIBE", r.uri, user, password)
	p.send(p.request(r))
	return p.recv("SIP/2.0")
}

// watch subscribes as anna and takes the first NOTIFY.
func (p *peer) watch(t *testing.T, callID, target, extra string) (*watch, string) {
	t.Helper()
	r := request{callID: callID, seq: 1, uri: "sip:" + target + "@pbx.test", extra: extra}
	ok := p.ask(t, r, "anna", "secret")
	if !strings.HasPrefix(ok, "SIP/2.0 200") {
		t.Fatalf("SUBSCRIBE got\n%s", ok)
	}
	r.to, r.seq = field(ok, "To"), 3
	w := &watch{peer: p, t: t, req: r}
	return w, w.notified()
}

// notified takes the next NOTIFY and says 200, again to one that is sent again.
func (w *watch) notified() string {
	w.t.Helper()
	for {
		n := w.recv("NOTIFY")
		w.send(w.reply(n, 200, "", "", ""))
		if was := w.last; field(n, "CSeq") != was {
			w.last = field(n, "CSeq")
			return n
		}
	}
}

// again refreshes.
func (w *watch) again(extra string) string {
	w.t.Helper()
	r := w.req
	r.extra += extra
	w.req.seq += 2
	return w.ask(w.t, r, "anna", "secret")
}

func (s *side) unwatched(t *testing.T) {
	t.Helper()
	eventually(t, "subscriptions to be over", func() bool { return s.Stats().Watches == 0 })
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	if n := len(s.subs.byName) + len(s.subs.byFlow) + len(s.subs.byUser); n != 0 {
		t.Errorf("%d entries left", n)
	}
}

// The life of a lamp: off, rings, up, off; refreshed and put away by the phone.
// RFC 4235 section 4, RFC 6665 sections 4.1.2 and 4.2.
func TestWatch_Life(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	w, n := p.watch(t, "life", "102", "Event: dialog;id=7\r\nExpires: 300\r\nAccept: application/dialog-info+xml\r\n")
	if got := field(n, "Event"); got != "dialog;id=7" {
		t.Errorf("Event: %s", got)
	}
	if got := field(n, "Subscription-State"); got != "active;expires=300" {
		t.Errorf("Subscription-State: %s", got)
	}
	i := readInfo(t, n)
	if i.Version != 0 || i.Entity != "sip:102@pbx.test" || i.states() != "terminated" {
		t.Errorf("%+v", i)
	}

	early := LampCall{ID: "5", With: Party{User: "+48601", Name: `Jan "<&>" K`}, Pickup: "5"}
	lamps.show(s, "102", early)
	i = readInfo(t, w.notified())
	d := i.Dialogs[0]
	if i.Version != 1 || i.states() != "early" || d.ID != "5" || d.Direction != "recipient" {
		t.Errorf("%+v", i)
	}
	if d.CallID != "pickup-5@pbx.test" || d.LocalTag != "p5" || d.RemoteTag != "c5" || d.Remote.Target.URI != "sip:102@pbx.test" {
		t.Errorf("the dialog to take: %+v", d)
	}
	if d.Remote.Identity.URI != "sip:+48601@pbx.test" || d.Remote.Identity.Display != `Jan "<&>" K` {
		t.Errorf("who calls: %+v", d.Remote)
	}
	lamps.show(s, "102", LampCall{ID: "5", Up: true}, LampCall{ID: "6", Up: true, Outgoing: true})
	i = readInfo(t, w.notified())
	if i.Version != 2 || i.states() != "confirmed confirmed" || i.Dialogs[1].Direction != "initiator" || i.Dialogs[0].Remote.Identity.URI != "" {
		t.Errorf("%+v", i)
	}
	lamps.show(s, "102")
	if i = readInfo(t, w.notified()); i.Version != 3 || i.states() != "terminated" {
		t.Errorf("%+v", i)
	}

	if got := w.again("Expires: 200\r\n"); !strings.HasPrefix(got, "SIP/2.0 200") || field(got, "Expires") != "300" {
		t.Errorf("refresh: %s", got) // the first Expires of two counts
	}
	if i = readInfo(t, w.notified()); i.Version != 4 { // though nothing has changed
		t.Errorf("%+v", i)
	}
	w.req.extra = "Event: dialog;id=7\r\nExpires: 0\r\n"
	if got := w.again(""); !strings.HasPrefix(got, "SIP/2.0 200") || field(got, "Expires") != "0" {
		t.Errorf("end: %s", got)
	}
	if got := field(w.notified(), "Subscription-State"); got != "terminated;reason=timeout" {
		t.Errorf("Subscription-State: %s", got)
	}
	s.unwatched(t)
	lamps.show(s, "102", early)
	if got := w.again("Expires: 100\r\n"); !strings.HasPrefix(got, "SIP/2.0 481") {
		t.Errorf("after the end: %s", got)
	}
	s.idle(t)
}

// What is refused, and how.
func TestWatch_Refused(t *testing.T) {
	s, _ := watching(t, LampLimits{})
	p := newPeer(t, s.addr("udp"))
	for i, c := range []struct {
		name, extra, uri, user, password, want, header, value string
	}{
		{"nobody's", "", "", "", "", "SIP/2.0 401", "", ""},
		{"wrong password", "", "", "anna", "guess", "SIP/2.0 401", "", ""},
		{"message waiting", "Event: message-summary\r\n", "", "anna", "secret", "SIP/2.0 489", "Allow-Events", "dialog"},
		{"a template", "Event: dialog.winfo\r\n", "", "anna", "secret", "SIP/2.0 489", "Allow-Events", "dialog"},
		{"a malformed Event", "Event: ;dialog\r\n", "", "anna", "secret", "SIP/2.0 489", "Allow-Events", "dialog"},
		{"other documents", "Accept: application/pidf+xml\r\n", "", "anna", "secret", "SIP/2.0 406", "Accept", dialogInfoType},
		{"lists", "Require: eventlist\r\n", "", "anna", "secret", "SIP/2.0 420", "Unsupported", "eventlist"},
		{"too brief", "Expires: 10\r\n", "", "anna", "secret", "SIP/2.0 423", "Min-Expires", "60"},
		{"nobody there", "", "sip:999@pbx.test", "anna", "secret", "SIP/2.0 404", "", ""},
		{"a dialog of others", "", "", "anna", "secret", "SIP/2.0 481", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request{callID: sprintf("refused%d", i), seq: 1, uri: c.uri, extra: c.extra}
			if c.name == "a dialog of others" {
				r.to = "<sip:102@pbx.test>;tag=unknown"
			}
			got := p.ask(t, r, c.user, c.password)
			if !strings.HasPrefix(got, c.want) || c.header != "" && field(got, c.header) != c.value {
				t.Errorf("got\n%s", got)
			}
		})
	}
	s.unwatched(t)

	none := start(t, strangers)
	q := newPeer(t, none.addr("udp"))
	if got := q.ask(t, request{callID: "none", seq: 1}, "anna", "secret"); !strings.HasPrefix(got, "SIP/2.0 489") {
		t.Errorf("without lamps: %s", got)
	}
}

// Times are kept within bounds; a SUBSCRIBE for no time is told the state once.
func TestWatch_Expires(t *testing.T) {
	s, lamps := watching(t, LampLimits{Longest: 200 * time.Second})
	p := newPeer(t, s.addr("udp"))
	for _, c := range []struct{ callID, extra, want string }{
		{"default", "", "active;expires=200"},
		{"long", "Expires: 4294967295\r\n", "active;expires=200"},
		{"short", "Expires: 60\r\n", "active;expires=60"},
	} {
		_, n := p.watch(t, c.callID, "102", c.extra)
		if got := field(n, "Subscription-State"); got != c.want {
			t.Errorf("%s: %s", c.callID, got)
		}
	}
	lamps.show(s, "103", LampCall{ID: "1"})
	_, n := p.watch(t, "once", "103", "Expires: 0\r\n")
	if got := field(n, "Subscription-State"); got != "terminated;reason=timeout" || readInfo(t, n).states() != "early" {
		t.Errorf("once: %s", n)
	}
	if got := s.Stats().Watches; got != 3 {
		t.Errorf("%d subscriptions", got)
	}
}

// A subscription that is not refreshed ends, and the phone is told.
func TestWatch_RunsOut(t *testing.T) {
	s, _ := watching(t, LampLimits{Least: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	w, n := p.watch(t, "out", "102", "Expires: 1\r\n")
	if got := field(n, "Subscription-State"); got != "active;expires=1" {
		t.Errorf("Subscription-State: %s", got)
	}
	if got := field(w.notified(), "Subscription-State"); got != "terminated;reason=timeout" {
		t.Errorf("Subscription-State: %s", got)
	}
	s.unwatched(t)
}

// Of a burst of changes a phone is told the first at once and then the last.
func TestWatch_BurstsAreShed(t *testing.T) {
	const every = 150 * time.Millisecond
	s, lamps := watching(t, LampLimits{Every: every})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "burst", "102", "")
	began := time.Now()
	for k := range 1000 {
		lamps.show(s, "102", LampCall{ID: sprintf("%d", k)})
	}
	n := 0
	for last := ""; last != "999"; n++ {
		last = readInfo(t, w.notified()).Dialogs[0].ID
	}
	if most := int(time.Since(began)/every) + 2; n > most {
		t.Errorf("%d NOTIFYs, at most %d", n, most)
	}
	lamps.show(s, "102", LampCall{ID: "999"}) // nothing new
	s.LampsChanged()
	if msg, ok := w.within(3*every, "NOTIFY"); ok {
		t.Errorf("told again:\n%s", msg)
	}
	lamps.mu.Lock()
	defer lamps.mu.Unlock()
	if most := int(time.Since(began)/every) + 3; lamps.asked > most {
		t.Errorf("looked %d times, at most %d", lamps.asked, most)
	}
}

// While a NOTIFY is unanswered no other is sent: they could overtake each other.
func TestWatch_OneNotifyAtATime(t *testing.T) {
	s, lamps := watching(t, LampLimits{Every: time.Millisecond})
	p := newPeer(t, s.addr("udp"))
	w, _ := p.watch(t, "one", "102", "")
	lamps.show(s, "102", LampCall{ID: "1"})
	first := w.recv("NOTIFY")
	lamps.show(s, "102", LampCall{ID: "2"})
	lamps.show(s, "102", LampCall{ID: "3"})
	deadline := time.Now().Add(100 * time.Millisecond)
	for time.Now().Before(deadline) {
		if msg, ok := w.within(time.Until(deadline), "NOTIFY"); ok && field(msg, "CSeq") != field(first, "CSeq") {
			t.Fatalf("another one:\n%s", msg)
		}
	}
	w.send(w.reply(first, 200, "", "", ""))
	for {
		if n := w.notified(); field(n, "CSeq") != field(first, "CSeq") {
			if i := readInfo(t, n); i.Dialogs[0].ID != "3" || i.Version != 2 {
				t.Errorf("%+v", i)
			}
			return
		}
	}
}

package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"centrala/sip/header"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	udpFlow = Flow{ID: "u1", Transport: "udp", Remote: netip.MustParseAddrPort("203.0.113.5:40000"), Local: netip.MustParseAddrPort("192.0.2.1:5060")}
	tcpFlow = Flow{ID: "t1", Transport: "tcp", Remote: netip.MustParseAddrPort("203.0.113.5:40001"), Local: netip.MustParseAddrPort("192.0.2.1:5060")}
)

// register builds a REGISTER of Call-ID c with the given CSeq and header lines.
func register(t testing.TB, cseq int, lines ...string) *sip.Request {
	t.Helper()
	text := "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa\r\n" +
		"From: <sip:anna@example.com>;tag=1\r\nTo: <sip:anna@example.com>\r\n"
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Call-ID") }) {
		text += "Call-ID: c\r\n"
	}
	text += fmt.Sprintf("CSeq: %d REGISTER\r\n", cseq)
	for _, l := range lines {
		text += l + "\r\n"
	}
	m, err := header.NewParser().ParseSIP([]byte(text + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	req := m.(*sip.Request)
	if f := header.Check(req); f != nil {
		t.Fatalf("%v in %q", f, text)
	}
	return req
}

func newRegistrar(t testing.TB, o Options) *Registrar {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// values are a header's values in an answer.
func values(res *sip.Response, name string) []string { return slices.Collect(header.Values(res, name)) }

// uris are the contacts of anna.
func uris(r *Registrar) []string {
	var list []string
	for _, b := range r.Contacts("anna") {
		list = append(list, b.Contact)
	}
	return list
}

type step struct {
	section string // what RFC 3261 (or the one named) says
	wait    time.Duration
	cseq    int
	lines   []string
	code    int
	want    []string // the Contact values of the answer
}

// Each case is a story of requests; times are virtual.
func TestHandle_Stories(t *testing.T) {
	const a, b, c = "<sip:anna@192.0.2.10>", "<sip:anna@192.0.2.11>", "<sip:anna@192.0.2.12>"
	stories := map[string][]step{
		"bind, query, refresh, remove": {
			{"10.2.3 a query of nothing", 0, 1, nil, 200, nil},
			{"10.3 default expiry", 0, 2, []string{"Contact: " + a}, 200, []string{a + ";expires=3600"}},
			{"10.3 step 8: remaining seconds", 10 * time.Second, 3, nil, 200, []string{a + ";expires=3590"}},
			{"10.2.4 refresh", 0, 4, []string{"Contact: " + a, "Expires: 600"}, 200, []string{a + ";expires=600"}},
			{"10.2.1.1 the parameter goes before the header", 0, 5, []string{"Contact: " + b + ";Expires=300", "Expires: 900"}, 200,
				[]string{a + ";expires=600", b + ";expires=300"}},
			{"10.3 step 8: a query lists all", 0, 6, []string{"Expires: 60"}, 200, []string{a + ";expires=600", b + ";expires=300"}},
			{"10.2.2 removal by expires=0", 0, 7, []string{"Contact: " + a + ";expires=0"}, 200, []string{b + ";expires=300"}},
			{"10.2.2 removal of what is not there", 0, 8, []string{"Contact: " + c + ";expires=0"}, 200, []string{b + ";expires=300"}},
			{"10.3: expired", 300 * time.Second, 9, nil, 200, nil},
		},
		"several contacts": {
			{"10.2.1 two at once", 0, 1, []string{"Contact: " + a + ";q=0.5, " + b, "Contact: " + c + ";expires=120"}, 200,
				[]string{a + ";q=0.5;expires=3600", b + ";expires=3600", c + ";expires=120"}},
			{"one added, one removed", 0, 2, []string{"Contact: " + b + ";expires=0, <sip:anna@192.0.2.13>"}, 200,
				[]string{a + ";q=0.5;expires=3600", c + ";expires=120", "<sip:anna@192.0.2.13>;expires=3600"}},
			{"named twice", 0, 3, []string{"Contact: " + a + ";expires=100," + a + ";expires=200"}, 200,
				[]string{a + ";expires=200", c + ";expires=120", "<sip:anna@192.0.2.13>;expires=3600"}},
		},
		"the star": {
			{"", 0, 1, []string{"Contact: " + a + ", " + b}, 200, []string{a + ";expires=3600", b + ";expires=3600"}},
			{"10.3 step 6: star without Expires", 0, 2, []string{"Contact: *"}, 400, nil},
			{"10.3 step 6: star with another Expires", 0, 3, []string{"Contact: *", "Expires: 60"}, 400, nil},
			{"10.3 step 6: star with a contact", 0, 4, []string{"Contact: " + a, "Contact: *", "Expires: 0"}, 400, nil},
			{"10.3 step 6: star out of order is refused", 0, 1, []string{"Contact: *", "Expires: 0"}, 500, nil},
			{"nothing has changed", 0, 5, nil, 200, []string{a + ";expires=3600", b + ";expires=3600"}},
			{"10.3 step 6: star removes all", 0, 6, []string{"Contact: *", "Expires: 0"}, 200, nil},
			{"star on nothing", 0, 7, []string{"Contact: *", "Expires: 0"}, 200, nil},
		},
		"the star of another Call-ID": {
			{"", 0, 100, []string{"Contact: " + a}, 200, []string{a + ";expires=3600"}},
			{"10.3 step 6: CSeq does not matter then", 0, 1, []string{"Call-ID: d", "Contact: *", "Expires: 0"}, 200, nil},
		},
		"order": {
			{"", 0, 10, []string{"Contact: " + a}, 200, []string{a + ";expires=3600"}},
			{"10.3 step 7: the same CSeq", 0, 10, []string{"Contact: " + a + ";expires=0"}, 500, nil},
			{"10.3 step 7: a lower CSeq", 0, 9, []string{"Contact: " + a}, 500, nil},
			{"10.3 step 7: another contact is new", 0, 9, []string{"Contact: " + b}, 200, []string{a + ";expires=3600", b + ";expires=3600"}},
			{"10.3 step 7: all or nothing", 0, 10, []string{"Contact: " + b + ";expires=100, " + c + ", " + a}, 500, nil},
			{"nothing has changed", 0, 11, nil, 200, []string{a + ";expires=3600", b + ";expires=3600"}},
			{"10.3 step 7: another Call-ID wins", 0, 1, []string{"Call-ID: d", "Contact: " + a + ";expires=60"}, 200,
				[]string{a + ";expires=60", b + ";expires=3600"}},
		},
		"expiry": {
			{"10.3 step 7: too brief", 0, 1, []string{"Contact: " + a + ";expires=59"}, 423, nil},
			{"10.3 step 7: too brief by header", 0, 2, []string{"Contact: " + a, "Expires: 1"}, 423, nil},
			{"10.3 step 7: one too brief, none bound", 0, 3, []string{"Contact: " + a + ", " + b + ";expires=1"}, 423, nil},
			{"the minimum", 0, 4, []string{"Contact: " + a + ";expires=60"}, 200, []string{a + ";expires=60"}},
			{"10.3 step 7: the registrar may shorten", 0, 5, []string{"Contact: " + a + ";expires=999999"}, 200, []string{a + ";expires=7200"}},
			{"10.2.1.1: malformed counts as 3600", 0, 6, []string{"Contact: " + a + ";expires=soon"}, 200, []string{a + ";expires=3600"}},
			{"10.2.1.1: malformed header", 0, 7, []string{"Contact: " + a, "Expires: abc"}, 200, []string{a + ";expires=3600"}},
			{"10.2.1.1: too large", 0, 8, []string{"Contact: " + a + ";expires=4294967296"}, 200, []string{a + ";expires=3600"}},
		},
		"refused": {
			{"20.10 q above one", 0, 1, []string{"Contact: " + a + ";q=1.001"}, 400, nil},
			{"20.10 q of four digits", 0, 2, []string{"Contact: " + a + ";q=0.1234"}, 400, nil},
			{"20.10 q in letters", 0, 3, []string{"Contact: " + a + ";q=high"}, 400, nil},
			{"20.10 q with a letter", 0, 3, []string{"Contact: " + a + ";q=0.x"}, 400, nil},
			{"not SIP", 0, 4, []string{"Contact: <mailto:anna@example.com>"}, 416, nil},
			{"19.1.5 headers in the URI", 0, 5, []string{"Contact: <sip:anna@h?Route=%3Csip:x%3E>"}, 400, nil},
			{"one good, one bad", 0, 6, []string{"Contact: " + a + ", <sip:b@h?x=y>"}, 400, nil},
			{"endless", 0, 7, []string{"Contact: <sip:" + strings.Repeat("a", 3000) + "@h>"}, 400, nil},
			{"10.3 step 2: Require", 0, 8, []string{"Contact: " + a, "Require: gruu, path"}, 420, nil},
			{"RFC 3327: malformed Path", 0, 9, []string{"Contact: " + a, "Path: nonsense"}, 400, nil},
			{"nothing is bound", 0, 10, nil, 200, nil},
		},
		"URI comparison": {
			{"", 0, 1, []string{"Contact: <sip:anna@PBX.example.com;x=1>"}, 200, []string{"<sip:anna@PBX.example.com;x=1>;expires=3600"}},
			{"19.1.4 host without case, unknown parameter on one side", 0, 2, []string{"Contact: <sip:%61nna@pbx.example.com;y=2>"}, 200,
				[]string{"<sip:%61nna@pbx.example.com;y=2>;expires=3600"}},
			{"19.1.4 a port is not its absence", 0, 3, []string{"Contact: <sip:anna@pbx.example.com:5060>;expires=100"}, 200,
				[]string{"<sip:%61nna@pbx.example.com;y=2>;expires=3600", "<sip:anna@pbx.example.com:5060>;expires=100"}},
			{"19.1.4 transport is not its absence", 0, 4, []string{"Contact: <sip:anna@pbx.example.com:5060;transport=tcp>;expires=100, <sip:anna@pbx.example.com:5060>;expires=0"}, 200,
				[]string{"<sip:%61nna@pbx.example.com;y=2>;expires=3600", "<sip:anna@pbx.example.com:5060;transport=tcp>;expires=100"}},
			{"19.1.4 user with case", 0, 5, []string{"Contact: <sip:Anna@pbx.example.com>;expires=100"}, 200,
				[]string{"<sip:%61nna@pbx.example.com;y=2>;expires=3600", "<sip:anna@pbx.example.com:5060;transport=tcp>;expires=100",
					"<sip:Anna@pbx.example.com>;expires=100"}},
			{"19.1.4 parameter values", 0, 6, []string{"Contact: <sip:anna@pbx.example.com:5060;transport=TCP>;expires=0, <sip:anna@pbx.example.com;y=3>;expires=0"}, 200,
				[]string{"<sip:%61nna@pbx.example.com;y=2>;expires=3600", "<sip:Anna@pbx.example.com>;expires=100"}},
		},
		"too many": {
			{"", 0, 1, []string{"Contact: " + a}, 200, []string{a + ";expires=3600"}},
			{"", time.Second, 2, []string{"Contact: " + b}, 200, []string{a + ";expires=3599", b + ";expires=3600"}},
			{"", time.Second, 3, []string{"Contact: " + a}, 200, []string{a + ";expires=3600", b + ";expires=3599"}},
			{"", time.Second, 4, []string{"Contact: " + c}, 200, []string{a + ";expires=3599", b + ";expires=3598", c + ";expires=3600"}},
			{"the one not refreshed longest gives way", 0, 5, []string{"Contact: <sip:anna@d>"}, 200,
				[]string{a + ";expires=3599", c + ";expires=3600", "<sip:anna@d>;expires=3600"}},
			{"more at once than allowed", 0, 6, []string{"Contact: <sip:1@h>, <sip:2@h>, <sip:3@h>, <sip:4@h>"}, 403, nil},
			{"nothing has changed", 0, 7, nil, 200, []string{a + ";expires=3599", c + ";expires=3600", "<sip:anna@d>;expires=3600"}},
		},
	}
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRegistrar(t, Options{MaxContacts: 3})
				for i, s := range story {
					time.Sleep(s.wait)
					synctest.Wait() // what expires in this very instant has expired
					res := r.Handle(register(t, s.cseq, s.lines...), "anna", udpFlow)
					if res.StatusCode != s.code {
						t.Fatalf("step %d, %s: status %d %s, want %d", i, s.section, res.StatusCode, res.Reason, s.code)
					}
					if diff := cmp.Diff(s.want, values(res, "Contact")); diff != "" {
						t.Fatalf("step %d, %s (-want +got):\n%s", i, s.section, diff)
					}
					if date, ok := header.Value(res, "Date"); ok != (s.code == 200) || ok && date != time.Now().UTC().Format(time.RFC1123[:26])+"GMT" {
						t.Errorf("step %d: Date %q", i, date)
					}
					if v, _ := header.Value(res, "Min-Expires"); (v == "60") != (s.code == 423) {
						t.Errorf("step %d: Min-Expires %q", i, v)
					}
				}
			})
		})
	}
}

// RFC 3261 10.3 step 7: an hour is never too brief, whatever the minimum.
func TestHandle_AnHourIsNeverTooBrief(t *testing.T) {
	r := newRegistrar(t, Options{MinExpires: 2 * time.Hour, DefaultExpires: 2 * time.Hour, MaxExpires: 3 * time.Hour})
	if res := r.Handle(register(t, 1, "Contact: <sip:a@h>;expires=3599"), "anna", udpFlow); res.StatusCode != 423 {
		t.Errorf("less: %d", res.StatusCode)
	}
	if res := r.Handle(register(t, 2, "Contact: <sip:a@h>;expires=3600"), "anna", udpFlow); res.StatusCode != 200 {
		t.Errorf("an hour: %d", res.StatusCode)
	}
}

// RFC 3261 16.6: contacts are tried by q; here also the newest first among equals.
func TestContacts_Order(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistrar(t, Options{})
		for i, c := range []string{"<sip:a@h>;q=0.5", "<sip:b@h>", "<sip:c@h>;q=0", "<sip:d@h>;q=0.75", "<sip:e@h>;q=1.000"} {
			r.Handle(register(t, i+1, "Contact: "+c), "anna", udpFlow)
			time.Sleep(time.Second)
		}
		if got := uris(r); !slices.Equal(got, []string{"sip:e@h", "sip:b@h", "sip:d@h", "sip:a@h", "sip:c@h"}) {
			t.Errorf("got %v", got)
		}
		b := r.Contacts("anna")[2]
		if b.Q != 750 || b.Flow != udpFlow || b.CallID != "c" || b.CSeq != 4 || b.Params != ";q=0.75" {
			t.Errorf("binding %+v", b)
		}
	})
}

// RFC 3327 5.3: Path is stored in order, and echoed to a phone that supports it.
func TestHandle_Path(t *testing.T) {
	r := newRegistrar(t, Options{})
	const p1, p2, p3 = "<sip:p1.example.com;lr>", "<sip:p2.example.com;lr;ob>", "<sip:p3.example.com;lr>"
	res := r.Handle(register(t, 1, "Contact: <sip:a@h>", "Path: "+p1+","+p2, "Path: "+p3, "Supported: path"), "anna", udpFlow)
	if got := values(res, "Path"); !slices.Equal(got, []string{p1, p2, p3}) {
		t.Errorf("echoed %v", got)
	}
	if got := r.Contacts("anna")[0].Path; !slices.Equal(got, []string{p1, p2, p3}) {
		t.Errorf("stored %v", got)
	}
	res = r.Handle(register(t, 2, "Contact: <sip:a@h>", "Path: "+p1), "anna", udpFlow)
	if got := values(res, "Path"); got != nil {
		t.Errorf("echoed to one that does not support it: %v", got)
	}
}

// RFC 5626 section 6.
func TestHandle_Outbound(t *testing.T) {
	const device = `;+sip.instance="<urn:uuid:1>"`
	r := newRegistrar(t, Options{})
	reg := func(cseq int, flow Flow, lines ...string) *sip.Response {
		return r.Handle(register(t, cseq, lines...), "anna", flow)
	}
	res := reg(1, tcpFlow, "Contact: <sip:a@h:1>;reg-id=1"+device, "Supported: path, outbound")
	if res.StatusCode != 200 || !slices.Equal(values(res, "Require"), []string{"outbound"}) {
		t.Fatalf("%v", res)
	}
	if got := values(res, "Contact"); !slices.Equal(got, []string{"<sip:a@h:1>;reg-id=1" + device + ";expires=3600"}) {
		t.Errorf("echo %v", got)
	}
	reg(2, Flow{ID: "t2", Transport: "tcp"}, "Contact: <sip:a@h:2>;reg-id=1"+device, "Supported: outbound")
	if got := uris(r); !slices.Equal(got, []string{"sip:a@h:2"}) {
		t.Errorf("same instance and reg-id replace: %v", got)
	}
	reg(3, tcpFlow, "Contact: <sip:a@h:3>;reg-id=2"+device, "Supported: outbound")
	if got := uris(r); len(got) != 2 {
		t.Errorf("another flow of the device stays: %v", got)
	}
	if res := reg(2, tcpFlow, "Contact: <sip:a@h:4>;reg-id=2"+device); res.StatusCode != 500 {
		t.Errorf("out of order: %d", res.StatusCode)
	}
	r.FlowGone("t2")
	if got := uris(r); !slices.Equal(got, []string{"sip:a@h:3"}) {
		t.Errorf("after the flow is gone: %v", got)
	}
	for i, c := range []struct {
		lines []string
		flow  Flow
		code  int
		req   []string
	}{
		{[]string{"Contact: <sip:a@h:3>;reg-id=0" + device}, tcpFlow, 400, nil},
		{[]string{"Contact: <sip:a@h:3>;reg-id=x" + device}, tcpFlow, 400, nil},
		{[]string{"Contact: <sip:a@h:3>;reg-id=1" + device + ",<sip:a@h:4>;reg-id=2" + device}, tcpFlow, 400, nil},
		{[]string{"Contact: <sip:a@h:3>;reg-id=2" + device, "Supported: outbound", "Via: SIP/2.0/UDP p;branch=z9hG4bKp"}, tcpFlow, 439, nil},
		{[]string{"Contact: <sip:a@h:3>;reg-id=2" + device, "Supported: outbound, path", "Via: SIP/2.0/UDP p;branch=z9hG4bKp", "Path: <sip:p;lr;ob>"}, udpFlow, 200, []string{"outbound"}},
		{[]string{"Contact: <sip:a@h:3>;reg-id=2" + device, "Supported: outbound, path", "Via: SIP/2.0/UDP p;branch=z9hG4bKp", "Path: <sip:p;lr;ob>,<sip:q;lr>"}, udpFlow, 439, nil},
		{[]string{"Contact: <sip:a@h:3>;reg-id=2" + device, "Supported: outbound"}, udpFlow, 200, nil}, // no STUN there
		{[]string{"Contact: <sip:a@h:3>;reg-id=2" + device}, tcpFlow, 200, nil},
		{[]string{"Contact: <sip:a@h:3>;reg-id=7", "Supported: outbound"}, tcpFlow, 200, nil}, // no instance: reg-id ignored
	} {
		res := reg(10+i, c.flow, c.lines...)
		if res.StatusCode != c.code || !slices.Equal(values(res, "Require"), c.req) {
			t.Errorf("case %d: %d %s %v", i, res.StatusCode, res.Reason, values(res, "Require"))
		}
	}
}

// A phone that restarts and picks another port leaves nothing behind, where it names itself.
func TestHandle_RestartedDevice(t *testing.T) {
	const device = `;+sip.instance="<urn:uuid:1>"`
	r := newRegistrar(t, Options{})
	r.Handle(register(t, 5, "Call-ID: old", "Contact: <sip:a@h:1>"+device+", <sip:a@h:2>"+device), "anna", udpFlow)
	if got := uris(r); len(got) != 2 {
		t.Fatalf("both of one registration stay: %v", got)
	}
	r.Handle(register(t, 6, "Call-ID: old", "Contact: <sip:a@h:1>"+device), "anna", udpFlow)
	if got := uris(r); len(got) != 2 {
		t.Fatalf("a refresh of one leaves the other: %v", got)
	}
	r.Handle(register(t, 1, "Call-ID: new", "Contact: <sip:a@h:3>"+device), "anna", udpFlow)
	if got := uris(r); !slices.Equal(got, []string{"sip:a@h:3"}) {
		t.Errorf("got %v", got)
	}
	r.Handle(register(t, 1, "Call-ID: other", `Contact: <sip:a@h:4>;+sip.instance="<urn:uuid:2>"`), "anna", udpFlow)
	if got := uris(r); len(got) != 2 {
		t.Errorf("another device: %v", got)
	}
}

func TestClose_RefusesLaterRequests(t *testing.T) {
	r := newRegistrar(t, Options{})
	r.Close()
	if res := r.Handle(register(t, 1, "Contact: <sip:a@h>"), "anna", udpFlow); res.StatusCode != 503 {
		t.Errorf("got %d", res.StatusCode)
	}
}

func TestNew_Errors(t *testing.T) {
	if _, err := New(Options{MinExpires: 3 * time.Hour}); err == nil {
		t.Error("no error for times out of order")
	}
	failing := &memory{fail: errors.New("disk gone")}
	if _, err := New(Options{Store: failing}); !errors.Is(err, failing.fail) {
		t.Errorf("load error lost: %v", err)
	}
}

// Concurrent requests, expiries and closing flows: the end state is consistent, and each user has
// heard yes and no by turns.
func TestHandle_Concurrent(t *testing.T) {
	last := map[string]bool{}
	var mu sync.Mutex
	r := newRegistrar(t, Options{OnReachable: func(user string, yes bool) {
		mu.Lock()
		defer mu.Unlock()
		if last[user] == yes {
			t.Errorf("%s: %v twice", user, yes)
		}
		last[user] = yes
	}})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			flow := Flow{ID: fmt.Sprint("t", g), Transport: "tcp"}
			for i := range 150 {
				user := fmt.Sprint("u", i%5)
				r.Handle(register(t, i+1, fmt.Sprintf("Call-ID: c%d", g), fmt.Sprintf("Contact: <sip:%d@h>", g)), user, flow)
				switch i % 7 {
				case 3:
					r.FlowGone(flow.ID)
				case 5:
					r.Handle(register(t, i+1, fmt.Sprintf("Call-ID: x%d", g), "Contact: *", "Expires: 0"), user, flow)
				}
				r.Contacts(user)
				r.Users()
			}
			r.FlowGone(flow.ID)
		})
	}
	wg.Wait()
	checkEmpty(t, r)
	mu.Lock()
	defer mu.Unlock()
	for user, yes := range last {
		if yes {
			t.Errorf("%s was left reachable", user)
		}
	}
}

// FuzzHandle: no contact list panics, and the indexes agree with each other afterwards.
func FuzzHandle(f *testing.F) {
	f.Add("<sip:a@h>;expires=60;q=0.1, \"x\" <sip:b@h:5061;transport=tcp>;+sip.instance=\"<urn:x>\";reg-id=1", "*", "60")
	f.Add("*", "sip:a@h;expires=99999999999", "0")
	f.Fuzz(func(t *testing.T, first, second, expires string) {
		r, err := New(Options{MaxContacts: 3})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for i, c := range []string{first, second, first} {
			text := "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\n" +
				fmt.Sprintf("Call-ID: c\r\nCSeq: %d REGISTER\r\nContact: %s\r\nExpires: %s\r\n\r\n", i+1, c, expires)
			m, err := header.NewParser().ParseSIP([]byte(text))
			if err != nil {
				return
			}
			req, ok := m.(*sip.Request)
			if !ok || header.Check(req) != nil {
				return
			}
			res := r.Handle(req, "anna", udpFlow)
			bound := r.Contacts("anna")
			if res.StatusCode == 200 && len(values(res, "Contact")) != len(bound) || len(bound) > 3 {
				t.Fatalf("%d bindings, answer %v", len(bound), res)
			}
			sh := r.shard("anna")
			if len(sh.heap) != len(bound) || len(sh.flows[udpFlow.ID]) != len(bound) {
				t.Fatalf("%d bindings, %d in the heap, %d by flow", len(bound), len(sh.heap), len(sh.flows[udpFlow.ID]))
			}
			for _, v := range values(res, "Contact") {
				if _, _, _, err := header.ParseAddress(v); err != nil {
					t.Fatalf("can't read our own contact %q", v)
				}
			}
		}
	})
}

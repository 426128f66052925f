package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"centrala/sip/header"
)

var (
	phone    = netip.MustParseAddr("192.0.2.10")
	attacker = netip.MustParseAddr("203.0.113.66")
)

// clock is set by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newAuth(t testing.TB, o Options) (*Authenticator, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	o.Realm, o.Now = "example.com", c.now
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

func users(name string) (Secret, bool) {
	switch name {
	case "anna":
		return Secret{User: "anna", Password: "secret"}, true
	case "101":
		return Secret{User: "anna", Password: "secret"}, true
	case "hash": // of hash:example.com:pw
		return Secret{User: "hash", HA1: HA1{
			MD5:    "ddd4d3d06e2be8c3b277ac7a044725da",
			SHA256: "0000000000000000000000000000000000000000000000000000000000000000",
		}}, true
	}
	return Secret{}, false
}

func register(t testing.TB, lines ...string) *sip.Request {
	t.Helper()
	text := "REGISTER sip:example.com:5060;transport=udp SIP/2.0\r\n" +
		"Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKa\r\nFrom: <sip:anna@example.com>;tag=1\r\n" +
		"To: <sip:anna@example.com>\r\nCall-ID: c1\r\nCSeq: 1 REGISTER\r\n"
	for _, l := range lines {
		text += l + "\r\n"
	}
	m, err := header.NewParser().ParseSIP([]byte(text + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return m.(*sip.Request)
}

// challenges parses the WWW-Authenticate headers, in order.
func challenges(t testing.TB, res *sip.Response) []*digest.Challenge {
	t.Helper()
	var list []*digest.Challenge
	for v := range header.Values(res, "WWW-Authenticate") {
		c, err := digest.ParseChallenge(v)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

// answer is what a phone makes of a challenge, computed by a library of others.
func answer(t testing.TB, c *digest.Challenge, o digest.Options) string {
	t.Helper()
	if o.Method == "" {
		o.Method = "REGISTER"
	}
	if o.URI == "" {
		o.URI = "sip:example.com"
	}
	if o.Username == "" {
		o.Username = "anna"
	}
	if o.Password == "" {
		o.Password = "secret"
	}
	cred, err := digest.Digest(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + cred.String()
}

func check(t testing.TB, a *Authenticator, from netip.Addr, lines ...string) (string, Verdict) {
	t.Helper()
	return a.Check(register(t, lines...), from, users)
}

func fresh(t testing.TB, a *Authenticator, from netip.Addr) []*digest.Challenge {
	t.Helper()
	return challenges(t, a.Challenge(register(t), from, false))
}

// RFC 8760 2.3, 2.4: a header per algorithm, the strongest first; RFC 7616 3.3: qop, stale, realm.
func TestChallenge(t *testing.T) {
	a, _ := newAuth(t, Options{})
	res := a.Challenge(register(t), phone, false)
	if res.StatusCode != 401 {
		t.Errorf("status %d", res.StatusCode)
	}
	list := challenges(t, res)
	if len(list) != 2 || list[0].Algorithm != "SHA-256" || list[1].Algorithm != "MD5" {
		t.Fatalf("challenges %+v", list)
	}
	for _, c := range list {
		if c.Realm != "example.com" || !c.SupportsQOP("auth") || c.Stale || c.Nonce == "" {
			t.Errorf("%+v", c)
		}
	}
	if c := challenges(t, a.Challenge(register(t), phone, true)); !c[0].Stale || c[0].Nonce == list[0].Nonce {
		t.Errorf("stale challenge %+v", c[0])
	}
}

func TestCheck_RightPassword(t *testing.T) {
	a, _ := newAuth(t, Options{})
	for _, name := range []string{"anna", "anna@example.com", "101"} {
		for i := range 2 {
			alg := fresh(t, a, phone)[i]
			got, v := check(t, a, phone, answer(t, alg, digest.Options{Username: name}))
			if v != OK || got != "anna" {
				t.Errorf("%s %s: %q %v", name, alg.Algorithm, got, v)
			}
		}
	}
}

// RFC 7616 3.4: algorithm and qop may be missing (RFC 2069 clients, RFC 3261 22.4).
func TestCheck_OldClients(t *testing.T) {
	a, _ := newAuth(t, Options{})
	c := *fresh(t, a, phone)[1]
	c.QOP, c.Algorithm = nil, ""
	line := answer(t, &c, digest.Options{})
	if _, v := check(t, a, phone, line); v != OK {
		t.Errorf("without qop: %v", v)
	}
	if _, v := check(t, a, phone, line); v != Stale {
		t.Errorf("the same again: %v, want stale, as there is no count", v)
	}
	upper := answer(t, fresh(t, a, phone)[1], digest.Options{})
	head, response, _ := strings.Cut(upper, "response=")
	if _, v := check(t, a, phone, head+"response="+strings.ToUpper(response)); v != OK {
		t.Errorf("digits in capitals: %v", v)
	}
}

func TestCheck_HA1(t *testing.T) {
	a, _ := newAuth(t, Options{})
	list := fresh(t, a, phone)
	o := digest.Options{Username: "hash", Password: "pw"}
	if user, v := check(t, a, phone, answer(t, list[1], o)); v != OK || user != "hash" {
		t.Errorf("%q %v", user, v)
	}
	if _, v := check(t, a, phone, answer(t, list[0], digest.Options{Username: "hash", Password: "other"})); v != Wrong {
		t.Errorf("wrong: %v", v)
	}
	// A secret with nothing in it opens for nobody, not even for the empty password.
	empty := func(string) (Secret, bool) { return Secret{User: "x"}, true }
	cred := answer(t, list[1], digest.Options{Count: 9, A1: md5Hex("anna:example.com:")})
	if _, v := a.Check(register(t, cred), phone, empty); v != Wrong {
		t.Errorf("empty secret: %v", v)
	}
}

func md5Hex(s string) string {
	var b [64]byte
	return string(b[:hexSum(false, &b, []byte(s))])
}

// RFC 3261 22.1, 22.4: other schemes, realms and algorithms are no answer to our challenge.
func TestCheck_NotForUs(t *testing.T) {
	a, _ := newAuth(t, Options{})
	list := fresh(t, a, phone)
	foreign := *list[0]
	foreign.Realm = "other.example"
	unoffered := *list[0]
	unoffered.Algorithm = "SHA-512-256"
	integrity := *list[0]
	integrity.QOP = []string{"auth-int"}
	for name, lines := range map[string][]string{
		"nothing":         nil,
		"another scheme":  {"Authorization: Bearer abc"},
		"scheme alone":    {"Authorization: Digest"},
		"another realm":   {answer(t, &foreign, digest.Options{})},
		"not offered":     {answer(t, &unoffered, digest.Options{})},
		"qop not offered": {answer(t, &integrity, digest.Options{})},
	} {
		if user, v := check(t, a, phone, lines...); v != Missing || user != "" {
			t.Errorf("%s: %q %v, want missing", name, user, v)
		}
	}
	if _, v := check(t, a, phone, answer(t, &foreign, digest.Options{}), "authorization: Bearer x", answer(t, list[0], digest.Options{})); v != OK {
		t.Errorf("ours among others: %v", v)
	}
}

func TestCheck_Malformed(t *testing.T) {
	a, _ := newAuth(t, Options{})
	good := answer(t, fresh(t, a, phone)[0], digest.Options{})
	for name, line := range map[string]string{
		"no list":         "Authorization: Digest nonsense",
		"no quote":        `Authorization: Digest username="anna`,
		"junk after":      strings.Replace(good, `",`, `"x,`, 1),
		"twice":           good + `, username="bob"`,
		"no response":     good[:strings.Index(good, ", response")],
		"nc of zero":      strings.Replace(good, "nc=00000001", "nc=00000000", 1),
		"nc too long":     strings.Replace(good, "nc=00000001", "nc=000000001", 1),
		"nc not hex":      strings.Replace(good, "nc=00000001", "nc=0000000z", 1),
		"no nc":           strings.Replace(good, "nc=00000001", "x=1", 1),
		"no cnonce":       strings.Replace(good, "cnonce=", "x=", 1),
		"endless field":   strings.Replace(good, `username="anna`, `username="anna`+strings.Repeat("a", 600), 1),
		"another host":    strings.Replace(good, "sip:example.com", "sip:example.net", 1),
		"another user":    strings.Replace(good, "sip:example.com", "sip:bob@example.com", 1),
		"another scheme":  strings.Replace(good, "sip:example.com", "sips:example.com", 1),
		"no scheme":       strings.Replace(good, "sip:example.com", "example.com", 1),
		"unclosed escape": `Authorization: Digest username="anna\`,
	} {
		if _, v := check(t, a, phone, line); v != Malformed {
			t.Errorf("%s: %v", name, v)
		}
	}
	if res := a.Refuse(register(t), phone, Malformed); res.StatusCode != 400 {
		t.Errorf("answer %d", res.StatusCode)
	}
}

// RFC 7616 3.4.6: the uri names the same resource; how it is written may differ.
func TestCheck_DigestURI(t *testing.T) {
	for _, c := range []struct {
		digest, target string
		same           bool
	}{
		{"sip:example.com", "sip:example.com:5060;transport=tcp", true},
		{"SIP:Example.COM:5061;x=y", "sip:example.com", true},
		{"sip:anna@example.com?x=y", "sip:anna@example.com", true},
		{"sip:%61nna@example.com", "sip:anna@example.com", true},
		{"sip:[2001:db8::1]:5060", "sip:[2001:db8::1]", true},
		{"sip:[2001:db8::1]", "sip:[2001:db8::2]", false},
		{"sip:anna:pw@example.com", "sip:anna@example.com", true},
		{"sip:bob@example.com", "sip:anna@example.com", false},
		{"sip:example.com", "sip:anna@example.com", false},
		{"tel:+48221234567", "tel:+48221234567", true},
		{"tel:+48221234567", "tel:+48221234568", false},
		{"example.com", "sip:example.com", false},
	} {
		u, err := header.ParseURI(c.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameTarget(c.digest, &u); got != c.same {
			t.Errorf("%s and %s: %v", c.digest, c.target, got)
		}
	}
}

// The verdict and the answer do not tell whether the user exists.
func TestCheck_UnknownUserLooksLikeWrongPassword(t *testing.T) {
	a, _ := newAuth(t, Options{})
	var answers []string
	for _, name := range []string{"anna", "nobody"} {
		_, v := check(t, a, phone, answer(t, fresh(t, a, phone)[0], digest.Options{Username: name, Password: "guess"}))
		if v != Wrong {
			t.Errorf("%s: %v", name, v)
		}
		res := a.Refuse(register(t), phone, v)
		c := challenges(t, res)
		if len(c) != 2 || c[0].Stale {
			t.Errorf("%s: %v", name, res)
		}
		answers = append(answers, fmt.Sprint(res.StatusCode, res.Reason, len(res.Headers())))
	}
	if answers[0] != answers[1] {
		t.Errorf("answers differ: %v", answers)
	}
}

// RFC 7616 3.3: a nonce is stale when too old, made by somebody else, or for another address.
func TestCheck_Stale(t *testing.T) {
	a, clk := newAuth(t, Options{})
	other, _ := newAuth(t, Options{})
	c := fresh(t, a, phone)[0]
	forged := *c
	forged.Nonce = strings.Repeat("A", len(c.Nonce))
	short := *c
	short.Nonce = "abc"
	noBase64 := *c
	noBase64.Nonce = strings.Repeat("!", len(c.Nonce))
	for name, cred := range map[string]string{
		"forged":       answer(t, &forged, digest.Options{}),
		"short":        answer(t, &short, digest.Options{}),
		"no base64":    answer(t, &noBase64, digest.Options{}),
		"of a restart": answer(t, fresh(t, other, phone)[0], digest.Options{}),
		"of another":   answer(t, fresh(t, a, attacker)[0], digest.Options{}),
	} {
		if _, v := check(t, a, phone, cred); v != Stale {
			t.Errorf("%s: %v", name, v)
		}
	}
	clk.t = clk.t.Add(5 * time.Minute)
	if _, v := check(t, a, phone, answer(t, c, digest.Options{Count: 1})); v != OK {
		t.Errorf("at the end of its life: %v", v)
	}
	clk.t = clk.t.Add(time.Second)
	if _, v := check(t, a, phone, answer(t, c, digest.Options{Count: 2})); v != Stale {
		t.Errorf("too old: %v", v)
	}
	if c := challenges(t, a.Refuse(register(t), phone, Stale)); !c[0].Stale {
		t.Error("the answer does not say stale")
	}
	// An IPv4 address is the same however the socket writes it.
	c = fresh(t, a, netip.AddrFrom16(phone.As16()))[0]
	if _, v := check(t, a, phone, answer(t, c, digest.Options{})); v != OK {
		t.Errorf("mapped address: %v", v)
	}
}

// RFC 7616 3.4: a nonce count is good once; they may overtake each other, but not by far.
func TestCheck_NonceCount(t *testing.T) {
	a, _ := newAuth(t, Options{})
	c := fresh(t, a, phone)[0]
	for _, step := range []struct {
		nc   int
		want Verdict
	}{
		{1, OK}, {1, Stale}, {3, OK}, {2, OK}, {2, Stale}, {3, Stale}, {100, OK}, {37, OK}, {36, Stale}, {37, Stale},
		{99, OK}, {1 << 31, OK}, {100, Stale}, {1<<31 - 1, OK},
	} {
		if _, v := check(t, a, phone, answerCount(t, c, step.nc)); v != step.want {
			t.Errorf("count %d: %v, want %v", step.nc, v, step.want)
		}
	}
}

// answerCount works for counts above what the client library can write.
func answerCount(t testing.TB, c *digest.Challenge, nc int) string {
	return answer(t, c, digest.Options{Count: nc})
}

// A wrong password can't use up the counts of a nonce.
func TestCheck_WrongPasswordSpoilsNoNonce(t *testing.T) {
	a, _ := newAuth(t, Options{})
	c := fresh(t, a, phone)[0]
	if _, v := check(t, a, phone, answer(t, c, digest.Options{Password: "guess", Count: 500})); v != Wrong {
		t.Fatal(v)
	}
	if _, v := check(t, a, phone, answer(t, c, digest.Options{Count: 1})); v != OK {
		t.Errorf("got %v", v)
	}
}

func TestNew_NoRealm(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error without realm")
	}
}

func TestVerdict_String(t *testing.T) {
	if OK.String() != "ok" || Malformed.String() != "malformed" {
		t.Error(OK, Malformed)
	}
}

// Concurrent use: each count of one nonce is accepted exactly once.
func TestCheck_Concurrent(t *testing.T) {
	a, _ := newAuth(t, Options{})
	c := fresh(t, a, phone)[0]
	results := make(chan Verdict)
	const tries, counts = 4, 30
	for i := range tries * counts {
		req := register(t, answer(t, c, digest.Options{Count: i%counts + 1}))
		go func() {
			_, v := a.Check(req, phone, users)
			results <- v
		}()
	}
	ok := 0
	for range tries * counts {
		if <-results == OK {
			ok++
		}
	}
	if ok != counts {
		t.Errorf("%d accepted, want %d", ok, counts)
	}
}

// FuzzCredentials: no header panics, and none that a stranger makes is accepted.
func FuzzCredentials(f *testing.F) {
	a, _ := newAuth(f, Options{})
	f.Add(strings.TrimPrefix(answer(f, fresh(f, a, phone)[0], digest.Options{Password: "wrong"}), "Authorization: "))
	f.Add(`Digest username="a\"b", realm=example.com,nonce="",uri="sip:x",response=,nc=1,qop=auth`)
	f.Fuzz(func(t *testing.T, s string) {
		req := register(t)
		req.AppendHeader(sip.NewHeader("Authorization", s))
		if user, v := a.Check(req, phone, users); v == OK {
			t.Fatalf("%q accepted as %q", s, user)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, name := range []string{"MD5", "SHA-256"} {
		b.Run(name, func(b *testing.B) {
			a, _ := newAuth(b, Options{})
			i := 1
			if name == "SHA-256" {
				i = 0
			}
			c := fresh(b, a, phone)[i]
			req := register(b, answer(b, c, digest.Options{}))
			cred, _ := a.find(req)
			b.ReportAllocs()
			for b.Loop() {
				a.nonces.used[cred.nonce] = &window{} // as if not yet used
				if _, v := a.Check(req, phone, users); v != OK {
					b.Fatal(v)
				}
			}
		})
	}
}

func BenchmarkChallenge(b *testing.B) {
	a, _ := newAuth(b, Options{})
	req := register(b)
	b.ReportAllocs()
	for b.Loop() {
		a.Challenge(req, phone, false)
	}
}

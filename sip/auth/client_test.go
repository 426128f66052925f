package auth

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// request is a request to carrier.example, to be answered for.
func request(method sip.RequestMethod) *sip.Request {
	return sip.NewRequest(method, sip.Uri{Scheme: "sip", User: "+48601", Host: "carrier.example"})
}

// refusal is an answer with these challenges.
func refusal(code int, challenges ...string) *sip.Response {
	res := sip.NewResponse(code, "")
	name := "WWW-Authenticate"
	if code == sip.StatusProxyAuthRequired {
		name = "Proxy-Authenticate"
	}
	for _, c := range challenges {
		res.AppendHeader(sip.NewHeader(name, c))
	}
	return res
}

// RFC 7616 3.9.1: the published example of each algorithm.
func TestClient_PublishedExamples(t *testing.T) {
	const params = `realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	for challenge, want := range map[string]string{
		`Digest qop="auth, auth-int", algorithm=MD5, ` + params:     "8ca523f5e9506fed4657c9700eebdbec",
		`digest  QOP="auth-int,auth", Algorithm=SHA-256, ` + params: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		ch, ok := parseChallenge(challenge)
		if !ok {
			t.Fatalf("not understood: %s", challenge)
		}
		c := &Client{User: "Mufasa", Password: "Circle of Life"}
		got := ch.answer(c, "GET", "/dir/index.html", nil, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
		for _, part := range []string{`response="` + want + `"`, "nc=00000001", "qop=auth,", `opaque="FQhe/`, `uri="/dir/index.html"`} {
			if !strings.Contains(got, part) {
				t.Errorf("no %s in %s", part, got)
			}
		}
	}
}

// RFC 3261 22.4: without qop the answer is that of RFC 2069, with neither count nor cnonce.
func TestClient_WithoutQuality(t *testing.T) {
	c := &Client{User: "u", Password: "p"}
	c.Challenged(refusal(401, `Digest realm="r",nonce="n",opaque=""`))
	got := c.Headers(request(sip.INVITE))[0].Value()
	want := md5Hex(md5Hex("u:r:p") + ":n:" + md5Hex("INVITE:sip:+48601@carrier.example"))
	if !strings.Contains(got, `response="`+want+`"`) || strings.Contains(got, "nc=") || strings.Contains(got, "qop=") {
		t.Errorf("%s", got)
	}
}

// The server side of this package takes what the client side says, for each algorithm, with one nonce
// used more than once.
func TestClient_AgainstServer(t *testing.T) {
	for _, algorithm := range []string{"SHA-256", "MD5"} {
		a, _ := newAuth(t, Options{})
		c := &Client{User: "anna", Password: "secret"}
		req := register(t)
		res := a.Challenge(req, phone, false)
		var texts []string
		for _, h := range res.GetHeaders("WWW-Authenticate") {
			if strings.HasSuffix(h.Value(), "algorithm="+algorithm) {
				texts = append(texts, h.Value())
			}
		}
		if !c.Challenged(refusal(401, texts...)) {
			t.Fatalf("not understood: %v", texts)
		}
		for n := range 3 {
			req := register(t)
			for _, h := range c.Headers(req) {
				req.AppendHeader(h)
			}
			if user, v := a.Check(req, phone, users); v != OK || user != "anna" {
				t.Errorf("%s, request %d: %v for %q", algorithm, n, v, user)
			}
		}
	}
}

func TestClient_Challenged(t *testing.T) {
	const a, b = `Digest realm="a", nonce="1"`, `Digest realm="b", nonce="1"`
	again := func(c *Client, res *sip.Response) bool {
		yes := c.Challenged(res)
		c.Headers(request(sip.INVITE))
		return yes
	}
	fresh := func() *Client { return &Client{User: "u", Password: "p"} }
	for name, test := range map[string]func() bool{
		"no client":        func() bool { return !(*Client)(nil).Challenged(refusal(401, a)) },
		"no password":      func() bool { return !(&Client{User: "u"}).Challenged(refusal(401, a)) },
		"another code":     func() bool { return !fresh().Challenged(refusal(403, a)) },
		"no challenge":     func() bool { return !fresh().Challenged(refusal(401)) },
		"another scheme":   func() bool { return !fresh().Challenged(refusal(401, `Basic realm="a"`)) },
		"unknown sum":      func() bool { return !fresh().Challenged(refusal(401, a+", algorithm=AKAv1-MD5")) },
		"unknown qop":      func() bool { return !fresh().Challenged(refusal(401, a+`, qop="token"`)) },
		"no nonce":         func() bool { return !fresh().Challenged(refusal(401, `Digest realm="a"`)) },
		"one that we know": func() bool { return fresh().Challenged(refusal(401, a+", algorithm=NEW", a)) },
		"wrong password": func() bool {
			c := fresh()
			return again(c, refusal(401, a)) && !again(c, refusal(401, `Digest realm="a", nonce="2"`))
		},
		"stale nonce": func() bool {
			c := fresh()
			return again(c, refusal(401, a)) && again(c, refusal(401, `Digest realm="a", nonce="2", stale=TRUE`))
		},
		"old nonce": func() bool {
			c := fresh()
			if !again(c, refusal(401, a)) {
				return false
			}
			c.Accepted()
			c.Headers(request(sip.BYE))
			return again(c, refusal(401, `Digest realm="a", nonce="2"`)) && !again(c, refusal(401, `Digest realm="a", nonce="3"`))
		},
		"a proxy, then the server": func() bool {
			c := fresh()
			return again(c, refusal(407, a)) && again(c, refusal(401, b)) && len(c.Headers(request(sip.INVITE))) == 2
		},
		"too many realms": func() bool {
			c := fresh()
			for _, realm := range []string{"1", "2", "3", "4"} {
				if !again(c, refusal(407, `Digest nonce="n", realm="`+realm+`"`)) {
					return false
				}
			}
			return !again(c, refusal(407, `Digest nonce="n", realm="5"`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !test() {
				t.Error("wrong")
			}
		})
	}
}

// RFC 8760 2.4: of one realm the topmost challenge that is understood; the names of the headers follow
// the code (RFC 3261 22.2, 22.3); a quote in a realm stays in its place.
func TestClient_Headers(t *testing.T) {
	c := &Client{User: `u"`, Password: "p"}
	c.Challenged(refusal(407, `Digest realm="a\"b", nonce="1", algorithm=SHA-512-256, qop="auth"`, `Digest realm="a\"b", nonce="1", algorithm=MD5`))
	c.Challenged(refusal(401, `Digest realm="s", nonce="2"`))
	list := c.Headers(request(sip.INVITE))
	if len(list) != 2 || list[0].Name() != "Proxy-Authorization" || list[1].Name() != "Authorization" {
		t.Fatalf("%v", list)
	}
	for _, part := range []string{
		`username="u\""`, `realm="a\"b"`, "algorithm=SHA-512-256", "nc=00000001", `uri="sip:+48601@carrier.example"`,
	} {
		if !strings.Contains(list[0].Value(), part) {
			t.Errorf("no %s in %s", part, list[0].Value())
		}
	}
	if again := c.Headers(request(sip.BYE))[0].Value(); !strings.Contains(again, "nc=00000002") {
		t.Errorf("the second time: %s", again)
	}
	if (*Client)(nil).Headers(request(sip.BYE)) != nil {
		t.Error("credentials of nobody")
	}
	(*Client)(nil).Accepted()
}

// auth-int covers the body (RFC 7616 3.4.3).
func TestClient_AuthInt(t *testing.T) {
	ch, ok := parseChallenge(`Digest realm="r", nonce="n", qop="auth-int"`)
	if !ok {
		t.Fatal("not understood")
	}
	got := ch.answer(&Client{User: "u", Password: "p"}, "INVITE", "sip:1@carrier.example", []byte("v=0"), "c")
	want := md5Hex(md5Hex("u:r:p") + ":n:00000001:c:auth-int:" + md5Hex("INVITE:sip:1@carrier.example:"+md5Hex("v=0")))
	if !strings.Contains(got, `response="`+want+`"`) || !strings.Contains(got, "qop=auth-int") {
		t.Errorf("%s, want %s", got, want)
	}
}

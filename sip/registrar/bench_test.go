package registrar

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/header"
)

// BenchmarkHandle: a re-registration among 10,000 users.
func BenchmarkHandle(b *testing.B) {
	r := newRegistrar(b, Options{})
	for i := range 10000 {
		user := fmt.Sprint("u", i)
		r.Handle(register(b, 1, "Contact: <sip:a@192.0.2.10:5060>", "Call-ID: "+user), user, Flow{ID: user, Transport: "udp"})
	}
	req := register(b, 1, "Contact: <sip:a@192.0.2.10:5060;ob>;+sip.instance=\"<urn:uuid:1>\"", "User-Agent: phone")
	cseq := req.CSeq()
	b.ReportAllocs()
	for b.Loop() {
		cseq.SeqNo++
		if res := r.Handle(req, "u77", udpFlow); res.StatusCode != 200 {
			b.Fatal(res)
		}
	}
}

// BenchmarkRegisterWhole is all that a digest REGISTER costs but the socket and the transaction:
// the request without credentials, its challenge, the request with them, the 200; parsed, checked,
// written.
func BenchmarkRegisterWhole(b *testing.B) {
	r := newRegistrar(b, Options{})
	a, err := auth.New(auth.Options{Realm: "example.com"})
	if err != nil {
		b.Fatal(err)
	}
	source := netip.MustParseAddr("192.0.2.10")
	lookup := func(string) (auth.Secret, bool) { return auth.Secret{User: "anna", Password: "secret"}, true }
	parser := header.NewParser()
	text := strings.Replace(register(b, 1, "Contact: <sip:anna@192.0.2.10:5060;ob>;+sip.instance=\"<urn:uuid:1>\"", "User-Agent: phone",
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE", "Supported: path, outbound").String(), "CSeq: 1 ", "CSeq: %d ", 1)
	exchange := func(msg []byte) *sip.Response {
		if f := header.Screen(msg); f != nil {
			b.Fatal(f)
		}
		m, err := parser.ParseSIP(msg)
		if err != nil {
			b.Fatal(err)
		}
		req := m.(*sip.Request)
		if f := header.Check(req); f != nil {
			b.Fatal(f)
		}
		user, v := a.Check(req, source, lookup)
		var res *sip.Response
		if v == auth.OK {
			res = r.Handle(req, user, udpFlow)
		} else {
			res = a.Refuse(req, source, v)
		}
		if len(res.String()) == 0 {
			b.Fatal("nothing")
		}
		return res
	}
	cseq := 0
	ha1, ha2 := hash("anna:example.com:secret"), hash("REGISTER:sip:example.com")
	b.ReportAllocs()
	for b.Loop() {
		cseq += 2
		var nonce string
		for v := range header.Values(exchange(fmt.Appendf(nil, text, cseq)), "WWW-Authenticate") {
			_, nonce, _ = strings.Cut(v, `nonce="`)
			nonce, _, _ = strings.Cut(nonce, `"`)
		}
		cred := fmt.Sprintf("Authorization: Digest username=\"anna\",realm=\"example.com\",nonce=\"%s\",uri=\"sip:example.com\","+
			"response=\"%s\",algorithm=MD5,qop=auth,nc=00000001,cnonce=\"x\"\r\nCSeq", nonce, hash(ha1+":"+nonce+":00000001:x:auth:"+ha2))
		if res := exchange(fmt.Appendf(nil, strings.Replace(text, "CSeq", cred, 1), cseq+1)); res.StatusCode != 200 {
			b.Fatal(res)
		}
	}
}

func hash(s string) string {
	h := md5.Sum([]byte(s))
	return hex.EncodeToString(h[:])
}

// BenchmarkExpire: 10,000 bindings that end at once.
func BenchmarkExpire(b *testing.B) {
	now := time.Unix(1e9, 0)
	r := newRegistrar(b, Options{Now: func() time.Time { return now }})
	for b.Loop() {
		b.StopTimer()
		for i := range 10000 {
			user := fmt.Sprint("u", i)
			q := &request{callID: user, cseq: 1, flow: Flow{ID: user}, contacts: []contact{{text: "sip:a@h", expires: now.Add(time.Hour)}}}
			sh := r.shard(user)
			sh.mu.Lock()
			sh.update(user, q, now)
			sh.mu.Unlock()
		}
		b.StartTimer()
		now = now.Add(2 * time.Hour)
		for i := range r.shards {
			r.shards[i].expire()
		}
	}
}

package trace

import (
	"strings"
	"testing"
)

func TestClean_HidesSecretsAndNothingElse(t *testing.T) {
	message := strings.ReplaceAll(`INVITE sip:anna:pass1word@pbx.test SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1
From: "Anna sip:x" <sip:anna:pass2word@pbx.test>;tag=1
To: <SIPS:600:pass3word@pbx.test;transport=tls>
i : call-1@192.0.2.1
Contact: <sip:anna@192.0.2.1:5061>
Route:sip:anna:pass4word@192.0.2.1
Authorization: Digest username="anna", realm="pbx.test", nonce="keepnonce",
 uri="sip:pbx.test", response="secret-answer", cnonce="keepcnonce", qop=auth
PROXY-AUTHORIZATION: Digest username="anna",response = bare-answer,nonce="keepnonce2"
Proxy-Authorization: Bearer secret-token-1
Authentication-Info: rspauth="secret-rsp", nextnonce="keepnext"
User-Agent: response="kept in other headers"
Content-Type: application/sdp
Content-Length: 1

v=0
c=IN IP4 192.0.2.1
k=base64:secretk
m=audio 4000 RTP/SAVP 8
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secretKey1234|2^20|1:4;inline:secretKey5678
a=ice-pwd:secretice
a=rtpmap:8 PCMA/8000
`, "\n", "\r\n")
	got, callID := clean([]byte(message), false)
	if callID != "call-1@192.0.2.1" {
		t.Errorf("Call-ID %q", callID)
	}
	if len(got) != len(message) {
		t.Errorf("%d bytes became %d", len(message), len(got))
	}
	want := message
	for _, secret := range []string{
		"pass1word", "pass2word", "pass3word", "pass4word", "secret-answer", "bare-answer", "secret-token-1", "secret-rsp",
		"base64:secretk", "secretKey1234", "secretKey5678", "secretice",
	} {
		if !strings.Contains(message, secret) {
			t.Fatalf("the test does not contain %q", secret)
		}
		want = strings.ReplaceAll(want, secret, strings.Repeat("x", len(secret)))
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if !strings.Contains(message, "pass1word") {
		t.Error("the message itself was changed")
	}
}

func TestClean_TelephoneKeys(t *testing.T) {
	info := func(contentType, body string) string {
		return "INFO sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Type: " + contentType + "\r\n\r\n" + body
	}
	for name, c := range map[string]struct{ given, hidden string }{
		"relay":  {info("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"), info("application/dtmf-relay", "Signal=x\r\nDuration=160\r\n")},
		"spaced": {info("application/DTMF-relay", "Signal= #\nDuration= 160"), info("application/DTMF-relay", "Signal= x\nDuration= 160")},
		"alone":  {info("application/dtmf", "5"), info("application/dtmf", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := clean([]byte(c.given), false); string(got) != c.hidden {
				t.Errorf("%q", got)
			}
			if got, _ := clean([]byte(c.given), true); string(got) != c.given {
				t.Errorf("to be shown, and is %q", got)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response=\"ab\"\r\ni:1\r\n\r\nv=0\r\na=crypto:1 A inline:"))
	f.Add([]byte("sip:sip:@sips:a:b@\r\nAuthorization:response=\r\n response=\"\r\n\r\n="))
	f.Fuzz(func(t *testing.T, msg []byte) {
		before := string(msg)
		got, _ := clean(msg, false)
		if len(got) != len(msg) || string(msg) != before {
			t.Errorf("%q became %q", before, got)
		}
		for i := range got {
			if got[i] != msg[i] && got[i] != hidden {
				t.Fatalf("%q became %q", msg, got)
			}
		}
		_ = entryOf(Message{Data: got}, "", "")
	})
}

package sdp_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"centrala/media/sdp"
)

// line is a line a=crypto with a key of one letter.
func line(tag int, suite sdp.Suite, letter string, more string) string {
	return fmt.Sprintf("a=crypto:%d %s inline:%s%s", tag, suite, encoded(suite, letter), more)
}

func encoded(suite sdp.Suite, letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, suite.KeyLen())))
}

// crypto returns the lines a=crypto and the m= line of a description.
func crypto(description []byte) (lines []string, proto string) {
	for l := range strings.SplitSeq(string(description), "\r\n") {
		if strings.HasPrefix(l, "a=crypto:") {
			lines = append(lines, l)
		}
		if strings.HasPrefix(l, "m=audio") {
			proto = strings.Fields(l)[2]
		}
	}
	return lines, proto
}

// RFC 4568: what is offered under each policy.
func TestCrypto_Offers(t *testing.T) {
	both := []string{line(1, sdp.GCM128, "K", ""), line(2, sdp.CM128, "K", "")}
	for _, c := range []struct {
		policy sdp.Security
		proto  string
		lines  []string
	}{
		{sdp.SecureAccepted, "RTP/AVP", nil},
		{sdp.SecureOffered, "RTP/AVP", both},
		{sdp.SecureRequired, "RTP/SAVP", both},
		{sdp.SecureNever, "RTP/AVP", nil},
	} {
		n := secureNegotiator(c.policy)
		offer := n.Offer()
		lines, proto := crypto(offer)
		if proto != c.proto || strings.Join(lines, "\n") != strings.Join(c.lines, "\n") {
			t.Errorf("policy %d: %s %q", c.policy, proto, lines)
		}
		if again := n.Offer(); string(again) != string(offer) {
			t.Errorf("policy %d: an offer that says the same differs:\n%s", c.policy, again)
		}
	}
}

// RFC 4568 5.1.2 and 6: what becomes of an offer.
func TestCrypto_OfferTaken(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy sdp.Security
		proto  string
		lines  []string
		suite  sdp.Suite // empty: plain
		tag    int
		err    error
	}{
		{name: "plain", proto: "RTP/AVP"},
		{name: "plain, must be encrypted", policy: sdp.SecureRequired, proto: "RTP/AVP", err: sdp.ErrInsecure},
		{name: "the first that we know", proto: "RTP/SAVP", lines: []string{"a=crypto:1 F8_128_HMAC_SHA1_80 inline:" + encoded(sdp.CM128, "P"), line(7, sdp.CM128, "P", ""), line(8, sdp.GCM128, "P", "")}, suite: sdp.CM128, tag: 7},
		{name: "beside plain", proto: "RTP/AVP", lines: []string{line(1, sdp.GCM128, "P", "")}, suite: sdp.GCM128, tag: 1},
		{name: "short tag", proto: "RTP/SAVPF", lines: []string{line(3, sdp.CM128s, "P", "|2^20")}, suite: sdp.CM128s, tag: 3},
		{name: "lifetime and window", proto: "RTP/SAVP", lines: []string{line(1, sdp.CM128, "P", "|2^31 WSH=128 KDR=0")}, suite: sdp.CM128, tag: 1},
		{name: "beside plain, never to be encrypted", policy: sdp.SecureNever, proto: "RTP/AVP", lines: []string{line(1, sdp.GCM128, "P", "")}},
		{name: "never to be encrypted", policy: sdp.SecureNever, proto: "RTP/SAVP", lines: []string{line(1, sdp.GCM128, "P", "")}, err: sdp.ErrNoCodec},
		{name: "no line", proto: "RTP/SAVP", err: sdp.ErrNoCodec},
		{name: "an MKI", proto: "RTP/SAVP", lines: []string{line(1, sdp.CM128, "P", "|2^31|1:4")}, err: sdp.ErrNoCodec},
		{name: "two keys", proto: "RTP/SAVP", lines: []string{line(1, sdp.CM128, "P", ";inline:x|1:1")}, err: sdp.ErrNoCodec},
		{name: "not encrypted after all (6.3.2)", proto: "RTP/SAVP", lines: []string{line(1, sdp.CM128, "P", " UNENCRYPTED_SRTP")}, err: sdp.ErrNoCodec},
		{name: "a key too short", proto: "RTP/SAVP", lines: []string{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + encoded(sdp.GCM128, "P")}, err: sdp.ErrNoCodec},
		{name: "no base64", proto: "RTP/SAVP", lines: []string{"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:?"}, err: sdp.ErrNoCodec},
		{name: "too few words", proto: "RTP/SAVP", lines: []string{"a=crypto:1 AES_CM_128_HMAC_SHA1_80"}, err: sdp.ErrNoCodec},
		{name: "no number", proto: "RTP/SAVP", lines: []string{"a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:" + encoded(sdp.CM128, "P")}, err: sdp.ErrNoCodec},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := secureNegotiator(c.policy)
			answer, agreed, err := n.AcceptOffer(audio(append([]string{"m=audio 4000 " + c.proto + " 8"}, c.lines...)...))
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			lines, proto := crypto(answer)
			if proto != c.proto || agreed.Keying.Suite != c.suite {
				t.Errorf("%s: %+v", proto, agreed.Keying)
			}
			if c.suite == "" {
				if len(lines) > 0 {
					t.Errorf("%q", lines)
				}
				return
			}
			if len(lines) != 1 || lines[0] != line(c.tag, c.suite, "K", "") {
				t.Errorf("%q", lines)
			}
			if agreed.Keying.In != strings.Repeat("P", c.suite.KeyLen()) || agreed.Keying.Out != strings.Repeat("K", c.suite.KeyLen()) {
				t.Errorf("%+v", agreed.Keying)
			}
			if lines, again := crypto(n.Offer()); again != c.proto || !strings.HasPrefix(strings.Join(lines, "\n"), line(1, c.suite, "K", "")) {
				t.Errorf("a new offer: %s %q", again, lines)
			}
		})
	}
}

// An encrypted stream goes before a plain one, wherever it stands in the offer.
func TestCrypto_EncryptedStreamFirst(t *testing.T) {
	answer, agreed, err := negotiator().AcceptOffer(audio("m=audio 4000 RTP/AVP 8", "m=audio 4002 RTP/SAVP 8", line(1, sdp.CM128, "P", "")))
	if err != nil || agreed.Remote.Port() != 4002 || agreed.Keying.Suite != sdp.CM128 || !strings.Contains(string(answer), "m=audio 0 RTP/AVP 8\r\n") {
		t.Errorf("%v %+v\n%s", err, agreed, answer)
	}
}

// Who is never to be encrypted takes the plain stream of two.
func TestCrypto_NeverTakesThePlainStream(t *testing.T) {
	n := secureNegotiator(sdp.SecureNever)
	answer, agreed, err := n.AcceptOffer(audio("m=audio 4002 RTP/SAVP 8", line(1, sdp.CM128, "P", ""), "m=audio 4000 RTP/AVP 8"))
	if err != nil || agreed.Remote.Port() != 4000 || agreed.Keying.Suite != "" || !strings.Contains(string(answer), "m=audio 0 RTP/SAVP 8\r\n") {
		t.Errorf("%v %+v\n%s", err, agreed, answer)
	}
}

// RFC 4568 5.1.3: what becomes of an answer.
func TestCrypto_AnswerTaken(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy sdp.Security
		proto  string
		lines  []string
		suite  sdp.Suite
		err    error
	}{
		{name: "ours", policy: sdp.SecureRequired, proto: "RTP/SAVP", lines: []string{line(2, sdp.CM128, "P", "")}, suite: sdp.CM128},
		{name: "plain instead", policy: sdp.SecureOffered, proto: "RTP/AVP"},
		{name: "plain, must be encrypted", policy: sdp.SecureRequired, proto: "RTP/SAVP", err: sdp.ErrInsecure},
		{name: "encrypted, must not be", policy: sdp.SecureNever, proto: "RTP/SAVP", lines: []string{line(1, sdp.CM128, "P", "")}, err: sdp.ErrInsecure},
		{name: "a tag that was not offered", policy: sdp.SecureRequired, proto: "RTP/SAVP", lines: []string{line(3, sdp.CM128, "P", "")}, err: sdp.ErrMalformed},
		{name: "another suite under the tag", policy: sdp.SecureRequired, proto: "RTP/SAVP", lines: []string{line(1, sdp.CM128, "P", "")}, err: sdp.ErrMalformed},
		{name: "encrypted though it was not offered", policy: sdp.SecureAccepted, proto: "RTP/AVP", lines: []string{line(1, sdp.CM128, "P", "")}, err: sdp.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := secureNegotiator(c.policy)
			n.Offer()
			agreed, err := n.AcceptAnswer(audio(append([]string{"m=audio 4000 " + c.proto + " 8"}, c.lines...)...))
			if !errors.Is(err, c.err) || agreed.Keying.Suite != c.suite {
				t.Fatalf("%v %+v", err, agreed.Keying)
			}
			if c.suite != "" && (agreed.Keying.In != strings.Repeat("P", c.suite.KeyLen()) || agreed.Keying.Out != strings.Repeat("K", c.suite.KeyLen())) {
				t.Errorf("%+v", agreed.Keying)
			}
		})
	}
}

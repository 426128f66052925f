package auth

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Client is the user agent client's side (RFC 3261 22.2, 22.3): it knows a user's password and the
// challenges that peers answered with. It is not safe for concurrent use.
type Client struct {
	User     string
	Password string

	challenges []*challenge // at most one for each realm and kind
}

// challenge is one that we answer from now on.
type challenge struct {
	proxy                            bool // 407: Proxy-Authorization
	realm, nonce, opaque, algo, qops string
	stale                            bool

	sum   func() hash.Hash
	count uint32 // requests answered with this nonce
	right bool   // one of the answers was
}

// maxChallenges is how many realms one request is answered for: carriers have one or two.
const maxChallenges = 4

// Challenged takes a 401 or 407 to a request that was sent with Headers. It reports whether sending it
// once more, with new Headers, may help: not without a password, nor when none of the challenges is of
// a kind that we know, nor when the password was wrong, which a peer says by challenging the same realm
// again without stale=true (RFC 7616 3.3).
func (c *Client) Challenged(res *sip.Response) bool {
	if c == nil || c.User == "" || c.Password == "" {
		return false
	}
	name, proxy := "WWW-Authenticate", false
	switch res.StatusCode {
	case sip.StatusUnauthorized:
	case sip.StatusProxyAuthRequired:
		name, proxy = "Proxy-Authenticate", true
	default:
		return false
	}
	seen, again := map[string]bool{}, false
	for text := range header.Values(res, name) {
		ch, ok := parseChallenge(text)
		if !ok || seen[ch.realm] {
			continue // RFC 8760 2.4: of one realm the topmost that is understood
		}
		seen[ch.realm] = true
		ch.proxy = proxy
		again = c.take(ch) || again
	}
	return again
}

// take keeps a challenge in place of an older one. False: the one before was answered in vain.
func (c *Client) take(ch *challenge) bool {
	for i, old := range c.challenges {
		if old.realm != ch.realm || old.proxy != ch.proxy {
			continue
		}
		if old.count > 0 && !old.right && !ch.stale {
			return false
		}
		c.challenges[i] = ch
		return true
	}
	if len(c.challenges) >= maxChallenges {
		return false
	}
	c.challenges = append(c.challenges, ch)
	return true
}

// Accepted notes that a request with Headers went through: a challenge that comes later means that
// the nonce has grown old, whether or not the peer says so, and not that the password was wrong.
func (c *Client) Accepted() {
	if c == nil {
		return
	}
	for _, ch := range c.challenges {
		ch.right = true
	}
}

// Headers are the credentials for a request: none before the first challenge. Its Request-URI must
// not change any more. A nonce is used again with a higher count (RFC 7616 3.4).
func (c *Client) Headers(req *sip.Request) []sip.Header {
	if c == nil {
		return nil
	}
	list := make([]sip.Header, 0, len(c.challenges))
	for _, ch := range c.challenges {
		name := "Authorization"
		if ch.proxy {
			name = "Proxy-Authorization"
		}
		list = append(list, sip.NewHeader(name, ch.answer(c, string(req.Method), req.Recipient.String(), req.Body(), cnonce())))
	}
	return list
}

func cnonce() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// sums are the algorithms of RFC 8760 2.2.
var sums = map[string]func() hash.Hash{"": md5.New, "MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}

// parseChallenge reads one. False: it is no Digest, or wants something that we cannot do.
func parseChallenge(text string) (*challenge, bool) {
	params, ok := cutScheme(text)
	if !ok {
		return nil, false
	}
	ch := &challenge{}
	ok = pairs(params, func(name, value string) bool {
		switch strings.ToLower(name) {
		case "realm":
			ch.realm = value
		case "nonce":
			ch.nonce = value
		case "opaque":
			ch.opaque = value
		case "algorithm":
			ch.algo = value
		case "qop":
			ch.qops = value
		case "stale":
			ch.stale = strings.EqualFold(value, "true")
		}
		return true
	})
	ch.sum = sums[strings.ToUpper(ch.algo)]
	return ch, ok && ch.realm != "" && ch.nonce != "" && ch.sum != nil && (ch.qops == "" || ch.quality() != "")
}

// quality is the protection that we choose of those offered; empty: that of RFC 2069.
func (ch *challenge) quality() string {
	best := ""
	for option := range strings.SplitSeq(ch.qops, ",") {
		switch strings.ToLower(strings.TrimSpace(option)) {
		case "auth":
			return "auth"
		case "auth-int":
			best = "auth-int"
		}
	}
	return best
}

// answer is the text of the credentials (RFC 7616 3.4).
func (ch *challenge) answer(c *Client, method, uri string, body []byte, cnonce string) string {
	ch.count++
	qop := ch.quality()
	a2 := method + ":" + uri
	if qop == "auth-int" { // RFC 7616 3.4.3
		a2 += ":" + ch.digest(string(body))
	}
	middle := ch.nonce
	if qop != "" {
		middle = fmt.Sprintf("%s:%08x:%s:%s", ch.nonce, ch.count, cnonce, qop)
	}
	response := ch.digest(ch.digest(c.User+":"+ch.realm+":"+c.Password) + ":" + middle + ":" + ch.digest(a2))
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`,
		header.Quoted(c.User), header.Quoted(ch.realm), header.Quoted(ch.nonce), uri, response)
	if ch.algo != "" {
		b.WriteString(", algorithm=" + strings.ToUpper(ch.algo))
	}
	if ch.opaque != "" {
		fmt.Fprintf(&b, `, opaque="%s"`, header.Quoted(ch.opaque))
	}
	if qop != "" {
		fmt.Fprintf(&b, `, qop=%s, nc=%08x, cnonce="%s"`, qop, ch.count, cnonce)
	}
	return b.String()
}

func (ch *challenge) digest(text string) string {
	h := ch.sum()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

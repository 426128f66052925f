// Package auth is digest authentication for SIP: RFC 3261 section 22, RFC 7616, RFC 8760. A Client
// answers the challenges of others; the rest is the server side.
//
// It challenges with SHA-256 and MD5 (strongest first, one header each) and qop="auth". Nonces are
// stateless: a time stamp under an HMAC that binds them to realm and source address, so a flood of
// unauthenticated requests leaves nothing behind. State is kept only for nonces that were used with
// the right password (the nonce counts seen, against replay) and for wrong passwords (a growing
// pause per user name and source address); both tables are bounded.
//
// It stores no users: the caller looks them up. It is safe for concurrent use.
package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// Options of an Authenticator. Realm is required, zero values of the rest stand for the defaults.
type Options struct {
	Realm       string
	NonceLife   time.Duration // how long a nonce is good for; 5 minutes
	MaxNonces   int           // nonces whose counts are remembered at once; 65536
	MaxFailures int           // wrong passwords allowed in a row before the first pause; 5
	MaxPause    time.Duration // the longest pause; 1 minute (the first is 1 s, each doubles it)
	MaxOffences int           // pairs of user and source remembered at once; 16384
	// MD5Agents are beginnings of the User-Agent of phones that give up on a SHA-256 challenge
	// instead of passing over it; nil: those known for it. Others are found by their behaviour.
	MD5Agents []string
	Now       func() time.Time // time.Now
}

// Verdict is what Check found.
type Verdict uint8

const (
	// OK: the sender knows the password.
	OK Verdict = iota
	// Missing: no credentials for this realm in a form that was offered. Challenge.
	Missing
	// Stale: the nonce is not ours, too old, from elsewhere, or was used up. Challenge with stale=true;
	// nothing is said about the password.
	Stale
	// Wrong: unknown user or wrong password, which look alike. Challenge anew.
	Wrong
	// Paused: too many wrong passwords for this user from this address. Answered 503 with Retry-After.
	Paused
	// Malformed: the header can't be read, or is meant for another Request-URI. 400.
	Malformed
)

// String returns the verdict as logs and metrics name it.
func (v Verdict) String() string {
	return [...]string{"ok", "missing", "stale", "wrong", "paused", "malformed"}[v]
}

// Secret is how a user proves themself: a password, or the hashes that stand for it.
type Secret struct {
	User     string // the key that Check returns
	Password string
	// HA1 are the lower-case hex hashes of username:realm:password, used when Password is empty.
	// They fit only senders that write the user name as it was hashed.
	HA1 HA1
}

// HA1 holds the hash of username:realm:password for each algorithm; an empty one can't be used.
type HA1 struct{ MD5, SHA256 string }

// Lookup finds a user by the name in the credentials, without a domain part.
type Lookup func(username string) (Secret, bool)

// Authenticator checks credentials for one realm.
type Authenticator struct {
	o        Options
	nonces   *nonces
	offences *offences
	legacy   *legacy
}

// New makes an Authenticator with a fresh secret: nonces of an earlier process are stale.
func New(o Options) (*Authenticator, error) {
	if o.Realm == "" {
		return nil, fmt.Errorf("auth: no realm")
	}
	if o.NonceLife <= 0 {
		o.NonceLife = 5 * time.Minute
	}
	if o.MaxNonces <= 0 {
		o.MaxNonces = 65536
	}
	if o.MaxFailures <= 0 {
		o.MaxFailures = 5
	}
	if o.MaxPause <= 0 {
		o.MaxPause = time.Minute
	}
	if o.MaxOffences <= 0 {
		o.MaxOffences = 16384
	}
	if o.MD5Agents == nil {
		o.MD5Agents = []string{"baresip v0.", "baresip v1."} // seen with 1.0.0
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, fmt.Errorf("auth: no randomness: %w", err)
	}
	return &Authenticator{
		o:        o,
		nonces:   newNonces(key[:], o.Realm, o.NonceLife, o.MaxNonces),
		offences: newOffences(o.MaxFailures, o.MaxPause, o.MaxOffences),
		legacy:   newLegacy(o.MD5Agents),
	}, nil
}

// Check judges the credentials of a request that came from source. user is the key from the
// lookup when the verdict is OK, else the name that was claimed, for the log ("" if none).
// ACK and CANCEL can't be challenged (RFC 3261 22.1): the caller does not ask for them.
func (a *Authenticator) Check(req *sip.Request, source netip.Addr, lookup Lookup) (user string, v Verdict) {
	source = source.Unmap()
	cred, v := a.find(req)
	if v != OK {
		return "", v
	}
	// RFC 7616 3.4.6: credentials made for another resource are refused.
	if !sameTarget(cred.uri, &req.Recipient) {
		return cred.username, Malformed
	}
	now := a.o.Now()
	issued, ok := a.nonces.verify(cred.nonce, source, now)
	if !ok {
		return cred.username, Stale
	}
	if _, paused := a.offences.paused(cred.username, source, now); paused {
		return cred.username, Paused
	}
	secret, known := lookup(bareName(cred.username))
	// An unknown user costs the same work and gets the same answer as a wrong password.
	match := cred.matches(&secret, string(req.Method), a.o.Realm)
	if !known || !match {
		a.offences.count(cred.username, source, now)
		return cred.username, Wrong
	}
	// Only a right password may use up a nonce count: else anybody could spoil a phone's nonce.
	if !a.nonces.use(cred.nonce, issued, cred.nc, cred.qop, now) {
		return cred.username, Stale
	}
	a.offences.forget(cred.username, source)
	a.legacy.copes(req, source, cred.isSHA256(), now)
	return secret.User, OK
}

// Challenge makes the 401 with a fresh nonce for source. A user agent server answers 401, only
// proxies 407 (RFC 3261 22.2, 22.3).
func (a *Authenticator) Challenge(req *sip.Request, source netip.Addr, stale bool) *sip.Response {
	res := sip.NewResponseFromRequest(req, sip.StatusUnauthorized, "Unauthorized", nil)
	source = source.Unmap()
	now := a.o.Now()
	tail := `",qop="auth"`
	if stale {
		tail += ",stale=true"
	}
	head := `Digest realm="` + header.Quoted(a.o.Realm) + `",nonce="` + a.nonces.issue(source, now) + tail
	_, v := a.find(req)
	// RFC 8760 2.3: one header per algorithm, the preferred one first.
	if !a.legacy.md5Only(req, source, v != Missing, now) {
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", head+",algorithm=SHA-256"))
	}
	res.AppendHeader(sip.NewHeader("WWW-Authenticate", head+",algorithm=MD5"))
	return res
}

// Refuse makes the answer to a request with any verdict but OK.
func (a *Authenticator) Refuse(req *sip.Request, source netip.Addr, v Verdict) *sip.Response {
	switch v {
	case Malformed:
		return sip.NewResponseFromRequest(req, sip.StatusBadRequest, "Bad Request: Authorization", nil)
	case Paused:
		res := sip.NewResponseFromRequest(req, sip.StatusServiceUnavailable, "Service Unavailable", nil)
		left := time.Second
		if cred, v := a.find(req); v == OK {
			left, _ = a.offences.paused(cred.username, source.Unmap(), a.o.Now())
		}
		seconds := max(1, int((left+time.Second-1)/time.Second))
		res.AppendHeader(sip.NewHeader("Retry-After", strconv.Itoa(seconds)))
		return res
	default:
		return a.Challenge(req, source, v == Stale)
	}
}

// find picks the first credentials for our realm whose algorithm was offered. Other schemes and
// realms are none of our business (RFC 3261 22.1, 22.4).
func (a *Authenticator) find(req *sip.Request) (credentials, Verdict) {
	verdict := Missing
	for text := range header.Values(req, "Authorization") {
		params, ok := cutScheme(text)
		if !ok {
			continue
		}
		var c credentials
		if !c.parse(params) {
			verdict = Malformed
			continue
		}
		if c.realm == a.o.Realm && c.offered() {
			return c, OK
		}
	}
	return credentials{}, verdict
}

// bareName strips the domain: phones send "anna" or "anna@example.com".
func bareName(username string) string {
	if i := strings.LastIndexByte(username, '@'); i > 0 {
		return username[:i]
	}
	return username
}

// sameTarget compares the digest-uri with the Request-URI by scheme, user and host. Parameters
// and port differ in practice, as phones write the URI before they resolve it.
func sameTarget(digestURI string, u *sip.Uri) bool {
	scheme, rest, ok := strings.Cut(digestURI, ":")
	if !ok || !strings.EqualFold(scheme, u.Scheme) {
		return false
	}
	if u.Scheme != "sip" && u.Scheme != "sips" {
		return rest == u.Raw()
	}
	user := ""
	if i := strings.IndexByte(rest, '@'); i >= 0 {
		user, rest = rest[:i], rest[i+1:]
		user, _, _ = strings.Cut(user, ":")
	}
	if i := strings.IndexAny(rest, ";?"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && i > strings.LastIndexByte(rest, ']') {
		rest = rest[:i]
	}
	return strings.EqualFold(rest, u.Host) &&
		(user == u.User || header.UnescapedUser(user) == header.UnescapedUser(u.User))
}

// equal compares without telling by its time how much of the text is right.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

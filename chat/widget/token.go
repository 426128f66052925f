package widget

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"centrala/chat"
)

// How long tokens are good. A visitor's is made anew each time the window is shown; one of
// whom the site vouches for only by another word of the site's.
const (
	visitorFor  = 90 * 24 * time.Hour
	identityFor = 12 * time.Hour
	fileFor     = time.Hour // until it is named in a message
	skew        = time.Minute
)

// What customers are called begins with who says so.
const (
	isVisitor  = "visitor:"
	isCustomer = "customer:"
)

// visitor is what a token says.
type visitor struct {
	Channel  string `json:"c"`
	Customer string `json:"u"`
	Name     string `json:"n,omitempty"`
	Email    string `json:"e,omitempty"`
	Phone    string `json:"p,omitempty"`
	Expires  int64  `json:"x"` // seconds since 1970
}

// verified tells whether the site vouches for who it is.
func (v *visitor) verified() bool { return strings.HasPrefix(v.Customer, isCustomer) }

// file is what a handle says of a file that a visitor has brought and not named yet.
type file struct {
	Channel    string          `json:"c"`
	Customer   string          `json:"u"`
	Expires    int64           `json:"x"`
	Attachment chat.Attachment `json:"a"`
}

// newVisitor makes a visitor who is nobody else: of 128 random bits.
func newVisitor() string { return isVisitor + strings.ToLower(rand.Text()) }

// errToken says that something is none of ours, or has expired.
var errToken = errors.New("the token is wrong or has expired")

// strict is how signed things are written.
var strict = base64.RawURLEncoding.Strict()

// secret reads the key of this server's tokens, once.
func (s *Server) secret(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		key, err := s.store.Key(ctx, "widget")
		if err != nil {
			return nil, err
		}
		s.key = key
	}
	return s.key, nil
}

// mac signs a text for a use, so that what is signed for one is good for no other.
func mac(key []byte, use, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(use))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign writes a value with its signature.
func (s *Server) sign(ctx context.Context, use string, v any) (string, error) {
	key, err := s.secret(ctx)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	text := strict.EncodeToString(body)
	return text + "." + strict.EncodeToString(mac(key, use, text)), nil
}

// open reads what sign wrote. The error is errToken or the database's.
func (s *Server) open(ctx context.Context, use, signed string, v any) error {
	key, err := s.secret(ctx)
	if err != nil {
		return err
	}
	text, signature, ok := strings.Cut(signed, ".")
	got, err := strict.DecodeString(signature)
	if !ok || err != nil || !hmac.Equal(got, mac(key, use, text)) {
		return errToken
	}
	body, err := strict.DecodeString(text)
	if err != nil || json.Unmarshal(body, v) != nil {
		return errToken
	}
	return nil
}

// visitor reads a token for a channel. The error is errToken or the database's.
func (s *Server) visitor(ctx context.Context, channel, token string) (*visitor, error) {
	v := &visitor{}
	if err := s.open(ctx, "visitor", token, v); err != nil {
		return nil, err
	}
	if v.Channel != channel || v.Expires < s.now().Unix() {
		return nil, errToken
	}
	return v, nil
}

// claims are what the site says of a visitor, in a JSON Web Token (RFC 7519).
type claims struct {
	Subject   string  `json:"sub"`
	Expires   float64 `json:"exp"` // seconds since 1970
	NotBefore float64 `json:"nbf"`
	Name      string  `json:"name"`
	Email     string  `json:"email"`
	Phone     string  `json:"phone"`
	// What the site does not believe itself is nothing to know a customer by
	// (OpenID Connect Core section 5.1); nil: it says nothing of it.
	EmailVerified *bool `json:"email_verified"`
	PhoneVerified *bool `json:"phone_number_verified"`
}

// Limits of what the site says, in bytes.
const (
	jwtMax     = 4096
	subjectMax = chat.IDMax - len(isCustomer)
)

// errIdentity says that the site's word is wrong.
var errIdentity = errors.New("the identity is not signed as it should be, or has expired")

// errExpired is errIdentity of a word that was right and holds no more. The claims are those of that word.
var errExpired = fmt.Errorf("%w: it was right until its exp", errIdentity)

// identity reads the site's word on who a visitor is: a JSON Web Token signed with HS256 and
// the channel's secret, and with an end. No other algorithm is looked at, whatever the token
// asks for (RFC 8725 section 3.1).
func (s *Server) identity(channel *Channel, jwt string) (c claims, err error) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 || len(jwt) > jwtMax || len(channel.Secret) == 0 {
		return c, errIdentity
	}
	h := hmac.New(sha256.New, channel.Secret)
	h.Write([]byte(parts[0] + "." + parts[1]))
	got, err := strict.DecodeString(parts[2])
	if err != nil || !hmac.Equal(got, h.Sum(nil)) {
		return c, errIdentity
	}
	var header struct {
		Algorithm string          `json:"alg"`
		Critical  json.RawMessage `json:"crit"`
	}
	for k, into := range []any{&header, &c} {
		text, err := strict.DecodeString(parts[k])
		if err != nil || json.Unmarshal(text, into) != nil {
			return c, errIdentity
		}
	}
	now := float64(s.now().Unix())
	switch {
	case header.Algorithm != "HS256", header.Critical != nil: // RFC 7515 section 4.1.11
		return c, errIdentity
	case c.Subject == "", len(c.Subject) > subjectMax, !plain(c.Subject):
		return c, errIdentity
	case c.Expires <= 0, c.NotBefore-skew.Seconds() > now:
		return c, errIdentity
	case c.Expires+skew.Seconds() < now:
		return c, errExpired
	}
	for _, text := range []*string{&c.Name, &c.Email, &c.Phone} {
		if len(*text) > chat.IDMax || !plain(*text) {
			*text = ""
		}
	}
	if c.PhoneVerified != nil && !*c.PhoneVerified {
		c.Phone = ""
	}
	if _, err := mail.ParseAddress(c.Email); err != nil || c.EmailVerified != nil && !*c.EmailVerified {
		c.Email = "" // the visitor can do nothing about it
	}
	return c, nil
}

// plain tells whether it is a line of text.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

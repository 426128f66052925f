package sip

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/header"
)

// book is a Directory made ready for look-ups; it does not change.
type book struct {
	realm    string
	users    map[string]*User // by name and alias, in lower case
	trunks   map[string]*trunk
	lines    map[string]*line // by name
	prefixes []prefix         // longest first
	unlisted []*trunk         // that we register with, without addresses: calls come from where we registered
	auth     *auth.Authenticator
	browsers *auth.Authenticator // of those who come by WebSocket
}

type prefix struct {
	netip.Prefix
	trunk *trunk
}

// makeBook prepares a directory. What of the old one stays valid is kept:
// nonces of the same realm, calls of the same trunks.
func makeBook(d Directory, fallbackRealm string, old *book) (*book, error) {
	b := &book{realm: d.Realm, users: map[string]*User{}, trunks: map[string]*trunk{}, lines: map[string]*line{}}
	if b.realm == "" {
		b.realm = fallbackRealm
	}
	if old != nil && old.realm == b.realm {
		b.auth, b.browsers = old.auth, old.browsers
	} else {
		var err error
		if b.auth, err = auth.New(auth.Options{Realm: b.realm}); err != nil {
			return nil, err
		}
		// JsSIP gives up where the first challenge is not of MD5. What it proves there are
		// 128 random bits over TLS.
		if b.browsers, err = auth.New(auth.Options{Realm: b.realm, MD5Agents: []string{""}}); err != nil {
			return nil, err
		}
	}
	for i := range d.Users {
		u := &d.Users[i]
		for _, alias := range u.Aliases {
			b.users[strings.ToLower(alias)] = u
		}
	}
	for i := range d.Users { // a name goes before somebody else's alias
		b.users[strings.ToLower(d.Users[i].Name)] = &d.Users[i]
		b.addLine(&d.Users[i], old)
	}
	for _, t := range d.Trunks {
		var tr *trunk
		if old != nil {
			tr = old.trunks[t.ID]
		}
		if tr == nil {
			tr = &trunk{id: t.ID}
		}
		tr.configure(t)
		b.trunks[t.ID] = tr
		if t.Register && len(t.From) == 0 {
			b.unlisted = append(b.unlisted, tr)
		}
		for _, p := range t.From {
			b.prefixes = append(b.prefixes, prefix{p.Masked(), tr})
		}
	}
	slices.SortStableFunc(b.prefixes, func(x, y prefix) int { return y.Bits() - x.Bits() })
	return b, nil
}

// trunkOf recognises a trunk by the address that a request came from.
func (b *book) trunkOf(a netip.Addr) *trunk {
	a = a.Unmap()
	for i := range b.prefixes {
		if b.prefixes[i].Contains(a) {
			return b.prefixes[i].trunk
		}
	}
	for _, t := range b.unlisted {
		if t.serves(a, time.Now()) {
			return t
		}
	}
	return nil
}

// user finds who a user part stands for.
func (b *book) user(name string) *User {
	if u := b.users[name]; u != nil {
		return u
	}
	return b.users[strings.ToLower(header.UnescapedUser(name))]
}

// secret is the look-up for digest authentication.
func (b *book) secret(name string) (auth.Secret, bool) {
	u := b.user(name)
	if u == nil || u.Password == "" {
		return auth.Secret{}, false
	}
	return auth.Secret{User: u.Name, Password: u.Password}, true
}

// uriUser is the user part of a URI, or the number of a tel URI.
func uriUser(u *sip.Uri) string {
	if u.Scheme == "tel" {
		number, _, _ := strings.Cut(u.Raw(), ";")
		return number
	}
	user, _, _ := strings.Cut(u.User, ";") // RFC 3261 section 19.1.6: user parameters of a number
	return header.UnescapedUser(user)
}

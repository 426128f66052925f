package auth

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

// legacy finds phones that give up on a SHA-256 challenge although an MD5 one stands beside it, and
// should have been passed over (RFC 8760 2.4). They are known by what they do: after such an answer
// they come again without credentials. From then on they are challenged with MD5 alone. Kinds of
// phones known for it get that from the start, so that their first registration is not delayed.
type legacy struct {
	agents []string // beginnings of User-Agent
	seed   maphash.Seed

	mu    sync.Mutex
	table map[offender]*attempt
}

// attempt is what a phone did since its last success.
type attempt struct {
	branch uint64 // of the request that was last challenged with both: a retransmission is no second try
	last   time.Time
	md5    bool
}

const (
	legacyLimit = 16384         // phones remembered; beyond it all are forgotten, which costs each one try
	legacyLife  = 4 * time.Hour // longer than any registration
)

func newLegacy(agents []string) *legacy {
	return &legacy{agents: agents, seed: maphash.MakeSeed(), table: map[offender]*attempt{}}
}

// md5Only notes a request that is about to be challenged and tells whether MD5 is all it takes.
func (l *legacy) md5Only(req *sip.Request, source netip.Addr, answered bool, now time.Time) bool {
	agent, _ := header.Value(req, "User-Agent")
	for _, a := range l.agents {
		if strings.HasPrefix(agent, a) {
			return true
		}
	}
	from, via := req.From(), req.Via()
	if from == nil || via == nil {
		return false
	}
	branch, _ := via.Params.Get("branch")
	hash := maphash.String(l.seed, branch)
	key := offender{from.Address.User, source}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.table[key]
	switch {
	case a == nil || now.Sub(a.last) > legacyLife:
		if answered {
			return false
		}
		if len(l.table) >= legacyLimit {
			clear(l.table)
		}
		key.username = strings.Clone(key.username)
		l.table[key] = &attempt{branch: hash, last: now}
		return false
	case answered && !a.md5:
		delete(l.table, key) // it chose one of both, if with a wrong password
		return false
	case !answered && a.branch != hash:
		a.md5 = true
	}
	a.last = now
	return a.md5
}

// copes notes a success: with SHA-256, or with MD5 chosen from both, the phone is no legacy one.
func (l *legacy) copes(req *sip.Request, source netip.Addr, sha256 bool, now time.Time) {
	from := req.From()
	if from == nil {
		return
	}
	key := offender{from.Address.User, source}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.table[key]
	switch {
	case a == nil:
	case a.md5 && !sha256:
		a.last = now
	default:
		delete(l.table, key)
	}
}

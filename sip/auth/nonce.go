package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	nonceStamp = 8  // bytes: unix time in ns, made unique
	nonceMAC   = 16 // bytes of the HMAC-SHA256, which is plenty for a five-minute secret
	nonceBytes = nonceStamp + nonceMAC
	nonceLen   = nonceBytes / 3 * 4 // base64 characters
)

// nonces issues and verifies nonces without remembering them, and keeps the counts of those in use.
type nonces struct {
	macs  sync.Pool // hash.Hash keyed with the secret
	realm string
	life  time.Duration
	last  atomic.Int64 // newest stamp given out: stamps are unique

	mu    sync.Mutex
	used  map[string]*window
	order []*window // those in used, from head on, by first use
	head  int
	limit int
	// forgotten is the newest stamp of those dropped: a nonce not younger than it and not in the
	// table may have been used, so it counts as stale. That is what keeps a bounded table safe.
	forgotten int64
}

// window is what is known of a nonce in use: the highest count seen and which of the 64 below it.
type window struct {
	nonce  string
	issued int64
	top    uint32
	seen   uint64 // bit i: count top-i was seen
}

func newNonces(key []byte, realm string, life time.Duration, limit int) *nonces {
	n := &nonces{realm: realm, life: life, limit: limit, used: map[string]*window{}}
	n.macs.New = func() any { return hmac.New(sha256.New, key) }
	return n
}

// issue makes a nonce that is good for source alone.
func (n *nonces) issue(source netip.Addr, now time.Time) string {
	stamp := now.UnixNano()
	for {
		last := n.last.Load()
		stamp = max(stamp, last+1)
		if n.last.CompareAndSwap(last, stamp) {
			break
		}
	}
	var raw [nonceBytes]byte
	binary.BigEndian.PutUint64(raw[:], uint64(stamp))
	n.mac(raw[nonceStamp:], raw[:nonceStamp], source)
	return base64.URLEncoding.EncodeToString(raw[:])
}

// verify tells whether the nonce is ours, for that source, and still good.
func (n *nonces) verify(nonce string, source netip.Addr, now time.Time) (issued int64, ok bool) {
	var raw [nonceBytes]byte
	var text [nonceLen]byte
	if len(nonce) != nonceLen {
		return 0, false
	}
	copy(text[:], nonce)
	if m, err := base64.URLEncoding.Decode(raw[:], text[:]); err != nil || m != nonceBytes {
		return 0, false
	}
	var want [nonceMAC]byte
	n.mac(want[:], raw[:nonceStamp], source)
	if !equal(want[:], raw[nonceStamp:]) {
		return 0, false
	}
	issued = int64(binary.BigEndian.Uint64(raw[:nonceStamp]))
	return issued, now.UnixNano()-issued <= int64(n.life)
}

func (n *nonces) mac(dst, stamp []byte, source netip.Addr) {
	h, _ := n.macs.Get().(hash.Hash)
	defer n.macs.Put(h)
	// One buffer for input and output: slices handed to an interface escape to the heap.
	buf := make([]byte, 0, 64+len(n.realm))
	buf = append(buf, stamp...)
	from := source.As16()
	buf = append(buf, from[:]...)
	buf = append(buf, n.realm...)
	h.Reset()
	h.Write(buf)
	copy(dst, h.Sum(buf[:0])[:nonceMAC])
}

// use marks a nonce count as seen and reports whether it was new. Counts may overtake each other
// by 63. Without qop there is no count, so the nonce is good once.
func (n *nonces) use(nonce string, issued int64, nc uint32, qop string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.used[nonce]
	if w == nil {
		if issued <= n.forgotten {
			return false
		}
		w = n.admit(nonce, issued, now)
	}
	switch {
	case qop == "":
		if w.top != 0 {
			return false
		}
		w.top, w.seen = math.MaxUint32, math.MaxUint64 // no count may follow
		return true
	case nc > w.top:
		w.seen = w.seen<<(nc-w.top) | 1 // a shift by 64 or more leaves nothing of the old ones
		w.top = nc
		return true
	default:
		behind := w.top - nc
		if behind > 63 || w.seen&(1<<behind) != 0 {
			return false
		}
		w.seen |= 1 << behind
		return true
	}
}

// admit adds a nonce to the table. The oldest make room when it is full, and the expired ones
// among them in any case, so that the table of a quiet server shrinks.
func (n *nonces) admit(nonce string, issued int64, now time.Time) *window {
	for n.head < len(n.order) {
		old := n.order[n.head]
		if len(n.used) < n.limit && now.UnixNano()-old.issued <= int64(n.life) {
			break
		}
		delete(n.used, old.nonce)
		n.forgotten = max(n.forgotten, old.issued)
		n.order[n.head] = nil
		n.head++
	}
	if n.head > len(n.order)/2 {
		n.order = append(n.order[:0], n.order[n.head:]...)
		n.head = 0
	}
	w := &window{nonce: strings.Clone(nonce), issued: issued}
	n.order = append(n.order, w)
	n.used[w.nonce] = w
	return w
}

package web

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// How long and how many answers to commands are kept, so that a command that is sent
// again, because its answer was lost, is not done again. They do not outlive the process.
const (
	answersFor    = 24 * time.Hour
	answersMax    = 10_000
	answerMaxBody = 64 << 10 // a larger answer is not kept: the key is then refused
	keyMax        = 200      // characters
)

// keptKey is whose command it is: keys of two callers have nothing to do with each other.
type keptKey struct{ caller, key string }

// answer is what a command was answered with.
type answer struct {
	key     keptKey
	request [sha256.Size]byte // method, path and body
	at      time.Time
	done    bool
	lost    bool // it was too large to be kept
	status  int
	header  http.Header
	body    []byte
}

// answers keeps them, oldest first.
type answers struct {
	now func() time.Time

	mu    sync.Mutex
	byKey map[keptKey]*list.Element
	order *list.List
}

func newAnswers(now func() time.Time) *answers {
	return &answers{now: now, byKey: map[keptKey]*list.Element{}, order: list.New()}
}

// begin notes that a command is being carried out. Either it is new (replay is nil), or it was
// answered before, or it cannot be had.
func (k *answers) begin(key keptKey, request [sha256.Size]byte) (replay *answer, p *Problem) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	for e := k.order.Front(); e != nil; e = k.order.Front() {
		if a := e.Value.(*answer); now.Sub(a.at) < answersFor && k.order.Len() < answersMax {
			break
		}
		k.drop(e)
	}
	if e := k.byKey[key]; e != nil {
		a := e.Value.(*answer)
		switch {
		case a.request != request:
			return nil, problem(http.StatusUnprocessableEntity, codeKeyReused, "this Idempotency-Key was used for another request")
		case !a.done:
			return nil, conflict(codeKeyInUse, "the first request with this Idempotency-Key is not done yet")
		case a.lost:
			return nil, conflict(codeKeyReused, "the request with this Idempotency-Key was carried out; its answer was too large to be kept")
		}
		return a, nil
	}
	k.byKey[key] = k.order.PushBack(&answer{key: key, request: request, at: now})
	return nil, nil
}

// end keeps the answer. One by which nothing was done, or that tells of a fault of ours, is
// forgotten, so that the command can be tried again.
func (k *answers) end(key keptKey, r *recorder) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.byKey[key]
	if e == nil {
		return
	}
	if r == nil || r.status == 0 || r.status >= http.StatusInternalServerError || r.status == http.StatusTooManyRequests {
		k.drop(e)
		return
	}
	a := e.Value.(*answer)
	a.done, a.status, a.header, a.lost = true, r.status, r.Header().Clone(), r.body.Len() > answerMaxBody
	if !a.lost {
		a.body = bytes.Clone(r.body.Bytes())
	}
}

func (k *answers) drop(e *list.Element) {
	k.order.Remove(e)
	delete(k.byKey, e.Value.(*answer).key)
}

// recorder keeps what is answered while it passes on.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.body.Len() <= answerMaxBody {
		r.body.Write(p)
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// send answers as before.
func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		if name != requestIDHeader {
			w.Header()[name] = values
		}
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client is gone
}

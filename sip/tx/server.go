package tx

import (
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
)

// Request is a request from a peer, with its transaction.
type Request struct {
	*sip.Request
	Flow edge.Flow // the path it came by
	Tag  string    // the tag in To: ours if InDialog, else the one that every answer will carry
	// InDialog tells that the peer put a tag into To.
	InDialog bool

	l      *Layer
	tx     *sip.ServerTx
	trying *time.Timer // INVITE only: sends 100 (RFC 3261 section 17.2.1)
	spoke  atomic.Bool // something was answered
}

// tryingAfter is how long an INVITE may go without an answer before it gets a 100.
const tryingAfter = 200 * time.Millisecond

// lateInvite is how long a CANCEL waits for an INVITE that it overtook: the
// library starts a goroutine for every message.
const lateInvite = 100 * time.Millisecond

// request is where the library hands over every new request.
func (l *Layer) request(req *sip.Request, tx *sip.ServerTx) {
	r := &Request{Request: req, l: l, tx: tx}
	answered := l.guard(string(req.Method), func() { l.take(r) })
	if !answered && req.Method != sip.ACK {
		l.guard("500", func() { r.Refuse(sip.StatusInternalServerError, "Server Internal Error") })
	}
}

func (l *Layer) take(r *Request) {
	l.Count.Requests.Add(1)
	if r.Method == sip.ACK {
		r.tx.Terminate() // ACK has no transaction of its own
	}
	flow, ok := flowOf(r.tx, r.Request)
	if !ok {
		r.tx.Terminate()
		return
	}
	r.Flow = flow
	r.pin()
	if f := header.Check(r.Request); f != nil {
		if r.Method != sip.ACK {
			l.Count.Refused.Add(1)
			r.Send(f.Response(r.Request))
		}
		return
	}
	switch r.Method {
	case sip.ACK:
		l.o.Handler.Ack(r.Request, flow)
		return
	case sip.CANCEL:
		l.cancel(r)
		return
	}
	if l.busy.Add(1) > int64(l.o.Busy) {
		l.busy.Add(-1)
		l.Count.Overload.Add(1)
		r.Refuse(sip.StatusServiceUnavailable, "Service Unavailable", sip.NewHeader("Retry-After", "5"))
		return
	}
	defer l.busy.Add(-1)
	if !l.checks(r) {
		return
	}
	if r.Method == sip.INVITE {
		r.trying = time.AfterFunc(tryingAfter, func() {
			if !r.spoke.Load() {
				_ = r.tx.Respond(r.Response(sip.StatusTrying, "Trying")) // lost: the INVITE comes again
			}
		})
	}
	l.o.Handler.Request(r)
}

// pin prepares the request for every answer to come, the library's own ones
// too: the source address in Via (RFC 3261 section 18.2.1) and our tag in To
// (section 8.2.6.2).
func (r *Request) pin() {
	if v := r.Via(); v != nil && !v.Params.Has("rport") {
		if source := r.Flow.Remote.Addr().String(); v.Host != source {
			v.Params.Add("received", source)
		}
	}
	to := r.To()
	if to == nil {
		return
	}
	if tag, ok := to.Params.Get("tag"); ok {
		r.Tag, r.InDialog = tag, true
		return
	}
	r.Tag = dialog.NewTag()
	if r.Method != sip.ACK {
		to.Params.Add("tag", r.Tag)
	}
}

// flowOf is the path that the request came by.
func flowOf(tx *sip.ServerTx, req *sip.Request) (edge.Flow, bool) {
	switch c := tx.Connection().(type) {
	case *sip.UDPConnection:
		u, ok := c.PacketConn.(*edge.Reader)
		remote, err := netip.ParseAddrPort(req.Source())
		if !ok || err != nil {
			return edge.Flow{}, false
		}
		return edge.UDPFlow(u.Local(), remote), true
	case *sip.TCPConnection:
		if e, ok := c.Conn.(*edge.Conn); ok {
			return e.Flow(), true
		}
	}
	return edge.Flow{}, false
}

// checks are those of RFC 3261 section 8.2 that do not depend on the method.
func (l *Layer) checks(r *Request) bool {
	refuse := func(code int, reason string, h ...sip.Header) bool {
		l.Count.Refused.Add(1)
		r.Refuse(code, reason, h...)
		return false
	}
	if !l.allow[r.Method] {
		allow := sip.NewHeader("Allow", l.Allow())
		if known(r.Method) {
			return refuse(sip.StatusMethodNotAllowed, "Method Not Allowed", allow) // 8.2.1
		}
		return refuse(sip.StatusNotImplemented, "Not Implemented", allow) // 21.5.2
	}
	// RFC 7332: a call that went round in circles through B2BUAs must end.
	if mf := r.MaxForwards(); mf != nil && mf.Val() == 0 && r.Method == sip.INVITE {
		return refuse(sip.StatusTooManyHops, "Too Many Hops")
	}
	if r.Method == sip.INVITE && !l.invites.add(r) {
		return refuse(sip.StatusLoopDetected, "Loop Detected") // 8.2.2.2: it came by two paths
	}
	if f := header.Unsupported(r.Request, l.o.Supported...); f != nil { // 8.2.2.3
		return refuse(f.Code, f.Reason, f.Header...)
	}
	if enc, ok := header.Value(r.Request, "Content-Encoding"); ok && enc != "identity" && len(r.Body()) > 0 { // 8.2.3
		return refuse(sip.StatusUnsupportedMediaType, "Unsupported Media Type", sip.NewHeader("Accept-Encoding", "identity"))
	}
	return true
}

// known tells whether the method is defined by a published specification.
func known(m sip.RequestMethod) bool {
	switch m {
	case sip.INVITE, sip.ACK, sip.BYE, sip.CANCEL, sip.REGISTER, sip.OPTIONS, sip.SUBSCRIBE, sip.NOTIFY,
		sip.REFER, sip.INFO, sip.MESSAGE, sip.PRACK, sip.UPDATE, sip.PUBLISH:
		return true
	}
	return false
}

// Allow is the value of our Allow header.
func (l *Layer) Allow() string {
	b := make([]byte, 0, 64)
	for i, m := range l.o.Allow {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, m...)
	}
	return string(b)
}

// cancel handles a CANCEL that found no transaction to cancel (section 9.2).
func (l *Layer) cancel(r *Request) {
	inv := l.invites.find(r.Request)
	if inv == nil {
		t := time.NewTimer(lateInvite)
		defer t.Stop()
		select {
		case <-t.C:
		case <-l.ctx.Done():
		}
		if inv = l.invites.find(r.Request); inv == nil {
			r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
			return
		}
	}
	r.To().Params.Add("tag", inv.Tag)
	r.Refuse(sip.StatusOK, "OK")
	_ = inv.tx.Receive(r.Request) // an error only means that it was no CANCEL
}

// tagCancel puts our tag into the To of a CANCEL before the library answers it, so that
// its 200 has the one of the INVITE's answers (section 9.2).
func (l *Layer) tagCancel(msg sip.Message) {
	req, ok := msg.(*sip.Request)
	if !ok || req.Method != sip.CANCEL || req.Via() == nil || req.To() == nil {
		return
	}
	if inv := l.invites.find(req); inv != nil && !req.To().Params.Has("tag") {
		req.To().Params.Add("tag", inv.Tag)
	}
}

// Response makes an answer to the request.
func (r *Request) Response(code int, reason string, h ...sip.Header) *sip.Response {
	res := sip.NewResponseFromRequest(r.Request, code, reason, nil)
	for _, x := range h {
		res.AppendHeader(x)
	}
	return res
}

// ErrCancel means that the caller cancelled before the answer; the
// transaction layer has answered 487 already.
var ErrCancel = errors.New("cancelled by the caller")

// Respond sends an answer and keeps the transaction as RFC 3261 section 17.2 asks.
func (r *Request) Respond(res *sip.Response) error {
	r.brand(res)
	err := r.tx.Respond(res)
	if errors.Is(err, sip.ErrTransactionCanceled) {
		return ErrCancel
	}
	return err
}

// Repeat sends an answer once more, as it is.
func (r *Request) Repeat(res *sip.Response) error { return r.tx.Respond(res) }

// Send sends a final answer and forgets the transaction at once: a
// retransmission is a new request and gets a new answer. For answers that are
// cheap to make again.
func (r *Request) Send(res *sip.Response) {
	r.brand(res)
	_ = r.tx.Respond(res) // if it is lost, the peer asks again
	r.tx.Terminate()
}

// Refuse makes an answer and sends it by Send.
func (r *Request) Refuse(code int, reason string, h ...sip.Header) {
	r.Send(r.Response(code, reason, h...))
}

// brand prepares an answer for sending.
func (r *Request) brand(res *sip.Response) {
	if r.l.o.Product != "" {
		res.AppendHeader(r.l.product)
	}
	r.spoke.Store(true)
	if r.trying != nil {
		r.trying.Stop()
	}
}

// Forget ends the transaction without another word.
func (r *Request) Forget() { r.tx.Terminate() }

// OnCancel arranges for f to be called if the caller cancels an INVITE. False:
// it was cancelled already.
func (r *Request) OnCancel(f func()) bool {
	// The library calls while it holds the transaction, for which somebody who
	// holds what f needs may be waiting.
	return r.tx.OnCancel(func(*sip.Request) { go r.l.guard("CANCEL", f) })
}

// Acks delivers ACKs that a peer sends with the branch of the INVITE, which
// some do for a 2xx too. Done ends the wait.
func (r *Request) Acks() <-chan *sip.Request { return r.tx.Acks() }

// Done is closed when the transaction ends.
func (r *Request) Done() <-chan struct{} { return r.tx.Done() }

// invites knows the INVITE transactions that are going on, by what a merged
// request and a CANCEL have in common with them.
type invites struct {
	mu       sync.Mutex
	byOrigin map[string]*Request // From tag, Call-ID, CSeq: section 8.2.2.2
	byBranch map[string]*Request // branch and sent-by: section 9.2
}

func newInvites() invites {
	return invites{byOrigin: map[string]*Request{}, byBranch: map[string]*Request{}}
}

// add lists an INVITE until its transaction ends. False: the same one is going
// on already, having come by another path.
func (t *invites) add(r *Request) bool {
	branch := branchKey(r.Request)
	origin := ""
	if !r.InDialog {
		tag, _ := r.From().Params.Get("tag")
		origin = string(*r.CallID()) + " " + tag + " " + strconv.FormatUint(uint64(r.CSeq().SeqNo), 10)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if origin != "" {
		if t.byOrigin[origin] != nil {
			return false
		}
		t.byOrigin[origin] = r
	}
	t.byBranch[branch] = r
	gone := func(string, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.byOrigin[origin] == r {
			delete(t.byOrigin, origin)
		}
		if t.byBranch[branch] == r {
			delete(t.byBranch, branch)
		}
	}
	if !r.tx.OnTerminate(gone) {
		delete(t.byOrigin, origin)
		delete(t.byBranch, branch)
	}
	return true
}

func (t *invites) find(cancel *sip.Request) *Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byBranch[branchKey(cancel)]
}

func branchKey(req *sip.Request) string {
	v := req.Via()
	branch, _ := v.Params.Get("branch")
	return branch + " " + sentBy(v)
}

package sip

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/auth"
	"centrala/sip/dialog"
	"centrala/sip/edge"
)

// attempts are the INVITEs of an outbound call. One that failed may be sent
// anew: with credentials (RFC 3261 section 22.3), or to another address (RFC
// 3263 section 4.3). The owner hears only of the last.
type attempts struct {
	d      Dial
	n      int          // the present INVITE; what comes of others is void
	auth   *auth.Client // nil: no account
	proofs int          // INVITEs sent with credentials for a new challenge
	named  bool         // the contact has a host name
	hops   []edge.Flow  // not tried yet
	minSE  uint32       // the session interval that the peer insists on, RFC 4028 section 7.4; 0: any
}

// maxProofs is how many challenges to one request are answered: of a proxy and
// of the server behind it, and a nonce that grew old meanwhile.
const maxProofs = 3

// hopPatience is how long an address may leave an INVITE without any answer
// while there is another one, in units of T1: 5 s.
const hopPatience = 10

var errNoAnswer = errors.New("no answer to the INVITE")

// credentials are those of our account with the carrier; nil: there is none.
func (t *trunk) credentials() *auth.Client {
	if t == nil {
		return nil
	}
	conf := t.settings()
	if conf.User == "" {
		return nil
	}
	return &auth.Client{User: conf.User, Password: conf.Password}
}

// noAnswerWithin is how long the present INVITE may go without any answer (RFC
// 3261 section 17.1.1.2, Timer B), less while there is another address.
func (l *Leg) noAnswerWithin() time.Duration {
	if len(l.tries.hops) > 0 {
		return hopPatience * l.s.t1
	}
	return 64 * l.s.t1
}

func (l *Leg) current(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return n == l.tries.n
}

// lateAnswer tries the next address because the present one does not answer,
// unless the timer is void.
func (l *Leg) lateAnswer(gen uint64) bool {
	l.mu.Lock()
	void := gen != l.timerGen
	l.mu.Unlock()
	return void || l.retry(nil, errNoAnswer)
}

// retry sends the INVITE anew if what came of it asks for that and there is hope.
func (l *Leg) retry(res *sip.Response, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	step, open := dialog.Next(l.state, dialog.SentAgain)
	t := &l.tries
	switch {
	case !open:
		return false
	case err != nil || res.StatusCode == sip.StatusServiceUnavailable: // RFC 3263 section 4.3
		if t.named {
			l.s.names.fail(l.flow.Remote)
		}
		if len(t.hops) == 0 {
			return false
		}
		l.log.Info().Err(err).Stringer("address", l.flow.Remote).Msg("calling the next address")
		l.flow, t.hops = t.hops[0], t.hops[1:]
		if l.client != nil {
			l.client.Drop()
		}
	case t.proofs < maxProofs && t.auth.Challenged(res):
		t.proofs++
	case res.StatusCode == statusIntervalTooSmall && minSE(res) > max(dialog.SessionWanted, t.minSE):
		t.minSE = minSE(res)
	default:
		return false
	}
	l.state = step.Next
	t.n++
	l.dlg = l.s.outgoing(l, t.d) // what a 1xx made of it is void
	l.dlg.Continue(l.inviteSeq)
	l.sdp, l.sdpTag, l.rseqs = nil, "", nil
	l.send()
	return true
}

// credentialsOf gives the ACK of a 2xx what the INVITE had (RFC 3261 section 13.2.2.4).
func (l *Leg) credentialsOf(invite, ack *sip.Request) {
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		for _, h := range invite.GetHeaders(name) {
			ack.AppendHeader(sip.HeaderClone(h))
		}
	}
}

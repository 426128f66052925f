package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"centrala/sip/auth"
	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
)

const (
	// registerFor is the expiry that we ask a carrier for at first.
	registerFor = 10 * time.Minute
	// registerForMax bounds what a 423 may make of it.
	registerForMax = 24 * time.Hour
	// registerRetry is the longest first pause after a failure, which doubles
	// with each further one (RFC 5626 section 4.5).
	registerRetry = 10 * time.Second
	// registerPauses is how many times the first pause the longest one is: 5 min.
	registerPauses = 30
	// farewell is how long the end of a registration may take.
	farewell = 2 * time.Second
)

var (
	errNotGranted = errors.New("the carrier took our contact for no time")
	errRefused    = errors.New("refused")
)

// account is what a registration depends on.
type account struct{ host, transport, user, password string }

func (c *Trunk) account() account { return account{c.Host, c.Transport, c.User, c.Password} }

// registration keeps us registered with a carrier (RFC 3261 section 10.2), on a
// goroutine of its own: it refreshes in time, and after a failure tries again at
// growing intervals, at each of the carrier's addresses.
type registration struct {
	s    *Stack
	t    *trunk
	conf Trunk
	log  zerolog.Logger

	stop  context.CancelFunc
	leave bool          // end the registration there, too; set before stop
	after chan struct{} // closed when the one that this replaces has ended; nil: there is none
	done  chan struct{}

	telling telling

	// The rest is accessed by the goroutine only.
	auth        *auth.Client
	callID, tag string // the same for all requests: section 10.2
	seq         uint32
	expires     time.Duration // to ask for
	flow        edge.Flow     // where we are registered
	failures    int           // in a row
}

// registerTrunks begins and ends registrations as the directory asks for.
func (s *Stack) registerTrunks() {
	b := s.book.Load()
	s.regMu.Lock()
	defer s.regMu.Unlock()
	if !s.registering {
		return
	}
	replaced := map[string]chan struct{}{}
	for id, r := range s.regs {
		var conf Trunk
		if t := b.trunks[id]; t != nil {
			conf = t.settings()
		}
		if conf.Register && conf.account() == r.conf.account() {
			continue
		}
		// A new password for the same contact: what comes next would be removed.
		r.leave = !conf.Register || conf.Host != r.conf.Host || conf.User != r.conf.User
		r.stop()
		delete(s.regs, id)
		replaced[id] = r.done
	}
	for id, t := range b.trunks {
		if conf := t.settings(); conf.Register && conf.Host != "" && s.regs[id] == nil {
			s.regs[id] = s.startRegistration(t, conf, replaced[id])
		}
	}
}

func (s *Stack) startRegistration(t *trunk, conf Trunk, after chan struct{}) *registration {
	r := &registration{
		s: s, t: t, conf: conf, after: after, done: make(chan struct{}), auth: t.credentials(), expires: registerFor,
		callID: dialog.NewTag() + "@" + s.o.Domain, tag: dialog.NewTag(),
		log: s.o.Log.With().Str("trunk", t.id).Str("user", conf.User).Logger(),
	}
	ctx, stop := context.WithCancel(s.ctx)
	r.stop = stop
	s.regWait.Add(1)
	go r.run(ctx)
	return r
}

// unregisterTrunks ends all registrations. When ctx ends the carriers are not
// waited for any more.
func (s *Stack) unregisterTrunks(ctx context.Context) {
	s.regMu.Lock()
	s.registering = false
	for _, r := range s.regs {
		r.leave = true
		r.stop()
	}
	for _, c := range s.checks {
		c.stop()
	}
	s.regMu.Unlock()
	hurry := context.AfterFunc(ctx, s.stop)
	s.regWait.Wait()
	hurry()
}

func (r *registration) run(ctx context.Context) {
	defer r.s.regWait.Done()
	defer close(r.done)
	if r.after != nil {
		<-r.after
	}
	for ctx.Err() == nil {
		wait := r.safely(func() time.Duration { return r.round(ctx) })
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	r.s.regMu.Lock()
	leave := r.leave
	r.s.regMu.Unlock()
	if leave && r.t.registered(r.s.now()) {
		r.safely(r.unregister)
	}
	r.left()
}

// safely survives a fault of ours, which then is a failure like any other.
func (r *registration) safely(f func() time.Duration) (wait time.Duration) {
	defer func() {
		if p := recover(); p != nil {
			r.s.panics.Add(1)
			r.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("registration failed")
			wait = r.pause()
		}
	}()
	return f()
}

// round registers once, at the first address that takes it, and says when to do so again.
func (r *registration) round(ctx context.Context) time.Duration {
	host, port, network := r.conf.endpoint()
	flows, err := r.s.resolve(Contact{uri: sip.Uri{Host: host}, network: network, port: port})
	for k, flow := range flows {
		patience := 64 * r.s.t1 // RFC 3261 section 17.1.2.2, Timer F
		if k+1 < len(flows) {
			patience = hopPatience * r.s.t1
		}
		var res *sip.Response
		if res, err = r.ask(ctx, flow, patience); err == nil && !elsewhere(res.StatusCode) {
			return r.answered(flow, res)
		}
		if ctx.Err() != nil {
			return 0
		}
		r.s.names.fail(flow.Remote)
		if err == nil {
			err = fmt.Errorf("%w with %d %s", errRefused, res.StatusCode, res.Reason)
			if later := retryAfterOf(res); later > 0 && k+1 == len(flows) {
				return max(later, r.failed(err))
			}
		}
	}
	return r.failed(err)
}

// elsewhere tells whether another address of the carrier may do better.
func elsewhere(code int) bool { return code/100 == 5 || code == sip.StatusRequestTimeout }

// answered takes a final answer that the other addresses would give, too.
func (r *registration) answered(flow edge.Flow, res *sip.Response) time.Duration {
	if !res.IsSuccess() {
		// A carrier that knows our password to be wrong locks out who insists.
		r.failures = registerPauses
		return max(retryAfterOf(res), r.failed(fmt.Errorf("%w with %d %s", errRefused, res.StatusCode, res.Reason)))
	}
	granted := r.granted(flow, res)
	if granted <= 0 {
		return r.failed(errNotGranted)
	}
	line := r.log.Debug()
	if !r.t.registered(r.s.now()) || r.failures > 0 {
		line = r.log.Info()
	}
	line.Stringer("address", flow.Remote).Stringer("for", granted).Msg("registered with the carrier")
	r.failures, r.flow = 0, flow
	r.t.setRegistered(r.s.now().Add(granted), flow.Remote.Addr())
	r.tellGranted(granted)
	if f, ok := r.s.tx.Flows().ByPeer(flow); ok && flow.Stream() {
		r.s.tx.Flows().Keep(f.ID, true) // calls come in by it
	}
	return time.Duration(float64(granted) * (0.6 + 0.2*rand.Float64()))
}

// failed says how long to wait after a failure.
func (r *registration) failed(err error) time.Duration {
	r.auth = r.t.credentials() // the answer to the next challenge is the first again
	wait := r.pause()
	r.log.Warn().Err(err).Stringer("again_in", wait).Msg("not registered with the carrier")
	r.tell(TrunkUnregistered, err)
	return wait
}

// pause grows with each failure; at random, so that not all come back at once.
func (r *registration) pause() time.Duration {
	r.failures++
	longest := r.s.retry
	for n := 1; n < r.failures && longest < registerPauses*r.s.retry; n++ {
		longest *= 2
	}
	longest = min(longest, registerPauses*r.s.retry)
	return longest/2 + rand.N(longest/2+1)
}

func (r *registration) unregister() time.Duration {
	ctx, cancel := context.WithTimeout(r.s.ctx, farewell)
	defer cancel()
	r.expires = 0
	if _, err := r.ask(ctx, r.flow, farewell); err != nil {
		r.log.Info().Err(err).Msg("registration left to expire")
	}
	return 0
}

// ask sends a REGISTER, with credentials or for longer where that is asked for.
func (r *registration) ask(ctx context.Context, flow edge.Flow, patience time.Duration) (*sip.Response, error) {
	longer := false
	for proofs := 0; ; {
		res, err := r.s.await(ctx, r.request(flow), flow, patience)
		if err != nil {
			return nil, err
		}
		switch {
		case proofs < maxProofs && r.auth.Challenged(res):
			proofs++
			continue
		case res.StatusCode == sip.StatusIntervalToBrief && !longer: // RFC 3261 section 10.2.8
			least, _ := header.Value(res, "Min-Expires")
			d := time.Duration(header.DeltaSeconds(least)) * time.Second
			if d > r.expires && d <= registerForMax && r.expires > 0 {
				r.expires, longer = d, true
				continue
			}
		case res.IsSuccess():
			r.auth.Accepted()
		}
		return res, nil
	}
}

// request is the REGISTER (RFC 3261 section 10.2).
func (r *registration) request(flow edge.Flow) *sip.Request {
	r.seq++
	registrar, aor := r.conf.uri(""), r.conf.uri(r.conf.User)
	registrar.UriParams, aor.UriParams, aor.Port = nil, nil, 0
	req := sip.NewRequest(sip.REGISTER, registrar)
	hops, callID := sip.MaxForwardsHeader(maxForwards), sip.CallIDHeader(r.callID)
	req.AppendHeader(&hops)
	req.AppendHeader(&sip.FromHeader{Address: aor, Params: sip.HeaderParams{{K: "tag", V: r.tag}}})
	req.AppendHeader(&sip.ToHeader{Address: aor})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.seq, MethodName: sip.REGISTER})
	req.AppendHeader(r.s.contact(r.conf.User, flow))
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(r.expires/time.Second))))
	req.AppendHeader(r.s.allow)
	for _, h := range r.auth.Headers(req) {
		req.AppendHeader(h)
	}
	return req
}

// granted is for how long the carrier took our contact: by its own expires, or
// that of the answer, or what we asked for (RFC 3261 section 10.2.4). Of a list
// without ours, which then was rewritten on the way, the first to end counts.
func (r *registration) granted(flow edge.Flow, res *sip.Response) time.Duration {
	otherwise := r.expires
	if seconds, ok := header.Expires(res); ok {
		otherwise = time.Duration(seconds) * time.Second
	}
	ours := r.s.contact(r.conf.User, flow).Address
	least := otherwise
	for _, c := range header.Contacts(res) {
		d := otherwise
		if v, ok := header.Param(c.Params, "expires"); ok {
			d = time.Duration(header.DeltaSeconds(v)) * time.Second
		}
		if c.Address.Host == ours.Host && c.Address.Port == ours.Port && header.UnescapedUser(c.Address.User) == header.UnescapedUser(ours.User) {
			return d
		}
		least = min(least, d)
	}
	return least
}

// retryAfterOf is how long the peer wants to be left alone, up to an hour.
func retryAfterOf(res *sip.Response) time.Duration {
	v, ok := header.Value(res, "Retry-After")
	if !ok {
		return 0
	}
	v, _, _ = strings.Cut(v, ";")
	v, _, _ = strings.Cut(v, "(")
	seconds, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

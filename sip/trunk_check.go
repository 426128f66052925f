package sip

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"centrala/sip/dialog"
	"centrala/sip/edge"
)

const (
	// checkPatience is how long an address may take to answer, in units of T1: 10 s.
	checkPatience = 20
	// checkOften is the shortest time between two questions to an address.
	checkOften = time.Second
)

// presence is what is known of a carrier.
type presence uint8

const (
	unknown presence = iota
	present
	absent
)

// check asks a carrier from time to time whether it is there (OPTIONS, RFC 3261
// section 11.1), on a goroutine of its own: each of its addresses. One that does
// not answer comes last, until it does, when a call leaves.
type check struct {
	s    *Stack
	t    *trunk
	conf Trunk
	log  zerolog.Logger
	stop context.CancelFunc
}

// checked are the settings that a check depends on.
type checked struct {
	host, transport string
	every           time.Duration
}

func (c *Trunk) checked() checked { return checked{c.Host, c.Transport, c.Check} }

// checkTrunks begins and ends checks as the directory asks for.
func (s *Stack) checkTrunks() {
	b := s.book.Load()
	s.regMu.Lock()
	defer s.regMu.Unlock()
	if !s.registering {
		return
	}
	for id, c := range s.checks {
		if t := b.trunks[id]; t != nil {
			if conf := t.settings(); conf.checked() == c.conf.checked() {
				continue
			}
		}
		c.stop()
		delete(s.checks, id)
	}
	for id, t := range b.trunks {
		conf := t.settings()
		if s.checks[id] != nil {
			continue
		}
		t.found(unknown)
		if conf.Host == "" || conf.Check <= 0 {
			continue
		}
		ctx, stop := context.WithCancel(s.ctx)
		c := &check{s: s, t: t, conf: conf, stop: stop, log: s.o.Log.With().Str("trunk", id).Logger()}
		s.checks[id] = c
		s.regWait.Add(1)
		go c.run(ctx)
	}
}

func (c *check) run(ctx context.Context) {
	defer c.s.regWait.Done()
	every := max(c.conf.Check, checkOften)
	for ctx.Err() == nil {
		c.safely(func() { c.round(ctx) })
		select {
		case <-ctx.Done():
		case <-time.After(every - every/10 + rand.N(every/5)): // not all carriers at once
		}
	}
}

// safely survives a fault of ours: the next round may do better.
func (c *check) safely(f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.s.panics.Add(1)
			c.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("check of the carrier failed")
		}
	}()
	f()
}

// round asks each address once.
func (c *check) round(ctx context.Context) {
	host, port, network := c.conf.endpoint()
	flows, err := c.s.resolve(Contact{uri: sip.Uri{Host: host}, network: network, port: port})
	there := absent
	for _, flow := range flows {
		var res *sip.Response
		res, err = c.s.await(ctx, c.request(flow), flow, checkPatience*c.s.t1)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && serves(res.StatusCode):
			there = present
			c.s.names.revive(flow.Remote)
		default:
			if err == nil {
				err = fmt.Errorf("%w with %d %s", errRefused, res.StatusCode, res.Reason)
			}
			c.s.names.fail(flow.Remote)
		}
	}
	c.s.regMu.Lock() // a check that was replaced meanwhile has nothing to say
	news := c.s.checks[c.t.id] == c && c.t.found(there) != there
	c.s.regMu.Unlock()
	switch {
	case !news:
	case there == present:
		c.log.Info().Str("host", c.conf.Host).Msg("the carrier answers")
		c.s.seen(c.t.id, TrunkUp, nil)
	default:
		c.log.Warn().Err(err).Str("host", c.conf.Host).Msg("the carrier does not answer")
		c.s.seen(c.t.id, TrunkDown, err)
	}
}

// serves tells whether who answers so takes calls: it is there, whatever it says
// to OPTIONS, but for those who only speak for somebody who is not.
func serves(code int) bool {
	switch code {
	case sip.StatusRequestTimeout, sip.StatusBadGateway, sip.StatusServiceUnavailable, sip.StatusGatewayTimeout:
		return false
	}
	return true
}

// request is the OPTIONS.
func (c *check) request(flow edge.Flow) *sip.Request {
	to := c.conf.uri("")
	to.UriParams = nil
	req := sip.NewRequest(sip.OPTIONS, to)
	to.Port = 0
	hops, callID := sip.MaxForwardsHeader(maxForwards), sip.CallIDHeader(dialog.NewTag()+"@"+c.s.o.Domain)
	req.AppendHeader(&hops)
	req.AppendHeader(&sip.FromHeader{
		Address: sip.Uri{Scheme: "sip", Host: c.s.o.Domain}, Params: sip.HeaderParams{{K: "tag", V: dialog.NewTag()}},
	})
	req.AppendHeader(&sip.ToHeader{Address: to})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: sip.OPTIONS})
	req.AppendHeader(c.s.contact("", flow))
	req.AppendHeader(c.s.accept)
	return req
}

// found notes what is known of the carrier, and tells what was before.
func (t *trunk) found(p presence) (before presence) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, t.there = t.there, p
	return before
}

func (t *trunk) presence() presence {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.there
}

// await sends a request outside of any call and waits for its final answer.
func (s *Stack) await(ctx context.Context, req *sip.Request, flow edge.Flow, patience time.Duration) (*sip.Response, error) {
	type outcome struct {
		res *sip.Response
		err error
	}
	final := make(chan outcome, 1)
	c := s.tx.Send(req, flow, func(res *sip.Response, err error) {
		if err != nil || !res.IsProvisional() {
			final <- outcome{res, err}
		}
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case o := <-final:
		return o.res, o.err
	case <-timer.C:
		c.Drop()
		return nil, errNoAnswer
	case <-ctx.Done():
		c.Drop()
		return nil, ctx.Err()
	}
}

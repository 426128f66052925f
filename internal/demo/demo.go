// Package demo has robots call a server and answer its calls, so that whoever looks at it for the first
// time sees it at work: callers who now and then give up, agents who answer after some rings, let one
// pass, go on breaks. They are real peers: their calls are SIP and RTP on the loopback of this machine.
// The queue groups that they know are Config.
package demo

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/holdmusic"
	"centrala/media"
	"centrala/sip"
)

//go:embed queuegroups.yaml
var queueGroups string

// You is the agent who is no robot: whoever tries the server. Password is that of their desk phone,
// Extension its number.
const (
	You       = "you"
	Password  = "you-demo"
	Extension = "201"
)

// support is the number whose calls come to You first.
const support = "+48221002002"

// numbers are those that robots call.
var numbers = []string{"+48221002001", support, "+48221002001", "+48221002003"}

// agents are the robots who answer.
var agents = []string{"zofia", "marek", "olga", "tomasz", "irena", "pawel", "nina"}

// reasons for the robots' breaks.
var reasons = []string{"lunch", "coffee", "training"}

// Office is what robots ask of the server, and have done, beside calling.
type Office interface {
	// Talking tells whether an agent talks to the caller with the number.
	Talking(number string) bool
	// Free tells whether the agent may be offered a call now.
	Free(agent string) bool
	// Duty sends an agent on a break, or back to work if the reason is empty.
	Duty(agent, reason string)
	// Outcome tells what came of the call that the agent had last; pick chooses one of n codes.
	Outcome(agent string, pick func(n int) int)
}

// Options of the robots. All but Log are required, but for Pace.
type Options struct {
	Host   netip.Addr // of this machine, where the robots' telephones are
	Office Office
	Pace   time.Duration // the mean time between two calls; 0: 6 s
	Most   int           // calls at once; 0: 16
	Log    zerolog.Logger
}

// The defaults.
const (
	pace = 6 * time.Second
	most = 16
)

// The ports of the robots' audio: those of `centrala call`, which takes what is free of them.
const portMin, portMax = 40000, 49999

// Robots are callers and agents. Make them with New, then Start, and at the end Stop.
type Robots struct {
	o      Options
	engine *media.Engine
	stack  *sip.Stack
	music  media.Program
	server netip.AddrPort // set by Start

	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
	ended sync.Once

	mu    sync.Mutex
	calls map[*call]struct{}
	idle  chan struct{} // closed when the last of the calls has ended after Stop
}

// New takes the robots' telephones into operation. They neither call nor answer before Start.
func New(o Options) (r *Robots, err error) {
	if o.Pace == 0 {
		o.Pace = pace
	}
	if o.Most == 0 {
		o.Most = most
	}
	library := holdmusic.New(func(string) (io.ReadCloser, error) { return nil, fmt.Errorf("robots have no files") })
	if err := library.Load(holdmusic.Wanted{}); err != nil {
		return nil, fmt.Errorf("the robots' tune: %w", err)
	}
	r = &Robots{o: o, music: library.Default(), calls: map[*call]struct{}{}, idle: make(chan struct{})}
	r.ctx, r.stop = context.WithCancel(context.Background())
	if r.engine, err = media.New(media.Options{PortMin: portMin, PortMax: portMax, Log: zerolog.Nop()}); err != nil {
		return nil, fmt.Errorf("the robots' audio: %w", err)
	}
	r.stack, err = sip.New(sip.Options{
		Listen:    []sip.Listen{{Network: "udp", Addr: netip.AddrPortFrom(o.Host, 0)}},
		Domain:    o.Host.String(),
		UserAgent: "centrala demo",
		Directory: sip.Directory{Trunks: []sip.Trunk{{ID: "server", From: []netip.Prefix{netip.PrefixFrom(o.Host, o.Host.BitLen())}}}},
		Handler:   r,
		Log:       zerolog.Nop(),
	})
	if err != nil {
		r.engine.Close()
		return nil, fmt.Errorf("the robots' telephones: %w", err)
	}
	return r, nil
}

// Config is the queue groups that the robots serve and call, as the file of a server.
func (r *Robots) Config() string {
	return strings.ReplaceAll(queueGroups, "{{.}}", r.stack.Addrs()[0].Addr.String())
}

// Start has the robots call the server that listens at the address, and answer.
func (r *Robots) Start(server netip.AddrPort) {
	r.server = server
	r.stack.Start()
	r.tasks.Go(r.ring)
	r.tasks.Go(r.rest)
	r.tasks.Go(r.attend)
}

// Stop hangs up all calls and ends. ctx bounds the wait for the far ends. It may be called more than once.
func (r *Robots) Stop(ctx context.Context) { r.ended.Do(func() { r.end(ctx) }) }

func (r *Robots) end(ctx context.Context) {
	r.stop()
	r.tasks.Wait()
	r.mu.Lock()
	if len(r.calls) == 0 {
		close(r.idle)
	}
	for c := range r.calls {
		c.box.Post(func() { c.leg.Hangup("") })
	}
	r.mu.Unlock()
	select {
	case <-r.idle:
	case <-ctx.Done():
	}
	_ = r.stack.Close(ctx) // nothing is left to lose
	r.engine.Close()
}

// between is a random time, evenly spread.
func between(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

// oneIn is true so often.
func oneIn(n int) bool { return rand.IntN(n) == 0 }

// pause waits, or tells that it is over.
func (r *Robots) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// ring makes calls as they come to an exchange, each at a time of its own, and no more at once than
// allowed. The first come soon, so that there is something to see.
func (r *Robots) ring() {
	for n := 0; ; n++ {
		gap := time.Duration(rand.ExpFloat64() * float64(r.o.Pace))
		if n < len(numbers) {
			gap = 500 * time.Millisecond
		}
		if !r.pause(min(gap, 4*r.o.Pace)) {
			return
		}
		if r.free() {
			r.dial(numbers[n%len(numbers)])
		}
	}
}

// attend has somebody call You soon after they have got ready, and again while nobody else does.
func (r *Robots) attend() {
	const soon, again = 4, 15 // seconds
	for n := 0; r.pause(time.Second); n++ {
		switch {
		case !r.o.Office.Free(You):
			n = 0
		case n == soon:
			r.dial(support)
		case n == again:
			n = 0
		}
	}
}

func (r *Robots) free() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	callers := 0
	for c := range r.calls {
		if c.caller {
			callers++
		}
	}
	return callers < r.o.Most
}

// rest sends one free agent after another on a break, the first soon.
func (r *Robots) rest() {
	for wait := 3 * time.Second; r.pause(wait); {
		agent := agents[rand.IntN(len(agents))]
		if !r.o.Office.Free(agent) {
			wait = time.Second
			continue
		}
		r.o.Office.Duty(agent, reasons[rand.IntN(len(reasons))])
		over := r.pause(between(15*time.Second, 45*time.Second))
		r.o.Office.Duty(agent, "")
		if !over {
			return
		}
		wait = between(10*time.Second, 40*time.Second)
	}
}

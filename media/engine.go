package media

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"time"

	"centrala/media/sdp"

	"github.com/rs/zerolog"
)

// Errors that callers tell apart.
var (
	// ErrNoPorts: every pair of the port range is in use.
	ErrNoPorts = errors.New("no free RTP port pair")
	// ErrNoCodec: the peer has no audio stream or codec in common with us; SIP answers 488.
	ErrNoCodec = sdp.ErrNoCodec
	// ErrInsecure: the audio would not be encrypted, and must; SIP answers 488.
	ErrInsecure = sdp.ErrInsecure
	// ErrMalformed: what should be a session description is none.
	ErrMalformed = sdp.ErrMalformed
	// ErrClosed: the engine or the endpoint was closed.
	ErrClosed = errors.New("media closed")
)

// Options configure an Engine.
type Options struct {
	// Advertise is the address put into session descriptions; invalid: the endpoint's local address.
	Advertise netip.Addr
	// PortMin and PortMax bound the range that RTP and RTCP ports are taken from, both inclusive.
	// Both 0: 10000 to 19999.
	PortMin, PortMax uint16
	// Quarantine is how long a pair is not used again after an endpoint gave it back, so that late
	// packets of one call do not reach another; it is cut short when no other pair is left. 0: 30 s;
	// negative: none.
	Quarantine time.Duration
	// Timeout is how long an active endpoint may receive no RTP before EventTimeout. 0: 60 s.
	Timeout time.Duration
	// WebRTC is where the audio of all browsers comes and goes: one UDP port, at every address of the
	// machine if that is unspecified; port 0: one of the range. Invalid: there are no browsers.
	WebRTC netip.AddrPort
	Log    zerolog.Logger
}

// Program is audio that endpoints play, encoded beforehand and shared by all listeners.
type Program interface {
	// Frame returns the 20 ms of the programme at tick of the engine's clock, FrameSamples bytes.
	// It is called from several goroutines at once, must not allocate or block, and what it returned
	// must not change. Ticks count up by one every 20 ms, so that all listeners hear the same.
	Frame(c Codec, tick uint64) []byte
}

// Engine owns the ports, the clock and the sockets of all endpoints.
type Engine struct {
	options  Options
	log      zerolog.Logger
	start    time.Time
	ports    *ports
	web      *webPorts // nil: there are no browsers
	identity webIdentity

	pollers    []*poller
	metronomes []*metronome
	stop       chan struct{}
	running    sync.WaitGroup

	mu        sync.Mutex
	endpoints map[*Endpoint]struct{}
	made      int
	closed    bool
	past      EngineStats // sums of endpoints that were closed
}

// New starts an engine. It has a reader and a clock for each processor.
func New(o Options) (*Engine, error) {
	if o.PortMin == 0 && o.PortMax == 0 {
		o.PortMin, o.PortMax = 10000, 19999
	}
	if o.Quarantine == 0 {
		o.Quarantine = 30 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	pool, err := newPorts(o.PortMin, o.PortMax, o.Quarantine)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, log: o.Log, start: time.Now(), ports: pool,
		stop: make(chan struct{}), endpoints: make(map[*Endpoint]struct{}),
	}
	if o.WebRTC.IsValid() {
		if e.identity, err = newWebIdentity(); err != nil {
			return nil, err
		}
		if e.web, err = e.openWeb(o.WebRTC); err != nil {
			return nil, err
		}
	}
	for range runtime.GOMAXPROCS(0) {
		p, err := newPoller(e)
		if err != nil {
			for _, p := range e.pollers {
				p.close()
			}
			e.closeWeb()
			return nil, err
		}
		e.pollers = append(e.pollers, p)
		e.metronomes = append(e.metronomes, newMetronome(e.log))
	}
	for i := range e.pollers {
		e.running.Go(e.pollers[i].loop)
		e.running.Go(func() { e.metronomes[i].loop(e.clock, e.stop) })
	}
	if e.web != nil {
		for _, p := range e.web.list {
			e.running.Go(p.loop)
		}
	}
	return e, nil
}

// clock is the time since the engine's start, which never goes back.
func (e *Engine) clock() time.Duration { return time.Since(e.start) }

// ntp is the wall-clock time of an instant of the engine's clock, as NTP writes it: seconds since
// 1900 in the upper half, their fraction in the lower.
func (e *Engine) ntp(now int64) uint64 {
	const since1900 = 2208988800
	t := e.start.Add(time.Duration(now))
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// NewEndpoint binds a port pair. ErrNoPorts when there is none.
func (e *Engine) NewEndpoint(o EndpointOptions) (*Endpoint, error) {
	if o.WebRTC {
		return e.newWebEndpoint(o)
	}
	local := o.Local.Unmap()
	if !local.IsValid() {
		return nil, fmt.Errorf("endpoint %s: no local address", o.Label)
	}
	if local.IsUnspecified() && !e.options.Advertise.IsValid() {
		return nil, fmt.Errorf("endpoint %s: %v cannot be told to a peer", o.Label, local)
	}
	rtp, rtcp, port, err := e.ports.open(local)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", o.Label, err)
	}
	ep := &Endpoint{
		engine: e, label: o.Label, local: netip.AddrPortFrom(local, port),
		timeout: o.Timeout, onEvent: o.OnEvent, onAudio: o.OnAudio,
		rtp: rtp, rtcp: rtcp, out: newStream(rtp),
	}
	ep.reports.cname = newCNAME()
	ep.in.source.signalling = o.Signalling.Unmap()
	ep.in.source.loopback = local.IsLoopback()
	ep.begin(e, e.localSide(ep, o))
	if err := e.enlist(ep); err != nil {
		rtp.close()
		rtcp.close()
		e.ports.giveBack(port, time.Now())
		return nil, fmt.Errorf("endpoint %s: %w", o.Label, err)
	}
	return ep, nil
}

// begin gives a new endpoint what all of them have.
func (ep *Endpoint) begin(e *Engine, local sdp.Local) {
	if ep.timeout == 0 {
		ep.timeout = e.options.Timeout
	}
	ep.negotiator = sdp.NewNegotiator(local)
}

func (e *Engine) localSide(ep *Endpoint, o EndpointOptions) sdp.Local {
	codecs := o.Codecs
	if codecs == nil {
		codecs = []Codec{PCMA, PCMU}
	}
	l := sdp.Local{
		Session: rand.Uint64() >> 2, Addr: ep.local.Addr(),
		RTP: ep.local.Port(), RTCP: ep.local.Port() + 1, Security: o.Security, Random: randomKey,
	}
	if e.options.Advertise.IsValid() {
		l.Addr = e.options.Advertise.Unmap()
	}
	for _, c := range codecs {
		l.Codecs = append(l.Codecs, sdp.Format{PT: c.PayloadType(), Name: c.String(), Rate: SampleRate})
	}
	return l
}

// enlist gives the endpoint its reader.
func (e *Engine) enlist(ep *Endpoint) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	if ep.web == nil {
		ep.poller = e.pollers[e.made%len(e.pollers)]
		if err := ep.poller.add(ep); err != nil {
			return err
		}
	}
	e.made++
	e.endpoints[ep] = struct{}{}
	return nil
}

// forget is told of an endpoint that was closed.
func (e *Engine) forget(ep *Endpoint, final Stats) {
	if ep.web == nil {
		e.ports.giveBack(ep.local.Port(), time.Now())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.endpoints, ep)
	e.past.add(final)
}

// Stats returns the figures of now.
func (e *Engine) Stats() EngineStats {
	e.mu.Lock()
	s := e.past
	list := slices.Collect(maps.Keys(e.endpoints))
	e.mu.Unlock()
	for _, ep := range list {
		s.add(ep.Stats())
	}
	s.Endpoints = len(list)
	if e.web != nil {
		s.PacketsDiscarded += e.web.strangers.Load()
	}
	s.PortPairs, s.PortPairsFree = e.ports.counts(time.Now())
	return s
}

// Close closes all endpoints and stops the engine. A second call does nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.closed = true
	list := slices.Collect(maps.Keys(e.endpoints))
	e.mu.Unlock()
	for _, ep := range list {
		ep.Close()
	}
	close(e.stop)
	for _, p := range e.pollers {
		p.close()
	}
	e.closeWeb()
	e.running.Wait()
}

func (e *Engine) closeWeb() {
	if e.web != nil {
		e.web.close()
	}
}

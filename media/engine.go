package media

import (
	"errors"
	"net/netip"
	"time"

	"github.com/rs/zerolog"
)

// Errors that callers tell apart.
var (
	// ErrNoPorts: every pair of the port range is in use or in quarantine.
	ErrNoPorts = errors.New("no free RTP port pair")
	// ErrNoCodec: the peer has no audio stream or codec in common with us; SIP answers 488.
	ErrNoCodec = errors.New("no common audio codec")
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
	// packets of one call never reach another. 0: 30 s; negative: none.
	Quarantine time.Duration
	// Timeout is how long an active endpoint may receive no RTP before EventTimeout. 0: 60 s.
	Timeout time.Duration
	Log     zerolog.Logger
}

// Program is audio that endpoints play, encoded beforehand and shared by all listeners.
type Program interface {
	// Frame returns the 20 ms of the programme at tick of the engine's clock, FrameSamples bytes.
	// It is called from several goroutines at once, must not allocate and keeps the bytes unchanged.
	Frame(c Codec, tick uint64) []byte
}

// Engine owns the ports, the clock and the sockets of all endpoints.
type Engine struct{}

// New starts an engine.
func New(o Options) (*Engine, error) { return &Engine{}, nil }

// NewEndpoint binds a port pair.
func (e *Engine) NewEndpoint(o EndpointOptions) (*Endpoint, error) { return nil, ErrNoPorts }

// Close closes all endpoints and stops the engine. A second call does nothing.
func (e *Engine) Close() {}

// EngineStats are figures for metrics.
type EngineStats struct {
	Endpoints        int    // open now
	PortPairs        int    // in the range
	PortPairsFree    int    // neither in use nor in quarantine
	PacketsSent      uint64 // RTP, by endpoints closed and open
	PacketsReceived  uint64 // RTP that was accepted
	PacketsDiscarded uint64 // from strangers, malformed, of unknown payload type
}

// Stats returns the figures of now.
func (e *Engine) Stats() EngineStats { return EngineStats{} }

// Package testcall places one telephone call the way a carrier would, plays a
// WAV file or a tone to the other side, records what it hears and tells what
// happened. It serves the first try of an installation and the project's own
// end-to-end tests. It does not register and does not take calls.
package testcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"centrala/holdmusic"
	"centrala/internal/mailbox"
	"centrala/media"
	"centrala/media/tone"
	"centrala/sip"
)

// Errors that callers tell apart.
var (
	ErrUsage       = errors.New("usage")           // the options make no sense
	ErrNotAnswered = errors.New("no answer")       // the call was refused, or rang too long
	ErrNoAudio     = errors.New("nothing to hear") // answered, but no audio arrived
)

// Options of one call.
type Options struct {
	To     string        // SIP URI
	From   string        // the caller's number
	Play   string        // WAV file to play in a loop; empty: a tone of 440 Hz
	Record string        // WAV file to write; empty: none
	For    time.Duration // hang up this long after the answer
	Wait   time.Duration // give up when not answered for this long
	Out    io.Writer     // where to say what happens
}

// The tone that is played when no file is given.
const (
	toneHz    = 440
	toneLevel = -12 // dBFS
)

// farewell bounds how long the end of the call may take.
const farewell = 5 * time.Second

// Run places the call and returns when it is over; a value on stop hangs up.
// The error is nil when the call was answered and something was heard.
func Run(o Options, stop <-chan os.Signal) error {
	if _, rest, ok := strings.Cut(o.To, ":"); !ok || rest == "" {
		return fmt.Errorf("%w: --to %q is not a SIP URI such as sip:+48221234567@127.0.0.1:5060", ErrUsage, o.To)
	}
	if o.From == "" || strings.ContainsAny(o.From, ":@<> ") {
		return fmt.Errorf("%w: --from %q is not a caller's number such as +48221110000", ErrUsage, o.From)
	}
	if o.For <= 0 || o.Wait <= 0 {
		return fmt.Errorf("%w: --for and --wait must be longer than nothing", ErrUsage)
	}
	if err := writable(o.Record); err != nil {
		return fmt.Errorf("%w: --record: %w", ErrUsage, err)
	}
	c, err := newCaller(o)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.dial(); err != nil {
		return err
	}
	return c.follow(stop)
}

// caller is the one call. Its fields are accessed in its box, but for the
// recorder, which media fills.
type caller struct {
	o        Options
	began    time.Time
	box      mailbox.Box
	over     chan struct{} // closed when the leg has ended
	engine   *media.Engine
	endpoint *media.Endpoint
	stack    *sip.Stack
	leg      *sip.Leg
	heard    recorder

	answered bool
	progress bool // something came back
	gaveUp   bool
	end      sip.Termination
	hangup   *time.Timer // set by the answer
	hearing  string      // what was told last
}

func newCaller(o Options) (*caller, error) {
	c := &caller{o: o, began: time.Now(), over: make(chan struct{})}
	c.box = mailbox.Box{
		Run:      func(f func()) { f() },
		Idle:     func() bool { return false },
		Overflow: func() {},
	}
	target, err := resolve(o.To)
	if err != nil {
		return nil, err
	}
	programme, err := programme(o.Play)
	if err != nil {
		return nil, err
	}
	local, err := localTowards(target)
	if err != nil {
		return nil, err
	}
	if c.engine, err = media.New(media.Options{PortMin: 40000, PortMax: 49999, Log: zerolog.Nop()}); err != nil {
		return nil, err
	}
	c.endpoint, err = c.engine.NewEndpoint(media.EndpointOptions{
		Label: "test call", Local: local, Signalling: target.Addr(), OnAudio: c.heard.add,
	})
	if err != nil {
		c.close()
		return nil, err
	}
	c.endpoint.Play(programme)
	c.stack, err = sip.New(sip.Options{
		Listen:    []sip.Listen{{Network: "udp", Addr: netip.AddrPortFrom(local, 0)}},
		Domain:    local.String(),
		UserAgent: "centrala call",
		Handler:   nobody{},
		Log:       zerolog.Nop(),
	})
	if err != nil {
		c.close()
		return nil, err
	}
	c.stack.Start()
	return c, nil
}

func (c *caller) close() {
	if c.stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_ = c.stack.Close(ctx) // the call is over; there is nothing left to lose
	}
	if c.engine != nil {
		c.engine.Close()
	}
}

func (c *caller) dial() error {
	to, err := c.stack.ContactURI(c.o.To)
	if err != nil {
		return fmt.Errorf("%w: --to: %w", ErrUsage, err)
	}
	c.say("calling %s as %s", c.o.To, c.o.From)
	c.leg = c.stack.Dial(&c.box, c, sip.Dial{
		ID: "test-call", To: to, From: sip.Party{User: c.o.From, Name: "Test call"}, SDP: c.endpoint.Offer(),
	})
	return nil
}

// follow waits for the end of the call and tells how it went.
func (c *caller) follow(stop <-chan os.Signal) error {
	giveUp := time.NewTimer(c.o.Wait)
	defer giveUp.Stop()
	listen := time.NewTicker(time.Second)
	defer listen.Stop()
	for {
		select {
		case <-c.over:
			return c.outcome()
		case <-giveUp.C:
			c.box.Post(func() {
				if !c.answered {
					c.say("not answered for %v: giving up", c.o.Wait)
					c.gaveUp = true
					c.leg.Hangup("")
				}
			})
		case <-stop:
			c.box.Post(func() {
				c.say("interrupted: hanging up")
				c.leg.Hangup("")
			})
		case <-listen.C:
			c.box.Post(c.tellAudio)
		}
	}
}

func (c *caller) outcome() error {
	s := c.endpoint.Close()
	pcm := c.heard.pcm()
	if c.o.Record != "" && len(pcm) > 0 {
		if err := writeWAV(c.o.Record, pcm); err != nil {
			return err
		}
		c.say("recorded %.1f s to %s", seconds(len(pcm)), c.o.Record)
	}
	c.say("RTP: %d packets sent, %d received, %d lost, jitter %v", s.Sent, s.Received, s.Lost, s.Jitter.Round(100*time.Microsecond))
	if !c.answered {
		return fmt.Errorf("%w: %s", ErrNotAnswered, c.why())
	}
	if len(pcm) == 0 {
		return ErrNoAudio
	}
	return nil
}

// why is the status and reason of the end, or the reason alone where nothing was answered.
func (c *caller) why() string {
	switch {
	case c.gaveUp && !c.progress:
		return fmt.Sprintf("nothing came back within %v: does a server listen at the address in %s, on UDP?", c.o.Wait, c.o.To)
	case c.gaveUp:
		return fmt.Sprintf("nobody answered within %v", c.o.Wait)
	case c.end.Code == 0 && c.end.Reason == "":
		return "interrupted"
	case c.end.Code == 0:
		return c.end.Reason
	}
	return fmt.Sprintf("%d %s", c.end.Code, c.end.Reason)
}

func (c *caller) say(format string, args ...any) {
	fmt.Fprintf(c.o.Out, "%7.3f  %s\n", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// tellAudio says what is heard now whenever that changed.
func (c *caller) tellAudio() {
	if what := c.heard.describe(); c.answered && what != c.hearing {
		c.hearing = what
		c.say("hearing %s", what)
	}
}

// LegProgress implements sip.LegEvents.
func (c *caller) LegProgress(_ *sip.Leg, code int, _ []byte) {
	c.progress = true
	c.say("%d: it rings", code)
}

// LegAnswered implements sip.LegEvents.
func (c *caller) LegAnswered(l *sip.Leg, sdp []byte) {
	if err := c.endpoint.AcceptAnswer(sdp); err != nil {
		c.say("the answer's media is unusable: %v", err)
		l.Hangup("")
		return
	}
	c.answered = true
	c.hangup = time.AfterFunc(c.o.For, func() {
		c.box.Post(func() {
			c.say("hanging up")
			c.leg.Hangup("")
		})
	})
	codec, _ := c.endpoint.Codec()
	c.say("answered, %v", codec)
}

// LegOffer implements sip.LegEvents.
func (c *caller) LegOffer(_ *sip.Leg, sdp []byte) ([]byte, error) {
	if sdp == nil {
		return c.endpoint.Offer(), nil
	}
	return c.endpoint.AcceptOffer(sdp)
}

// LegKey implements sip.LegEvents.
func (c *caller) LegKey(_ *sip.Leg, key byte) { c.say("the other side pressed %c", key) }

// LegRefer implements sip.LegEvents: the test caller goes nowhere else.
func (c *caller) LegRefer(*sip.Leg, *sip.Refer) int { return 603 }

// LegEnded implements sip.LegEvents.
func (c *caller) LegEnded(_ *sip.Leg, t sip.Termination) {
	c.end = t
	if c.hangup != nil {
		c.hangup.Stop()
	}
	switch {
	case t.ByUs:
		c.say("ended by us")
	case c.answered:
		c.say("the other side hung up")
	default:
		c.say("%s: %s", t.Class, c.why())
	}
	close(c.over)
}

// nobody is told nothing: a stack without trunks and users refuses calls and registrations.
type nobody struct{}

func (nobody) Invite(*sip.Leg)        {}
func (nobody) Reachable(string, bool) {}

// programme is what the caller plays.
func programme(file string) (media.Program, error) {
	if file == "" {
		return tone.NewProgram(toneHz, toneLevel), nil
	}
	lib := holdmusic.New(func(name string) (io.ReadCloser, error) { return os.Open(name) })
	if err := lib.Load(holdmusic.Wanted{Programs: map[string][]string{"play": {file}}}); err != nil {
		return nil, fmt.Errorf("%w: --play: %w", ErrUsage, err)
	}
	p, _ := lib.Program("play")
	return p, nil
}

// resolve finds where the URI's host is.
func resolve(uri string) (netip.AddrPort, error) {
	_, host, _ := strings.Cut(uri, ":")
	if i := strings.LastIndex(host, "@"); i >= 0 {
		host = host[i+1:]
	}
	host, _, _ = strings.Cut(host, ";")
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "5060")
	}
	a, err := net.ResolveUDPAddr("udp", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: --to: %w", ErrUsage, err)
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// localTowards is our address on the way to the peer.
func localTowards(peer netip.AddrPort) (netip.Addr, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(peer))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no way to %v: %w", peer, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

func seconds(samples int) float64 { return float64(samples) / media.SampleRate }

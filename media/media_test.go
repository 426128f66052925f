package media_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/tone"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if count := os.Getenv(browsersEnv); count != "" {
		if err := beBrowsers(count); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const loud, quiet = -20.0, -40.0 // dBFS: a tone of -10 is there, is not there

// hears fails unless the last window of the packets holds the tone wanted and none of the others.
func hears(t *testing.T, when string, packets []heard, want float64, others ...float64) {
	t.Helper()
	samples := pcm(packets)
	if len(samples) < 800 {
		t.Fatalf("%s: only %d samples", when, len(samples))
	}
	samples = samples[len(samples)-800:]
	if level := tone.Level(samples, media.SampleRate, want); level < loud {
		t.Errorf("%s: %v Hz at %.0f dBFS", when, want, level)
	}
	for _, hz := range others {
		if level := tone.Level(samples, media.SampleRate, hz); level > quiet {
			t.Errorf("%s: %v Hz at %.0f dBFS too", when, hz, level)
		}
	}
}

// oneStream fails unless the packets are one RTP stream without a hole: one SSRC, sequence numbers
// one apart, timestamps that rise by frames: by as many as were left out while the process was held up.
// How far apart they are where it was not: TestSwitch_Gaps.
func oneStream(t *testing.T, packets []heard) {
	t.Helper()
	for i := 1; i < len(packets); i++ {
		a, b := packets[i-1], packets[i]
		if a.SSRC != b.SSRC {
			t.Fatalf("packet %d: SSRC %08x after %08x", i, b.SSRC, a.SSRC)
		}
		if b.SequenceNumber != a.SequenceNumber+1 {
			t.Errorf("packet %d: sequence number %d after %d", i, b.SequenceNumber, a.SequenceNumber)
		}
		if step := int32(b.Timestamp - a.Timestamp); step <= 0 || step%media.FrameSamples != 0 {
			t.Errorf("packet %d: timestamp rises by %d, marker %v", i, step, b.Marker)
		}
	}
}

// The life of a caller's leg: music, talk, music on hold while the agent's phone holds, talk.
func TestCall_MusicBridgeHoldResume(t *testing.T) {
	const music, caller, agent = 450, 1000, 1700
	e := newEngine(t, media.Options{})
	a := newEndpoint(t, e, media.EndpointOptions{Label: "caller"})
	b := newEndpoint(t, e, media.EndpointOptions{Label: "agent"})
	alice, bob := newPhone(t), newPhone(t)
	stop := make(chan struct{})
	defer close(stop)
	tune := tone.NewProgram(music, -10)

	toA := alice.dial(t, a, "8")
	a.Play(tune)
	hears(t, "waiting", alice.await(t, 25), music, caller, agent)

	toB := bob.dial(t, b, "0") // µ-law against the caller's A-law
	go alice.talk(toA, media.PCMA, tone.NewProgram(caller, -10), stop)
	go bob.talk(toB, media.PCMU, tone.NewProgram(agent, -10), stop)
	media.Bridge(a, b)
	hears(t, "talking, caller", alice.await(t, alice.count()+25), agent, music, caller)
	hears(t, "talking, agent", bob.await(t, 25), caller, music, agent)

	bob.dial(t, b, "0", "a=sendonly")
	a.Play(tune)
	if !b.Held() {
		t.Error("not held after sendonly")
	}
	silent := bob.count()
	hears(t, "on hold", alice.await(t, alice.count()+25), music, caller, agent)
	if n := bob.count() - silent; n > 1 {
		t.Errorf("%d packets to a phone that holds", n)
	}

	bob.dial(t, b, "0", "a=sendrecv")
	media.Bridge(a, b)
	hears(t, "resumed, caller", alice.await(t, alice.count()+25), agent, music, caller)
	hears(t, "resumed, agent", bob.await(t, bob.count()+25), caller, music, agent)

	media.Unbridge(a, b)
	a.Play(nil)
	alice.mu.Lock()
	packets := alice.got
	alice.mu.Unlock()
	oneStream(t, packets)
	// Each time another begins to talk to the caller, the first packet may be left out (mayResume).
	if s := a.Close(); s.Lost != 0 || s.Strangers != 0 || s.Malformed != 0 || s.Unsent > 2 || s.Received < 50 {
		t.Errorf("%+v", s)
	}
}

func TestEndpoint_Refusals(t *testing.T) {
	e := newEngine(t, media.Options{})
	ep := newEndpoint(t, e, media.EndpointOptions{})
	p := newPhone(t)
	if _, err := ep.AcceptOffer(p.sdp("18")); !errors.Is(err, media.ErrNoCodec) {
		t.Errorf("G.729 only: %v", err)
	}
	if _, err := ep.AcceptOffer([]byte("?")); !errors.Is(err, media.ErrMalformed) {
		t.Errorf("not SDP: %v", err)
	}
	ep.Close()
	if _, err := ep.AcceptOffer(p.sdp("8")); !errors.Is(err, media.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := ep.AcceptAnswer(p.sdp("8")); !errors.Is(err, media.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if ep.Close() != ep.Stats() {
		t.Error("a second Close tells other figures")
	}
	ep.Play(tone.NewProgram(440, 0)) // must do nothing
	media.Bridge(ep, newEndpoint(t, e, media.EndpointOptions{}))
	e.Close()
	e.Close()
	if _, err := e.NewEndpoint(media.EndpointOptions{Local: loopback}); !errors.Is(err, media.ErrClosed) {
		t.Errorf("engine closed: %v", err)
	}
}

func TestEndpoint_AdvertisedAddress(t *testing.T) {
	e := newEngine(t, media.Options{Advertise: loopback.Next()})
	offer := string(newEndpoint(t, e, media.EndpointOptions{Codecs: []media.Codec{media.PCMU}}).Offer())
	if !strings.Contains(offer, "c=IN IP4 127.0.0.2\r\n") || !strings.Contains(offer, " RTP/AVP 0 101\r\n") {
		t.Error(offer)
	}
}

// A phone that vanishes makes the kernel refuse packets; the stream goes on, and so does the engine.
func TestEndpoint_PeerVanishes(t *testing.T) {
	e := newEngine(t, media.Options{})
	a, b := newEndpoint(t, e, media.EndpointOptions{}), newEndpoint(t, e, media.EndpointOptions{})
	gone, here := newPhone(t), newPhone(t)
	toA := gone.dial(t, a, "8")
	gone.send(toA, 8, make([]byte, 160))
	a.Play(tone.NewProgram(440, -10))
	gone.await(t, 1)
	gone.conn.Close()
	here.dial(t, b, "8")
	b.Play(tone.NewProgram(440, -10))
	before := a.Stats().Sent
	here.await(t, 10)
	if s := a.Stats(); s.Sent < before+5 {
		t.Errorf("%+v", s)
	}
}

func TestEngine_BadOptions(t *testing.T) {
	if _, err := media.New(media.Options{PortMin: 10001, PortMax: 10002}); err == nil {
		t.Error("a range without a pair was taken")
	}
	e := newEngine(t, media.Options{})
	for _, local := range []netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("192.0.2.1")} {
		if _, err := e.NewEndpoint(media.EndpointOptions{Local: local}); err == nil {
			t.Errorf("bound to %v", local)
		}
	}
	if s := e.Stats(); s.Endpoints != 0 || s.PortPairs != 5000 || s.PortPairsFree != 5000 {
		t.Errorf("%+v", s)
	}
}

// Ports come back after the quarantine; figures of closed endpoints stay in the sums.
func TestEngine_Stats(t *testing.T) {
	e := newEngine(t, media.Options{PortMin: 40000, PortMax: 40099, Quarantine: time.Hour})
	ep, p := newEndpoint(t, e, media.EndpointOptions{}), newPhone(t)
	if port := ep.LocalAddr().Port(); port%2 != 0 || port < 40000 || port > 40098 {
		t.Errorf("RTP port %d", port)
	}
	p.dial(t, ep, "8")
	ep.Play(tone.NewProgram(440, -10))
	p.await(t, 2)
	if s := e.Stats(); s.Endpoints != 1 || s.PacketsSent < 2 || s.PortPairsFree != 49 {
		t.Errorf("%+v", s)
	}
	sent := ep.Close().Sent
	if s := e.Stats(); s.Endpoints != 0 || s.PacketsSent != sent || s.PortPairsFree != 49 {
		t.Errorf("after the end: %+v", s)
	}
}

// Endpoints come, play, are bridged, negotiate and go, all at once.
func TestEngine_ManyAtOnce(t *testing.T) {
	e := newEngine(t, media.Options{})
	program := tone.NewProgram(440, -10)
	p := newPhone(t)
	offers := [][]byte{p.sdp("8"), p.sdp("0", "a=sendonly"), p.sdp("8 0 101", "a=rtpmap:101 telephone-event/8000"), p.sdp("8", "a=inactive")}
	var eps [8]*media.Endpoint
	for i := range eps {
		eps[i] = newEndpoint(t, e, media.EndpointOptions{Timeout: time.Millisecond, OnEvent: func(media.Event) {}})
	}
	var wg sync.WaitGroup
	for i := range eps {
		wg.Go(func() {
			me, other := eps[i], eps[(i*3+1)%len(eps)]
			for k := range 200 {
				if _, err := me.AcceptOffer(offers[(i+k)%len(offers)]); err != nil {
					t.Error(err)
				}
				me.Play(program)
				p.send(me.LocalAddr(), 8, make([]byte, 160))
				media.Bridge(me, other)
				other.Stats()
				e.Stats()
				me.RemoteAddr()
				_ = me.Press("5", 40*time.Millisecond) // some cannot be told
				if k%2 == 0 {
					media.Unbridge(me, other)
				}
			}
			me.Close()
		})
	}
	wg.Wait()
	if s := e.Stats(); s.Endpoints != 0 || s.PortPairsFree != s.PortPairs {
		t.Errorf("%+v", s)
	}
}

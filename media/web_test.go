package media_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/internal/webpeer"
	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"
)

// webEngine is an engine with a port for browsers, taken from its range.
func webEngine(t testing.TB) *media.Engine {
	return newEngine(t, media.Options{WebRTC: netip.AddrPortFrom(loopback, 0)})
}

// browser is a browser that may talk.
type browser struct {
	*webpeer.Peer
	t testing.TB
}

func newBrowser(t testing.TB, o webpeer.Options) *browser {
	t.Helper()
	p, err := webpeer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &browser{p, t}
}

// dial has the browser call an endpoint. change may spoil the answer.
func (b *browser) dial(ep *media.Endpoint, restart bool, change func(string) string) {
	b.t.Helper()
	offer, err := b.Offer(restart)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := ep.AcceptOffer([]byte(offer))
	if err != nil {
		b.t.Fatalf("%v\n%s", err, offer)
	}
	text := string(answer)
	if change != nil {
		text = change(text)
	}
	if err := b.Accept(text); err != nil {
		b.t.Fatalf("%v\n%s", err, text)
	}
}

// answer has the endpoint call the browser.
func (b *browser) answer(ep *media.Endpoint) {
	b.t.Helper()
	answer, err := b.Answer(string(ep.Offer()))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := ep.AcceptAnswer([]byte(answer)); err != nil {
		b.t.Fatalf("%v\n%s", err, answer)
	}
}

func (b *browser) state(want webpeer.State) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := b.Await(ctx, want); err != nil {
		b.t.Fatal(err)
	}
}

// talk sends a tone until the test is over.
func (b *browser) talk(hertz int) {
	stop, done := make(chan struct{}), make(chan struct{})
	b.t.Cleanup(sync.OnceFunc(func() { close(stop); <-done }))
	program := tone.NewProgram(hertz, -10)
	go func() {
		defer close(done)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for tick := uint64(0); ; tick++ {
			codec := media.PCMU
			name, pt, ok := b.Codec()
			if name == media.PCMA.String() {
				codec = media.PCMA
			}
			if ok {
				b.Send(pt, false, media.FrameSamples, program.Frame(codec, tick))
			}
			select {
			case <-ticker.C:
			case <-stop:
				return
			}
		}
	}()
}

// await waits until the browser has heard n packets more, and returns these.
func (b *browser) await(n int) []heard {
	b.t.Helper()
	all, _ := b.Packets()
	from := len(all)
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		all, next := b.Packets()
		if len(all) >= from+n {
			return asHeard(all[from:])
		}
		select {
		case <-next:
		case <-limit.C:
			b.t.Fatalf("%d packets, want %d", len(all)-from, n)
		}
	}
}

func asHeard(list []webpeer.Heard) []heard {
	out := make([]heard, len(list))
	for i, p := range list {
		out[i] = heard{p.Packet, p.At}
	}
	return out
}

// A browser calls, hears music, talks to a phone with another codec, holds and resumes; all it
// hears is one stream. The next one is called.
func TestWeb_MusicBridgeHoldResume(t *testing.T) {
	const music, caller, agent = 450, 1000, 1700
	for name, called := range map[string]bool{"calls": false, "is called": true} {
		t.Run(name, func(t *testing.T) {
			e := webEngine(t)
			events := make(chan media.Event, 16)
			w := newEndpoint(t, e, media.EndpointOptions{Label: "browser", WebRTC: true, OnEvent: func(ev media.Event) { events <- ev }})
			a := newEndpoint(t, e, media.EndpointOptions{Label: "phone"})
			b := newBrowser(t, webpeer.Options{})
			b.talk(agent)
			tune := tone.NewProgram(music, -10)
			w.Play(tune)
			if called {
				b.answer(w)
			} else {
				b.dial(w, false, nil)
			}
			b.state(webpeer.Connected)
			if ev := <-events; ev.Kind != media.EventHeard || !ev.From.IsValid() {
				t.Errorf("%+v", ev)
			}
			hears(t, "waiting", b.await(25), music, caller, agent)
			if w.Encrypted() != sdp.GCM128 {
				t.Errorf("encrypted by %q", w.Encrypted())
			}

			alice := newPhone(t)
			stop := make(chan struct{})
			defer close(stop)
			toA := alice.dial(t, a, "8")
			go alice.talk(toA, media.PCMA, tone.NewProgram(caller, -10), stop)
			media.Bridge(a, w)
			hears(t, "talking, browser", b.await(25), caller, music, agent)
			hears(t, "talking, phone", alice.await(t, alice.count()+25), agent, music, caller)

			pt, ok := b.PayloadType("telephone-event")
			if !ok {
				t.Fatal("no telephone-event")
			}
			for i, end := range []byte{0, 0, 0x80, 0x80, 0x80} {
				b.Send(pt, i == 0, 0, []byte{5, end | 10, byte(i + 1), 0})
			}
			if ev := <-events; ev.Kind != media.EventDTMF || ev.Digit != '5' {
				t.Errorf("%+v", ev)
			}

			hold := func(direction string) {
				offer, err := b.Offer(false)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := w.AcceptOffer([]byte(strings.Replace(offer, "a=sendrecv", "a="+direction, 1)))
				if err != nil {
					t.Fatal(err)
				}
				if err := b.Accept(string(answer)); err != nil {
					t.Fatal(err)
				}
			}
			hold("sendonly")
			a.Play(tune)
			if !w.Held() {
				t.Error("not held")
			}
			hears(t, "on hold", alice.await(t, alice.count()+25), music, caller, agent)
			hold("sendrecv")
			media.Bridge(a, w)
			hears(t, "resumed, browser", b.await(25), caller, music, agent)
			hears(t, "resumed, phone", alice.await(t, alice.count()+25), agent, music, caller)
			if w.Encrypted() != sdp.GCM128 {
				t.Errorf("encrypted by %q after the offers", w.Encrypted())
			}
			all, _ := b.Packets()
			for i := 1; i < len(all); i++ {
				if all[i].SSRC != all[0].SSRC || all[i].SequenceNumber != all[i-1].SequenceNumber+1 {
					t.Fatalf("packet %d: %08x %d after %08x %d", i, all[i].SSRC, all[i].SequenceNumber, all[i-1].SSRC, all[i-1].SequenceNumber)
				}
			}
			if s := w.Close(); s.Lost != 0 || s.Forged != 0 || s.Malformed != 0 || s.Received < 50 {
				t.Errorf("%+v", s)
			}
			b.state(webpeer.Closed) // DTLS told it
		})
	}
}

// Two browsers: each has its own codec, and none of what one sends reaches the other unless bridged.
func TestWeb_BrowserToBrowser(t *testing.T) {
	e := webEngine(t)
	x, y := newEndpoint(t, e, media.EndpointOptions{WebRTC: true}), newEndpoint(t, e, media.EndpointOptions{WebRTC: true})
	if x.LocalAddr() != y.LocalAddr() {
		t.Errorf("%v and %v: two ports", x.LocalAddr(), y.LocalAddr())
	}
	anna, bartek := newBrowser(t, webpeer.Options{}), newBrowser(t, webpeer.Options{ALaw: true})
	anna.talk(1000)
	bartek.talk(1700)
	anna.dial(x, false, nil)
	bartek.answer(y)
	media.Bridge(x, y)
	anna.state(webpeer.Connected)
	bartek.state(webpeer.Connected)
	hears(t, "anna", anna.await(25), 1700, 1000)
	hears(t, "bartek", bartek.await(25), 1000, 1700)
	media.Unbridge(x, y)
	x.Play(tone.NewProgram(450, -10))
	hears(t, "anna alone", anna.await(25), 450, 1700)
}

// Two browsers that are told to send Opus do, and it goes through as it is; who hears music in between hears G.711.
func TestWeb_Opus(t *testing.T) {
	e := webEngine(t)
	x, y := newEndpoint(t, e, media.EndpointOptions{WebRTC: true}), newEndpoint(t, e, media.EndpointOptions{WebRTC: true})
	if x.TakesOpus() || newEndpoint(t, e, media.EndpointOptions{}).PreferOpus(true) {
		t.Error("Opus before anything was agreed on, or to a telephone")
	}
	anna, bartek := newBrowser(t, webpeer.Options{}), newBrowser(t, webpeer.Options{})
	anna.talk(1000)
	anna.dial(x, false, nil)
	bartek.answer(y)
	media.Bridge(x, y)
	anna.state(webpeer.Connected)
	bartek.state(webpeer.Connected)
	hears(t, "G.711", bartek.await(25), 1000)
	for _, side := range []struct {
		ep *media.Endpoint
		b  *browser
	}{{x, anna}, {y, bartek}} {
		if !side.ep.TakesOpus() || !side.ep.PreferOpus(true) || side.ep.PreferOpus(true) {
			t.Error("not to be told of Opus once")
		}
		if offer := string(side.ep.Offer()); !strings.Contains(offer, " UDP/TLS/RTP/SAVPF 111 ") {
			t.Errorf("offered:\n%s", offer)
		}
		side.b.answer(side.ep)
	}
	said := []byte("what only a browser can decode")
	for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		bartek.Send(111, false, 960, said)
		if all, _ := anna.Packets(); len(all) > 0 && bytes.Equal(all[len(all)-1].Payload, said) {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("anna gets no Opus")
		}
	}
	if !y.Stats().Opus || x.Stats().Opus {
		t.Error("who sends Opus is not known")
	}
	x.Play(tone.NewProgram(450, -10))
	hears(t, "music", anna.await(50), 450)
	all, _ := anna.Packets()
	for i := 1; i < len(all); i++ {
		if all[i].SSRC != all[0].SSRC || int32(all[i].Timestamp-all[i-1].Timestamp) <= 0 {
			t.Fatalf("packet %d: %08x %d after %08x %d", i, all[i].SSRC, all[i].Timestamp, all[i-1].SSRC, all[i-1].Timestamp)
		}
	}
	if x.PreferOpus(false); !strings.Contains(string(x.Offer()), " UDP/TLS/RTP/SAVPF 0 8 111 ") && !strings.Contains(string(x.Offer()), " UDP/TLS/RTP/SAVPF 8 0 111 ") {
		t.Errorf("offered:\n%s", x.Offer())
	}
}

// A browser whose network changes begins ICE anew, from other sockets; the stream and its keys stay.
func TestWeb_ICERestart(t *testing.T) {
	e := webEngine(t)
	w := newEndpoint(t, e, media.EndpointOptions{WebRTC: true})
	b := newBrowser(t, webpeer.Options{})
	b.talk(1000)
	w.Play(tone.NewProgram(450, -10))
	b.dial(w, false, nil)
	b.state(webpeer.Connected)
	hears(t, "before", b.await(25), 450)
	at := w.RemoteAddr()
	var before, after string
	find := func(s *string) func(string) string {
		return func(answer string) string {
			for line := range strings.SplitSeq(answer, "\r\n") {
				if strings.HasPrefix(line, "a=ice-") && line != "a=ice-lite" {
					*s += line
				}
			}
			return answer
		}
	}
	b.dial(w, false, find(&before))
	b.dial(w, true, find(&after))
	if before == after {
		t.Errorf("ICE credentials stayed: %s", after)
	}
	deadline := time.Now().Add(20 * time.Second)
	for w.RemoteAddr() == at {
		if time.Now().After(deadline) {
			t.Fatal("the browser did not move")
		}
		b.await(1)
	}
	hears(t, "after", b.await(50), 450)
	had := w.Stats().Received
	b.await(25)
	if now := w.Stats().Received; now < had+10 {
		t.Errorf("%d packets arrive, %d before", now, had)
	}
}

// Whoever has another certificate than the description says is not heard and hears nothing.
func TestWeb_WrongFingerprint(t *testing.T) {
	e := webEngine(t)
	events := make(chan media.Event, 16)
	w := newEndpoint(t, e, media.EndpointOptions{WebRTC: true, OnEvent: func(ev media.Event) { events <- ev }})
	w.Play(tone.NewProgram(450, -10))
	b := newBrowser(t, webpeer.Options{})
	b.talk(1000)
	offer, err := b.Offer(false)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(offer, "a=fingerprint:sha-256 ")
	print := rest[:95]
	answer, err := w.AcceptOffer([]byte(strings.ReplaceAll(offer, print, strings.Repeat("00:", 31)+"00")))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accept(string(answer)); err != nil {
		t.Fatal(err)
	}
	if ev := <-events; ev.Kind != media.EventUnconnected || !strings.Contains(ev.Why, "somebody else's") {
		t.Errorf("%+v", ev)
	}
	if s := w.Stats(); s.Sent != 0 || s.Received != 0 || w.Encrypted() != "" {
		t.Errorf("%+v", s)
	}
	if all, _ := b.Packets(); len(all) != 0 {
		t.Errorf("%d packets heard", len(all))
	}
}

func TestWeb_Refused(t *testing.T) {
	e := webEngine(t)
	offer, err := newBrowser(t, webpeer.Options{}).Offer(false)
	if err != nil {
		t.Fatal(err)
	}
	without := func(prefix string) string {
		var kept []string
		for line := range strings.SplitSeq(offer, "\r\n") {
			if !strings.HasPrefix(line, prefix) {
				kept = append(kept, line)
			}
		}
		return strings.Join(kept, "\r\n")
	}
	for name, text := range map[string]string{
		"no fingerprint":    without("a=fingerprint"),
		"no ICE name":       without("a=ice-ufrag"),
		"no ICE password":   without("a=ice-pwd"),
		"no rtcp-mux":       without("a=rtcp-mux"),
		"no DTLS role":      without("a=setup"),
		"a short password":  strings.ReplaceAll(offer, "a=ice-pwd:", "a=ice-pwd:short\r\na=x:"),
		"an old hash":       strings.ReplaceAll(offer, "a=fingerprint:sha-256", "a=fingerprint:sha-1"),
		"Opus alone":        strings.Replace(offer, "SAVPF 111 0 8", "SAVPF 111", 1),
		"plain RTP":         strings.ReplaceAll(offer, "UDP/TLS/RTP/SAVPF", "RTP/AVP"),
		"keys in the clear": strings.ReplaceAll(offer, "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
	} {
		ep := newEndpoint(t, e, media.EndpointOptions{WebRTC: true})
		if _, err := ep.AcceptOffer([]byte(text)); !errors.Is(err, media.ErrNoCodec) {
			t.Errorf("%s: %v", name, err)
		}
		ep.Close()
	}
	if _, err := newEndpoint(t, e, media.EndpointOptions{}).AcceptOffer([]byte(offer)); !errors.Is(err, media.ErrNoCodec) {
		t.Errorf("a browser's offer to a phone's endpoint: %v", err)
	}
	if !sdp.OffersWeb([]byte(offer)) || sdp.OffersWeb([]byte(strings.ReplaceAll(offer, "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"))) {
		t.Error("browsers' offers are not told from others")
	}
	plain := newEngine(t, media.Options{})
	if _, err := plain.NewEndpoint(media.EndpointOptions{WebRTC: true}); !errors.Is(err, media.ErrNoBrowsers) {
		t.Errorf("no port: %v", err)
	}
}

// Strangers who spray the shared port with all kinds of packets are not heard, are not answered, and
// take nothing from those who talk.
func TestWeb_Strangers(t *testing.T) {
	e := webEngine(t)
	w := newEndpoint(t, e, media.EndpointOptions{WebRTC: true})
	w.Play(tone.NewProgram(450, -10))
	b := newBrowser(t, webpeer.Options{})
	b.talk(1000)
	var name, password string
	b.dial(w, false, func(answer string) string {
		for line := range strings.SplitSeq(answer, "\r\n") {
			if v, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok {
				name = v
			}
			if v, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok {
				password = v
			}
		}
		return answer
	})
	b.state(webpeer.Connected)
	b.await(5)
	at := w.RemoteAddr()

	enemy, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(w.LocalAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = enemy.Close() }()
	good := media.MakeCheck(name+":wrong", password, true)
	attacks := [][]byte{
		{}, {0}, {1}, {0x16}, {0x80}, bytes.Repeat([]byte{0}, 20), bytes.Repeat([]byte{0xff}, 1400), make([]byte, 5000),
		media.MakeCheck("nobody:x", password, true),
		media.MakeCheck(name, "wrong password, of the right length", true),
		good, // the right password, but not the peer of this session
		good[:len(good)-1], good[:30],
		append([]byte{0x16, 0xfe, 0xfd}, bytes.Repeat([]byte{1}, 200)...),               // DTLS
		append([]byte{0x80, 0, 0, 1, 0, 0, 0, 160}, bytes.Repeat([]byte{0x55}, 164)...), // RTP
		append([]byte{0x80, 200, 0, 6}, bytes.Repeat([]byte{1}, 24)...),                 // RTCP
	}
	for i := range len(good) {
		bad := bytes.Clone(good)
		bad[i] ^= 0x55
		attacks = append(attacks, bad)
	}
	for range 20 {
		for _, a := range attacks {
			_, _ = enemy.Write(a)
		}
	}
	had := w.Stats()
	hears(t, "under attack", b.await(50), 450)
	_ = enemy.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := enemy.Read(make([]byte, 1500)); err == nil {
		t.Errorf("%d bytes were answered", n)
	}
	if s := w.Stats(); s.Forged != 0 || s.Lost != 0 || s.Received <= had.Received || w.RemoteAddr() != at {
		t.Errorf("%+v, peer %v, was %v", s, w.RemoteAddr(), at)
	}
	if n := e.Stats().PacketsDiscarded; n < uint64(len(attacks)) {
		t.Errorf("%d packets of strangers were counted", n)
	}
}

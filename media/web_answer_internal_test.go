package media

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"centrala/media/sdp"

	"github.com/rs/zerolog"
)

// mute is an endpoint whose browser sends nothing but what a test has it send, in an engine that reads no
// sockets, so that time can be made up.
type mute struct {
	*Endpoint
	t      *testing.T
	events chan Event
	begin  time.Time
}

func newMute(t *testing.T) *mute {
	t.Helper()
	e := &Engine{
		options: Options{Timeout: time.Minute}, log: zerolog.Nop(), start: time.Now(), stop: make(chan struct{}),
		endpoints: map[*Endpoint]struct{}{},
	}
	var err error
	if e.identity, err = newWebIdentity(); err != nil {
		t.Fatal(err)
	}
	e.web = &webPorts{engine: e, pair: -1, byName: map[string]webName{}, byPath: map[path]*Endpoint{}}
	port, err := e.web.open(netip.AddrPortFrom(localhost, 0))
	if err != nil {
		t.Fatal(err)
	}
	e.web.list = []*webPort{port}
	m := &mute{t: t, events: make(chan Event, 8), begin: time.Now()}
	m.Endpoint, err = e.NewEndpoint(EndpointOptions{WebRTC: true, OnEvent: func(e Event) { m.events <- e }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Close()
		e.running.Wait()
		_ = port.conn.Close()
	})
	return m
}

// describes is the browser's description; setup says who begins DTLS.
func (m *mute) describes(setup string) []byte {
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\n"+
		"a=ice-ufrag:peer\r\na=ice-pwd:a-password-of-the-peers\r\na=setup:%s\r\na=fingerprint:sha-256 %s\r\n", setup, strings.Repeat("11:", 31)+"11")
}

func (m *mute) calls() {
	m.t.Helper()
	if _, err := m.AcceptOffer(m.describes("actpass")); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mute) isCalled() {
	m.t.Helper()
	m.Offer()
	if err := m.AcceptAnswer(m.describes("active")); err != nil {
		m.t.Fatal(err)
	}
}

// found has ICE find the browser.
func (m *mute) found() {
	m.t.Helper()
	own := m.negotiator.ICE()
	if !m.checked(path{m.web.ports.list[0], netip.MustParseAddrPort("127.0.0.1:9")}, own.Ufrag, "peer", true) {
		m.t.Fatal("not found")
	}
}

// proves ends DTLS.
func (m *mute) proves() {
	m.t.Helper()
	key := make([]byte, 28)
	_, _ = rand.Read(key)
	if !m.proven(m.web.pipe, sdp.Keying{Suite: sdp.GCM128, In: string(key), Out: string(key)}, netip.MustParseAddrPort("127.0.0.1:9")) {
		m.t.Fatal("not proven")
	}
	m.want(EventHeard, "")
}

// want waits for the next event.
func (m *mute) want(kind EventKind, why string) {
	m.t.Helper()
	select {
	case e := <-m.events:
		if e.Kind != kind || !strings.Contains(e.Why, why) {
			m.t.Fatalf("after %v: %+v, want kind %d, %q", time.Since(m.begin), e, kind, why)
		}
	case <-time.After(time.Hour):
		m.t.Fatalf("no event of kind %d", kind)
	}
}

// wantAfter waits for the next event, which has to come then.
func (m *mute) wantAfter(d time.Duration, kind EventKind, why string) {
	m.t.Helper()
	from := time.Now()
	m.want(kind, why)
	if took := time.Since(from); took != d {
		m.t.Errorf("it took %v, want %v", took, d)
	}
}

// A browser that is answered, or has answered, and is not connected is given up after 15 s, for as long as it rang
// before; one that was connected and falls silent has a minute, whatever becomes of its session.
func TestWeb_GivenUp(t *testing.T) {
	for name, f := range map[string]func(m *mute){
		"called, no way": func(m *mute) {
			m.Offer()
			time.Sleep(50 * time.Second) // it rings
			m.isCalled()
			m.Answered()
			m.wantAfter(15*time.Second, EventUnconnected, "ICE")
		},
		"calls, no way": func(m *mute) {
			m.calls()
			time.Sleep(50 * time.Second) // it waits for an answer
			m.Answered()
			m.wantAfter(15*time.Second, EventUnconnected, "ICE")
		},
		"ICE anew does not help": func(m *mute) {
			m.isCalled()
			m.Answered()
			time.Sleep(10 * time.Second)
			m.calls()
			m.Answered()
			m.wantAfter(5*time.Second, EventUnconnected, "ICE")
		},
		"on hold, no way": func(m *mute) {
			m.isCalled()
			m.Answered()
			if _, err := m.AcceptOffer([]byte(string(m.describes("actpass")) + "a=sendonly\r\n")); err != nil {
				m.t.Fatal(err)
			}
			m.wantAfter(15*time.Second, EventUnconnected, "ICE")
		},
		"found late, no DTLS": func(m *mute) {
			m.isCalled()
			m.Answered()
			time.Sleep(10 * time.Second)
			m.found()
			m.wantAfter(5*time.Second, EventUnconnected, "DTLS")
		},
		"DTLS fails once": func(m *mute) {
			m.isCalled()
			m.found()
			m.wantAfter(proveWithin, EventUnconnected, "DTLS")
			m.Answered()
			time.Sleep(5 * time.Minute)
		},
		"connected at the last moment": func(m *mute) {
			m.isCalled()
			m.Answered()
			time.Sleep(15*time.Second - 1)
			m.proves()
			m.wantAfter(time.Minute, EventTimeout, "")
		},
		"connected before the answer": func(m *mute) {
			m.calls()
			m.proves()
			time.Sleep(30 * time.Second)
			m.Answered()
			m.wantAfter(time.Minute, EventTimeout, "")
		},
		"connected, and its network changes": func(m *mute) {
			m.calls()
			m.Answered()
			m.proves()
			time.Sleep(50 * time.Second)
			m.calls()
			m.wantAfter(time.Minute, EventTimeout, "")
		},
		"not answered": func(m *mute) {
			m.calls()
			m.wantAfter(time.Minute, EventTimeout, "")
		},
		"answered after a long time": func(m *mute) {
			m.calls()
			m.wantAfter(time.Minute, EventTimeout, "")
			m.Answered()
			m.wantAfter(15*time.Second, EventUnconnected, "ICE")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMute(t)
				f(m)
				select {
				case e := <-m.events:
					t.Errorf("and then %+v", e)
				case <-time.After(5 * time.Minute):
				}
			})
		})
	}
}

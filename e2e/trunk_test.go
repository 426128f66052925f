package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// gateway is a carrier that answers OPTIONS and REGISTER, unless it sleeps.
type gateway struct {
	addr   netip.AddrPort
	asleep atomic.Bool
}

func newGateway(t *testing.T, s *site) *gateway {
	t.Helper()
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.carrierHost(), peerPort)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	g := &gateway{addr: socket.LocalAddr().(*net.UDPAddr).AddrPort()}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			m, ok := parseMessage(string(buf[:n]))
			if !ok || m.method() == "" || g.asleep.Load() {
				continue
			}
			contact := ""
			if m.method() == "REGISTER" {
				contact = "Contact: " + m.header("Contact") + "\r\nExpires: 4\r\n"
			}
			_, _ = socket.WriteToUDPAddrPort(fmt.Appendf(nil, "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=g\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
				m.header("Via"), m.header("From"), m.header("To"), m.header("Call-ID"), m.header("CSeq"), contact), from)
		}
	}()
	return g
}

// A carrier that answers neither OPTIONS nor REGISTER any more, and then does again: the stream, a
// webhook and the figures tell each change of it.
func TestTrunk_IsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	carrier := newGateway(t, s)
	hooked := make(chan string, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		hooked <- string(body)
	}))
	defer hook.Close()
	v := prepareServer(t, s, fmt.Sprintf("agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n"+
		"trunks: {gate: {host: %q, check: 1s, register: {user: acme, password: secret-of-acme}}}\n", carrier.addr))
	admin := v.administrator("webhooks: {allow: [127.0.0.0/8]}\n")
	var states []string
	state := func() {
		t.Helper()
		select {
		case body := <-hooked:
			var e struct {
				Type string
				Data struct{ Trunk, State string }
			}
			if err := json.Unmarshal([]byte(body), &e); err != nil || e.Type != "trunk.state_changed" || e.Data.Trunk != "gate" {
				t.Errorf("the webhook was sent %s", body)
			}
			states = append(states, e.Data.State)
		case <-time.After(patience):
			t.Fatalf("the webhook was told %v and no more", states)
		}
	}
	next, end := admin.told("0")
	defer end()
	for known := 0; known < 2; {
		_, of := next()
		if of == "the stream has ended" {
			t.Fatal(of)
		}
		if of == "trunk.state_changed" {
			known++
		}
	}
	admin.do("POST", "/webhooks", map[string]any{"title": "alarm", "url": hook.URL, "types": []string{"trunk.*"}}, 201)
	for _, x := range []struct {
		asleep bool
		figure float64
		states string
	}{{true, 0, "down unregistered"}, {false, 1, "registered up"}} {
		carrier.asleep.Store(x.asleep)
		for range 2 {
			if id, of := next(); of != "trunk.state_changed" {
				t.Fatalf("%s %s", id, of)
			}
		}
		v.waitMetric(`centrala_trunk_up{trunk="gate"}`, x.figure)
		v.waitMetric(`centrala_trunk_registered{trunk="gate"}`, x.figure)
		states = states[:0]
		for len(states) < 2 {
			state()
		}
		if slices.Sort(states); strings.Join(states, " ") != x.states {
			t.Errorf("the webhook was told %v, want %s", states, x.states)
		}
	}
	end()
	v.stop()
}

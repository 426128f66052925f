package sip

import (
	"bytes"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// asks is a trunk to the peer that is asked every second whether it is there.
func asks(p *peer) func(o *Options) {
	return func(o *Options) {
		brisk(o)
		o.Directory.Trunks[0].Host, o.Directory.Trunks[0].Check = p.addr(), time.Second
	}
}

func (s *side) up(t *testing.T, want bool) {
	t.Helper()
	eventually(t, sprintf("the carrier is up: %v", want), func() bool {
		st := s.Trunks()[0]
		return st.Checked && st.Up == want
	})
}

// RFC 3261 section 11.1: what the question carries; any answer is one but those
// of somebody who speaks for the carrier; each change is logged once.
func TestCheck_UpAndDown(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	log := &lines{}
	told := make(chan string, 10)
	s := start(t, asks(p), func(o *Options) { o.Log = zerolog.New(log) }, tellsOfTrunks(told))
	ask := p.recv("OPTIONS")
	if !strings.HasPrefix(ask, "OPTIONS sip:"+p.addr()+" SIP/2.0\r\n") || field(ask, "Max-Forwards") != "70" ||
		field(ask, "Accept") != "application/sdp" || !strings.HasPrefix(field(ask, "From"), "<sip:pbx.test>;tag=") ||
		field(ask, "To") != "<sip:127.0.0.1>" || field(ask, "Contact") == "" {
		t.Errorf("asked\n%s", ask)
	}
	if st := s.Trunks()[0]; st.Checked {
		t.Errorf("before the answer: %+v", st)
	}
	before := time.Now()
	p.send(p.reply(ask, 404, "o", "", "")) // there is no such user, but somebody says so
	s.up(t, true)
	next := p.recv("OPTIONS")
	for field(next, "Call-ID") == field(ask, "Call-ID") { // sent again meanwhile
		next = p.recv("OPTIONS")
	}
	if gap := time.Since(before); gap < 500*time.Millisecond {
		t.Errorf("asked again after %v", gap)
	}
	p.send(p.reply(next, 405, "o", "", ""))
	p.send(p.reply(p.recv("OPTIONS"), 503, "o", "", ""))
	s.up(t, false)
	if log.count("the carrier answers") != 1 || log.count("the carrier does not answer") != 1 {
		t.Errorf("log:\n%s", log.buf.String())
	}
	p.send(p.reply(p.recv("OPTIONS"), 200, "o", "", ""))
	s.up(t, true)
	p.recv("OPTIONS") // to which there is no answer
	s.up(t, false)
	wantTold(t, told, "carrier up ", "carrier down refused with 503 Text", "carrier up ", "carrier down "+errNoAnswer.Error())
}

// tellsOfTrunks has a stack tell of its trunks.
func tellsOfTrunks(told chan<- string) func(o *Options) {
	return func(o *Options) {
		o.TrunkSeen = func(trunk string, now TrunkState, why string) { told <- sprintf("%s %s %s", trunk, now, why) }
	}
}

// wantTold waits for what is told of trunks.
func wantTold(t *testing.T, told <-chan string, want ...string) {
	t.Helper()
	for _, x := range want {
		select {
		case got := <-told:
			if got != x {
				t.Fatalf("told %q, want %q", got, x)
			}
		case <-time.After(patience):
			t.Fatalf("nothing is told, want %q", x)
		}
	}
}

// A directory that changes nothing of the check lets it be; one without ends it,
// and nothing is known any more.
func TestCheck_FollowsTheDirectory(t *testing.T) {
	p := newPeer(t, netip.AddrPort{})
	s := start(t, asks(p))
	p.send(p.reply(p.recv("OPTIONS"), 200, "o", "", ""))
	s.up(t, true)
	d := s.o.Directory
	d.Trunks = []Trunk{d.Trunks[0]}
	d.Trunks[0].MaxCalls = 7
	s.SetDirectory(d)
	if st := s.Trunks()[0]; !st.Up {
		t.Errorf("%+v", st)
	}
	d.Trunks = []Trunk{d.Trunks[0]}
	d.Trunks[0].Check = 0
	s.SetDirectory(d)
	if st := s.Trunks()[0]; st.Checked || st.Up {
		t.Errorf("not asked any more: %+v", st)
	}
	p.forget()
	if msg, ok := p.within(1300*time.Millisecond, "OPTIONS"); ok {
		t.Errorf("asked all the same:\n%s", msg)
	}
}

// An address that does not answer comes last when a call leaves, and first again
// when it does.
func TestCheck_DeadAddressComesLast(t *testing.T) {
	peers, z := carriers(t, 2)
	s := start(t, asks(peers[0]), at(z), func(o *Options) { o.Directory.Trunks[0].Check = time.Second })
	peers[0].recv("OPTIONS") // no answer
	peers[1].send(peers[1].reply(peers[1].recv("OPTIONS"), 200, "o", "", ""))
	s.up(t, true)
	leaves := func(first, last *peer) {
		t.Helper()
		c, err := s.TrunkContact("carrier", "+48601000000")
		if err != nil {
			t.Fatal(err)
		}
		o := newOwner(t)
		o.do(func() { s.Dial(o, o, Dial{To: c, SDP: []byte(testSDP)}) })
		invite := first.recv("INVITE")
		first.send(first.reply(invite, 486, "p", "", ""))
		first.recv("ACK")
		o.wantEnd(ClassBusy, 486)
		if msg, ok := last.within(20*time.Millisecond, "INVITE"); ok {
			t.Errorf("called as well:\n%s", msg)
		}
	}
	leaves(peers[1], peers[0])
	peers[0].send(peers[0].reply(peers[0].recv("OPTIONS"), 200, "o", "", ""))
	peers[1].recv("OPTIONS") // now it is this one
	eventually(t, "the second address rests", func() bool {
		s.names.mu.Lock()
		defer s.names.mu.Unlock()
		for a := range s.names.failed {
			return a.String() == peers[1].addr()
		}
		return false
	})
	leaves(peers[0], peers[1])
}

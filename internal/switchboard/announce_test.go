package switchboard

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/tone"
	"centrala/media/wav"
	"centrala/queuegroups"
)

// The tones of these tests, in hertz.
const (
	spokenHertz = 2000 // every word of an announcement
	agentHertz  = 900
)

// expectations plays the core's part: what callers can be told.
type expectations struct {
	mu    sync.Mutex
	e     acd.Expectation
	ok    bool
	asked acd.InteractionID // last
}

func (x *expectations) Expect(id acd.InteractionID) (acd.Expectation, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked = id
	return x.e, x.ok
}

func (x *expectations) set(e acd.Expectation, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.e, x.ok = e, ok
}

// listener keeps what a party hears.
type listener struct {
	mu      sync.Mutex
	packets []heardPacket
	more    chan struct{} // closed at the next packet
}

type heardPacket struct {
	at  time.Time
	pcm []int16
}

// is tells whether the packet is this tone.
func (p heardPacket) is(hertz float64) bool { return tone.Level(p.pcm, media.SampleRate, hertz) > -32 }

func (l *listener) hear(c media.Codec, _ uint32, payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.packets = append(l.packets, heardPacket{time.Now(), c.AppendDecoded(nil, payload)})
	close(l.more)
	l.more = make(chan struct{})
}

// wait waits for a packet since a moment that is this tone.
func (l *listener) wait(t *testing.T, since time.Time, hertz float64) heardPacket {
	t.Helper()
	return l.waitFor(t, since, func(p heardPacket) bool { return p.is(hertz) })
}

// count waits for more packets than the first sent, and tells in how many of them the tone is.
func (l *listener) count(t *testing.T, sent, more int, hertz float64) (n int) {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		packets, next := l.packets, l.more
		l.mu.Unlock()
		if len(packets) >= sent+more {
			for _, p := range packets[sent : sent+more] {
				if p.is(hertz) {
					n++
				}
			}
			return n
		}
		select {
		case <-next:
		case <-deadline:
			t.Fatalf("%d packets were heard, want %d", len(packets), sent+more)
		}
	}
}

// sent is how many packets a leg has been sent, once its call has done all that it was told to.
func (b *bench) sent(id acd.LegID) int {
	b.t.Helper()
	f, ok := b.board.Figures(b.t.Context(), id)
	if !ok {
		b.t.Fatal("no figures")
	}
	return int(f.Out.Packets)
}

func (l *listener) waitFor(t *testing.T, since time.Time, wanted func(heardPacket) bool) heardPacket {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		at := slices.IndexFunc(l.packets, func(p heardPacket) bool { return p.at.After(since) && wanted(p) })
		more := l.more
		var found heardPacket
		if at >= 0 {
			found = l.packets[at]
		}
		l.mu.Unlock()
		if at >= 0 {
			return found
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatal("what was waited for is not heard")
		}
	}
}

// announcing is a bench whose group announces, in words that are all one tone.
func announcing(t *testing.T, x *expectations, rules queuegroups.Announce) (*bench, *listener) {
	t.Helper()
	b := newBench(t, nil)
	var word bytes.Buffer
	if err := wav.Write(&word, media.SampleRate, tone.Sine(spokenHertz, -6, media.SampleRate, 4*time.Second)); err != nil {
		t.Fatal(err)
	}
	b.board.waiting = x
	b.board.music = holdmusic.New(func(name string) (io.ReadCloser, error) {
		if !strings.HasPrefix(name, "tones/") {
			return nil, os.ErrNotExist
		}
		return io.NopCloser(bytes.NewReader(word.Bytes())), nil
	})
	rules.Language, rules.Prompts = "pl", "tones"
	if err := b.board.music.Load(holdmusic.Wanted{Voices: []holdmusic.Voice{{Language: "pl", Folder: "tones"}}}); err != nil {
		t.Fatal(err)
	}
	c := b.board.config.Load()
	b.board.SetConfig(&queuegroups.Config{Region: c.Region, Agents: c.Agents, Groups: []queuegroups.Group{{ID: "sales", Announce: rules}}})
	ear := &listener{more: make(chan struct{})}
	b.peer.hear = ear.hear
	return b, ear
}

// The caller hears the announcement; an agent answers in the midst of it, and it
// is cut within two packets, 40 ms, for good.
func TestBoard_AnnouncementEndsAtTheBridge(t *testing.T) {
	x := &expectations{}
	x.set(acd.Expectation{Group: "sales", Position: 3}, true)
	b, ear := announcing(t, x, queuegroups.Announce{Position: true, First: 50 * time.Millisecond, Every: time.Hour})
	call, _ := b.arrive()
	b.peer.hear = nil // not what the agent hears
	began := time.Now()
	b.do(call, &acd.Answer{})
	b.do(call, &acd.Play{})
	b.want(&acd.LegAnswered{Leg: call})
	ear.wait(t, began, spokenHertz)

	b.do(call, &acd.Ring{Offer: 1, Agent: "anna"})
	phone := b.peer.waitRung()
	b.want(&acd.OfferRinging{Offer: 1})
	b.peer.answer(phone)
	agent := b.want(&acd.OfferAnswered{Offer: 1}).(*acd.OfferAnswered).Leg
	b.peer.do(func() { b.peer.legs[phone].Play(tone.NewProgram(agentHertz, -12)) })
	ear.wait(t, time.Now(), spokenHertz) // still
	b.do(call, &acd.Bridge{A: call, B: agent})
	b.want(&acd.Bridged{A: call, B: agent})
	bridged, sent := time.Now(), b.sent(call)
	if b.announces(call) {
		t.Error("another announcement would come")
	}
	ear.wait(t, bridged, agentHertz)
	if n := ear.count(t, sent, 25, spokenHertz); n > 2 {
		t.Errorf("%d packets of the announcement came after the bridge", n)
	}
	b.peer.do(func() { phone.Hangup("") })
	b.want(&acd.LegEnded{Leg: agent, Cause: acd.EndHangup})
	b.do(call, &acd.EndLeg{Leg: call})
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndByUs})
}

// Another programme ends an announcement, too, and has announcements of its own.
func TestBoard_AnnouncementEndsAtAnotherPlay(t *testing.T) {
	x := &expectations{}
	x.set(acd.Expectation{Group: "sales", Position: 1}, true)
	b, ear := announcing(t, x, queuegroups.Announce{Position: true, First: 50 * time.Millisecond, Every: time.Hour})
	call, leg := b.arrive()
	began := time.Now()
	b.do(call, &acd.Answer{})
	b.do(call, &acd.Play{})
	b.want(&acd.LegAnswered{Leg: call})
	ear.wait(t, began, spokenHertz)
	x.set(acd.Expectation{}, false)
	b.do(call, &acd.Play{Music: "jazz"})
	if !b.announces(call) {
		t.Error("no announcement would come to this music")
	}
	played := time.Now()
	if n := ear.count(t, b.sent(call), 15, spokenHertz); n > 2 {
		t.Errorf("%d packets of the announcement came after the music changed", n)
	}
	x.set(acd.Expectation{Group: "sales", Position: 1}, true)
	ear.wait(t, played, spokenHertz)
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup})
}

// announces tells whether the call would be told something, once it has done all
// that it was told to.
func (b *bench) announces(id acd.LegID) (yes bool) {
	b.t.Helper()
	b.board.mu.Lock()
	c := b.board.calls[id]
	b.board.mu.Unlock()
	done := make(chan struct{})
	c.box.Post(func() { yes = c.announcer != nil; close(done) })
	<-done
	return yes
}

// A caller is told less and less: not that they fell back, no longer wait than
// before, and nothing of the wait once what was promised has passed.
func TestTold_PromisesDoNotGrow(t *testing.T) {
	both := queuegroups.Announce{Position: true, Wait: true}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	known := func(position int, wait time.Duration) acd.Expectation {
		return acd.Expectation{Position: position, Wait: wait, Known: true}
	}
	type step struct {
		at    time.Duration
		rules queuegroups.Announce
		e     acd.Expectation
		want  holdmusic.Notice
	}
	for name, steps := range map[string][]step{
		"as it was promised": {
			{0, both, known(3, 170*time.Second), holdmusic.Notice{Position: 3, Wait: 170 * time.Second}}, // 3 min
			{time.Minute, both, known(2, 110*time.Second), holdmusic.Notice{Position: 2, Wait: 110 * time.Second}},
			{2 * time.Minute, both, known(1, 50*time.Second), holdmusic.Notice{Position: 1, Wait: 50 * time.Second}},
		},
		"an agent leaves": {
			{0, both, known(2, 110*time.Second), holdmusic.Notice{Position: 2, Wait: 110 * time.Second}}, // 2 min
			{time.Minute, both, known(2, 5*time.Minute), holdmusic.Notice{Position: 2, Wait: time.Minute}},
			{90 * time.Second, both, known(2, 5*time.Minute), holdmusic.Notice{Position: 2, Wait: 30 * time.Second}},
			{2 * time.Minute, both, known(2, 5*time.Minute), holdmusic.Notice{Position: 2}},
			{3 * time.Minute, both, known(1, time.Minute), holdmusic.Notice{Position: 1}},
		},
		"it goes faster": {
			{0, both, known(9, 10*time.Minute), holdmusic.Notice{Position: 9, Wait: 10 * time.Minute}},
			{time.Minute, both, known(2, time.Minute), holdmusic.Notice{Position: 2, Wait: time.Minute}},
			{time.Minute, both, known(2, 8*time.Minute), holdmusic.Notice{Position: 2, Wait: time.Minute}},
			{2 * time.Minute, both, known(2, time.Minute), holdmusic.Notice{Position: 2}},
		},
		"somebody goes before": {
			{0, both, known(2, time.Minute), holdmusic.Notice{Position: 2, Wait: time.Minute}},
			{15 * time.Second, both, known(3, time.Minute), holdmusic.Notice{Wait: 45 * time.Second}},
			{30 * time.Second, both, acd.Expectation{Position: 3}, holdmusic.Notice{}},
			{45 * time.Second, both, acd.Expectation{Position: 2}, holdmusic.Notice{Position: 2}},
		},
		"nobody is at work": {
			{0, both, acd.Expectation{Position: 4}, holdmusic.Notice{Position: 4}},
			{time.Minute, both, acd.Expectation{Position: 4, Overdue: true, Wait: time.Minute}, holdmusic.Notice{Position: 4}},
		},
		"position only": {{0, queuegroups.Announce{Position: true}, known(2, time.Minute), holdmusic.Notice{Position: 2}}},
		"wait only":     {{0, queuegroups.Announce{Wait: true}, known(2, time.Minute), holdmusic.Notice{Wait: time.Minute}}},
	} {
		t.Run(name, func(t *testing.T) {
			var told told
			for _, s := range steps {
				now := start.Add(s.at)
				got := told.notice(s.rules, s.e, now)
				if got != s.want {
					t.Errorf("after %v: %+v, want %+v", s.at, got, s.want)
				}
				told.keep(got, now)
			}
		})
	}
}

// In another group a caller has another position, but waits no longer than promised.
func TestTold_InAnotherGroup(t *testing.T) {
	both := queuegroups.Announce{Position: true, Wait: true}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var told told
	for _, s := range []struct {
		of    acd.InteractionID
		group queuegroups.GroupID
		e     acd.Expectation
		want  holdmusic.Notice
	}{
		{1, "sales", acd.Expectation{Position: 2, Known: true, Wait: time.Minute}, holdmusic.Notice{Position: 2, Wait: time.Minute}},
		{1, "sales", acd.Expectation{Position: 7, Known: true, Wait: time.Hour}, holdmusic.Notice{Wait: time.Minute}},
		{1, "support", acd.Expectation{Position: 7, Known: true, Wait: time.Hour}, holdmusic.Notice{Position: 7, Wait: time.Minute}},
		{2, "support", acd.Expectation{Position: 9, Known: true, Wait: time.Hour}, holdmusic.Notice{Position: 9, Wait: time.Hour}},
	} {
		told.turnTo(s.of, s.group)
		if got := told.notice(both, s.e, now); got != s.want {
			t.Errorf("%d in %s: %+v, want %+v", s.of, s.group, got, s.want)
		}
		told.keep(s.want, now)
	}
}

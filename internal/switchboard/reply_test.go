package switchboard

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/tone"
	"centrala/media/wav"
	"centrala/queuegroups"
)

// What agents are told is how things stand after what they asked for: the core's
// word, not that of whoever dialled.
func TestFeature_TellsTheRealState(t *testing.T) {
	bartek := func(g queuegroups.GroupID, s acd.SeatState) acd.Event {
		return &acd.SeatSet{Agent: "bartek", Group: g, State: s}
	}
	work := func(d acd.Duty, reason string) acd.Event {
		return &acd.DutySet{Agent: "bartek", Duty: d, Reason: reason}
	}
	library := spoken(t, map[string]string{"break-lunch": ""}, "break-lunch")
	for name, c := range map[string]struct {
		dialled string
		before  []acd.Event
		ignored bool // the core does not take in what was dialled
		done    bool
		words   string
	}{
		"in to one group":               {"*21600", nil, false, true, "group 6 0 0 logged-in"},
		"out of one group":              {"*20600", nil, false, true, "group 6 0 0 logged-out"},
		"a second time":                 {"*20600", []acd.Event{bartek("sales", acd.SeatOut)}, false, true, "group 6 0 0 logged-out"},
		"in to all":                     {"*21", []acd.Event{bartek("sales", acd.SeatOut)}, false, true, "all-groups logged-in"},
		"out of all":                    {"*20", nil, false, true, "all-groups logged-out"},
		"refused by the core":           {"*21600", []acd.Event{bartek("sales", acd.SeatOut)}, true, false, "group 6 0 0 logged-out"},
		"refused for one of the groups": {"*21", []acd.Event{bartek("support", acd.SeatOut)}, true, false, "group 6 0 0 logged-in  group 6 0 1 logged-out"},
		"break, by its number":          {"*42", nil, false, true, "on-break reason 2"},
		"break, by its name":            {"*41", nil, false, true, "on-break break-lunch"},
		"break, refused":                {"*42", nil, true, false, "available"},
		"back":                          {"*40", []acd.Event{work(acd.DutyBreak, "lunch")}, false, true, "available"},
		"end of the day":                {"*90", nil, false, true, "day-over"},
		"begin of the day":              {"*91", []acd.Event{work(acd.DutyOff, "")}, false, true, "available"},
		"no phone":                      {"*91", []acd.Event{&acd.AgentOffline{Agent: "bartek", Node: "n1"}}, false, true, "not-registered"},
		"no wrap-up to end":             {"*7", nil, false, true, "available"},
		"no wrap-up, on a break":        {"*7", []acd.Event{work(acd.DutyBreak, "training")}, false, true, "on-break reason 2"},
		"on leave":                      {"*7", []acd.Event{work(acd.DutyLeave, "")}, false, true, "leave"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			config := b.lit()
			config.WorkTime.Breaks = []string{"lunch", "training"}
			config.Version = "breaks"
			config.Groups[0].Announce = queuegroups.Announce{Language: "pl", Prompts: "spoken"}
			b.apply(&acd.ConfigApplied{Config: config}, false)
			b.board.music = library
			for _, e := range c.before {
				b.apply(e, false)
			}
			f, ok := b.board.feature(config.Agent("bartek"), c.dialled)
			if !ok {
				t.Fatal("no code")
			}
			if !c.ignored {
				for _, e := range f.facts {
					b.apply(e, false)
				}
			}
			call := &call{board: b.board, caller: &leg{agent: "bartek"}, feature: f}
			done, words := call.standing()
			if got := strings.Join(words, " "); got != c.words || done != c.done {
				t.Errorf("%v, %q; want %v, %q", done, got, c.done, c.words)
			}
		})
	}
}

// Who has a call, or works after one, is told that.
func TestFeature_TellsOfCalls(t *testing.T) {
	b := newBench(t, nil)
	config := b.lit()
	b.ringsAtAnna()
	f, _ := b.board.feature(config.Agent("anna"), "*91")
	call := &call{board: b.board, caller: &leg{agent: "anna"}, feature: f}
	if done, words := call.standing(); !done || strings.Join(words, " ") != holdmusic.WordOtherCall {
		t.Errorf("%v, %q", done, words)
	}
	b.peer.stack.Drain()
	b.board.EndAll()
	b.want(&acd.LegEnded{})
}

// Who dialled hears nothing of the core's state before the core has taken in all
// that they asked for, and of nobody else's.
func TestFeature_WaitsForTheCore(t *testing.T) {
	b := newBench(t, nil)
	b.lit()
	p := b.phone("bartek")
	p.dial("*21")
	p.answered()
	sales := b.want(&acd.SeatSet{Agent: "bartek", Group: "sales", State: acd.SeatIn})
	support := b.want(&acd.SeatSet{Agent: "bartek", Group: "support", State: acd.SeatIn})
	b.apply(&acd.SeatSet{Agent: "anna", Group: "sales", State: acd.SeatIn}, false)
	b.apply(sales, false)
	b.apply(sales, false)
	if n := b.asking("bartek"); n != 1 {
		t.Errorf("%d calls wait for the core", n)
	}
	b.apply(support, false)
	p.hungUp()
	b.want(&acd.LegEnded{Cause: acd.EndByUs})
	if n := b.asking("bartek"); n != 0 {
		t.Errorf("%d calls wait for the core", n)
	}
}

// Who hangs up before the core has spoken is told nothing, and nothing is left.
func TestFeature_HangsUpBeforeTheCore(t *testing.T) {
	b := newBench(t, nil)
	b.lit()
	p := b.phone("bartek")
	p.dial("*90")
	p.answered()
	b.want(&acd.DutySet{Agent: "bartek", Duty: acd.DutyOff})
	p.hangUp()
	b.want(&acd.LegEnded{Cause: acd.EndHangup})
	if n := b.asking("bartek"); n != 0 {
		t.Errorf("%d calls wait for the core", n)
	}
}

// asking is how many calls of an agent wait for the core.
func (b *bench) asking(agent queuegroups.AgentID) int {
	b.board.mu.Lock()
	defer b.board.mu.Unlock()
	return len(b.board.asks[agent])
}

// A tone comes first, and then the words, after which silence follows.
func TestToneFirst(t *testing.T) {
	b := newBench(t, nil)
	b.board.music = spoken(t, nil)
	words, length, ok := b.board.music.Say(holdmusic.Voice{Language: "pl", Replies: true}, false, holdmusic.WordNotDone)
	if !ok || length < time.Second || length > 4*time.Second {
		t.Fatalf("%v, %v", ok, length)
	}
	over := 0
	done := b.board.beeps[1].tone
	p := &whole{p: &toneFirst{tone: done, then: words}, frames: 30, over: func() { over++ }}
	tick := uint64(700)
	for i := range 10 {
		if got, want := p.Frame(0, tick), done.Frame(0, uint64(i)); string(got) != string(want) {
			t.Fatalf("frame %d is not the tone", i)
		}
		tick += 1 + 9*uint64(i%2) // the server is held up now and then: nothing is left out
	}
	for i := range 20 {
		if over != 0 {
			t.Fatalf("over after %d frames", i+10)
		}
		if got := p.Frame(0, tick); string(got) == string(done.Frame(0, tick)) {
			t.Fatal("the tone goes on")
		}
		tick++
	}
	if over != 1 {
		t.Errorf("over %d times, want once", over)
	}
}

// spoken is a library with the Polish voice of replies, and of own recordings those of these names.
func spoken(t *testing.T, files map[string]string, names ...string) *holdmusic.Library {
	t.Helper()
	library := holdmusic.New(func(name string) (io.ReadCloser, error) {
		word := strings.TrimSuffix(strings.TrimPrefix(name, "spoken/"), ".wav")
		if _, ok := files[word]; !ok {
			return nil, os.ErrNotExist
		}
		var clip bytes.Buffer
		if err := wav.Write(&clip, media.SampleRate, tone.Sine(spokenHertz, -6, media.SampleRate, time.Second)); err != nil {
			return nil, err
		}
		return io.NopCloser(&clip), nil
	})
	w := holdmusic.Wanted{Names: names, Voices: []holdmusic.Voice{{Language: "pl", Replies: true}, {Language: "pl", Folder: "spoken", Replies: true}}}
	if err := library.Load(w); err != nil {
		t.Fatal(err)
	}
	return library
}

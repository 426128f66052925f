package tone_test

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/tone"

	"github.com/rs/zerolog"
)

// decoded is what somebody hears of a programme from a tick on, for a time.
func decoded(p media.Program, c media.Codec, from uint64, d time.Duration) []int16 {
	var pcm []int16
	for tick := from; tick < from+uint64(d/(20*time.Millisecond)); tick++ {
		pcm = c.AppendDecoded(pcm, p.Frame(c, tick))
	}
	return pcm
}

// turns measures how long sound and silence last in ms by turns, beginning with sound; the last is left
// out, since it goes on. A sound is what exceeds -30 dBFS within 3 ms.
func turns(pcm []int16) (list []int) {
	const window = 3 * media.SampleRate / 1000
	sounding, since := true, 0
	for i := range pcm {
		loud := slices.ContainsFunc(pcm[max(i-window, 0):min(i+window, len(pcm))], func(v int16) bool { return v > 1000 || v < -1000 })
		if loud != sounding {
			list = append(list, int(math.Round(float64(i-since)*1000/media.SampleRate)))
			sounding, since = loud, i
		}
	}
	return list
}

// The tables once more, as somebody who listens measures them: in both codecs, over the loop's seam.
func TestProgress_OfEachCountry(t *testing.T) {
	one := []float64{425}
	for _, c := range []struct {
		country string
		signal  tone.Signal
		hertz   []float64
		turns   []int
	}{
		{"", tone.Ringback, one, []int{1000, 4000}},
		{"", tone.Busy, one, []int{500, 500}},
		{"", tone.Congestion, one, []int{250, 250}},
		{"XX", tone.Ringback, one, []int{1000, 4000}},
		{"PL", tone.Ringback, one, []int{1000, 4000}},
		{"PL", tone.Busy, one, []int{500, 500}},
		{"PL", tone.Congestion, one, []int{500, 500}},
		{"DE", tone.Ringback, one, []int{1000, 4000}},
		{"DE", tone.Busy, one, []int{480, 480}},
		{"DE", tone.Congestion, one, []int{240, 240}},
		{"GB", tone.Ringback, []float64{400, 450}, []int{400, 200, 400, 2000}},
		{"GB", tone.Busy, []float64{400}, []int{375, 375}},
		{"GB", tone.Congestion, []float64{400}, []int{400, 350, 225, 525}},
		{"US", tone.Ringback, []float64{440, 480}, []int{2000, 4000}},
		{"US", tone.Busy, []float64{480, 620}, []int{500, 500}},
		{"US", tone.Congestion, []float64{480, 620}, []int{250, 250}},
		{"RU", tone.Ringback, one, []int{1000, 4000}},
		{"RU", tone.Busy, one, []int{350, 350}},
		{"RU", tone.Congestion, one, []int{175, 175}},
	} {
		p := tone.NewProgress(c.country, c.signal)
		for codec := range media.Codec(media.NumCodecs) {
			what := fmt.Sprintf("%q, signal %d, %v", c.country, c.signal, codec)
			pcm := decoded(p.Begin(), codec, 12345, 13*time.Second)
			got := turns(pcm)
			if len(got) < 2*len(c.turns) {
				t.Errorf("%s: only %d turns", what, len(got))
			}
			for i, ms := range got {
				if want := c.turns[i%len(c.turns)]; ms < want-12 || ms > want+12 {
					t.Errorf("%s: turn %d takes %d ms, want %d", what, i, ms, want)
				}
			}
			burst := pcm[400 : 400+800]
			power := 0.0
			for hz := 300.0; hz <= 700; hz += 5 {
				level := tone.Level(burst, media.SampleRate, hz)
				switch near := slices.ContainsFunc(c.hertz, func(f float64) bool { return math.Abs(f-hz) < 20 }); {
				case slices.Contains(c.hertz, hz):
					power += math.Pow(10, level/10)
				case !near && level > -25:
					t.Errorf("%s: %v Hz at %.1f dBFS too", what, hz, level)
				}
			}
			if level := 10 * math.Log10(power); math.Abs(level+13.14) > 0.5 {
				t.Errorf("%s: %.2f dBFS, want -13.14, which is -10 dBm0", what, level)
			}
		}
	}
	if got := strings.Join(tone.Countries(), " "); got != "DE GB PL RU US" {
		t.Error(got)
	}
}

// Whoever shares a programme hears the same; whoever begins hears a burst at once, whenever that is.
func TestProgress_Begin(t *testing.T) {
	p := tone.NewProgress("PL", tone.Ringback)
	const inPause = 100 // 2 s into the ringing
	if level := tone.Level(decoded(p, media.PCMA, inPause, 100*time.Millisecond), media.SampleRate, 425); level > -40 {
		t.Errorf("shared: %.0f dBFS in the pause", level)
	}
	begun := p.Begin()
	if level := tone.Level(decoded(begun, media.PCMA, inPause, 100*time.Millisecond), media.SampleRate, 425); level < -20 {
		t.Errorf("begun: %.0f dBFS at the beginning", level)
	}
	if level := tone.Level(decoded(begun, media.PCMA, inPause+60, 100*time.Millisecond), media.SampleRate, 425); level > -40 {
		t.Errorf("begun: %.0f dBFS in its pause", level)
	}
	if n := testing.AllocsPerRun(100, func() { begun.Frame(media.PCMU, 200) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// A busy tone on the wire, from one endpoint to another: what arrives is loud and silent where its
// timestamp says that it should be.
func TestProgress_OverRTP(t *testing.T) {
	e, err := media.New(media.Options{Log: zerolog.New(zerolog.NewTestWriter(t)), Quarantine: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	type frame struct {
		ts  uint32
		pcm []int16
	}
	frames := make(chan frame, 100)
	local := netip.MustParseAddr("127.0.0.1")
	caller, err := e.NewEndpoint(media.EndpointOptions{Local: local, OnAudio: func(c media.Codec, ts uint32, payload []byte) {
		select {
		case frames <- frame{ts, c.AppendDecoded(nil, payload)}:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := e.NewEndpoint(media.EndpointOptions{Local: local})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.AcceptOffer(caller.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := caller.AcceptAnswer(answer); err != nil {
		t.Fatal(err)
	}
	server.Play(tone.NewProgress("DE", tone.Busy).Begin())
	first := <-frames
	loud, silent := 0, 0
	for range 60 {
		f := <-frames
		at := (f.ts - first.ts) / 8 % 960 // ms within a beep of 480 and a pause
		level := tone.Level(f.pcm, media.SampleRate, 425)
		switch {
		case at <= 440 && level > -20:
			loud++
		case at >= 480 && level < -40:
			silent++
		case at > 440 && at < 480: // where it ends
		default:
			t.Errorf("%d ms into the cadence: %.0f dBFS", at, level)
		}
	}
	if loud < 15 || silent < 15 {
		t.Errorf("%d frames of a beep and %d of a pause", loud, silent)
	}
}

package holdmusic

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"centrala/media"
	"centrala/media/tone"
)

// toneVoice is a voice whose words are tones of 100 ms, of these frequencies, or
// of 2000 Hz.
func toneVoice(language string, hertz map[string]float64) fstest.MapFS {
	files := fstest.MapFS{}
	for _, word := range grammars()[language].vocabulary() {
		h := hertz[word]
		if h == 0 {
			h = 2000
		}
		files["voice/"+word+".wav"] = file(toneFile(h, 8000, 100*time.Millisecond))
	}
	return files
}

func announced(t *testing.T, l *Library, v Voice, n Notice, music media.Program) (media.Program, time.Duration) {
	t.Helper()
	p, length, ok := l.Announce(v, n, music)
	if !ok {
		t.Fatalf("%+v is not announced", n)
	}
	return p, length
}

// The music fades, silence, the words without a gap, silence between the
// sentences and behind, and the music comes back where it would be by now.
func TestAnnouncementIsHeardBetweenMusic(t *testing.T) {
	files := toneVoice("pl", map[string]float64{
		"position": 500, "20": 700, "3": 900, "wait": 1100, "2f": 1300, "minute-few": 1500,
	})
	l := New(opener(files))
	v := Voice{Language: "pl", Folder: "voice"}
	if err := l.Load(Wanted{Voices: []Voice{v}}); err != nil {
		t.Fatal(err)
	}
	const musicHertz = 300
	music := tone.NewProgram(musicHertz, -20)
	for c := range media.Codec(media.NumCodecs) {
		t.Run(c.String(), func(t *testing.T) {
			const first = 1234567
			p, length := announced(t, l, v, Notice{Position: 23, Wait: 2 * time.Minute}, music)
			if want := fadeOut + 3*pauseLength + 6*100*time.Millisecond + fadeIn; length != want {
				t.Errorf("it takes %v, want %v", length, want)
			}
			pcm := hear(p, c, first, length+time.Second)
			take := func(d time.Duration) []int16 {
				n := int(d * rate / time.Second)
				taken := pcm[:n]
				pcm = pcm[n:]
				return taken
			}
			fading := tone.Levels(take(fadeOut), rate, musicHertz, 40*time.Millisecond)
			for i := 1; i < len(fading); i++ {
				if fading[i] >= fading[i-1] {
					t.Errorf("the music does not fade: %.1f", fading)
				}
			}
			silence := func(what string) {
				for _, v := range take(pauseLength) {
					if v > 8 || v < -8 { // the smallest amplitudes of G.711
						t.Fatalf("%s: %d in the silence", what, v)
					}
				}
			}
			silence("before")
			for i, hertz := range []float64{500, 700, 900, 1100, 1300, 1500} {
				if i == 3 {
					silence("between the sentences")
				}
				wantTone(t, take(100*time.Millisecond), hertz, toneLevel(hertz))
			}
			silence("behind")
			rising := tone.Levels(take(fadeIn), rate, musicHertz, 100*time.Millisecond)
			for i := 1; i < len(rising); i++ {
				if rising[i] <= rising[i-1] {
					t.Errorf("the music does not come back: %.1f", rising)
				}
			}
			tick := first + uint64(length/(20*time.Millisecond))
			if want := hear(music, c, tick, time.Second); !equal(pcm, want) {
				t.Error("the music behind is not where it would be")
			}
		})
	}
}

// Where the music fades out and in no sample jumps further than the music itself does.
func TestAnnouncementDoesNotClick(t *testing.T) {
	l := New(opener(toneVoice("en", nil)))
	v := Voice{Language: "en", Folder: "voice"}
	if err := l.Load(Wanted{Voices: []Voice{v}}); err != nil {
		t.Fatal(err)
	}
	music := tone.NewProgram(200, -10)
	largest := func(pcm []int16) (step int) {
		for i := 1; i < len(pcm); i++ {
			step = max(step, int(pcm[i])-int(pcm[i-1]), int(pcm[i-1])-int(pcm[i]))
		}
		return step
	}
	limit := largest(hear(music, media.PCMA, 0, time.Second)) + 64 // what A-law rounds
	p, length := announced(t, l, v, Notice{Position: 1}, music)
	pcm := hear(p, media.PCMA, 77, length+time.Second)
	at := func(d time.Duration) int { return int(d * rate / time.Second) }
	for name, part := range map[string][]int16{
		"out": pcm[:at(fadeOut+pauseLength)], "in": pcm[at(length-fadeIn-pauseLength):],
	} {
		if step := largest(part); step > limit {
			t.Errorf("%s: a step of %d, the music's own are up to %d", name, step, limit)
		}
	}
}

func TestNothingToAnnounce(t *testing.T) {
	l := New(opener(nil))
	if err := l.Load(Wanted{Voices: []Voice{{Language: "ru"}}}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []Notice{{}, {Position: maxPosition + 1}, {Wait: -time.Second}} {
		if _, _, ok := l.Announce(Voice{Language: "ru"}, n, l.Default()); ok {
			t.Errorf("%+v is announced", n)
		}
	}
	if _, _, ok := l.Announce(Voice{Language: "en"}, Notice{Position: 1}, l.Default()); ok {
		t.Error("a voice that was not loaded speaks")
	}
}

// Every number and every wait can be said in every language with the voice that
// is built in, all at about one level.
func TestBuiltinVoicesKnowAllWords(t *testing.T) {
	l := New(opener(nil))
	for _, language := range Languages() {
		t.Run(language, func(t *testing.T) {
			v := Voice{Language: language}
			if err := l.Load(Wanted{Voices: []Voice{v}}); err != nil {
				t.Fatal(err)
			}
			say := func(n Notice) {
				t.Helper()
				p, length := announced(t, l, v, n, l.Default())
				if length < 2*time.Second || length > 15*time.Second {
					t.Errorf("%+v takes %v", n, length)
				}
				if n := len(p.Frame(media.PCMA, 0)); n != media.FrameSamples {
					t.Errorf("a frame of %d bytes", n)
				}
			}
			for n := range maxPosition {
				say(Notice{Position: n + 1})
			}
			for n := range 130 {
				say(Notice{Wait: time.Duration(n+1) * 30 * time.Second})
			}
			for word, c := range l.loaded.Load().voices[v].clips {
				pcm := media.PCMA.AppendDecoded(nil, c[media.PCMA])
				if heard := heardLoudness(pcm); word != pause && math.Abs(heard-targetLevel) > 3 {
					t.Errorf("%s: loudness %.1f dB", word, heard)
				}
			}
			files, err := fs.ReadDir(announcements, "announcements/"+language)
			words := append(ReplyWords(), grammars()[language].vocabulary()...)
			slices.Sort(words)
			if words = slices.Compact(words); err != nil || len(files) != len(words) {
				t.Errorf("%d files for %d words: %v", len(files), len(words), err)
			}
		})
	}
}

func TestVoiceNamesEveryBadFileAndChangesNothing(t *testing.T) {
	files := toneVoice("pl", nil)
	l := New(opener(files))
	v := Voice{Language: "pl", Folder: "voice"}
	if err := l.Load(Wanted{Voices: []Voice{v}}); err != nil {
		t.Fatal(err)
	}
	before, _ := announced(t, l, v, Notice{Position: 2}, l.Default())
	delete(files, "voice/2f.wav")
	files["voice/wait.wav"] = file(toneFile(50, 8000, maxClipLength+time.Second))
	files["voice/30.wav"] = file([]byte("no sound"))
	err := l.Load(Wanted{Programs: map[string][]string{"calm": {"builtin:default"}}, Voices: []Voice{v, {Language: "xx"}}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"announcements pl in voice: file 2f.wav: ", "file wait.wav: it plays for 31s", "file 30.wav: ", `no language "xx"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not tell %q:\n%v", want, err)
		}
	}
	var wrong *ClipError
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &wrong) || wrong.Voice != v {
		t.Errorf("the causes are not in the error: %v", err)
	}
	if wrong := l.Load(Wanted{Voices: []Voice{{Language: "pl", Folder: "misspelt"}}}); wrong == nil || strings.Count(wrong.Error(), "\n") > 0 ||
		!strings.Contains(wrong.Error(), "announcements pl in misspelt: none of the 46 files") {
		t.Errorf("a folder that is not there: %v", wrong)
	}
	if _, ok := l.Program("calm"); ok {
		t.Error("the music was loaded all the same")
	}
	after, _ := announced(t, l, v, Notice{Position: 2}, l.Default())
	for tick := range uint64(50) {
		if !bytes.Equal(before.Frame(media.PCMA, tick), after.Frame(media.PCMA, tick)) {
			t.Fatal("the voice changed")
		}
	}
}

func TestAnnouncementDoesNotAllocate(t *testing.T) {
	l := New(opener(nil))
	if err := l.Load(Wanted{Voices: []Voice{{Language: "en"}}}); err != nil {
		t.Fatal(err)
	}
	p, _ := announced(t, l, Voice{Language: "en"}, Notice{Position: 342, Wait: 7 * time.Minute}, l.Default())
	tick := uint64(0)
	if n := testing.AllocsPerRun(1000, func() { p.Frame(media.PCMA, tick); tick++ }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// BenchmarkAnnouncement is what a frame costs while the music fades, and within the words.
func BenchmarkAnnouncement(b *testing.B) {
	l := New(opener(nil))
	if err := l.Load(Wanted{Voices: []Voice{{Language: "en"}}}); err != nil {
		b.Fatal(err)
	}
	for name, tick := range map[string]uint64{"fade": 1, "words": 60} {
		b.Run(fmt.Sprint(name), func(b *testing.B) {
			p, _, _ := l.Announce(Voice{Language: "en"}, Notice{Position: 342, Wait: 7 * time.Minute}, l.Default())
			p.Frame(media.PCMA, 0)
			b.ReportAllocs()
			for b.Loop() {
				p.Frame(media.PCMA, tick)
			}
		})
	}
}

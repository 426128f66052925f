package holdmusic

import (
	"errors"
	"io/fs"
	"math"
	"slices"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/tone"
)

// Every language has every word of replies, as long and as loud as words are, and
// says any of them.
func TestReplies_BuiltinVoices(t *testing.T) {
	l := New(opener(nil))
	for _, language := range Languages() {
		v := Voice{Language: language, Replies: true}
		if err := l.Load(Wanted{Voices: []Voice{v}}); err != nil {
			t.Fatal(err)
		}
		for _, word := range ReplyWords() {
			c := l.loaded.Load().voices[v].clips[word]
			if length := time.Duration(c.frames()) * frameTime; length < 140*time.Millisecond || length > 4*time.Second {
				t.Errorf("%s: %s takes %v", language, word, length)
			}
			if heard := heardLoudness(media.PCMA.AppendDecoded(nil, c[media.PCMA])); math.Abs(heard-targetLevel) > 3 {
				t.Errorf("%s: %s: loudness %.1f dB", language, word, heard)
			}
			if _, _, ok := l.Say(v, false, word); !ok {
				t.Errorf("%s: %s is not said", language, word)
			}
		}
		for n := range 10 {
			if _, _, ok := l.Say(v, false, Digits(string(rune('0'+n)))...); !ok {
				t.Errorf("%s: %d is not said", language, n)
			}
		}
	}
}

// A voice of the admin's own has what it has; the rest is built in. Names and
// reasons are said where they were recorded.
func TestReplies_OwnRecordings(t *testing.T) {
	files := toneVoice("pl", nil)
	clear(files)
	files["own/parked.wav"] = file(toneFile(500, 8000, 400*time.Millisecond))
	files["own/group-sales.wav"] = file(toneFile(700, 8000, 400*time.Millisecond))
	l := New(opener(files))
	own := Voice{Language: "ru", Folder: "own", Replies: true}
	names := []string{GroupName("sales"), GroupName("support"), BreakName("lunch")}
	if err := l.Load(Wanted{Voices: []Voice{own}, Names: names}); err != nil {
		t.Fatal(err)
	}
	if got := l.Group(own, "sales", "600"); !slices.Equal(got, []string{"group-sales"}) {
		t.Errorf("sales: %q", got)
	}
	if got := l.Group(own, "support", "601"); !slices.Equal(got, []string{"6", "0", "1"}) {
		t.Errorf("support: %q", got)
	}
	if got := l.Break(own, "lunch", 12); !slices.Equal(got, []string{WordReason, "1", "2"}) {
		t.Errorf("lunch: %q", got)
	}
	p, length, ok := l.Say(own, false, WordParked, GroupName("sales"), WordEcho)
	if !ok {
		t.Fatal("nothing is said")
	}
	pcm := hear(p, media.PCMU, 99, length)
	at := func(from, to time.Duration) []int16 { return pcm[from*rate/time.Second : to*rate/time.Second] }
	if tone.Level(at(100*time.Millisecond, 300*time.Millisecond), rate, 500) < -30 ||
		tone.Level(at(500*time.Millisecond, 700*time.Millisecond), rate, 700) < -30 {
		t.Error("the own recordings are not heard one after the other")
	}
	files["own/parked.wav"] = file([]byte("no sound"))
	var wrong *ClipError
	if err := l.Load(Wanted{Voices: []Voice{own}}); !errors.As(err, &wrong) || wrong.File != "parked.wav" || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a bad file: %v", err)
	}
}

// What is said once is followed by silence; what is said again and again comes
// again after a pause.
func TestReplies_OnceOrAgain(t *testing.T) {
	l := New(opener(nil))
	v := Voice{Language: "en", Replies: true}
	if err := l.Load(Wanted{Voices: []Voice{v}}); err != nil {
		t.Fatal(err)
	}
	for _, again := range []bool{false, true} {
		p, length, ok := l.Say(v, again, WordGroup)
		if !ok {
			t.Fatal("nothing is said")
		}
		pcm := hear(p, media.PCMA, 12345, 2*length)
		first, second := pcm[:len(pcm)/2], pcm[len(pcm)/2:]
		if slices.Equal(first, second) != again {
			t.Errorf("again %v: it comes twice: %v", again, !again)
		}
		if !again && slices.ContainsFunc(second, func(v int16) bool { return v > 16 || v < -16 }) {
			t.Error("what was said once is not followed by silence")
		}
		if tail := first[len(first)-int(pauseLength*rate/time.Second):]; slices.ContainsFunc(tail, func(v int16) bool { return v > 16 || v < -16 }) {
			t.Error("there is no pause behind the words")
		}
	}
	if _, _, ok := l.Say(v, false, "no such word"); ok {
		t.Error("a word that there is not is said")
	}
	if _, _, ok := l.Say(Voice{Language: "pl", Replies: true}, false, WordGroup); ok {
		t.Error("a voice that was not loaded speaks")
	}
}

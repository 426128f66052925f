package e2e

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/tone"
	"centrala/media/wav"
)

// wantSpoken checks that the words were heard in the voice that is built in: most
// frames of them sample by sample, since a phone mends those that are late.
func wantSpoken(t *testing.T, heard []int16, language string, words ...string) {
	t.Helper()
	if !spoken(t, heard, language, words...) {
		t.Errorf("%q is not heard in %s", words, language)
	}
}

func spoken(t *testing.T, heard []int16, language string, words ...string) bool {
	t.Helper()
	l := holdmusic.New(func(string) (io.ReadCloser, error) { return nil, os.ErrNotExist })
	v := holdmusic.Voice{Language: language, Replies: true}
	if err := l.Load(holdmusic.Wanted{Voices: []holdmusic.Voice{v}}); err != nil {
		t.Fatal(err)
	}
	for _, codec := range []media.Codec{media.PCMU, media.PCMA} {
		p, length, ok := l.Say(v, false, words...)
		if !ok {
			t.Fatalf("%q cannot be said", words)
		}
		frames := int(length / (20 * time.Millisecond))
		var pcm []int16
		for i := range frames {
			pcm = codec.AppendDecoded(pcm, p.Frame(codec, uint64(i)))
		}
		found, all := 0, 0
		const piece = media.FrameSamples
		for at := 0; at+piece <= len(pcm); at += piece {
			if part := pcm[at : at+piece]; loudness(part) > -30 {
				all++
				if holds(heard, part) {
					found++
				}
			}
		}
		if found > all/2 {
			return true
		}
	}
	return false
}

func holds(heard, part []int16) bool {
	for i := range len(heard) - len(part) {
		if slices.EqualFunc(heard[i:i+len(part)], part, sameSample) {
			return true
		}
	}
	return false
}

// sameSample: but for the rounding of a recording, which is one of floating point.
func sameSample(a, b int16) bool { return max(a-b, b-a) <= 2 }

// An agent hears what came of a code in their language, and is hung up on.
func TestReplies_Languages(t *testing.T) {
	t.Parallel()
	for _, language := range holdmusic.Languages() {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, newSite(t), strings.Replace(office, "{name: Bartek Lis,", "{name: Bartek Lis, language: "+language+",", 1)+
				"work_time: {breaks: [lunch, training]}\n")
			before := s.footprint()
			bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
			digits := holdmusic.Digits
			codes := []struct {
				dialled string
				words   []string
			}{
				{"*98", append([]string{holdmusic.WordYourExtension}, digits("102")...)},
				{"*20601", []string{holdmusic.WordLoggedOut}},
				{"*21", []string{holdmusic.WordLoggedIn}},
				{"*42", []string{holdmusic.WordOnBreak, holdmusic.WordReason, "2"}},
				{"*90", []string{holdmusic.WordDayOver}},
				{"*91", []string{holdmusic.WordAvailable}},
				{"*8", []string{holdmusic.WordNothing}},
				{"*61", []string{holdmusic.WordNotParked}},
				{"*512", append([]string{holdmusic.WordNothingParked}, digits("12")...)},
			}
			for i, c := range codes {
				bartek.dial(c.dialled)
				bartek.waitNth("is hung up on after "+c.dialled, "CALL_CLOSED", i+1)
			}
			s.waitFootprint(before)
			heard := bartek.recordings()
			if len(heard) != len(codes) {
				t.Fatalf("%d recordings of %d calls", len(heard), len(codes))
			}
			for i, c := range codes {
				for _, other := range holdmusic.Languages() {
					if got := spoken(t, heard[i], other, c.words...); got != (other == language) {
						t.Errorf("%s: %q is heard in %s: %v", c.dialled, c.words, other, got)
					}
				}
			}
		})
	}
}

// The tones of own recordings, in hertz, in the order in which they are heard.
var ownWords = []struct {
	word  string
	hertz float64
}{
	{holdmusic.WordGroup, 1300}, {holdmusic.GroupName("support"), 1500}, {holdmusic.WordLoggedOut, 1700},
	{holdmusic.WordOnBreak, 1900}, {holdmusic.BreakName("lunch"), 2100}, {holdmusic.WordParked, 2300}, {"7", 2500},
}

// Own recordings say the names of groups and reasons; a call that is parked is
// told with its slot.
func TestReplies_OwnRecordings(t *testing.T) {
	t.Parallel()
	s := prepareServer(t, newSite(t), strings.Replace(office, "agents: [bartek],", "agents: [bartek, anna], announce: {language: pl, prompts: spoken},", 1)+
		"work_time: {breaks: [lunch]}\nhold_music: {calm: {files: [calm.wav]}}\n")
	s.writeTone("calm.wav", calmHertz, 8000)
	if err := os.Mkdir(filepath.Join(s.dir, "spoken"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, w := range ownWords {
		var file strings.Builder
		if err := wav.Write(&file, media.SampleRate, tone.Sine(w.hertz, toneLevel, media.SampleRate, 500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		s.writeFile(filepath.Join("spoken", w.word+".wav"), file.String())
	}
	s.run()
	anna := s.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "manual", 500)
	bartek.dial("*20601")
	bartek.wait("is hung up on", "CALL_CLOSED")
	bartek.dial("*41")
	bartek.waitNth("is hung up on", "CALL_CLOSED", 2)
	c := s.call("+48600100200", "+48221234567", 700)
	anna.wait("rings", "CALL_INCOMING")
	anna.accept()
	c.waitAnswered()
	anna.dial("*67")
	anna.waitNth("is hung up on, on both lines", "CALL_CLOSED", 2)
	c.hangUp()
	c.waitOver()
	heard := bartek.recordings()
	wantInOrder(t, heard[0], 1000, 1300, 1500, 1700)
	wantInOrder(t, heard[1], 1000, 1900, 2100)
	wantInOrder(t, slices.Concat(anna.recordings()...), 1000, 2300, 2500)
}

// wantInOrder checks that tones were heard one after the other, and none of the others.
func wantInOrder(t *testing.T, pcm []int16, hertz ...float64) {
	t.Helper()
	last := -1
	for _, h := range hertz {
		levels := tone.Levels(pcm, media.SampleRate, h, 50*time.Millisecond)
		at := slices.IndexFunc(levels, func(v float64) bool { return v >= loud })
		if at <= last {
			t.Errorf("%v Hz is heard at window %d, want after %d", h, at, last)
		}
		last = at
	}
	for _, w := range ownWords {
		if !slices.Contains(hertz, w.hertz) && slices.Max(tone.Levels(pcm, media.SampleRate, w.hertz, 200*time.Millisecond)) >= loud {
			t.Errorf("%s is heard", w.word)
		}
	}
}

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/holdmusic"
	"centrala/media"
	"centrala/media/tone"
	"centrala/media/wav"
)

// speech is words in the voice that is built in, and what of them was heard.
type speech struct {
	words []string
	said  map[string][media.NumCodecs]sounds // by word
}

// sounds are the loud frames of a word as they go over the wire, and whether each was heard.
type sounds map[string]bool

// voices are the languages of the replies, each loaded once for all tests.
var voices = sync.OnceValues(func() (*holdmusic.Library, error) {
	l := holdmusic.New(func(string) (io.ReadCloser, error) { return nil, os.ErrNotExist })
	var all []holdmusic.Voice
	for _, language := range holdmusic.Languages() {
		all = append(all, holdmusic.Voice{Language: language, Replies: true})
	}
	return l, l.Load(holdmusic.Wanted{Voices: all})
})

func newSpeech(t *testing.T, language string, words ...string) *speech {
	t.Helper()
	l, err := voices()
	if err != nil {
		t.Fatal(err)
	}
	s := &speech{said: make(map[string][media.NumCodecs]sounds)}
	for _, word := range words {
		if word == holdmusic.WordPause {
			continue
		}
		s.words = append(s.words, word)
		var said [media.NumCodecs]sounds
		for codec := range media.Codec(media.NumCodecs) {
			p, length, ok := l.Say(holdmusic.Voice{Language: language, Replies: true}, false, word)
			if !ok {
				t.Fatalf("%q cannot be said in %s", word, language)
			}
			said[codec] = make(sounds)
			for i := range uint64(length / (20 * time.Millisecond)) {
				pcm := codec.AppendDecoded(nil, p.Frame(codec, i))
				if loudness(pcm) > -30 {
					// As hear has it: a code for zero of either sign decodes to the same.
					said[codec][string(codec.AppendEncoded(nil, pcm))] = false
				}
			}
		}
		s.said[word] = said
	}
	return s
}

// hear looks for the frames in what somebody heard. It compares them as they are encoded: the rounding of
// a recording, which is one of floating point, is less than a step of either codec. A frame is there or is
// not, so that those which the server left out or the phone threw away change nothing for the others.
func (s *speech) hear(pcm []int16) {
	for codec := range media.Codec(media.NumCodecs) {
		heard := codec.AppendEncoded(nil, pcm)
		for _, said := range s.said {
			for frame := range said[codec] {
				if !said[codec][frame] {
					said[codec][frame] = bytes.Contains(heard, []byte(frame))
				}
			}
		}
	}
}

// count tells how many frames of a word were heard, in the codec in which more were, and how many it has.
func (s *speech) count(word string) (heard, all int) {
	for _, said := range s.said[word] {
		n := 0
		for _, is := range said {
			if is {
				n++
			}
		}
		if n >= heard {
			heard, all = n, len(said)
		}
	}
	return heard, all
}

// whole tells whether more than half was heard of every word.
func (s *speech) whole() bool {
	return !slices.ContainsFunc(s.words, func(word string) bool {
		heard, all := s.count(word)
		return heard <= all/2
	})
}

// none tells whether nothing of it was heard.
func (s *speech) none() bool {
	return !slices.ContainsFunc(s.words, func(word string) bool {
		heard, _ := s.count(word)
		return heard > 0
	})
}

// String is each word with the frames that were heard of it.
func (s *speech) String() string {
	var b strings.Builder
	for _, word := range s.words {
		heard, all := s.count(word)
		fmt.Fprintf(&b, " %s %d/%d", word, heard, all)
	}
	return b.String()
}

// An agent hears what came of a code in their language, and is hung up on. A server
// that is held up leaves frames out: then all codes are dialled once more, and what
// was heard the first time counts.
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
			said := make([]map[string]*speech, len(codes)) // by language
			for i, c := range codes {
				said[i] = make(map[string]*speech)
				for _, l := range holdmusic.Languages() {
					said[i][l] = newSpeech(t, l, c.words...)
				}
			}
			for round, whole := 0, false; round < 5 && !whole; round++ {
				whole = true
				for i, c := range codes {
					heard := bartek.hearsReply(c.dialled, round*len(codes)+i+1)
					for _, speech := range said[i] {
						speech.hear(heard)
					}
					whole = whole && said[i][language].whole()
				}
			}
			s.waitFootprint(before)
			for i, c := range codes {
				for l, speech := range said[i] {
					if l == language && !speech.whole() {
						t.Errorf("%s: not heard in %s:%v", c.dialled, l, speech)
					} else if l != language && !speech.none() {
						t.Errorf("%s: heard in %s:%v", c.dialled, l, speech)
					}
				}
			}
		})
	}
}

// hearsReply dials a code, in the nth of the phone's calls, and gives what was heard until it was hung up on.
func (p *softphone) hearsReply(code string, nth int) []int16 {
	p.t.Helper()
	p.dial(code)
	p.waitNth("is hung up on after "+code, "CALL_CLOSED", nth)
	calls := p.recordings()
	if len(calls) != nth {
		p.t.Fatalf("%d recordings of %d calls", len(calls), nth)
	}
	return calls[nth-1]
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

package holdmusic

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"centrala/media"
)

// The words of announcements, made by announcements/make.sh.
//
//go:embed announcements/*/*.wav
var announcements embed.FS

// Voice is a set of clips that announcements are put together from.
type Voice struct {
	Language string // one of Languages
	// Folder has the clips as WAV or MP3 files, named as those in announcements/<language>;
	// empty: those that are built in.
	Folder string
	// Replies: the words are those of replies, not of announcements. A clip that
	// Folder lacks is then the one that is built in.
	Replies bool
}

// String names the voice in messages.
func (v Voice) String() string {
	if v.Folder == "" {
		return v.Language
	}
	return v.Language + " in " + v.Folder
}

// Languages lists the languages of announcements.
func Languages() []string { return slices.Sorted(maps.Keys(grammars())) }

// maxClipLength is how long one word or phrase may be.
const maxClipLength = 30 * time.Second

// clip is a word or phrase: whole frames in each codec, so that a frame of an
// announcement is a piece of one of them. It never changes.
type clip [media.NumCodecs][]byte

// frames is how many frames of 20 ms the clip has.
func (c *clip) frames() int { return len(c[0]) / media.FrameSamples }

// newClip encodes pcm, filled up with silence to whole frames.
func newClip(pcm []int16) *clip {
	n := (len(pcm) + media.FrameSamples - 1) / media.FrameSamples * media.FrameSamples
	c := &clip{}
	for codec := range media.Codec(media.NumCodecs) {
		b := codec.AppendEncoded(make([]byte, 0, n), pcm)
		for len(b) < n {
			b = append(b, codec.Silence())
		}
		c[codec] = b
	}
	return c
}

// voice is a Voice that was loaded. It never changes.
type voice struct {
	grammar grammar
	clips   map[string]*clip // by word; pause as well
}

// pauseLength is the silence before, between and after the sentences of an announcement.
const pauseLength = 300 * time.Millisecond

// loadVoice reads every clip of a voice. Where something is wrong it goes on, to
// report all that is.
func (l *Library) loadVoice(v Voice, names []string) (*voice, []error) {
	g, ok := grammars()[v.Language]
	if !ok {
		return nil, []error{fmt.Errorf("announcements: there is no language %q", v.Language)}
	}
	var problems []error
	missing := 0
	loaded := &voice{grammar: g, clips: map[string]*clip{pause: newClip(make([]int16, pauseLength*rate/time.Second))}}
	words := g.vocabulary()
	if v.Replies {
		words = slices.Concat(ReplyWords(), names)
	}
	for _, word := range words {
		pcm, err := l.readClip(v, word+".wav")
		if v.Replies && errors.Is(err, fs.ErrNotExist) {
			if slices.Contains(names, word) {
				continue
			}
			pcm, err = l.readClip(Voice{Language: v.Language}, word+".wav")
		}
		if errors.Is(err, fs.ErrNotExist) {
			missing++
		}
		if err != nil {
			problems = append(problems, &ClipError{Voice: v, File: word + ".wav", Err: err})
			continue
		}
		loaded.clips[word] = newClip(pcm)
	}
	if missing == len(words) { // most likely the folder's name is wrong
		return nil, []error{&ClipError{Voice: v, Err: fmt.Errorf("none of the %d files of the voice is there: %w", missing, fs.ErrNotExist)}}
	}
	return loaded, problems
}

// readClip gives a clip as it is to be played.
func (l *Library) readClip(v Voice, file string) (pcm []int16, err error) {
	if v.Folder != "" {
		r, err := l.open(path.Join(v.Folder, file))
		if errors.Is(err, fs.ErrNotExist) { // then as MP3; if that is not there either, WAV is asked for
			if other, errMP3 := l.open(path.Join(v.Folder, strings.TrimSuffix(file, ".wav")+".mp3")); errMP3 == nil {
				r, err = other, nil
			}
		}
		if err != nil {
			return nil, err
		}
		return prepare(r, mirrored, maxClipLength)
	}
	r, err := announcements.Open(path.Join("announcements", v.Language, file))
	if err != nil {
		return nil, err
	}
	return prepare(r, mirrored, maxClipLength)
}

// ClipError tells what is wrong with one clip of a voice.
type ClipError struct {
	Voice Voice
	File  string // empty: the voice as a whole is wrong
	Err   error
}

func (e *ClipError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("announcements %v: %v", e.Voice, e.Err)
	}
	return fmt.Sprintf("announcements %v: file %s: %v", e.Voice, e.File, e.Err)
}

func (e *ClipError) Unwrap() error { return e.Err }

// loadVoices loads each voice once.
func (l *Library) loadVoices(voices []Voice, names []string) (map[Voice]*voice, error) {
	loaded := make(map[Voice]*voice)
	var problems []error
	for _, v := range voices {
		if _, twice := loaded[v]; twice {
			continue
		}
		var wrong []error
		loaded[v], wrong = l.loadVoice(v, names)
		problems = append(problems, wrong...)
	}
	return loaded, errors.Join(problems...)
}

// Words lists the names of the clips that a voice of the language has, without ".wav".
func Words(language string) []string {
	g, ok := grammars()[language]
	if !ok {
		return nil
	}
	return g.vocabulary()
}

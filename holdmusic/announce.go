package holdmusic

import (
	"time"

	"centrala/media"
)

// The music is faded out before an announcement and in after it, so that neither clicks.
const (
	fadeOut = 200 * time.Millisecond
	fadeIn  = 400 * time.Millisecond
)

const frameTime = 20 * time.Millisecond

// announcement is a programme in which one listener hears a notice: the music
// fades, the words follow, the music comes back where it has got to meanwhile and
// goes on for ever. It begins at its first frame.
type announcement struct {
	music media.Program
	clips []*clip

	begun bool
	first uint64 // its first tick
	clip  int    // in clips: the one that plays
	from  int    // frame of the words at which it begins
	words int    // frames of all clips

	pcm   [media.FrameSamples]int16
	faded [media.FrameSamples]byte // the frame that is being faded
}

// Announce gives a programme in which the notice is told in the voice, and music
// before and after it, and how long it takes until the music is back; false if
// there is nothing to say or the voice was not loaded. The programme is for one
// endpoint.
func (l *Library) Announce(v Voice, n Notice, music media.Program) (media.Program, time.Duration, bool) {
	loaded := l.loaded.Load().voices[v]
	if loaded == nil {
		return nil, 0, false
	}
	words := n.words(loaded.grammar)
	if len(words) == 0 {
		return nil, 0, false
	}
	a := &announcement{music: music}
	a.add(loaded.clips[pause])
	for _, word := range words {
		a.add(loaded.clips[word])
	}
	a.add(loaded.clips[pause])
	return a, fadeOut + time.Duration(a.words)*frameTime + fadeIn, true
}

func (a *announcement) add(c *clip) {
	a.clips = append(a.clips, c)
	a.words += c.frames()
}

// Frame implements media.Program, for one listener, whose ticks only rise.
func (a *announcement) Frame(c media.Codec, tick uint64) []byte {
	const out, in = int(fadeOut / frameTime), int(fadeIn / frameTime)
	if !a.begun {
		a.begun, a.first = true, tick
	}
	passed := tick - a.first
	if passed >= uint64(out+a.words+in) {
		return a.music.Frame(c, tick)
	}
	at := int(passed)
	if at < out {
		return a.fade(c, tick, 1-float32(at)/float32(out), 1-float32(at+1)/float32(out))
	}
	if at -= out; at < a.words {
		return a.word(c, at)
	}
	at -= a.words
	return a.fade(c, tick, float32(at)/float32(in), float32(at+1)/float32(in))
}

// word is a frame of the words.
func (a *announcement) word(c media.Codec, at int) []byte {
	for at >= a.from+a.clips[a.clip].frames() {
		a.from += a.clips[a.clip].frames()
		a.clip++
	}
	return a.clips[a.clip].frame(c, at-a.from)
}

// fade is the music's frame at a level that goes from one factor to another.
func (a *announcement) fade(c media.Codec, tick uint64, from, to float32) []byte {
	pcm := c.AppendDecoded(a.pcm[:0], a.music.Frame(c, tick))
	step := (to - from) / media.FrameSamples
	for i := range pcm {
		pcm[i] = int16(float32(pcm[i]) * (from + step*float32(i)))
	}
	return c.AppendEncoded(a.faded[:0], pcm)
}

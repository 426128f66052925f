package holdmusic

import (
	"slices"
	"strconv"
	"time"

	"centrala/media"
)

// The words of replies: what agents are told who dial a feature code, and whoever
// is called outside for a group. A caller's announcements have words of their own.
const (
	WordAllGroups     = "all-groups"
	WordAvailable     = "available"
	WordCall          = "call"
	WordCallForGroup  = "call-for-group"
	WordDayOver       = "day-over"
	WordEcho          = "echo"
	WordGroup         = "group"
	WordLeave         = "leave"
	WordLoggedIn      = "logged-in"
	WordLoggedOut     = "logged-out"
	WordNoExtension   = "no-extension"
	WordNotDone       = "not-done"
	WordNothing       = "nothing-to-pick-up"
	WordNothingParked = "nothing-parked"
	WordNotParked     = "not-parked"
	WordNotRegistered = "not-registered"
	WordOnBreak       = "on-break"
	WordOtherCall     = "other-call"
	WordParked        = "parked"
	WordPressOne      = "press-one"
	WordReason        = "reason"
	WordWrapUp        = "wrap-up"
	WordYourExtension = "your-extension"

	// WordPause is a moment of silence between sentences.
	WordPause = pause
)

// ReplyWords lists the clips of replies, which are the same in every language,
// in order and without ".wav".
func ReplyWords() []string {
	words := []string{
		WordAllGroups, WordAvailable, WordCall, WordCallForGroup, WordDayOver, WordEcho, WordGroup, WordLeave, WordLoggedIn,
		WordLoggedOut, WordNoExtension, WordNotDone, WordNothing, WordNothingParked, WordNotParked, WordNotRegistered,
		WordOnBreak, WordOtherCall, WordParked, WordPressOne, WordReason, WordWrapUp, WordYourExtension,
	}
	for n := range 10 {
		words = append(words, strconv.Itoa(n))
	}
	slices.Sort(words)
	return words
}

// Digits are the words of a number that is said digit by digit.
func Digits(number string) (words []string) {
	for _, d := range number {
		words = append(words, string(d))
	}
	return words
}

// Group are the words for a group: the recording of its name, if the voice has
// one (GroupName), else its extension digit by digit; none: it cannot be named.
func (l *Library) Group(v Voice, id, extension string) []string {
	if name := GroupName(id); l.has(v, name) {
		return []string{name}
	}
	return Digits(extension)
}

// Break are the words for the nth reason of a break, from 1: its recording, if
// the voice has one (BreakName), else its number.
func (l *Library) Break(v Voice, reason string, n int) []string {
	if name := BreakName(reason); l.has(v, name) {
		return []string{name}
	}
	return append([]string{WordReason}, Digits(strconv.Itoa(n))...)
}

// GroupName is the clip in which an admin's voice says a group's name.
func GroupName(id string) string { return "group-" + id }

// BreakName is the clip in which an admin's voice says the reason of a break.
func BreakName(reason string) string { return "break-" + reason }

func (l *Library) has(v Voice, word string) bool {
	loaded := l.loaded.Load().voices[v]
	return loaded != nil && loaded.clips[word] != nil
}

// Say gives a programme in which the words are said, once with silence behind
// them, or again and again with a pause between, and how long they take once.
// false: the voice was not loaded, or lacks a word. The programme is for one endpoint.
func (l *Library) Say(v Voice, again bool, words ...string) (media.Program, time.Duration, bool) {
	loaded := l.loaded.Load().voices[v]
	if loaded == nil || len(words) == 0 {
		return nil, 0, false
	}
	r := &reply{again: again, silence: loaded.clips[pause]}
	words = append(slices.Clone(words), pause)
	if again {
		words = append(words, pause, pause, pause)
	}
	for _, word := range words {
		c := loaded.clips[word]
		if c == nil {
			return nil, 0, false
		}
		r.clips = append(r.clips, c)
		r.frames += c.frames()
	}
	return r, time.Duration(r.frames) * frameTime, true
}

// reply is a programme of words alone. It begins at its first frame.
type reply struct {
	clips   []*clip
	frames  int // of all clips
	silence *clip
	again   bool

	begun bool
	first uint64 // its first tick
}

// Frame implements media.Program, for one listener, whose ticks only rise.
func (r *reply) Frame(c media.Codec, tick uint64) []byte {
	if !r.begun {
		r.begun, r.first = true, tick
	}
	at := tick - r.first
	if r.again {
		at %= uint64(r.frames)
	}
	if at >= uint64(r.frames) {
		return r.silence.frame(c, 0)
	}
	rest := int(at)
	for _, clip := range r.clips {
		if rest < clip.frames() {
			return clip.frame(c, rest)
		}
		rest -= clip.frames()
	}
	return r.silence.frame(c, 0) // cannot be: the clips have that many frames
}

// frame is the nth frame of a clip.
func (c *clip) frame(codec media.Codec, n int) []byte {
	start := n * media.FrameSamples
	return c[codec][start : start+media.FrameSamples : start+media.FrameSamples]
}

package holdmusic

import (
	"slices"
	"strconv"
	"time"
)

// Notice is what an announcement says to one who waits. A field that is zero is not said.
type Notice struct {
	Position int           // in the queue; 1: the next
	Wait     time.Duration // expected; said in whole minutes, rounded up
}

// maxPosition is the last position for which there are words. Who stands further
// back is not told where.
const maxPosition = 999

// pause stands in a list of words for a moment of silence.
const pause = ""

// Promise is the wait as who hears the notice understands it; 0: nothing is said of it.
func (n Notice) Promise() time.Duration {
	switch {
	case n.Wait <= 0:
		return 0
	case n.Wait <= halfMinute:
		return time.Minute // less than that
	case n.Wait <= time.Hour:
		return time.Duration(minutes(n.Wait)) * time.Minute
	}
	return n.Wait // more than an hour
}

// halfMinute is up to where a wait is less than a minute.
const halfMinute = 30 * time.Second

// minutes is a wait as it is said.
func minutes(wait time.Duration) int { return int((wait + time.Minute - 1) / time.Minute) }

// words are the names of the clips of a notice, one after the other.
func (n Notice) words(g grammar) []string {
	var words []string
	switch {
	case n.Position == 1:
		words = append(words, "next")
	case n.Position > 1 && n.Position <= maxPosition:
		words = append(words, "position")
		words = append(words, g.number(n.Position, masculine)...)
	}
	if n.Wait <= 0 {
		return words
	}
	if len(words) > 0 {
		words = append(words, pause)
	}
	words = append(words, "wait")
	switch {
	case n.Wait <= halfMinute:
		return append(words, "less-than-a-minute")
	case n.Wait > time.Hour:
		return append(words, "more-than-an-hour")
	}
	m := minutes(n.Wait)
	words = append(words, g.number(m, feminine)...)
	return append(words, "minute-"+g.plural(m))
}

// gender is that of the noun which is counted. Bare numbers are masculine.
type gender bool

const (
	masculine gender = false
	feminine  gender = true
)

// The forms of a noun after a number, as Unicode's plural rules name them (CLDR,
// cardinal numbers, whole ones). English has no few.
const (
	one  = "one"
	few  = "few"
	many = "many"
)

// grammar is how a language says numbers.
type grammar struct {
	// and is said between the hundreds and the rest.
	and bool
	// feminine gives the numbers that have a form of their own before a feminine
	// noun when they are the last word of a number; alone is whether 1 has it only
	// when it is the whole of the number.
	feminine []int
	alone    bool
	plural   func(n int) string
}

// grammars are the languages of announcements.
func grammars() map[string]grammar {
	return map[string]grammar{
		"en": {and: true, plural: pluralEnglish},
		"pl": {feminine: []int{1, 2}, alone: true, plural: pluralPolish},
		"ru": {feminine: []int{1, 2}, plural: pluralRussian},
	}
}

// pluralEnglish: 1 minute; 0, 2, 21 minutes.
func pluralEnglish(n int) string {
	if n == 1 {
		return one
	}
	return many
}

// pluralPolish: 1 minuta; 2, 3, 4, 22 minuty; 0, 5, 12, 21 minut.
func pluralPolish(n int) string {
	switch {
	case n == 1:
		return one
	case isFew(n):
		return few
	}
	return many
}

// pluralRussian: 1, 21 минута; 2, 3, 4, 22 минуты; 0, 5, 11, 12 минут.
func pluralRussian(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return one
	case isFew(n):
		return few
	}
	return many
}

// isFew: the number ends with 2, 3 or 4, but not with 12, 13 or 14.
func isFew(n int) bool {
	return n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14)
}

// number gives the words of a number from 1 to maxPosition.
func (g grammar) number(n int, of gender) []string {
	var words []string
	rest := n
	if rest >= 100 {
		words = append(words, strconv.Itoa(rest/100*100))
		rest %= 100
		if rest > 0 && g.and {
			words = append(words, "and")
		}
	}
	if rest >= 20 {
		words = append(words, strconv.Itoa(rest/10*10))
		rest %= 10
	}
	if rest == 0 {
		return words
	}
	word := strconv.Itoa(rest)
	if of == feminine && slices.Contains(g.feminine, rest) && (rest != 1 || !g.alone || n == 1) {
		word += "f"
	}
	return append(words, word)
}

// vocabulary lists every clip that a language needs, in order.
func (g grammar) vocabulary() []string {
	words := []string{"next", "position", "wait", "less-than-a-minute", "more-than-an-hour"}
	for n := range maxPosition {
		words = append(words, g.number(n+1, masculine)...)
	}
	for n := range int(time.Hour / time.Minute) {
		words = append(words, g.number(n+1, feminine)...)
		words = append(words, "minute-"+g.plural(n+1))
	}
	slices.Sort(words)
	return slices.Compact(words)
}

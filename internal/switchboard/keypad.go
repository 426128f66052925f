package switchboard

import (
	"strings"
	"time"
)

// keyPause ends what an agent types during a call: a number is complete then, and
// the beginning of a code means nothing any more.
const keyPause = 4 * time.Second

// longestTyped is how many keys a code with its number may have.
const longestTyped = 32

// wish is what an agent asks for by keys during a call (docs/guides/phones.md).
type wish uint8

const (
	wishNothing wish = iota
	wishBlind        // hand the customer over to the number
	wishConsult      // ask the number first
	wishSwap         // turn to the other one
	wishConnect      // connect customer and colleague, and leave
	wishBack         // let the colleague go
)

// keypad makes codes out of the keys that an agent presses during a call.
type keypad struct {
	typed string
	at    time.Time // of the newest key
}

// press takes a key, and returns what it completes.
func (k *keypad) press(key byte, now time.Time) (wish, string) {
	if now.Sub(k.at) > keyPause || len(k.typed) >= longestTyped {
		k.typed = ""
	}
	k.typed, k.at = k.typed+string(rune(key)), now
	if !code(k.typed) { // it may begin another one
		k.typed = string(rune(key))
		if !code(k.typed) {
			k.typed = ""
		}
		return wishNothing, ""
	}
	if w := map[string]wish{"*1": wishSwap, "*3": wishConnect, "*0": wishBack}[k.typed]; w != wishNothing {
		k.typed = ""
		return w, ""
	}
	if number, ok := strings.CutSuffix(k.typed, "#"); ok && len(number) > 2 {
		return k.take(number)
	}
	return wishNothing, ""
}

// pause returns what has been typed when nothing follows it.
func (k *keypad) pause() (wish, string) { return k.take(k.typed) }

func (k *keypad) take(typed string) (wish, string) {
	k.typed = ""
	if len(typed) <= 2 {
		return wishNothing, ""
	}
	if typed[:2] == "##" {
		return wishBlind, typed[2:]
	}
	return wishConsult, typed[2:]
}

// code tells whether the keys are a code or may become one.
func code(keys string) bool {
	for _, c := range []string{"##", "*2", "*1", "*3", "*0"} {
		if strings.HasPrefix(c, keys) {
			return true
		}
	}
	number, ok := strings.CutPrefix(keys, "##")
	if !ok {
		number, ok = strings.CutPrefix(keys, "*2")
	}
	return ok && strings.Trim(strings.TrimSuffix(number, "#"), "0123456789") == ""
}

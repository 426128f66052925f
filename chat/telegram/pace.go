package telegram

import (
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// perSecond is how many messages a bot may send in a second to all its chats.
const perSecond = 30

// chatsMost is how many chats' turns are remembered before those are forgotten whose
// turn is over.
const chatsMost = 1000

// pace gives messages their turns: Telegram takes about one a second in a chat.
type pace struct {
	chat time.Duration

	mu    sync.Mutex
	chats map[string]time.Time // not before
	all   time.Time
}

func newPace(chat time.Duration) *pace { return &pace{chat: chat, chats: map[string]time.Time{}} }

// turn reserves the next turn of a chat and returns how long to wait for it; less
// than 0: it would be after the limit, and none is reserved.
func (p *pace) turn(chat string, now, limit time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := now
	for _, t := range []time.Time{p.chats[chat], p.all} {
		if t.After(at) {
			at = t
		}
	}
	if at.After(limit) && at.After(now) {
		return -1
	}
	if len(p.chats) >= chatsMost {
		for c, t := range p.chats {
			if !t.After(now) {
				delete(p.chats, c)
			}
		}
	}
	p.chats[chat] = at.Add(p.chat)
	if p.all.Before(now) {
		p.all = now
	}
	p.all = p.all.Add(time.Second / perSecond) // and not from a turn that is later for its chat's sake
	return at.Sub(now)
}

// textMax is the longest text of a message, in UTF-16 code units.
const textMax = 4096

// split cuts a text into messages that are not too long, at a line's end or a blank
// if there is one in the second half. A text of nothing is no message.
func split(text string) []string {
	var out []string
	for strings.TrimSpace(text) != "" {
		n := fit(text)
		if n < len(text) {
			for _, at := range []string{"\n", " "} {
				if k := strings.LastIndex(text[:n], at); k > n/2 {
					n = k + 1
					break
				}
			}
		}
		if part := text[:n]; strings.TrimSpace(part) != "" { // what is blank is refused
			out = append(out, part)
		}
		text = text[n:]
	}
	return out
}

// fit is how many bytes of the text make one message.
func fit(text string) int {
	units := 0
	for k, r := range text {
		if units += max(utf16.RuneLen(r), 1); units > textMax {
			return k
		}
	}
	return len(text)
}

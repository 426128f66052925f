package web

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"centrala/acd"
)

// liveChats are the chats of whoever looks on, as a live stream last told them. Accessed by its
// request only.
type liveChats struct {
	changed <-chan struct{}
	set     func([]int64) // what is watched
	watched map[acd.LegID]bool

	kept   map[acd.LegID]keptChat
	stale  bool // what is kept may have changed since it was read
	own    uint64
	sent   []byte
	looked time.Time
}

// rest is how long the stream may wait before it looks at the chats again; at most is what it would wait
// otherwise.
func (x *liveChats) rest(atMost time.Duration) time.Duration {
	if !x.stale {
		return atMost
	}
	return max(time.Millisecond, streamRest-time.Since(x.looked))
}

// tellChats sends the caller's chats if they are others now, as GET /chats has them. What was written
// is looked up when it is told that something was; how the chats stand comes from the picture, in which own is
// another number when something of the caller's is another.
func (l *liveStream) tellChats(ctx context.Context, pic *picture, own uint64) error {
	x := &l.chats
	switch passed := time.Since(x.looked); {
	case l.caller.Agent == "":
		return nil
	case passed < streamRest:
		x.stale = x.stale || own != x.own
		return nil
	case x.sent == nil, x.stale, own != x.own, passed >= deskAround: // who types is kept nowhere
	default:
		return nil
	}
	x.looked, x.own = time.Now(), own
	kept, list := make(map[acd.LegID]keptChat, len(x.kept)), []Chat{}
	same := len(x.watched) > 0
	var conversations []int64
	for _, k := range pic.of[l.caller.Agent] {
		v := pic.views[k]
		if !l.caller.theirChat(&v) {
			continue
		}
		of, known := x.kept[v.Leg]
		if !known || x.stale {
			var err error
			if of, err = l.s.keptOf(ctx, v.Leg); err != nil {
				return nil // it is over, or the database is away: the next look tells
			}
		}
		same = same && x.watched[v.Leg]
		kept[v.Leg], conversations = of, append(conversations, of.conversation.ID)
		list = append(list, l.s.viewChat(l.caller, v, of))
	}
	x.kept, x.stale = kept, false
	if !same || len(kept) != len(x.watched) {
		x.set(conversations)
		x.watched = make(map[acd.LegID]bool, len(kept))
		for leg := range kept {
			x.watched[leg] = true
		}
		x.stale = len(kept) > 0 // they may have changed before
	}
	body, err := json.Marshal(map[string]any{"items": list})
	if err != nil || bytes.Equal(body, x.sent) {
		return err
	}
	x.sent = body
	l.buf = append(append(append(l.buf, "event: chats\ndata: "...), body...), "\n\n"...)
	return nil
}

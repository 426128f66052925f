package app

import (
	"context"
	"runtime/debug"
	gauges "runtime/metrics"
	"time"
)

// calm is how long no collection must have been needed for memory to be given back.
const calm = time.Minute

// worthwhile is the least memory, in bytes, that is given back; and half of what is in use, if that is more.
const worthwhile = 32 << 20

// usage is what the runtime says of its memory.
type usage struct {
	collections uint64
	live        uint64 // bytes in use after the last collection
	spare       uint64 // bytes resident besides: allocated since, or free and kept
}

// readUsage reads it.
func readUsage() usage {
	s := []gauges.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	gauges.Read(s)
	u := usage{collections: s[0].Value.Uint64(), live: s[1].Value.Uint64()}
	if held := s[2].Value.Uint64() + s[3].Value.Uint64(); held > u.live {
		u.spare = held - u.live
	}
	return u
}

// excess tells whether memory should be given back: since before, nothing was in need of it.
func (u usage) excess(before usage) bool {
	return u.collections == before.collections && u.spare > max(worthwhile, u.live/2)
}

// giveBack returns memory to the system when many calls have come and gone, or come and wait: the collector would keep
// several times what is in use (gcPercent) for as long as nothing happens. It costs a collection a minute at most,
// and none while the server is busy. It runs until ctx ends.
func giveBack(ctx context.Context) {
	look := time.NewTicker(calm)
	defer look.Stop()
	for before := readUsage(); ; {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		u := readUsage()
		if u.excess(before) {
			debug.FreeOSMemory()
			u = readUsage()
		}
		before = u
	}
}

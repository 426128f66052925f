package app

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestUsage_Excess(t *testing.T) {
	for name, c := range map[string]struct {
		before, now usage
		want        bool
	}{
		"calm after a rush":              {usage{5, 40 << 20, 10 << 20}, usage{5, 40 << 20, 90 << 20}, true},
		"little":                         {usage{5, 40 << 20, 1 << 20}, usage{5, 40 << 20, 20 << 20}, false},
		"little beside what is in use":   {usage{5, 400 << 20, 1 << 20}, usage{5, 400 << 20, 150 << 20}, false},
		"much beside what is in use":     {usage{5, 400 << 20, 1 << 20}, usage{5, 400 << 20, 250 << 20}, true},
		"busy: it was collected already": {usage{5, 40 << 20, 90 << 20}, usage{6, 40 << 20, 90 << 20}, false},
	} {
		if got := c.now.excess(c.before); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What was allocated and is not used any more is seen as spare, and is not after it was given back.
func TestUsage_Read(t *testing.T) {
	const size = 256 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nobody else collects meanwhile
	debug.FreeOSMemory()
	used := make([]byte, size)
	if u := readUsage(); u.spare < size/2 {
		t.Errorf("%+v after %d bytes were allocated", u, size)
	}
	runtime.KeepAlive(used)
	debug.FreeOSMemory()
	if u := readUsage(); u.live > size || u.spare > size/2 {
		t.Errorf("%+v after they were given back", u)
	}
}

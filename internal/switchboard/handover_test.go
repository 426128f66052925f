package switchboard

import (
	"testing"

	"centrala/acd"
)

// A call whose own legs are gone stays until a leg that it asked another call
// for is here or refused: whoever gives it away must find somebody to take it.
func TestHandover_CallWaitsForTheLeg(t *testing.T) {
	b := newBench(t, nil)
	c := &call{board: b.board, wanted: map[acd.LegID]*fetched{"x": {}}}
	if c.finished() {
		t.Error("the call is over while a leg is on its way")
	}
	c.taken("x", nil)
	if !c.finished() {
		t.Error("the call is not over though nothing is left")
	}
}

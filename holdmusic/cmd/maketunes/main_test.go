package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The files in the repository are those that the program makes.
func TestFilesAreCurrent(t *testing.T) {
	for name, want := range files() {
		got, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what maketunes makes; run: go run ./holdmusic/cmd/maketunes", name)
		}
		if len(want) > 500_000 {
			t.Errorf("%s has %d bytes, want at most 500,000", name, len(want))
		}
	}
}

// A tune must be music all through: no second without sound, no sample at the
// limit, and no larger step from its end to its beginning than inside of it.
func TestTunesLoopWithoutGapOrClick(t *testing.T) {
	for name, tune := range map[string][]int16{"calm": calm(), "jazz": jazz()} {
		largest := 0
		for i, v := range tune[1:] {
			largest = max(largest, distance(v, tune[i]))
			if v > 30000 || v < -30000 {
				t.Fatalf("%s: sample %d is %d, near the limit", name, i, v)
			}
		}
		if seam := distance(tune[0], tune[len(tune)-1]); seam > largest {
			t.Errorf("%s: the step at the seam is %d, the largest inside %d", name, seam, largest)
		}
		for second := 0; second < len(tune)/rate; second++ {
			var power float64
			for _, v := range tune[second*rate : (second+1)*rate] {
				power += float64(v) * float64(v) / rate
			}
			if power < 300*300 {
				t.Errorf("%s: second %d is nearly silent", name, second)
			}
		}
	}
}

func distance(a, b int16) int { return max(int(a)-int(b), int(b)-int(a)) }

package mp3

import "testing"

// Each table has a code for every pair of values up to its largest, or for every four bits, and none twice.
func TestTrees_HaveEachValueOnce(t *testing.T) {
	largest := map[int]int{1: 1, 2: 2, 3: 2, 5: 3, 6: 3, 7: 5, 8: 5, 9: 5, 10: 7, 11: 7, 12: 7, 13: 15, 15: 15, 16: 15, 24: 15, 32: 15, 33: 15}
	if len(trees) != len(largest) {
		t.Errorf("%d tables, want %d", len(trees), len(largest))
	}
	for number, tree := range trees {
		seen := make(map[string]int)
		for tree != "" {
			if tree[0] == '.' {
				tree = tree[1:]
				continue
			}
			seen[tree[:2]]++
			tree = tree[2:]
		}
		n := largest[number]
		want := (n + 1) * (n + 1)
		if number >= 32 {
			want = 16
		}
		for value, times := range seen {
			x, y := value[0], value[1]
			const digits = "0123456789abcdef"
			if times != 1 || x > digits[n] || y > digits[n] || number >= 32 && x != '0' {
				t.Errorf("table %d: %s %d times", number, value, times)
			}
		}
		if len(seen) != want {
			t.Errorf("table %d: %d values, want %d", number, len(seen), want)
		}
	}
}

// The bands of every rate cover all lines, in order.
func TestLayouts_CoverAllLines(t *testing.T) {
	for rate, l := range tables().layouts {
		for k, bands := range l {
			at := 0
			for _, b := range bands {
				if b.start != at || b.width <= 0 {
					t.Errorf("%d Hz, kind %d: %+v begins elsewhere than at %d", rate, k, b, at)
				}
				at = b.end()
			}
			if at != lines {
				t.Errorf("%d Hz, kind %d: %d lines", rate, k, at)
			}
		}
	}
	if n := len(tables().layouts); n != 9 {
		t.Errorf("%d rates", n)
	}
}

package strictyaml

import "strings"

// DidYouMean gives the hint "did you mean X?" where X is the candidate that is
// most like what was written; empty when none is. Of equals the first is taken.
func DidYouMean(written string, candidates []string) string {
	return didYouMean(closest(written, candidates))
}

func didYouMean(meant string) string {
	if meant == "" {
		return ""
	}
	return "did you mean " + meant + "?"
}

// closest gives the candidate that is most like a word; empty when none is.
func closest(written string, candidates []string) string {
	best, bestDistance := "", max(1, min(3, len(written)/2))+1
	for _, c := range candidates {
		if c == written {
			continue
		}
		if d := distance(strings.ToLower(written), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, change or swap with their
// neighbour to get from one word to another.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

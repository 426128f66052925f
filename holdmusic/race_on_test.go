//go:build race

package holdmusic

// underRace: an hour of audio takes minutes, and its memory is the race detector's.
const underRace = true

//go:build !race

package holdmusic

const underRace = false

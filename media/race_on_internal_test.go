//go:build race

package media

// underRace: pools lose a part of what is put back into them.
const underRace = true

package acd

import "fmt"

// applyLevelRaised: from here on the rules of the level are followed. Level 2
// takes offers back from agents whom a reload takes out of the group. Level 3 lets
// agents hand over calls that they made themselves. Level 4 has agents tell what came
// of an interaction, where that is required, before they end their wrap-up.
func (s *State) applyLevelRaised(e *LevelRaised) {
	if e.Level <= s.level || e.Level > LevelMax {
		s.counters.Late++
		return
	}
	s.level = e.Level
}

// check is part of DecodeEvent: a program must not go on with a log whose rules
// it does not know.
func (e *LevelRaised) check() error {
	if e.Level > LevelMax {
		return fmt.Errorf("%w: the log follows the rules of level %d, this program knows those up to %d", ErrUnknownEvent, e.Level, LevelMax)
	}
	return nil
}

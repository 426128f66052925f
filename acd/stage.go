package acd

import (
	"fmt"
	"slices"
	"time"

	"centrala/queuegroups"
)

// enter begins the interaction's time in its group: all that waiting changes
// starts anew. Its arrival stays.
func (s *State) enter(i *interaction) {
	i.entered, i.relaxed, i.tier, i.lane = s.now, 0, 0, nil
	i.via, i.chain, i.remedied, i.promised = chainNoAnswer, 0, served, 0
}

// need is what the interaction needs now: what the group, its number and itself
// ask for, less what waiting has relaxed.
func (i *interaction) need() []queuegroups.Skill {
	needs := merge(i.group.def.Needs, i.needs)
	for _, r := range i.group.def.Relax[:i.relaxed] {
		for _, id := range r.Drop {
			needs = slices.DeleteFunc(needs, func(n queuegroups.Skill) bool { return n.ID == id })
		}
		for _, lower := range r.Lower {
			for k := range needs {
				if needs[k].ID == lower.ID {
					needs[k].Level = min(needs[k].Level, lower.Level)
				}
			}
		}
	}
	return needs
}

// advance brings what waiting changes up to date, and sets when it will change
// next. The interaction is in no lane, unless nothing has changed since it came
// to its present one.
func (s *State) advance(i *interaction) {
	def, waited := &i.group.def, time.Duration(s.now-i.entered)
	before := i.relaxed
	for ; i.relaxed < len(def.Relax) && def.Relax[i.relaxed].After <= waited; i.relaxed++ {
		r := def.Relax[i.relaxed]
		s.step(i, Step{Kind: StepStage, Group: def.ID, What: relaxation(r), Why: fmt.Sprintf("waited %s", r.After)})
	}
	for ; i.tier < len(def.Tiers) && def.Tiers[i.tier].After <= waited; i.tier++ {
		s.step(i, Step{Kind: StepStage, Group: def.ID, What: fmt.Sprintf("tier %d", i.tier+2), Why: fmt.Sprintf("waited %s", def.Tiers[i.tier].After)})
	}
	if i.lane == nil || i.lane.dropped || i.relaxed != before {
		i.lane = i.group.lane(i.need())
	}
	s.armStage(i)
}

func relaxation(r queuegroups.Relaxation) string {
	out := ""
	for _, id := range r.Drop {
		out += fmt.Sprintf(" without %s", id)
	}
	for _, n := range r.Lower {
		out += fmt.Sprintf(" %s>=%d", n.ID, n.Level)
	}
	if out == "" {
		return ""
	}
	return out[1:]
}

// armStage sets when waiting changes something next.
func (s *State) armStage(i *interaction) {
	id := DeadlineID{Kind: deadlineStage, N: uint64(i.id)}
	def := &i.group.def
	next := time.Duration(-1)
	if i.relaxed < len(def.Relax) {
		next = def.Relax[i.relaxed].After
	}
	if i.tier < len(def.Tiers) && (next < 0 || def.Tiers[i.tier].After < next) {
		next = def.Tiers[i.tier].After
	}
	if next < 0 {
		s.deadlines.disarm(id)
		return
	}
	s.deadlines.arm(id, i.entered.after(next))
}

// stagePassed: the interaction has waited long enough for less skill, or for
// another tier. Who rings for it goes on ringing; under `all` the others join in.
func (s *State) stagePassed(i *interaction) {
	waiting := i.phase == PhaseQueued && i.personal == nil
	i.leaveQueue()
	s.advance(i)
	switch {
	case waiting:
		s.toLane(i)
	case i.personal != nil && i.phase == PhaseQueued:
		i.personal.personal.insert(i.key(), i)
	case i.personal == nil && i.phase == PhaseOffered && i.group.def.Distribution == queuegroups.All:
		i.lane.open[i.tier].insert(i.key(), i)
		s.ringOthers(i)
	}
}

// Package sim lives through days of a made-up telephone world with the core of
// centrala, under a virtual clock, and checks after every entry of the log that
// what must hold does. What happens is made up from a seed alone: the same seed
// gives the same day. A day that ends badly is shortened to the fewest facts that
// still show what is wrong.
//
// It knows the core from outside, by Apply and the views; it opens no sockets and
// reads no clock.
package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// Options says what to live through.
type Options struct {
	Seed    uint64
	Entries int  // of the log, before everything is let to end
	Restore int  // a twin is restored from a snapshot every so many entries; 0: never
	Wild    bool // with everything the core knows of, see wild.go
}

// Failure is a day that ended badly.
type Failure struct {
	Seed    uint64
	Wild    bool
	Err     error
	Entries []acd.Entry // the shortest script found that shows it
}

// Error tells the seed, what is wrong, and the script.
func (f *Failure) Error() string {
	var b strings.Builder
	kind := ""
	if f.Wild {
		kind = " (wild)"
	}
	fmt.Fprintf(&b, "seed %d%s: %v\nthe shortest script found, %d entries:\n", f.Seed, kind, f.Err, len(f.Entries))
	for _, e := range f.Entries {
		raw, err := acd.EncodeEvent(e.Event)
		if err != nil {
			raw = []byte(err.Error())
		}
		fmt.Fprintf(&b, "%d %s %s\n", e.Index, e.At.Format("15:04:05.000"), raw)
	}
	return b.String()
}

// Run lives through one seed and returns the number of entries; the error is a *Failure.
func Run(o Options) (int, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0x5eed))
	w := &world{rng: rng, judge: newJudge(o.Restore, o.Wild), wild: o.Wild, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	w.nodes = []acd.NodeID{"n1", "n2", "n3"}[:1+rng.IntN(3)]
	if o.Wild {
		w.config = declareWild(rng)
	} else {
		w.config = declare(rng, 1+rng.IntN(8), 1+rng.IntN(4))
	}
	for range 2 {
		w.others = append(w.others, change(rng, w.config))
	}
	w.others = append(w.others, w.config)
	err := w.run(o.Entries)
	if err == nil {
		return len(w.entries), nil
	}
	f := &Failure{Seed: o.Seed, Wild: o.Wild, Err: err, Entries: shorten(w.entries, o.Restore, o.Wild)}
	if again := replay(f.Entries, o.Restore, o.Wild); again != nil {
		f.Err = again
	}
	return len(w.entries), f
}

// replay applies a script and returns the first thing that is wrong.
func replay(entries []acd.Entry, restore int, wild bool) error {
	j := newJudge(restore, wild)
	for _, e := range entries {
		if _, err := j.apply(e); err != nil {
			return err
		}
	}
	return nil
}

// shorten leaves out facts, in ever smaller runs, as long as something stays
// wrong. A failure that only shows at the end of the day cannot be shortened.
func shorten(entries []acd.Entry, restore int, wild bool) []acd.Entry {
	if replay(entries, restore, wild) == nil {
		return entries
	}
	for size := len(entries) / 2; size > 0; {
		shorter := false
		for at := 0; at+size <= len(entries); {
			try := append(append([]acd.Entry(nil), entries[:at]...), entries[at+size:]...)
			if replay(try, restore, wild) != nil {
				entries, shorter = try, true
			} else {
				at += size
			}
		}
		if !shorter || size > 1 {
			size /= 2
		}
	}
	return entries
}

// roomy: agents with such names may have two calls at once.
func roomy(agent string) bool { return strings.HasSuffix(agent, "+") }

// declare makes up a configuration.
func declare(rng *rand.Rand, agents, groups int) *queuegroups.Config {
	c := &queuegroups.Config{Region: "PL"}
	var ids []queuegroups.AgentID
	for n := range agents {
		a := queuegroups.Agent{Capacity: queuegroups.Capacity{Voice: 1}}
		a.ID = queuegroups.AgentID(fmt.Sprintf("agent%d", n))
		if rng.IntN(5) == 0 {
			a.ID += "+"
			a.Capacity.Voice = 2
		}
		if rng.IntN(2) == 0 {
			a.Phone = fmt.Sprintf("+4860100000%d", n)
		}
		if rng.IntN(8) == 0 {
			a.Contact = "sip:desk@192.0.2.1"
		}
		c.Agents = append(c.Agents, a)
		ids = append(ids, a.ID)
	}
	for n := range groups {
		g := queuegroups.Group{
			ID: queuegroups.GroupID(fmt.Sprintf("group%d", n)), Distribution: distribution(rng),
			Rings: 1 + rng.IntN(4), RingLength: 5 * time.Second, DialLimit: time.Duration(1+rng.IntN(10)) * time.Second,
			WrapUp: time.Duration(rng.IntN(3)) * 5 * time.Second, MaxWaiting: rng.IntN(2) * rng.IntN(6),
			MaxWait: time.Duration(rng.IntN(2)) * time.Minute, Misses: rng.IntN(4),
			Retry: queuegroups.Retry{Busy: second(rng, 6), Declined: second(rng, 30), NoAnswer: second(rng, 6), Unreachable: second(rng, 10)},
		}
		for _, k := range rng.Perm(len(ids)) {
			if len(g.Agents) == 0 || rng.IntN(3) > 0 {
				g.Agents = append(g.Agents, ids[k])
			}
		}
		g.NoAnswer, g.Priority = chain(rng, groups), second(rng, 2)*30
		if rng.IntN(3) == 0 {
			g.AllMissed = queuegroups.AllMissedEnd
		}
		c.Groups = append(c.Groups, g)
		c.Numbers = append(c.Numbers, queuegroups.Number{Number: fmt.Sprintf("+48%d", n), Group: g.ID})
	}
	if rng.IntN(4) == 0 { // the days begin at eight: closed for ten minutes, in the middle of it
		week := [7][]queuegroups.Interval{}
		for day := range week {
			week[day] = []queuegroups.Interval{{From: 0, To: 490}, {From: 500, To: 1440}}
		}
		c.Hours = []queuegroups.Hours{{ID: "office", TimeZone: "UTC", Week: week}}
		c.Numbers[0].Hours = "office"
	}
	return c
}

// chain makes up what is done when nobody answers. Half of the groups wait.
func chain(rng *rand.Rand, groups int) []queuegroups.Action {
	out := []queuegroups.Action{{Kind: queuegroups.ActionWait}}
	if rng.IntN(2) == 0 {
		out = nil
	}
	for range rng.IntN(3) {
		out = append(out, []queuegroups.Action{
			{Kind: queuegroups.ActionAgent},
			{Kind: queuegroups.ActionNumber, Number: []string{"+48229998877", "+480"}[rng.IntN(2)]},
			{Kind: queuegroups.ActionGroup, Group: queuegroups.GroupID(fmt.Sprintf("group%d", rng.IntN(groups)))},
			{Kind: queuegroups.ActionVoicemail}, {Kind: queuegroups.ActionCallback},
			{Kind: queuegroups.ActionHangup}, {Kind: queuegroups.ActionWait},
		}[rng.IntN(7)])
	}
	return out
}

func second(rng *rand.Rand, n int) time.Duration { return time.Duration(rng.IntN(n)) * time.Second }

func distribution(rng *rand.Rand) queuegroups.Distribution {
	return []queuegroups.Distribution{queuegroups.Evenly, queuegroups.InOrder, queuegroups.All}[rng.IntN(3)]
}

// change makes another version of a configuration: other rules, other places,
// an agent fewer.
func change(rng *rand.Rand, old *queuegroups.Config) *queuegroups.Config {
	raw, err := json.Marshal(old)
	if err != nil {
		panic(err) // a configuration that we made ourselves
	}
	c := &queuegroups.Config{}
	if err := json.Unmarshal(raw, c); err != nil {
		panic(err)
	}
	if len(c.Agents) > 1 && rng.IntN(2) == 0 {
		c.Agents = c.Agents[1:]
	}
	for n := range c.Groups {
		g := &c.Groups[n]
		g.Distribution = distribution(rng)
		rng.Shuffle(len(g.Agents), func(i, j int) { g.Agents[i], g.Agents[j] = g.Agents[j], g.Agents[i] })
	}
	return c
}

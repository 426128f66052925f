package acd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"centrala/acd"
	"centrala/queuegroups"
)

// site is a world of any size, with agents in several groups each.
type site struct {
	s         *acd.State
	rng       *rand.Rand
	index     uint64
	at        time.Time
	agents    int
	groups    int
	calls     int
	config    *queuegroups.Config
	timings   []time.Duration // of each Apply, while measuring
	measure   bool
	worst     time.Duration // of each Apply, in time that the processor worked for it
	worstKind string
	ringing   []*acd.Ring
}

func newSite(agents, groups, seats int) *site {
	st := &site{
		s: acd.NewState(), rng: rand.New(rand.NewPCG(1, 2)), at: time.Unix(1_700_000_000, 0),
		agents: agents, groups: groups, config: &queuegroups.Config{},
	}
	members := make([][]queuegroups.AgentID, groups)
	for a := range agents {
		id := queuegroups.AgentID(fmt.Sprintf("agent%d", a))
		skills := []queuegroups.Skill{{ID: queuegroups.SkillID(fmt.Sprintf("language%d", a%4)), Level: 1 + a%9}}
		st.config.Agents = append(st.config.Agents, queuegroups.Agent{ID: id, Capacity: queuegroups.Capacity{Voice: 1}, Skills: skills})
		for k := range min(1+a%seats, groups) {
			g := (a*7919 + k*104729) % groups
			if !slices.Contains(members[g], id) {
				members[g] = append(members[g], id)
			}
		}
	}
	for g := range groups {
		id := queuegroups.GroupID(fmt.Sprintf("group%d", g))
		st.config.Groups = append(st.config.Groups, distributed(g, queuegroups.Group{
			ID: id, Name: string(id), Agents: members[g], Distribution: queuegroups.Evenly, Rings: 4, RingLength: 5 * time.Second,
		}))
		st.config.Numbers = append(st.config.Numbers, queuegroups.Number{Number: fmt.Sprintf("+48%d", g), Group: id, Priority: time.Duration(g%5) * time.Second})
	}
	st.apply(&acd.ConfigApplied{Config: st.config})
	return st
}

// step is the time from one fact to the next: short enough that whoever is rung
// among thousands is answered before their phone has rung out.
const step = 100 * time.Microsecond

// distributed makes of every third group one that needs a language, less of it
// after half a minute and none after a minute; of every fourth one with two tiers;
// of every fifth one that goes by the list, of every seventh one that rings all.
func distributed(g int, def queuegroups.Group) queuegroups.Group {
	if g%3 == 1 {
		language := queuegroups.SkillID(fmt.Sprintf("language%d", g%4))
		def.Needs = []queuegroups.Skill{{ID: language, Level: 5}}
		def.Relax = []queuegroups.Relaxation{
			{After: 30 * time.Second, Lower: []queuegroups.Skill{{ID: language, Level: 1}}},
			{After: time.Minute, Drop: []queuegroups.SkillID{language}},
		}
	}
	if half := len(def.Agents) / 2; g%4 == 2 && half > 0 {
		def.Tiers = []queuegroups.Tier{{After: 20 * time.Second, Agents: def.Agents[half:]}}
		def.Agents = def.Agents[:half:half]
	}
	switch {
	case g%5 == 4:
		def.Distribution = queuegroups.InOrder
	case g%7 == 6:
		def.Distribution = queuegroups.All
	}
	return def
}

// cpu is how long the thread has worked: other than the clock it does not run
// while the machine does something else.
func cpu() time.Duration {
	const threadTime = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadTime, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic(errno)
	}
	return time.Duration(t.Nano())
}

func (st *site) apply(e acd.Event) []acd.Command {
	st.index++
	st.at = st.at.Add(step)
	entry := acd.Entry{Index: st.index, At: st.at, Event: e}
	worked, begun := time.Duration(0), time.Now()
	if st.measure {
		worked = cpu()
	}
	out := st.s.Apply(entry)
	if st.measure {
		if worked = cpu() - worked; worked > st.worst {
			st.worst, st.worstKind = worked, fmt.Sprintf("%T", e)
		}
		st.timings = append(st.timings, time.Since(begun))
	}
	for _, c := range out {
		if ring, ok := c.(*acd.Ring); ok {
			st.ringing = append(st.ringing, ring)
		}
	}
	return out
}

func (st *site) arrive() acd.LegID {
	st.calls++
	leg := acd.LegID(fmt.Sprintf("c%d", st.calls))
	if out := st.apply(&acd.CallArrived{Leg: leg, Node: "n1", To: fmt.Sprintf("+48%d", st.rng.IntN(st.groups))}); len(out) > 0 {
		if a, ok := out[0].(*acd.Answer); ok {
			st.apply(&acd.LegAnswered{Leg: a.Call})
		}
	}
	return leg
}

// call takes one offered call through answer, bridge and end, and lets the next
// caller come: the queue stays as long as it is.
func (st *site) call() {
	for {
		at, id, generation, ok := st.s.NextDeadline()
		if !ok || at.After(st.at) {
			break
		}
		st.apply(&acd.DeadlinePassed{Deadline: id, Generation: generation})
	}
	if len(st.ringing) == 0 {
		st.arrive()
		return
	}
	ring := st.ringing[0]
	st.ringing = st.ringing[1:]
	leg := acd.LegID(fmt.Sprintf("a%d", st.index))
	st.apply(&acd.OfferRinging{Offer: ring.Offer})
	st.apply(&acd.OfferAnswered{Offer: ring.Offer, Leg: leg, Node: "n1"})
	st.apply(&acd.Bridged{A: ring.Call, B: leg})
	st.arrive()
	st.apply(&acd.LegEnded{Leg: ring.Call, Cause: acd.EndHangup})
	st.apply(&acd.LegEnded{Leg: leg, Cause: acd.EndByUs})
}

func (st *site) fill(waiting int) {
	for range waiting {
		st.arrive()
	}
	for a := range st.agents {
		st.apply(&acd.AgentOnline{Agent: queuegroups.AgentID(fmt.Sprintf("agent%d", a)), Node: "n1"})
	}
	for range waiting - len(st.s.Interactions()) + len(st.ringing) {
		st.arrive()
	}
}

// BenchmarkScale is the goal of the design: 10,000 waiting, 5,000 agents, 2,000
// groups, agents in up to 50 groups; p99 of Apply under 100 µs, none over 1 ms.
func BenchmarkScale(b *testing.B) {
	for _, size := range []struct{ waiting, agents, groups int }{
		{100, 50, 20}, {1_000, 500, 200}, {10_000, 5_000, 2_000}, {100_000, 5_000, 2_000},
	} {
		b.Run(fmt.Sprintf("waiting=%d/agents=%d/groups=%d", size.waiting, size.agents, size.groups), func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			st := newSite(size.agents, size.groups, 50)
			st.fill(size.waiting)
			for range 200 {
				st.call()
			}
			st.timings = make([]time.Duration, 0, 8*b.N)
			st.measure = true
			b.ResetTimer()
			for range b.N {
				st.call()
			}
			b.StopTimer()
			slices.Sort(st.timings)
			at := func(share int) float64 {
				return float64(st.timings[(len(st.timings)-1)*share/1000].Nanoseconds()) / 1000
			}
			b.ReportMetric(at(500), "p50-µs")
			b.ReportMetric(at(990), "p99-µs")
			b.ReportMetric(at(999), "p99.9-µs")
			b.ReportMetric(at(1000), "max-µs")
			b.ReportMetric(float64(st.worst.Nanoseconds())/1000, "max-cpu-µs")
			b.Logf("the worst was a %s", st.worstKind)
		})
	}
}

// BenchmarkExpect tells what it costs to tell one of 5,000 who wait in a group what
// they can be told, alone and in turn with all others, where each needs a language
// or none does.
func BenchmarkExpect(b *testing.B) {
	for _, languages := range []int{1, 4} {
		st := newSite(250, 1, 1)
		for k := 1; k < languages; k++ {
			st.config.Numbers[0].Needs = []queuegroups.Skill{{ID: "language0", Level: 1}}
			st.config.Numbers = append(st.config.Numbers, queuegroups.Number{
				Number: fmt.Sprintf("+48%d", k), Group: "group0", Needs: []queuegroups.Skill{{ID: queuegroups.SkillID(fmt.Sprintf("language%d", k)), Level: 1}},
			})
		}
		st.groups = languages
		st.apply(&acd.ConfigApplied{Config: st.config})
		st.fill(5000)
		var ids []acd.InteractionID
		for v := range st.s.Underway(0) {
			ids = append(ids, v.ID)
		}
		b.Run(fmt.Sprintf("languages=%d/alone", languages), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				st.s.Expect(ids[n%len(ids)], st.at)
			}
		})
		b.Run(fmt.Sprintf("languages=%d/all", languages), func(b *testing.B) {
			look := st.s.Lookout()
			for n := 0; b.Loop(); n++ {
				if n%len(ids) == 0 {
					look = st.s.Lookout()
				}
				look.Expect(ids[n%len(ids)], st.at)
			}
		})
	}
}

// BenchmarkApply takes calls through their life in a group of ten agents and
// tells the cost of each kind of fact in it, the reading of the clock included.
func BenchmarkApply(b *testing.B) {
	b.ReportAllocs()
	st := newSite(10, 1, 1)
	for a := range st.agents {
		st.apply(&acd.AgentOnline{Agent: queuegroups.AgentID(fmt.Sprintf("agent%d", a)), Node: "n1"})
	}
	spent := map[string]time.Duration{}
	n := 0
	for b.Loop() {
		benchOne(b, st, spent, n)
		n++
	}
	for kind, d := range spent {
		b.ReportMetric(float64(d.Nanoseconds())/float64(n), "ns/"+kind)
	}
}

// benchOne takes a call through its life and adds up what each kind of fact took.
func benchOne(b *testing.B, st *site, spent map[string]time.Duration, n int) {
	leg, phone := acd.LegID(fmt.Sprintf("c%d", n)), acd.LegID(fmt.Sprintf("a%d", n))
	timed := func(kind string, e acd.Event) {
		st.index++
		st.at = st.at.Add(step)
		entry := acd.Entry{Index: st.index, At: st.at, Event: e}
		begun := time.Now()
		out := st.s.Apply(entry)
		if took := time.Since(begun); kind != "" {
			spent[kind] += took
		}
		for _, c := range out {
			if ring, ok := c.(*acd.Ring); ok {
				st.ringing = append(st.ringing[:0], ring)
			}
		}
	}
	timed("online", &acd.AgentOnline{Agent: "agent3", Node: "n2"})
	timed("", &acd.AgentOffline{Agent: "agent3", Node: "n2"})
	timed("arrived", &acd.CallArrived{Leg: leg, Node: "n1", To: "+480"})
	failed := st.ringing[0].Offer
	timed("failed", &acd.OfferFailed{Offer: failed, Class: acd.FailBusy})
	if _, id, generation, ok := st.s.NextDeadline(); ok {
		timed("deadline", &acd.DeadlinePassed{Deadline: id, Generation: generation})
	}
	if len(st.s.Interactions()) == 0 || len(st.s.Interactions()[0].Offers) == 0 {
		b.Fatal("nobody is rung")
	}
	offer := st.s.Interactions()[0].Offers[0].ID
	timed("ringing", &acd.OfferRinging{Offer: offer})
	timed("answered", &acd.OfferAnswered{Offer: offer, Leg: phone, Node: "n1"})
	timed("bridged", &acd.Bridged{A: leg, B: phone})
	timed("ended", &acd.LegEnded{Leg: leg, Cause: acd.EndHangup})
	timed("ended-agent", &acd.LegEnded{Leg: phone, Cause: acd.EndByUs})
	timed("late", &acd.OfferRinging{Offer: offer})
	for {
		_, id, generation, ok := st.s.NextDeadline()
		if !ok {
			break
		}
		timed("", &acd.DeadlinePassed{Deadline: id, Generation: generation})
	}
}

// BenchmarkMemory tells what a waiting call and an agent cost, and a snapshot of them.
func BenchmarkMemory(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for range b.N {
		before := heap()
		st := newSite(5_000, 2_000, 50)
		agents := heap()
		for range 10_000 {
			st.arrive()
		}
		b.ReportMetric((agents-before)/5_000, "B/agent")
		b.ReportMetric((heap()-agents)/10_000, "B/waiting")
		var buf bytes.Buffer
		begun := time.Now()
		if err := st.s.Snapshot(&buf); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "snapshot-ms")
		begun = time.Now()
		b.ReportMetric(float64(buf.Len())/1e6, "snapshot-MB")
		if _, err := acd.Restore(&buf); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "restore-ms")
		runtime.KeepAlive(st)
	}
}

// BenchmarkCodec is the cost of an event on the wire.
func BenchmarkCodec(b *testing.B) {
	e := &acd.CallArrived{Leg: "n1-4711", Node: "n1", Trunk: "carrier", From: acd.Party{Number: "+48601234567", Name: "Jan"}, To: "+48221234567"}
	raw, err := acd.EncodeEvent(e)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := acd.EncodeEvent(e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := acd.DecodeEvent(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package sim_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// -mutants breaks the rules of the core one at a time, in a build of its own, and
// expects the simulator to find each. It takes minutes.
var breakRules = flag.Bool("mutants", false, "break the core's rules and expect the simulator to notice")

// mutant is a rule broken: in the file the old text becomes the new one. Each
// stands for a fault that other ACDs have had.
type mutant struct{ name, file, old, new string }

func mutants() []mutant {
	return []mutant{
		{"one caller, two agents: a second answer is not hung up", "apply_offer.go",
			"		s.endLeg(l)\n		return\n	}\n	s.accept", "		return\n	}\n	s.accept"},
		{"one caller, two agents: the others ring on after an answer", "apply_offer.go",
			"for len(i.offers) > 0 {\n		s.withdraw", "for len(i.offers) > 9 {\n		s.withdraw"},
		{"one agent, two calls: the slot is free while the phone is still being cancelled", "offer.go",
			"	s.refresh(o.agent, string(out))", "	s.freeOfferSlot(o)\n	s.refresh(o.agent, string(out))"},
		{"one agent, two calls: capacity is not looked at", "agent.go",
			"a.used() < a.def.Capacity.Voice", "a.used() <= a.def.Capacity.Voice"},
		{"agent stuck reserved: a lost CANCEL has no deadline", "offer.go",
			"	s.deadlines.arm(DeadlineID{Kind: deadlineSlot, N: uint64(o.id)}, s.now+slotOverdue)\n", ""},
		{"agent stuck: an offer has no deadline", "offer.go",
			"	s.deadlines.arm(DeadlineID{Kind: deadlineOffer, N: uint64(o.id)}, s.now.after(i.group.dialLimit()))\n", ""},
		{"lost BYE: a leg that never ends keeps the agent", "leg.go",
			"	if l.slot {\n		s.deadlines.arm(", "	if l.slot && l.call == \"\" {\n		s.deadlines.arm("},
		{"stale caller: a caller who hung up is offered on", "apply_call.go",
			"		s.finish(i, AbandonedWaiting, \"\", RejectUnavailable)\n", ""},
		{"ghost call: phones ring on after the caller left", "interaction.go",
			"	for len(i.offers) > 0 {\n		s.withdraw(i, i.offers[0], OutcomeWithdrawn, \"the caller is gone\")\n	}\n", ""},
		{"wrap-up is lost", "interaction.go", "		s.startWrapUp(i.agent, i.group)\n", ""},
		{"agent idle but never offered again: the end of a back-off matches nothing", "agent.go",
			"		s.touch(p)\n", "		if a.misses == 0 {\n			s.touch(p)\n		}\n"},
		{"the last agent blocks the queue: no way round after the last of the list", "match.go",
			"		k, t, _ = p.free.first()\n", "		return\n"},
		{"head of line: the first who waits blocks those behind", "match.go",
			"		if p.free.Len() == 0 {\n			continue\n", "		if p.free.Len() == 0 {\n			break\n"},
		{"overtaking: the latest caller first", "interaction.go",
			"key{A: int64(i.arrived) - i.credit, C: int64(i.id)}", "key{A: i.credit - int64(i.arrived), C: int64(i.id)}"},
		{"evenly: the clock starts anew at the offer", "offer.go",
			"	a.offers = append(a.offers, o)\n", "	a.offers = append(a.offers, o)\n	a.lastAnswer = s.now\n"},
		{"evenly: the clock does not start anew at the answer", "apply_offer.go", "	a.lastAnswer = s.now\n", ""},
		{"evenly: the same agent again and again", "match.go", "	i.cursor = k\n", "	_ = k\n"},
		{"in_order: backwards", "agent.go",
			"	return key{C: int64(t.place) + 1}", "	return key{C: 1000 - int64(t.place)}"},
		{"all: those who become free do not join in", "match.go", "joiner == nil || t.place < joiner.place", "false"},
		{"all: who declined is rung again at once", "match.go",
			"		i.tried[t.agent.def.ID] = true\n", ""},
		{"place lost on the way back to the queue", "apply_call.go",
			"	i.agent, i.other, i.answered = nil, nil, 0\n", "	i.agent, i.other, i.answered = nil, nil, 0\n	i.arrived = s.now\n"},
		{"a dead node keeps its agents busy", "apply_node.go",
			"		if l.agent != nil {\n			s.legOver", "		if l.agent != nil && l.call == \"\" {\n			s.legOver"},
		{"not responding for ever", "agent.go",
			"			s.deadlines.arm(DeadlineID{Kind: deadlineReturn, Name: string(a.def.ID)}, s.now+notRespondingFor)\n", ""},
		{"a stale deadline counts", "deadline.go", "if !ok || x.Generation != generation {", "if !ok || x.Generation == 0 {"},
		{"a reload drops a call: its agent is forgotten at once", "agent.go", "!a.removed || a.refs > 0 ||", "!a.removed ||"},
		{"a caller is served by a group's reload only", "apply_config.go", "	s.reopen()\n", ""},
		{"a snapshot forgets wrap-up", "snapshot.go", "WrapUp: a.wrapUp, ", ""},
		{"a snapshot forgets where the round stands", "snapshot.go", "Cursor: i.cursor,", ""},
		{"max_waiting is not looked at", "interaction.go", "i.group.pool.waiting.Len() > m", "i.group.pool.waiting.Len() > m+1"},
		{"max_wait cuts an agent's ring short", "apply_deadline.go", "	if i.phase == PhaseQueued {\n", "	if i.phase == PhaseQueued || i.phase == PhaseOffered {\n"},
		{"an unregistered phone goes on ringing", "apply_agent.go", "	if !a.reachable() {", "	if !a.reachable() && len(a.offers) > 1 {"},
		{"a chain stops: what follows an outside number that does not answer is forgotten", "offer.go",
			"	case PhaseDialled:\n		s.proceed(i)\n", "	case PhaseDialled:\n"},
		{"a caller who goes to another group loses their arrival", "chain.go",
			"	i.credit = int64(g.def.Priority)\n", "	i.credit, i.arrived = int64(g.def.Priority), s.now\n"},
		{"no_answer: an action only once everybody is busy, not when the round is over", "offer.go",
			"		over = !more\n", "		over = !more && p.free.Len() == 0\n"},
		{"voicemail that never comes keeps the caller", "chain.go",
			"	s.deadlines.arm(DeadlineID{Kind: deadlineServe, N: uint64(i.id)}, s.now.after(serveLimit))\n", ""},
		{"declining counts as a miss", "agent.go", "		a.misses = 0\n	default:", "		a.misses++\n	default:"},
	}
}

func TestMutants(t *testing.T) {
	if !*breakRules {
		t.Skip("run with -mutants")
	}
	core, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			file := filepath.Join(core, m.file)
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), m.old); n != 1 {
				t.Fatalf("the rule stands %d times in %s; the list of mutants is out of date", n, m.file)
			}
			dir := t.TempDir()
			broken := filepath.Join(dir, "broken.go")
			if err := os.WriteFile(broken, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay := filepath.Join(dir, "overlay.json")
			raw, err := json.Marshal(map[string]any{"Replace": map[string]string{file: broken}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "test", "-vet=off", "-overlay", overlay, "-run", "TestSim", "-count=1", ".", "-args", "-runs", "150").CombinedOutput()
			switch {
			case err == nil:
				t.Error("the simulator did not notice")
			case !strings.Contains(string(out), "--- FAIL: TestSim") && !strings.Contains(string(out), "panic:"):
				t.Fatalf("it could not be run: %s", out)
			default:
				line, _, _ := strings.Cut(string(out), "\n        ")
				t.Log(strings.TrimSpace(line[:min(len(line), 300)]))
			}
		})
	}
}

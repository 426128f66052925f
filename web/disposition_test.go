package web

import (
	"context"
	"errors"
	"testing"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// fakeTalks is a record in memory.
type fakeTalks struct {
	talks map[acd.InteractionID]Talk
	notes []string
	fail  error
}

func (f *fakeTalks) LastTalk(_ context.Context, id acd.InteractionID, agent queuegroups.AgentID) (Talk, bool, error) {
	t, ok := f.talks[id]
	return t, ok && (agent == "" || t.Agent == agent), f.fail
}

func (f *fakeTalks) AddNote(_ context.Context, _ acd.InteractionID, agent queuegroups.AgentID, by, text string) (int64, error) {
	f.notes = append(f.notes, string(agent)+" "+by+" "+text)
	return int64(len(f.notes)), f.fail
}

// What came of a call is told while its agent talks, in wrap-up and a while after
// it, by a code of its group; by those whose rights reach the group at any time.
func TestDisposition(t *testing.T) {
	r := newRig(t)
	tell := func(who string, id acd.InteractionID, body string) reply {
		return r.as(who, "POST", r.path(id, "disposition"), body)
	}
	last := func() acd.Disposed {
		e, ok := r.core.facts[len(r.core.facts)-1].(*acd.Disposed)
		if !ok {
			t.Fatalf("the last fact is %T", r.core.facts[len(r.core.facts)-1])
		}
		return *e
	}
	if g := decode[Group](t, r.as("anna", "GET", "/groups/sales", nil)); len(g.Dispositions) != 2 || g.Dispositions[0] != "sale" {
		t.Errorf("the group shows %v", g.Dispositions)
	}
	// while she talks
	r.want(tell("anna", r.call, `{"code":"gift"}`), 422, codeInvalid)
	r.want(tell("anna", r.call, `{"code":"sale","note":"wants two"}`), 200, "")
	if e := last(); e != (acd.Disposed{Interaction: r.call, Agent: "anna", Group: "sales", Code: "sale", Note: 1}) || r.talks.notes[0] != "anna anna wants two" {
		t.Errorf("%+v %v", e, r.talks.notes)
	}
	r.want(tell("bartek", r.call, `{"code":"sale"}`), 404, codeNotFound)
	r.want(tell("bartek", r.call, `{"code":"sale","agent":"anna"}`), 404, codeNotFound)
	r.want(tell("support", r.call, `{"code":"sale"}`), 404, codeNotFound)
	r.want(tell("director", r.call, `{"code":"call_back"}`), 200, "")
	if e := last(); e.Agent != "anna" || e.Code != "call_back" || e.Note != 0 {
		t.Errorf("%+v", e)
	}
	if n := len(r.accounts.audited()); n != 1 {
		t.Errorf("%d audit entries, want the director's", n)
	}
	r.want(tell("director", r.waiting, `{"code":"sale"}`), 404, codeNotFound) // nobody had it
	// of calls that the core has forgotten
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	r.s.now = func() time.Time { return now }
	r.talks.talks = map[acd.InteractionID]Talk{
		2: {Agent: "anna", Group: "sales", Ended: now.Add(-14 * time.Minute)},
		3: {Agent: "anna", Group: "sales", Ended: now.Add(-16 * time.Minute)},
		4: {Agent: "anna", Group: "sales", Ended: now.Add(-time.Hour), WrapUp: true},
	}
	r.want(tell("anna", 2, `{"code":"sale"}`), 200, "")
	r.want(tell("anna", 3, `{"code":"sale"}`), 409, codeTooLate)
	r.want(tell("anna", 4, `{"code":"sale"}`), 200, "")
	r.want(tell("bartek", 2, `{"code":"sale"}`), 404, codeNotFound)
	r.want(tell("director", 3, `{"code":"sale"}`), 200, "")
	r.talks.fail = errors.New("the database is away")
	r.want(tell("anna", 2, `{"code":"sale"}`), 503, codeUnavailable)
}

// A supervisor ends an agent's time after a call without a word of what came of it; the agent does not.
func TestDisposition_Required(t *testing.T) {
	r := newRig(t)
	r.fact(&acd.LegEnded{Leg: "c1", Cause: acd.EndHangup})
	r.want(r.as("anna", "POST", "/agents/anna/wrap-up/end", nil), 409, codeTellFirst)
	if a := decode[Agent](t, r.as("director", "POST", "/agents/anna/wrap-up/end", nil)); !a.WrapUpUntil.IsZero() {
		t.Errorf("%+v", a)
	}
}

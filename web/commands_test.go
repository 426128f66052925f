package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"centrala/acd"
)

func (r *rig) path(id acd.InteractionID, command string) string {
	return "/interactions/" + number(id) + "/" + command
}

// bartek comes online, and the waiting call rings at his.
func (r *rig) rings() acd.OfferID {
	r.t.Helper()
	r.fact(&acd.AgentOnline{Agent: "bartek", Node: "n1"})
	v, _ := r.core.state.Interaction(r.waiting)
	if len(v.Offers) != 1 || v.Offers[0].Agent != "bartek" {
		r.t.Fatalf("%+v", v)
	}
	return v.Offers[0].ID
}

func TestCommands_Desk(t *testing.T) {
	r := newRig(t)
	for _, command := range []string{"hold", "resume", "hang-up"} {
		r.want(r.as("anna", "POST", r.path(r.call, command), nil), 200, "")
		r.want(r.as("director", "POST", r.path(r.call, command), nil), 200, "")
		r.want(r.as("bartek", "POST", r.path(r.call, command), nil), 404, codeNotFound)
		r.want(r.as("celina", "POST", r.path(r.call, command), nil), 404, codeNotFound)
	}
	want := "[hold c1.1 true hold c1.1 true hold c1.1 false hold c1.1 false hang up c1.1 hang up c1.1]"
	if got := fmt.Sprint(r.desk.did); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n := len(r.accounts.audited()); n != 3 {
		t.Errorf("%d audit entries, want the director's three", n)
	}
	r.fact(&acd.Held{Leg: "c1.1", On: true})
	if v := decode[Story](t, r.as("anna", "GET", "/interactions/"+number(r.call), nil)); len(v.Holds) != 1 || v.Holds[0].Agent != "anna" || v.Holds[0].Since.IsZero() {
		t.Errorf("held: %+v", v.Holds)
	}
	r.fact(&acd.Held{Leg: "c1.1"})
	if v := decode[Story](t, r.as("anna", "GET", "/interactions/"+number(r.call), nil)); len(v.Holds) != 0 {
		t.Errorf("not held: %+v", v.Holds)
	}
	// One who waits is nobody's yet: agents do not hang up on them, a supervisor can.
	r.want(r.as("anna", "POST", r.path(r.waiting, "hang-up"), nil), 403, codeForbidden)
	r.want(r.as("anna", "POST", r.path(r.waiting, "hold"), nil), 403, codeForbidden)
	r.want(r.as("director", "POST", r.path(r.waiting, "hold"), nil), 409, codeWrongPhase)
	r.want(r.as("director", "POST", r.path(r.waiting, "hang-up"), nil), 200, "")
	if got := r.desk.did[len(r.desk.did)-1]; got != "hang up c2" {
		t.Error(got)
	}
	r.desk.gone = true
	r.want(r.as("anna", "POST", r.path(r.call, "hold"), nil), 409, codeGone)
}

func TestCommands_Transfer(t *testing.T) {
	r := newRig(t)
	to := func(target string) string { return `{"to":` + target + `}` }
	transfer := func(target string) reply { return r.as("anna", "POST", r.path(r.call, "transfer"), to(target)) }
	r.want(transfer(`{}`), 422, codeInvalid)
	r.want(transfer(`{"agent":"bartek","group":"support"}`), 422, codeInvalid)
	r.want(transfer(`{"agent":"nobody"}`), 422, codeInvalid)
	r.want(transfer(`{"group":"nowhere"}`), 422, codeInvalid)
	r.want(transfer(`{"number":"12"}`), 422, codeInvalid)
	r.want(transfer(`{"number":"+33 1 42 27 86 78"}`), 403, codeNotEntitled) // anna may call in the country
	r.want(transfer(`{"agent":"anna"}`), 409, codeNotPossible)
	if p := transfer(`{"agent":"anna"}`); !strings.Contains(p.body, "the same agent") {
		t.Error(p.body)
	}
	after := decode[After](t, transfer(`{"group":"support"}`))
	if !after.Live || after.Interaction.Group != "support" || after.Interaction.Agent != "" {
		t.Errorf("%+v", after)
	}
	r.want(transfer(`{"group":"sales"}`), 403, codeForbidden) // she had it, and has it no more
}

func TestCommands_Consult(t *testing.T) {
	r := newRig(t)
	act := func(command string) reply { return r.as("anna", "POST", r.path(r.call, command), nil) }
	consult := func(target string) reply {
		return r.as("anna", "POST", r.path(r.call, "consult"), `{"to":{"agent":"`+target+`"}}`)
	}
	r.want(act("consult/swap"), 409, codeWrongPhase)
	r.want(consult("celina"), 409, codeNotPossible) // offline
	r.fact(&acd.AgentOnline{Agent: "celina", Node: "n1"})
	if after := decode[After](t, consult("celina")); after.Interaction.Phase != "consulting" || after.Interaction.Consults != "celina" {
		t.Errorf("%+v", after)
	}
	r.want(act("consult/swap"), 409, codeWrongPhase) // she has not answered
	r.want(act("hang-up"), 403, codeForbidden)
	answer := func() {
		v, _ := r.core.state.Interaction(r.call)
		r.fact(&acd.OfferAnswered{Offer: v.Offers[0].ID, Leg: acd.LegID(fmt.Sprint("c1.", r.core.state.Index())), Node: "n1"})
	}
	answer()
	r.want(act("consult/swap"), 200, "")
	if after := decode[After](t, act("consult/cancel")); after.Interaction.Phase != "talking" || after.Interaction.Agent != "anna" {
		t.Errorf("%+v", after)
	}
	v, _ := r.core.state.Agent("celina")
	for _, e := range r.core.state.Pending("n1") {
		if end, ok := e.(*acd.EndLeg); ok {
			r.fact(&acd.LegEnded{Leg: end.Leg, Cause: acd.EndByUs})
		}
	}
	if v, _ = r.core.state.Agent("celina"); !v.CanTake {
		t.Fatalf("%+v", v)
	}
	r.want(consult("celina"), 200, "")
	answer()
	if after := decode[After](t, act("consult/complete")); after.Interaction.Agent != "celina" || after.Interaction.Phase != "talking" {
		t.Errorf("%+v", after)
	}
}

func TestCommands_Park(t *testing.T) {
	r := newRig(t)
	r.want(r.as("anna", "POST", r.path(r.call, "park"), `{"slot":"abc"}`), 422, codeInvalid)
	after := decode[After](t, r.as("anna", "POST", r.path(r.call, "park"), `{"slot":"1"}`))
	if after.Interaction.Slot != "1" || after.Interaction.Phase != "parked" {
		t.Errorf("%+v", after)
	}
	r.want(r.as("anna", "POST", r.path(r.call, "park"), `{"slot":"2"}`), 403, codeForbidden)
	r.want(r.as("director", "POST", r.path(r.call, "park"), `{"slot":"2"}`), 409, codeWrongPhase)
}

// A desk phone must be picked up: accepting is refused with a reason; declining ends its ringing.
func TestCommands_Offer(t *testing.T) {
	r := newRig(t)
	r.want(r.as("bartek", "POST", r.path(r.waiting, "decline"), nil), 403, codeForbidden)
	offer := r.rings()
	r.want(r.as("bartek", "POST", r.path(r.waiting, "accept"), nil), 409, codePhoneAnswers)
	r.want(r.as("anna", "POST", r.path(r.waiting, "decline"), nil), 403, codeForbidden)
	r.want(r.as("director", "POST", r.path(r.waiting, "decline"), nil), 409, codeNotOffered)
	if len(r.desk.did) > 0 {
		t.Error(r.desk.did)
	}
	r.want(r.as("bartek", "POST", r.path(r.waiting, "decline"), nil), 200, "")
	if want := fmt.Sprintf("decline c2 %d", offer); !slices.Contains(r.desk.did, want) {
		t.Errorf("%q, want %q", r.desk.did, want)
	}
}

// Picking up has what waits ring at the caller's own phone (R93).
func TestCommands_Claim(t *testing.T) {
	r := newRig(t)
	r.want(r.as("bartek", "POST", r.path(r.waiting, "claim"), nil), 409, codeAgentCannot)
	r.want(r.as("bartek", "POST", r.path(r.call, "claim"), nil), 404, codeNotFound)
	r.want(r.as("director", "POST", r.path(r.waiting, "claim"), nil), 409, codeAgentCannot)
	r.fact(&acd.SeatSet{Agent: "bartek", Group: "sales", State: acd.SeatOut})
	r.fact(&acd.AgentOnline{Agent: "bartek", Node: "n1"})
	if v, _ := r.core.state.Interaction(r.waiting); len(v.Offers) != 0 {
		t.Fatalf("%+v", v)
	}
	after := decode[After](t, r.as("bartek", "POST", r.path(r.waiting, "claim"), nil))
	if len(after.Interaction.Offers) != 1 || after.Interaction.Offers[0].Agent != "bartek" || after.Interaction.For != "bartek" {
		t.Errorf("%+v", after)
	}
}

func TestCommands_Supervisor(t *testing.T) {
	r := newRig(t)
	move := `{"to":{"group":"support"}}`
	r.want(r.as("anna", "POST", r.path(r.waiting, "move"), move), 403, codeForbidden)
	r.want(r.as("anna", "POST", r.path(r.waiting, "priority"), `{"seconds":60}`), 403, codeForbidden)
	r.want(r.as("director", "POST", r.path(r.call, "move"), move), 409, codeWrongPhase)
	r.want(r.as("director", "POST", r.path(r.call, "priority"), `{"seconds":60}`), 409, codeWrongPhase)
	r.want(r.as("director", "POST", r.path(r.waiting, "priority"), `{"seconds":60}`), 200, "")
	if e := r.core.facts[len(r.core.facts)-1].(*acd.Prioritised); e.Credit.Seconds() != 60 || e.By != "director" {
		t.Errorf("%+v", e)
	}
	after := decode[After](t, r.as("director", "POST", r.path(r.waiting, "move"), move))
	if after.Interaction.Group != "support" {
		t.Errorf("%+v", after)
	}
	if e := r.accounts.audited(); len(e) != 2 || e[1].What != "move" || e[1].Target != "interactions/"+number(r.waiting) {
		t.Errorf("%+v", e)
	}
	r.core.fail = errors.New("no")
	r.want(r.as("director", "POST", r.path(r.waiting, "move"), move), 503, codeUnavailable)
}

func TestConfig(t *testing.T) {
	r := newRig(t)
	got := decode[struct {
		Version string
		Config  struct{ Agents []struct{ ID string } }
	}](t, r.as("boss", "GET", "/config", nil))
	if got.Version != r.config.Version || len(got.Config.Agents) != 3 {
		t.Errorf("%+v", got)
	}
	check := func(yaml string) CheckResult {
		return decode[CheckResult](t, r.as("boss", "POST", "/config/check", map[string]string{"yaml": yaml}))
	}
	if c := check("agents: {anna: {}}\ngroups: {sales: {agents: [ana]}}\n"); c.OK || len(c.Mistakes) != 1 || c.Mistakes[0].Line != 2 ||
		c.Mistakes[0].Hint != "did you mean anna?" || c.Mistakes[0].File != "queuegroups.yaml" {
		t.Errorf("%+v", c)
	}
	if c := check(strings.Replace(site, "bartek: {", "bartek: {name: B, ", 1)); !c.OK || len(c.Changes) != 1 || c.Changes[0] != (ConfigChange{"agent", "bartek", "changed"}) {
		t.Errorf("%+v", c)
	}
	if c := check(""); !c.OK || len(c.Changes) != 0 {
		t.Errorf("%+v", c)
	}
	if n := len(r.accounts.audited()); n != 0 {
		t.Errorf("%d audit entries for looking", n)
	}
	r.settings.file = "agents: {"
	p := r.as("boss", "POST", "/config/reload", nil)
	r.want(p, http.StatusUnprocessableEntity, codeBadConfig)
	if x := decode[Problem](t, p); len(x.Errors) == 0 || !strings.HasPrefix(x.Errors[0].Location, "queuegroups.yaml:1:") {
		t.Errorf("%+v", x)
	}
	r.settings.file = strings.Replace(site, "support: {agents: [celina]}", "support: {agents: [celina]}\n  complaints: {agents: [celina]}", 1)
	before := r.config.Version
	p = r.as("boss", "POST", "/config/reload", nil)
	r.want(p, 200, "")
	r.want(r.as("boss", "GET", "/groups/complaints", nil), 200, "")
	versions := decode[Page[ConfigVersion]](t, r.as("boss", "GET", "/config/versions", nil)).Items
	if len(versions) != 1 || versions[0].By != "boss" || versions[0].Changes[0] != (ConfigChange{"group", "complaints", "added"}) {
		t.Errorf("%+v", versions)
	}
	if e := r.accounts.audited(); len(e) != 1 || e[0].What != "reload-config" || !strings.Contains(string(e[0].Before), before) || !strings.Contains(string(e[0].After), "complaints") {
		t.Errorf("%+v", e)
	}
}

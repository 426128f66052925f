package queuegroups

import "testing"

// Seen from Poland and from the United States. Numbers that thieves use, and
// ordinary ones that look like them.
func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		what, number, region string
		want                 CallClass
	}{
		{"Warsaw", "+48221234567", "PL", CallNational},
		{"mobile", "+48601234567", "PL", CallNational},
		{"free", "+48800123456", "PL", CallNational},
		{"shared cost", "+48801123456", "PL", CallNational},
		{"premium", "+48701234567", "PL", CallAny},
		{"no such number", "+48111111111", "PL", CallAny},
		{"London", "+442079460000", "PL", CallInternational},
		{"British premium", "+449098790000", "PL", CallAny},
		{"British personal number, charged like premium", "+447012345678", "PL", CallAny},
		{"from its own country too", "+447012345678", "GB", CallAny},
		{"Jersey is not the United Kingdom", "+441534456789", "GB", CallInternational},
		{"New York", "+12125550123", "US", CallNational},
		{"Jamaica, with the same country code", "+18765230123", "US", CallInternational},
		{"American premium", "+19002345678", "US", CallAny},
		{"Kazakhstan, with Russia's code", "+77172123456", "RU", CallInternational},
		{"free in the whole world", "+80012345678", "PL", CallInternational},
		{"Iridium", "+881612345678", "PL", CallAny},
		{"Inmarsat", "+870773111632", "PL", CallAny},
		{"international networks", "+883510012345", "PL", CallAny},
		{"international premium", "+979123456789", "PL", CallAny},
		{"no country", "+999123456789", "PL", CallAny},
		{"no number", "101", "PL", CallAny},
		{"nothing", "", "PL", CallAny},
	} {
		if got := ClassOf(c.number, c.region); got != c.want {
			t.Errorf("%s %s from %s: %v, want %v", c.what, c.number, c.region, got, c.want)
		}
	}
}

func TestLoad_Calling(t *testing.T) {
	c, err := Load(options(File{"q.yaml", []byte(`
agents:
  anna: {}
  bartek: {calls: internal, max_calls: 1}
  celina: {calls: national, trunk: second, redirects: follow}
  dorota: {calls: international}
  ewa: {calls: any}
trunks:
  in: {from: [192.0.2.1]}
  first: {host: a.example}
  second: {host: b.example}
`)}))
	if err != nil {
		t.Fatal(err)
	}
	numbers := []string{"+48221234567", "+442079460000", "+48701234567"} // by what they need
	for agent, may := range map[AgentID]int{"anna": 1, "bartek": 0, "celina": 1, "dorota": 2, "ewa": 3, "nobody": 0} {
		for i, number := range numbers {
			if _, ok := c.MayCall(agent, number); ok != (i < may) {
				t.Errorf("%s may call %s: %v", agent, number, ok)
			}
		}
	}
	for agent, want := range map[AgentID]TrunkID{"anna": "", "celina": "second"} {
		if got := c.TrunkOut(agent); got != want {
			t.Errorf("%s calls by %s, want %s", agent, got, want)
		}
	}
	if n := c.Agent("anna").MaxCalls; n != 0 { // the default, which is not in the version
		t.Errorf("anna may have %d calls", n)
	}
	if n := c.Agent("bartek").MaxCalls; n != 1 {
		t.Errorf("bartek may have %d calls", n)
	}
	for agent, want := range map[AgentID]bool{"anna": false, "celina": true} {
		if got := c.Agent(agent).FollowRedirects; got != want {
			t.Errorf("%s's redirects are followed: %v", agent, got)
		}
	}
	if got := (&Config{}).TrunkOut("anna"); got != "" {
		t.Errorf("no trunk, but %s", got)
	}
}

// A class that a newer program wrote into the log gives no right.
func TestMayCall_UnknownClass(t *testing.T) {
	c := &Config{Region: "PL", Agents: []Agent{{ID: "anna", Calls: "moon"}}}
	if _, ok := c.MayCall("anna", "+48221234567"); ok {
		t.Error("anna may call")
	}
}

// Numbers that a trunk takes as they are dialled: those of emergency services are for
// everybody.
func TestMayCallShort(t *testing.T) {
	c := &Config{
		Region: "PL",
		Agents: []Agent{{ID: "anna"}, {ID: "bartek", Calls: CallInternal}},
		Trunks: []Trunk{{ID: "a", Emergency: []string{"112"}}, {ID: "b", Short: []string{"19115"}}},
	}
	for _, test := range []struct {
		agent                 AgentID
		number                string
		known, may, emergency bool
	}{
		{"anna", "112", true, true, true}, {"bartek", "112", true, true, true}, {"nobody", "112", true, false, true},
		{"anna", "19115", true, true, false}, {"bartek", "19115", true, false, false}, {"anna", "999", false, false, false},
	} {
		known, may, emergency := c.MayCallShort(test.agent, test.number)
		if known != test.known || may != test.may || emergency != test.emergency {
			t.Errorf("%s %s: known %v, may %v, emergency %v", test.agent, test.number, known, may, emergency)
		}
	}
}

package queuegroups

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// wav is the shortest thing that passes for a WAV file.
const wav = "RIFF\x04\x00\x00\x00WAVE"

// options is a world with the given files and music, holidays and secrets.
func options(files ...File) Options {
	world := fstest.MapFS{
		"music/calm.wav":   {Data: []byte(wav)},
		"music/jazz.wav":   {Data: []byte(wav)},
		"music/song.mp3":   {Data: []byte("ID3 and so on")},
		"music/empty.wav":  {},
		"bartek.secret":    {Data: []byte("bartek's\n")},
		"empty.secret":     {Data: []byte("\n")},
		"large.secret":     {Data: make([]byte, maxSecret+1)},
		"holidays/pl.yaml": {Data: []byte("# Poland\n2026-01-01: New Year\n12-25: Christmas Day\n12-26: Second day of Christmas\n")},
		"holidays/bad.yaml": {Data: []byte("2026-02-30: No such day\nEaster: who knows\n" +
			"2026-05-01: [May]\n2026-05-03: Constitution\n2026-05-03: again\n")},
		"holidays/broken.yaml": {Data: []byte("2026-01-01: 'New Year\n")},
		"holidays/list.yaml":   {Data: []byte("- 2026-01-01\n")},
	}
	env := map[string]string{"ANNA_SIP_PASSWORD": "anna's", "CARRIER_PASSWORD": "carrier's", "EMPTY": ""}
	return Options{
		Region: "PL", Files: files,
		Open:      func(name string) (io.ReadCloser, error) { return world.Open(name) },
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
}

func readFile(t testing.TB, name string) File {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return File{Name: name, Data: data}
}

func loadDesign(t testing.TB) *Config {
	t.Helper()
	c, err := Load(options(readFile(t, "testdata/design.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ignored is what is not compared: what is made anew from the rest.
var ignored = cmp.Options{cmpopts.IgnoreUnexported(Config{}, Hours{}), cmpopts.EquateEmpty()}

const week = 7 * 24 * time.Hour

func TestLoad_Design(t *testing.T) {
	day := []Interval{{8 * 60, 18 * 60}}
	retry := Retry{5 * time.Second, 30 * time.Second, 5 * time.Second, 10 * time.Second}
	want := &Config{
		Region: "PL",
		Agents: []Agent{
			{ID: "anna", Name: "Anna Nowak", Extension: "101", Phone: "+48601234567", Role: "manager",
				SIPPassword: NewSecret("anna's"), Capacity: Capacity{Voice: 1, Chat: 4}},
			{ID: "bartek", Name: "Bartek", Extension: "102", Role: "manager", SIPPassword: NewSecret("bartek's"), Capacity: Capacity{Voice: 1, Chat: 1}},
			{ID: "lobby", Name: "Lobby phone", Extension: "109", Contact: "sip:lobby@192.0.2.9:5060", Role: "manager", Capacity: Capacity{Voice: 1, Chat: 1}},
		},
		Groups: []Group{
			{ID: "sales", Name: "Sales", Extension: "600", Agents: []AgentID{"anna", "bartek"}, Distribution: Evenly, Rings: 4,
				RingLength: 5 * time.Second, DialLimit: 10 * time.Second, NoAnswer: []Action{{Kind: ActionWait}}, Pickup: true,
				WrapUp: 15 * time.Second, MaxWaiting: 100, MaxWait: 20 * time.Minute, HoldMusic: "calm", AllMissed: AllMissedWait,
				BlindTransferNoAnswer: TransferReturn, Retry: retry, Misses: 3},
			{ID: "support", Name: "support", Agents: []AgentID{"bartek", "anna"}, Distribution: InOrder, Rings: 4,
				RingLength: 6 * time.Second, DialLimit: 8 * time.Second, Pickup: true, BlindTransferNoAnswer: TransferReturn, Trunk: "carrier", AllMissed: AllMissedWait,
				NoAnswer: []Action{{Kind: ActionAgent}, {Kind: ActionNumber, Number: "+48229998877"}, {Kind: ActionGroup, Group: "sales"}},
				Retry:    Retry{1 * time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}},
			{ID: "night", Name: "night", Agents: []AgentID{"lobby"}, Distribution: All, Rings: 4, RingLength: 5 * time.Second,
				DialLimit: 10 * time.Second, NoAnswer: []Action{{Kind: ActionWait}}, Pickup: true, AllMissed: AllMissedEnd, Priority: 30 * time.Second,
				BlindTransferNoAnswer: TransferReturn, Retry: retry, Misses: 3},
		},
		Trunks: []Trunk{
			{ID: "carrier", Host: "sip.carrier.example:5060", Transport: "udp", From: []string{"198.51.100.0/24"},
				Register: &Registration{"48221234567", NewSecret("carrier's")}, CallerID: "+48221234567", MaxCalls: 30, Check: time.Minute},
			{ID: "pbx", Host: "192.0.2.1", Transport: "udp", From: []string{"192.0.2.1/32"}, Check: 30 * time.Second},
		},
		Numbers: []Number{
			{Number: "+48221234567", Trunk: "carrier", Group: "sales", HoldMusic: "jazz", Hours: "office"},
			{Number: "+48221234568", Trunk: "pbx", Group: "support"},
		},
		HoldMusic: []Music{{"calm", []string{"music/calm.wav"}}, {"jazz", []string{"music/calm.wav", "music/jazz.wav"}}},
		Hours: []Hours{{ID: "office", TimeZone: "Europe/Warsaw", Week: [7][]Interval{nil, day, day, day, day, day, {{9 * 60, 13 * 60}}},
			Holidays: []Date{{0, 12, 25}, {0, 12, 26}, {2026, 1, 1}, {2026, 12, 24}}}},
		Channels: []Channel{
			{ID: "website", Connector: "widget", Widget: &Widget{AttachmentBytes: 10 << 20}, Texts: DefaultTexts(), Name: "Ask us", Agents: []AgentID{"anna", "bartek"}, Distribution: Evenly,
				PassAfter: time.Minute, UnansweredAfter: 5 * time.Minute, NoAnswer: ChatAction{Kind: ChatRequeue}, Hours: "office", AutoExpire: week},
			{ID: "mail", Connector: "widget", Widget: &Widget{AttachmentBytes: 10 << 20}, Texts: DefaultTexts(), Name: "mail", Agents: []AgentID{"anna"}, Distribution: Evenly, PassAfter: time.Minute,
				UnansweredAfter: time.Minute, NoAnswer: ChatAction{Kind: ChatText, Text: "Nobody can answer now."}, AutoExpire: week},
		},
	}
	got := loadDesign(t)
	if len(got.Version) != 32 {
		t.Errorf("version %q", got.Version)
	}
	want.Version = got.Version
	if d := cmp.Diff(want, got, ignored); d != "" {
		t.Error(d)
	}
}

func TestLoad_FolderIsMerged(t *testing.T) {
	design := readFile(t, "testdata/design.yaml")
	at := strings.Index(string(design.Data), "groups:")
	c, err := Load(options(File{"a.yaml", design.Data[:at]}, File{"empty.yaml", []byte("# nothing\n")}, File{"b.yaml", design.Data[at:]}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != loadDesign(t).Version {
		t.Error("the same declarations in three files make another version")
	}
}

func TestConfig_JSON(t *testing.T) {
	c := loadDesign(t)
	first, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"anna's", "bartek's", "carrier's"} {
		if strings.Contains(string(first), secret) {
			t.Errorf("the JSON shows %s", secret)
		}
	}
	var back Config
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(&back)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(first), string(second)); d != "" {
		t.Error(d)
	}
	if hash, err := back.hash(); err != nil || hash != c.Version {
		t.Errorf("hash %s, %v; want %s", hash, err, c.Version)
	}
	if back.Agent("anna") == nil || back.Number("+48221234567") == nil {
		t.Error("look-ups do not work after JSON")
	}
	noon := time.Date(2026, 12, 21, 11, 0, 0, 0, time.UTC)
	if !back.HoursOf("office").Open(noon) {
		t.Error("hours do not work after JSON")
	}
}

func TestConfig_Lookups(t *testing.T) {
	c := loadDesign(t)
	if a := c.Agent("bartek"); a != &c.Agents[1] {
		t.Errorf("agent %v", a)
	}
	if g := c.Group("night"); g != &c.Groups[2] {
		t.Errorf("group %v", g)
	}
	if x := c.Trunk("pbx"); x != &c.Trunks[1] {
		t.Errorf("trunk %v", x)
	}
	if n := c.Number("+48221234568"); n != &c.Numbers[1] {
		t.Errorf("number %v", n)
	}
	if m := c.Music("jazz"); m != &c.HoldMusic[1] {
		t.Errorf("music %v", m)
	}
	if ch := c.Channel("mail"); ch != &c.Channels[1] {
		t.Errorf("channel %v", ch)
	}
	if a, g := c.ByExtension("109"); a != &c.Agents[2] || g != nil {
		t.Errorf("109: %v, %v", a, g)
	}
	if a, g := c.ByExtension("600"); a != nil || g != &c.Groups[0] {
		t.Errorf("600: %v, %v", a, g)
	}
	if a, g := c.ByExtension(""); a != nil || g != nil {
		t.Errorf("no extension: %v, %v", a, g)
	}
	if c.Agent("nobody") != nil || c.Group("") != nil || (&Config{}).Trunk("x") != nil {
		t.Error("found what is not there")
	}
}

func TestTrunk_Account(t *testing.T) {
	register, auth := &Registration{User: "r"}, &Registration{User: "a"}
	for _, c := range []struct {
		trunk Trunk
		want  *Registration
	}{{Trunk{}, nil}, {Trunk{Register: register}, register}, {Trunk{Auth: auth}, auth}} {
		if got := c.trunk.Account(); got != c.want {
			t.Errorf("%+v: %v", c.trunk, got)
		}
	}
}

func TestSecret_IsNeverShown(t *testing.T) {
	type inside struct {
		Secret Secret
		hidden Secret
	}
	s := NewSecret("hunter2")
	for _, v := range []any{s, &s, inside{s, s}, &inside{s, s}, []Secret{s}, map[string]Secret{"k": s}, loadDesign(t)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") || strings.Contains(text, "anna's") {
				t.Errorf("%s of %T shows the secret: %s", verb, v, text)
			}
		}
		if text, err := json.Marshal(v); err != nil || strings.Contains(string(text), "hunter2") {
			t.Errorf("JSON of %T: %s, %v", v, text, err)
		}
	}
	if s.Value() != "hunter2" || NewSecret("").Value() != "" || !NewSecret("").Empty() || s.Empty() {
		t.Error("the value is lost")
	}
	if s.Equal(NewSecret("hunter3")) || !s.Equal(NewSecret("hunter2")) || !NewSecret("").Equal(Secret{}) {
		t.Error("Equal does not compare values")
	}
}

func TestDiff(t *testing.T) {
	load := func(replace ...string) *Config {
		t.Helper()
		design := readFile(t, "testdata/design.yaml")
		c, err := Load(options(File{design.Name, []byte(strings.NewReplacer(replace...).Replace(string(design.Data)))}))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := load()
	for name, test := range map[string]struct {
		after *Config
		want  []Change
	}{
		"nothing":  {load(), nil},
		"comments": {load("# order matters for in_order", "# other words"), nil},
		"a secret": {load("env:ANNA_SIP_PASSWORD", "other"), []Change{{"agent", "anna", Changed}}},
		"a trunk's secret": {load("env:CARRIER_PASSWORD", "other"),
			[]Change{{"trunk", "carrier", Changed}}},
		"one of each": {load("lobby", "hall", "rings: 4", "rings: 5", "198.51.100.0/24", "198.51.100.0/25", "22 123 45 67", "22 123 45 60",
			"music/jazz.wav", "music/calm.wav", "09:00-13:00", "10:00-13:00", "pass_after: 1m", "pass_after: 2m"),
			[]Change{{"agent", "lobby", Removed}, {"agent", "hall", Added}, {"group", "sales", Changed}, {"group", "night", Changed},
				{"trunk", "carrier", Changed}, {"number", "+48221234567", Removed}, {"number", "+48221234560", Added},
				{"hold_music", "jazz", Changed}, {"hours", "office", Changed}, {"channel", "website", Changed}}},
	} {
		if d := cmp.Diff(test.want, Diff(before, test.after)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	all := Diff(nil, before)
	if len(all) != 1+3+3+2+2+2+1+2 || slices.ContainsFunc(all[1:], func(c Change) bool { return c.Op != Added }) {
		t.Errorf("from nothing: %v", all)
	}
	kinds := map[string]bool{}
	for _, c := range Diff(before, nil)[1:] {
		kinds[c.Kind] = c.Op == Removed
	}
	if len(kinds) != 7 || slices.Contains(slices.Collect(maps.Values(kinds)), false) {
		t.Errorf("to nothing: %v", kinds)
	}
}

// What a channel's chat window takes of the file: origins as browsers write them, and no secret in what is printed (R63, R71, R72).
func TestLoad_Widget(t *testing.T) {
	c, err := Load(Options{Region: "PL", Files: []File{{Name: "q", Data: []byte(`
agents: {anna: {}}
channels:
  website:
    connector: widget
    agents: [anna]
    secret: "0123456789abcdef0123456789abcdef"
    widget:
      origins: ["https://Shop.example:443/", "http://127.0.0.1:8000"]
      language: pl
      form: [name, name]
      consent: {version: "1", text: I agree.}
      identity: required
      attachments: 0
      rating: closes
      call: "22 123 45 67"
groups: {sales: {agents: [anna], preferred: {agent: responsible}}}
trunks: {carrier: {from: [192.0.2.1]}}
numbers: {"+48221234567": {trunk: carrier, group: sales}}
`)}}})
	if err != nil {
		t.Fatal(err)
	}
	want := &Widget{
		Origins: []string{"https://shop.example", "http://127.0.0.1:8000"}, Language: "pl", Form: []string{"name"},
		Consent: Consent{Version: "1", Text: "I agree."}, IdentityNeeded: true, Rating: true, RatingCloses: true,
		Call: "+48221234567",
	}
	if d := cmp.Diff(want, c.Channel("website").Widget); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

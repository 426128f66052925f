package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"centrala/internal/trace"
)

// centrala runs a command of the program to its end.
func (v *server) centrala(arg ...string) (output string, err error) {
	v.t.Helper()
	out, err := exec.Command(os.Getenv(serverProgram), arg...).CombinedOutput()
	return string(out), err
}

// trace asks for the trace of a call.
func (v *server) trace(id string) trace.Trace {
	v.t.Helper()
	out, err := v.centrala("trace", id, "--admin", "http://"+v.admin.String(), "--json")
	if err != nil {
		v.t.Fatalf("%v: %s", err, out)
	}
	var t trace.Trace
	if err := json.Unmarshal([]byte(out), &t); err != nil {
		v.t.Fatalf("%v: %s", err, out)
	}
	return t
}

// A call is traced whole: the messages of both legs in both directions, what the
// core was told, decided and wanted, and the audio; by each of its ids, while it
// goes on and after its end. Passwords are nowhere.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), oneAgent)
	anna := s.softphone("anna", "anna-secret-1", "tcp", "auto", 900)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, 300*time.Millisecond)
	id := s.waitLog("call arrived", "from", "+48600100200").field("call_id")
	if during := s.trace(id); len(during.Parties) != 2 || len(during.Interactions) != 1 {
		t.Errorf("%+v", during)
	}
	c.hangUp()
	c.waitOver()
	anna.wait("hangs up", "CALL_CLOSED")
	item := s.waitLog("interaction ended").field("interaction")
	s.waitMetric("centrala_calls", 0)

	after := s.trace(item)
	// What must be there, in this order, among other things: kind, leg, sent by us, beginning of the text.
	type step struct {
		kind  trace.Kind
		party string
		sent  bool
		text  string
	}
	caller, phone := "trunk carrier", "agent anna"
	who := map[string]string{}
	for _, p := range after.Parties {
		who[p.Leg] = p.Who
	}
	rest := after.Entries
	for _, want := range []step{
		{trace.KindMessage, caller, false, "INVITE sip:+48221234567@"},
		{trace.KindFact, "", false, `CallArrived {"leg":"` + id},
		{trace.KindDecision, "", false, "interaction " + item + " offer"},
		{trace.KindCommand, "", false, "Ring"},
		{trace.KindMessage, phone, true, "INVITE sip:anna"},
		{trace.KindMessage, phone, false, "SIP/2.0 200"},
		{trace.KindMedia, phone, false, "first packet from"},
		{trace.KindMessage, caller, false, "BYE"},
		{trace.KindDecision, "", false, "interaction " + item + " ended"},
		{trace.KindMedia, phone, false, "ended:"},
	} {
		for ; len(rest) > 0; rest = rest[1:] {
			e := rest[0]
			if e.Kind == want.kind && who[e.Leg] == want.party && e.Sent == want.sent && strings.HasPrefix(strings.ToLower(e.Text), strings.ToLower(want.text)) {
				break
			}
		}
		if len(rest) == 0 {
			var ladder strings.Builder
			_ = trace.Ladder(&ladder, after, false) // into memory
			t.Fatalf("%+v is missing in\n%s", want, ladder.String())
		}
	}
	if !slices.ContainsFunc(after.Entries, func(e trace.Entry) bool { return who[e.Leg] == phone && e.Sent && strings.HasPrefix(e.Text, "BYE") }) {
		t.Error("the BYE to the phone is missing") // it is sent while its audio ends
	}
	for _, p := range after.Parties {
		for _, id := range []string{p.Leg, p.CallID} {
			if again := s.trace(id); len(again.Entries) != len(after.Entries) {
				t.Errorf("by %s: %d entries of %d", id, len(again.Entries), len(after.Entries))
			}
		}
	}

	admin := "http://" + s.admin.String()
	ladder, err := s.centrala("trace", item, "--admin", admin)
	if err != nil || !strings.Contains(ladder, "A -------> |") || !strings.Contains(ladder, "| -------> B") || !strings.Contains(ladder, "PCMA") {
		t.Errorf("%v\n%s", err, ladder)
	}
	list, err := s.centrala("trace", "--admin", admin)
	if err != nil || !strings.Contains(list, "interaction "+item) || !strings.Contains(list, "over") || !strings.Contains(list, " from +48600100200 to +48221234567, ") {
		t.Errorf("%v\n%s", err, list)
	}
	recent, err := s.centrala("trace", "--recent", "--whole", "--admin", admin)
	if err != nil || !strings.Contains(recent, "REGISTER sip:") || !strings.Contains(recent, `nonce="`) || !strings.Contains(recent, `response="xxx`) {
		t.Errorf("%v\n%s", err, recent)
	}
	pcap := filepath.Join(t.TempDir(), "call.pcap")
	if out, err := s.centrala("trace", item, "--pcap", pcap, "--admin", admin); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	methods, err := exec.Command("tshark", "-r", pcap, "-Y", "sip.Method == BYE", "-T", "fields", "-e", "udp.srcport").Output()
	if err != nil || strings.Count(string(methods), "\n") != 2 {
		t.Errorf("%v: %q; want both BYEs", err, methods)
	}
	out, err := s.centrala("trace", "nobody", "--admin", admin)
	if err == nil || !strings.Contains(out, `nothing is remembered of "nobody"`) {
		t.Errorf("%v %s", err, out)
	}
}

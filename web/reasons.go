package web

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"centrala/acd"
)

// Told is a thing that can be said in any language: what it is, and the values in it.
type Told struct {
	Code   string            `json:"code" doc:"What is said, in one word."`
	Values map[string]string `json:"values" doc:"What stands in it, by name: agent, group, number, seconds, status, …"`
}

// reasonOther is the code of a reason that is none of the known ones: its text is among the values.
const reasonOther = "other"

// reasons are the words of the core by which it tells why, with their codes. What a name in
// them stands for is the name of a value; seconds are lengths of time as Go writes them.
func reasons() []reason {
	const person, span = `([^ :,]+)`, `(?P<seconds>[0-9hms.µn]+)`
	who := `(?P<agent>` + person + `)`
	return []reason{
		{"kept_for_them", `kept for them`}, {"responsible", `responsible for the customer`}, {"talked_last", `talked to the customer last`},
		{"responsible_but", `responsible for the customer, but is (?P<status>\w+)`}, {"talked_last_but", `talked to the customer last, but is (?P<status>\w+)`},
		{"transferred_by", `transferred by ` + who}, {"faster", who + ` was faster`}, {"called", `called`}, {"nobody_took", `nobody took the transfer`},
		{"parked_it", `parked it`}, {"parked_too_long", `parked for too long`}, {"from", `from ` + who}, {"moved", `moved`}, {"joined", `joined`},
		{"rang_out", `rang long enough`}, {"never_rang", `the phone never rang`}, {"not_taken", `not taken in time`}, {"caller_gone", `the caller is gone`},
		{"phone_gone", `the agent's phone is gone`}, {"node_lost", `lost with its node`}, {"put_back", `put back in the queue`},
		{"serves_no_more", `does not serve the group any more`}, {"sip", `SIP (?P<status>[0-9]+)`}, {"waited_enough", `waited long enough`},
		{"waited", `waited ` + span}, {"full", `(?P<n>[0-9]+) wait already`}, {"not_to_be_had", `could not be had`}, {"too_long", `took too long`},
		{"no_answer", `no answer`}, {"no_answer_of", who + `: no answer`}, {"let_go", `let go`}, {"hung_up", `hung up`},
		{"busy_for", `all who are at work are busy for ` + span}, {"on_break_for", `all who are logged in are on a break for ` + span},
		{"logged_out_for", `nobody is logged in for ` + span},
		{"leg_ended", `the agent's leg ended before the bridge: (?P<cause>\w+)`}, {"end_gone", `the agent's end is gone: (?P<cause>\w+)`},
		{"dismissed", `is dismissed`}, {"not_online", `is not online`}, {"off_duty", `is not on duty: (?P<duty>\w+)(?: \((?P<reason>[^)]*)\))?`},
		{"agent_is", who + `:? is (?P<status>\w+)`}, {"is", `is (?P<status>\w+)`},
		{"duty", `(?P<duty>on|break|leave|off)(?: \((?P<reason>[^)]*)\))?`}, {"dnd", `do not disturb`},
		{"seat", `(?P<seat>in|out|paused) in (?P<group>[^ ]+)(?: \((?P<reason>[^)]*)\))?`},
		{"no_mix", `calls and chats do not mix`}, {"chat_to_number", `a chat cannot go to a number`}, {"too_many_groups", `it has been to too many groups`},
		{"no_agent", `there is no agent (?P<agent>.+)`}, {"no_group", `there is no group (?P<group>.+)`}, {"same_agent", `that is the same agent`},
		{"nobody_named", `nobody was named`}, {"nobody_free", `nobody of (?P<group>.+) is free`},
		{"unknown_number", `unknown number`}, {"unknown_channel", `unknown channel`}, {"max_wait", `max_wait`}, {"all_missed", `all_missed`},
		{"blind_transfer", `blind_transfer`}, {"expired", `auto_expire`}, {"auto_closed", `auto_close`}, {"full_chain", `full`}, {"closed_chain", `closed`}, {"busy_chain", `busy`},
		{"logged_out_chain", `logged_out`}, {"by_customer", `by the customer`}, {"cause", `(?P<cause>hangup|cancel|by_us|failed|timeout|no_path|lost)`},
	}
}

// reason is a pattern of the core's words.
type reason struct{ code, pattern string }

type compiledReason struct {
	code    string
	pattern *regexp.Regexp
}

var compiledReasons = func() (list []compiledReason) {
	for _, r := range reasons() {
		list = append(list, compiledReason{r.code, regexp.MustCompile(`^(?:` + r.pattern + `)$`)})
	}
	return list
}()

var actedBy = regexp.MustCompile(`^(?:(.*), )?by ([^ ,]+)$`)

// reasonOf tells why a step was taken; nil: it says nothing.
func reasonOf(st *acd.Step) *Told {
	why := st.Why
	if why == "" {
		return nil
	}
	values := map[string]string{}
	if found := actedBy.FindStringSubmatch(why); found != nil {
		values["by"], why = found[2], found[1]
		if why == "" {
			return &Told{"by", values}
		}
	}
	if st.Kind == acd.StepEnded && st.What == string(acd.ClosedHours) {
		values["hours"] = why
		return &Told{"closed_hours", values}
	}
	if statusNames[why] {
		values["status"] = why
		return &Told{"is", values}
	}
	for _, r := range compiledReasons {
		found := r.pattern.FindStringSubmatch(why)
		if found == nil {
			continue
		}
		for i, name := range r.pattern.SubexpNames() {
			if name != "" && found[i] != "" {
				values[name] = found[i]
			}
		}
		inSeconds(values)
		return &Told{r.code, values}
	}
	values["text"] = why
	return &Told{reasonOther, values}
}

// inSeconds writes a length of time as seconds.
func inSeconds(values map[string]string) {
	if d, err := time.ParseDuration(values["seconds"]); err == nil {
		values["seconds"] = strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
}

var statusNames = func() map[string]bool {
	names := map[string]bool{}
	for st := acd.Offline; st <= acd.OnLeave; st++ {
		names[st.String()] = true
	}
	return names
}()

// toldOf tells what a step is.
func toldOf(st *acd.Step) Told {
	code, values := string(st.Kind), map[string]string{}
	with := func(variant, name, value string) Told {
		if value != "" {
			values[name] = value
		}
		inSeconds(values)
		return Told{code + variant, values}
	}
	switch st.Kind {
	case acd.StepArrived:
		if st.Group == "" {
			return with("_nowhere", "number", st.What)
		}
		return with("", "number", st.What)
	case acd.StepOffer:
		if st.Agent == "" {
			return with("_number", "number", st.What)
		}
		return with("", "agent", string(st.Agent))
	case acd.StepHeld, acd.StepResumed:
		switch {
		case st.Agent != "":
			return with("", "agent", string(st.Agent))
		case st.What != "":
			return with("_number", "number", st.What)
		}
		return with("_customer", "", "")
	case acd.StepOutcome, acd.StepAction, acd.StepServed, acd.StepUnanswered, acd.StepClaim, acd.StepEnded:
		return with("_"+st.What, "", "")
	case acd.StepStage:
		if tier, ok := strings.CutPrefix(st.What, "tier "); ok {
			return with("_tier", "tier", tier)
		}
		return with("_skills", "skills", st.What)
	case acd.StepKept:
		if st.What == "not" {
			return with("_not", "", "")
		}
		return with("", "", "")
	case acd.StepTransfer, acd.StepConsult:
		course, target := st.Course()
		return with("_"+string(course), "target", target)
	case acd.StepPriority:
		return with("", "seconds", st.What)
	case acd.StepClosed:
		return with("", "hours", st.What)
	case acd.StepParked:
		return with("", "slot", st.What)
	case acd.StepJoined, acd.StepParted:
		return with("", "agent", st.What)
	case acd.StepMovedNode:
		return with("", "node", st.What)
	case acd.StepDisposed:
		return with("", "disposition", st.What)
	case acd.StepClosing:
		return with("", "end", st.What)
	case acd.StepAgent:
		return with("", "status", st.What)
	case acd.StepReversed:
		return with("", "number", st.What)
	case acd.StepQueued, acd.StepRinging, acd.StepBridged, acd.StepRequeue, acd.StepUnavailable, acd.StepTold, acd.StepReopened:
	case acd.StepTrunk: // of no call, and so in no call's story
	}
	return with("", "", "")
}

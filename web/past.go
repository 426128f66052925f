package web

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"centrala/internal/journal"
)

// Past is a call or chat as it is in the record.
type Past struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind" enum:"call,chat"`
	Direction   string    `json:"direction" enum:"in,out,internal"`
	Channel     string    `json:"channel,omitempty"`
	Trunk       string    `json:"trunk,omitempty"`
	Number      string    `json:"number" doc:"Called."`
	Caller      Party     `json:"caller"`
	CallerAgent string    `json:"caller_agent,omitempty" doc:"Who called, of our own."`
	FirstGroup  string    `json:"first_group,omitempty"`
	LastGroup   string    `json:"last_group,omitempty"`
	Arrived     time.Time `json:"arrived"`
	Answered    time.Time `json:"answered,omitzero" doc:"By whoever had it first."`
	Ended       time.Time `json:"ended,omitzero" doc:"Left out: it goes on."`
	End         string    `json:"end,omitempty"`
	Class       string    `json:"class,omitempty" doc:"Of a failure or rejection."`
	Agent       string    `json:"agent,omitempty" doc:"Who had it last."`
	Outside     string    `json:"outside,omitempty" doc:"The number outside that had it last."`
	Unanswered  bool      `json:"unanswered,omitempty" doc:"A chat that was so for too long."`
}

func viewPast(r *journal.Interaction) Past {
	return Past{
		ID: number(r.ID), Kind: r.Kind, Direction: r.Direction, Channel: string(r.Channel), Trunk: string(r.Trunk), Number: r.Number,
		Caller: Party{r.Caller, r.CallerName}, CallerAgent: string(r.CallerAgent), FirstGroup: string(r.FirstGroup), LastGroup: string(r.LastGroup),
		Arrived: clock(r.Arrived), Answered: clock(r.Answered), Ended: clock(r.Ended), End: string(r.End), Class: r.Class,
		Agent: string(r.ByAgent), Outside: r.ByNumber, Unanswered: r.Unanswered,
	}
}

// pastColumns are those of an export, in the order of pastRow.
func pastColumns() []string {
	return []string{
		"id", "kind", "direction", "channel", "trunk", "number", "caller", "caller_name", "caller_agent", "first_group", "last_group",
		"arrived", "answered", "ended", "end", "class", "agent", "outside",
	}
}

func pastRow(r *journal.Interaction) []string {
	at := func(m journal.Micros) string {
		if m == 0 {
			return ""
		}
		return clock(m).Format(time.RFC3339Nano)
	}
	row := []string{
		number(r.ID), r.Kind, r.Direction, string(r.Channel), string(r.Trunk), r.Number, r.Caller, r.CallerName, string(r.CallerAgent),
		string(r.FirstGroup), string(r.LastGroup), at(r.Arrived), at(r.Answered), at(r.Ended), string(r.End), r.Class, string(r.ByAgent), r.ByNumber,
	}
	for k, text := range row {
		row[k] = safe(text)
	}
	return row
}

// MissedCall is one that nobody answered, and what was done about it.
type MissedCall struct {
	Past
	Later *Later `json:"later,omitempty" doc:"How the customer was reached, or reached somebody, since then. Left out: not yet."`
	Tries int    `json:"tries" doc:"Calls to them since then that nobody answered."`
}

// Later is the first call or chat by which a customer whom nobody answered was reached.
type Later struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	By string    `json:"by,omitempty" doc:"The agent who called them. Left out: they came by themselves."`
}

// PastFacts is a call or chat with all that is known of it.
type PastFacts struct {
	Past
	Visits    []PastVisit    `json:"visits" nullable:"false" doc:"Its stays in groups."`
	Offers    []PastOffer    `json:"offers" nullable:"false"`
	Talks     []PastTalk     `json:"talks" nullable:"false" doc:"Who had it."`
	Remarks   []PastRemark   `json:"remarks" nullable:"false" doc:"What was written down about it besides the notes of the talks, the oldest first."`
	Holds     []PastHold     `json:"holds" nullable:"false"`
	Transfers []PastTransfer `json:"transfers" nullable:"false"`
	Legs      []PastLeg      `json:"legs" nullable:"false" doc:"Its ends that had audio, or ended."`
	Steps     []Step         `json:"steps" nullable:"false" doc:"What happened, and why. Once it has ended."`
	Omitted   int            `json:"omitted,omitempty" doc:"Steps left out of the middle of a very long story."`
}

type pastOut struct{ Body PastFacts }

// PastVisit is a stay in a group.
type PastVisit struct {
	Group    string    `json:"group"`
	Via      string    `json:"via" doc:"arrived, overflow, transfer, moved or requeue."`
	Entered  time.Time `json:"entered"`
	Left     time.Time `json:"left"`
	Outcome  string    `json:"outcome" doc:"answered, overflow, moved, forwarded, or the end of the call."`
	Agent    string    `json:"agent,omitempty"`
	Position int       `json:"position,omitempty" doc:"When it came to wait."`
	Promised time.Time `json:"promised,omitzero" doc:"When it was to be answered, as could be told then."`
}

// PastOffer is an offer that has ended.
type PastOffer struct {
	ID      string    `json:"id"`
	Group   string    `json:"group,omitempty"`
	Agent   string    `json:"agent,omitempty"`
	Number  string    `json:"number,omitempty" doc:"Outside, instead of an agent."`
	Kind    string    `json:"kind"`
	Made    time.Time `json:"made"`
	Ringing time.Time `json:"ringing,omitzero"`
	Ended   time.Time `json:"ended"`
	Outcome string    `json:"outcome"`
	Why     string    `json:"why,omitempty"`
	Code    int       `json:"code,omitempty"`
}

// PastTalk is a time in which somebody had it.
type PastTalk struct {
	Group       string    `json:"group,omitempty"`
	Agent       string    `json:"agent,omitempty"`
	Number      string    `json:"number,omitempty" doc:"Outside, instead of an agent."`
	Via         string    `json:"via" doc:"The kind of the offer."`
	Began       time.Time `json:"began"`
	Ended       time.Time `json:"ended"`
	Held        float64   `json:"held_seconds"`
	Holds       int       `json:"holds"`
	WrapUp      time.Time `json:"wrap_up,omitzero"`
	Wrapped     time.Time `json:"wrapped,omitzero"`
	Disposition string    `json:"disposition,omitempty"`
	Note        string    `json:"note,omitempty" doc:"Id of what the agent wrote down."`
	Text        string    `json:"note_text,omitempty" doc:"What the agent, or somebody for them, wrote down."`
	NoteBy      string    `json:"note_by,omitempty" doc:"Who wrote it."`
	NoteAt      time.Time `json:"note_at,omitzero"`
}

// PastRemark is what somebody wrote down about an agent's talk without telling what came of it, or before that was told anew.
type PastRemark struct {
	ID    string    `json:"id"`
	Agent string    `json:"agent" doc:"Whose talk."`
	Text  string    `json:"text"`
	By    string    `json:"by" doc:"Who wrote it."`
	At    time.Time `json:"at"`
}

// PastHold is a time in which the customer was on hold.
type PastHold struct {
	Talk  int       `json:"talk" doc:"Which of the talks, from 1."`
	Kind  string    `json:"kind"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

// PastTransfer is something that was done to have somebody else deal with it.
type PastTransfer struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	By      string    `json:"by,omitempty"`
	Target  string    `json:"target,omitempty"`
	Outcome string    `json:"outcome"`
	Why     string    `json:"why,omitempty"`
}

// PastLeg is an end of the call, and how its audio was.
type PastLeg struct {
	Leg       string    `json:"leg"`
	Agent     string    `json:"agent,omitempty"`
	Number    string    `json:"number,omitempty"`
	Ended     time.Time `json:"ended"`
	Cause     string    `json:"cause"`
	Code      int       `json:"code,omitempty"`
	Codec     string    `json:"codec,omitempty"`
	SRTP      string    `json:"srtp,omitempty"`
	In        Audio     `json:"in" doc:"From the far end to us."`
	Out       Audio     `json:"out" doc:"From us to the far end, as it reported."`
	RoundTrip float64   `json:"round_trip_seconds,omitempty"`
}

func viewFacts(f *journal.Facts) PastFacts {
	out := PastFacts{
		Past: viewPast(&f.Interaction), Visits: []PastVisit{}, Offers: []PastOffer{}, Talks: []PastTalk{}, Holds: []PastHold{},
		Transfers: []PastTransfer{}, Legs: []PastLeg{}, Steps: viewSteps(f.Steps), Omitted: f.Omitted, Remarks: remarksOf(f),
	}
	for _, v := range f.Visits {
		out.Visits = append(out.Visits, PastVisit{string(v.Group), v.Via, clock(v.Entered), clock(v.Left), v.Outcome, string(v.Agent), v.Position, clock(v.Promised)})
	}
	for _, o := range f.Offers {
		out.Offers = append(out.Offers, PastOffer{
			number(o.ID), string(o.Group), string(o.Agent), o.Number, o.Kind, clock(o.Made), clock(o.Ringing), clock(o.Ended), string(o.Outcome), o.Why, o.Code,
		})
	}
	for _, t := range f.Talks {
		talk := PastTalk{
			string(t.Group), string(t.Agent), t.Number, t.Via, clock(t.Began), clock(t.Ended), seconds(t.Held), t.Holds,
			clock(t.WrapUp), clock(t.Wrapped), t.Disposition, "", "", "", time.Time{},
		}
		if t.Note != 0 {
			n := f.Notes[t.Note]
			talk.Note, talk.Text, talk.NoteBy, talk.NoteAt = strconv.FormatInt(t.Note, 10), n.Text, n.By, clock(n.At)
		}
		out.Talks = append(out.Talks, talk)
	}
	for _, h := range f.Holds {
		out.Holds = append(out.Holds, PastHold{h.Talk, h.Kind, clock(h.Began), clock(h.Ended)})
	}
	for _, t := range f.Transfers {
		out.Transfers = append(out.Transfers, PastTransfer{clock(t.At), t.Kind, string(t.By), t.Target, t.Outcome, t.Why})
	}
	for _, l := range f.Legs {
		m := viewAudio(&l.Media)
		out.Legs = append(out.Legs, PastLeg{
			string(l.Leg), string(l.Agent), l.Number, clock(l.Ended), string(l.Cause), l.Code, m.Codec, m.SRTP,
			m.In, m.Out, m.RoundTrip,
		})
	}
	return out
}

// remarksOf are the notes that belong to no talk.
func remarksOf(f *journal.Facts) []PastRemark {
	out := []PastRemark{}
	for id, n := range f.Notes {
		if !slices.ContainsFunc(f.Talks, func(t journal.Talk) bool { return t.Note == id }) {
			out = append(out, PastRemark{strconv.FormatInt(id, 10), string(n.Agent), n.Text, n.By, clock(n.At)})
		}
	}
	slices.SortFunc(out, func(a, b PastRemark) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}

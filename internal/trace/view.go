package trace

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Trace is everything that is remembered of a call, or of an interaction with all
// its calls, in order of time.
type Trace struct {
	Interactions []uint64 `json:"interactions,omitempty"`
	Calls        []string `json:"calls,omitempty"` // ids of the callers' legs
	Parties      []Party  `json:"parties,omitempty"`
	Omitted      int      `json:"omitted,omitempty"` // entries left out of the middle for want of room
	Entries      []Entry  `json:"entries"`
}

// Entry is one thing that happened.
type Entry struct {
	At    time.Time `json:"at"`
	Kind  Kind      `json:"kind"`
	Index uint64    `json:"index,omitempty"` // of the log
	Leg   string    `json:"leg,omitempty"`
	Text  string    `json:"text"` // the first line of a message
	// Data is what was put into words, as the core writes it down, where there is such a form.
	Data json.RawMessage `json:"data,omitempty"`

	// The rest is of messages only.
	Sent    bool            `json:"sent,omitempty"` // by us
	Network string          `json:"network,omitempty"`
	Local   *netip.AddrPort `json:"local,omitempty"`
	Remote  *netip.AddrPort `json:"remote,omitempty"`
	CallID  string          `json:"sip_call_id,omitempty"`
	From    string          `json:"from,omitempty"`
	To      string          `json:"to,omitempty"`
	CSeq    string          `json:"cseq,omitempty"`
	SDP     string          `json:"sdp,omitempty"` // its audio in a few words
	Message string          `json:"message,omitempty"`
	Raw     []byte          `json:"raw,omitempty"` // Message as it is, where that is not UTF-8
	order   int
}

// Summary is one line of the list of calls.
type Summary struct {
	Call         string    `json:"call"`
	Interactions []uint64  `json:"interactions,omitempty"`
	Began        time.Time `json:"began"`
	Over         bool      `json:"over"`
	CallID       string    `json:"sip_call_id"`
	Who          string    `json:"who"`
	From         string    `json:"from,omitempty"`
	To           string    `json:"to,omitempty"`
}

// Find gives the trace of a call by the id of an interaction, of a leg or call, or
// of a SIP dialog (Call-ID). False: nothing is remembered of it.
func (r *Recorder) Find(id string) (Trace, bool) {
	r.mu.Lock()
	calls := r.related(id)
	if len(calls) == 0 {
		d := r.dialogs[id]
		if d == nil {
			r.mu.Unlock()
			return Trace{}, false
		}
		messages, omitted := slices.Clone(d.messages), d.omitted
		r.mu.Unlock()
		t := Trace{Omitted: omitted}
		for _, m := range messages {
			t.Entries = append(t.Entries, entryOf(m, id, ""))
		}
		return t, true
	}
	t, pieces, notes := Trace{}, []piece(nil), []Note(nil)
	for _, c := range calls {
		t.Calls = append(t.Calls, c.id)
		t.Parties = append(t.Parties, c.parties...)
		t.Interactions = append(t.Interactions, c.items...)
		t.Omitted += c.omitted
		notes = append(notes, c.notes...)
		for _, d := range c.dialogs {
			t.Omitted += d.omitted
			pieces = append(pieces, piece{d.id, slices.Clone(d.messages)})
		}
	}
	r.mu.Unlock()
	slices.Sort(t.Interactions)
	t.Interactions = slices.Compact(t.Interactions)
	for _, p := range pieces {
		leg := ""
		if i := slices.IndexFunc(t.Parties, func(x Party) bool { return x.CallID == p.callID }); i >= 0 {
			leg = t.Parties[i].Leg
		}
		for _, m := range p.messages {
			t.Entries = append(t.Entries, entryOf(m, p.callID, leg))
		}
	}
	t.Entries = append(t.Entries, entriesOf(notes)...)
	inOrder(t.Entries)
	return t, true
}

type piece struct {
	callID   string
	messages []Message
}

// related finds the calls that an id means, with those that share an interaction with one of them.
func (r *Recorder) related(id string) (calls []*call) {
	add := func(c *call) {
		if c != nil && !slices.Contains(calls, c) {
			calls = append(calls, c)
		}
	}
	if item, err := strconv.ParseUint(id, 10, 64); err == nil {
		for _, c := range r.byItem[item] {
			add(c)
		}
	}
	root, _, _ := strings.Cut(id, ".")
	add(r.calls[root])
	if d := r.dialogs[id]; d != nil {
		add(d.call)
	}
	for _, c := range slices.Clone(calls) {
		for _, item := range c.items {
			for _, other := range r.byItem[item] {
				add(other)
			}
		}
	}
	return calls
}

// entriesOf puts notes into words. One of the core that was stored with two calls is told once.
func entriesOf(notes []Note) (list []Entry) {
	type key struct {
		index uint64
		kind  Kind
		text  string
	}
	told := map[key]bool{}
	for _, n := range notes {
		e := Entry{At: n.At, Kind: n.Kind, Index: n.Index, Leg: n.Leg, Text: n.What.String()}
		k := key{n.Index, n.Kind, e.Text}
		if n.Index != 0 && told[k] {
			continue
		}
		told[k] = true
		if m, ok := n.What.(json.Marshaler); ok {
			if data, err := m.MarshalJSON(); err == nil {
				e.Data = data
			}
		}
		list = append(list, e)
	}
	return list
}

func inOrder(list []Entry) {
	for i := range list {
		list[i].order = slices.Index([]Kind{KindMessage, KindMedia, KindFact, KindDecision, KindCommand}, list[i].Kind)
	}
	slices.SortStableFunc(list, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Index, b.Index), cmp.Compare(a.order, b.order))
	})
}

// Recent gives the latest messages that belong to no call, oldest first: REGISTER,
// OPTIONS, SUBSCRIBE, and calls of strangers that were refused. from, if valid, is
// the only far address to show.
func (r *Recorder) Recent(from netip.Addr, limit int) Trace {
	r.mu.Lock()
	var pieces []piece
	for e := r.strays.Back(); e != nil && len(pieces) < limit; e = e.Prev() {
		d := e.Value.(*dialog)
		if !from.IsValid() || slices.ContainsFunc(d.messages, func(m Message) bool { return m.Remote.Addr() == from }) {
			pieces = append(pieces, piece{d.id, slices.Clone(d.messages)})
		}
	}
	r.mu.Unlock()
	t := Trace{Entries: []Entry{}}
	for _, p := range pieces {
		for _, m := range p.messages {
			if !from.IsValid() || m.Remote.Addr() == from {
				t.Entries = append(t.Entries, entryOf(m, p.callID, ""))
			}
		}
	}
	inOrder(t.Entries)
	t.Entries = t.Entries[max(0, len(t.Entries)-limit):]
	return t
}

// Calls lists the latest calls, the newest first.
func (r *Recorder) Calls(limit int) []Summary {
	r.mu.Lock()
	out := make([]Summary, 0, len(r.calls))
	first := make([]Message, 0, len(r.calls))
	for _, c := range r.calls {
		if len(c.dialogs) == 0 || len(c.dialogs[0].messages) == 0 {
			continue
		}
		out = append(out, Summary{Call: c.id, Interactions: slices.Clone(c.items), Over: c.over,
			CallID: c.parties[0].CallID, Who: c.parties[0].Who, Began: c.dialogs[0].messages[0].At})
		first = append(first, c.dialogs[0].messages[0])
	}
	r.mu.Unlock()
	for i := range out {
		e := entryOf(first[i], "", "")
		out[i].From, out[i].To = e.From, e.To
	}
	slices.SortFunc(out, func(a, b Summary) int { return b.Began.Compare(a.Began) })
	return out[:min(limit, len(out))]
}

func entryOf(m Message, callID, leg string) Entry {
	e := Entry{At: m.At, Kind: KindMessage, Leg: leg, CallID: callID, Sent: m.Sent, Network: m.Network,
		Local: &m.Local, Remote: &m.Remote, Message: strings.ToValidUTF8(string(m.Data), "\uFFFD")}
	if !utf8.Valid(m.Data) {
		e.Raw = m.Data
	}
	head, body, _ := bytes.Cut(m.Data, []byte("\r\n\r\n"))
	lines := bytes.Split(head, lineEnd)
	e.Text = plain(lines[0])
	for _, line := range lines[1:] {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch strings.ToLower(string(bytes.TrimSpace(name))) {
		case "from", "f":
			e.From = plain(bytes.TrimSpace(value))
		case "to", "t":
			e.To = plain(bytes.TrimSpace(value))
		case "cseq":
			e.CSeq = plain(bytes.TrimSpace(value))
		}
	}
	e.SDP = summary(body)
	return e
}

// plain keeps what a terminal would take for more than text away from it.
func plain(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(string(b), "\uFFFD"))
}

// summary tells the audio of a session description: where to, which formats,
// which direction. Empty: the body is none.
func summary(body []byte) string {
	if !bytes.HasPrefix(body, []byte("v=0")) {
		return ""
	}
	address, media, direction := "", "", "sendrecv"
	names := map[string]string{"0": "PCMU", "8": "PCMA", "9": "G722", "13": "CN", "18": "G729"}
	var formats []string
	for line := range strings.SplitSeq(string(body), "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case strings.HasPrefix(line, "c="):
			f := strings.Fields(line)
			address = f[len(f)-1]
		case strings.HasPrefix(line, "m=") && media == "":
			if f := strings.Fields(line[2:]); len(f) >= 3 {
				media = f[1] + " " + f[2]
				formats = f[3:]
			}
		case strings.HasPrefix(line, "a=rtpmap:"):
			pt, name, _ := strings.Cut(line[len("a=rtpmap:"):], " ")
			names[pt], _, _ = strings.Cut(name, "/")
		case line == "a=sendonly", line == "a=recvonly", line == "a=inactive":
			direction = line[2:]
		}
	}
	for i, pt := range formats {
		if name := names[pt]; name != "" {
			formats[i] = name
		}
	}
	port, profile, _ := strings.Cut(media, " ")
	return plain([]byte(strings.Join(slices.DeleteFunc([]string{address + ":" + port, profile, strings.Join(formats, ","), direction},
		func(s string) bool { return s == "" }), " ")))
}

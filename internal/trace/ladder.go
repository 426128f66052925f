package trace

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Ladder writes a trace for people: who the legs are, then a line for each entry
// with the seconds since the first. Messages are arrows between a leg and us: the
// first leg is left of the line that stands for us, the others are right of it.
// Where whole is set, each message follows in full.
func Ladder(w io.Writer, t Trace, whole bool) error {
	p := &printer{w: w}
	for _, item := range t.Interactions {
		p.f("interaction %d\n", item)
	}
	letters := map[string]string{}
	for i, party := range t.Parties {
		letters[party.Leg] = letter(i)
		p.f("%3s  %s, leg %s, Call-ID %s\n", letter(i), party.Who, party.Leg, party.CallID)
	}
	if len(t.Entries) == 0 {
		p.f("nothing\n")
		return p.err
	}
	first := t.Entries[0].At
	p.f("first entry %s\n", first.Local().Format("2006-01-02 15:04:05.000 MST"))
	if t.Omitted > 0 {
		p.f("%d entries were left out of the middle\n", t.Omitted)
	}
	for _, e := range t.Entries {
		p.f("%9.3f  %s\n", e.At.Sub(first).Seconds(), line(e, letters))
		if whole && e.Message != "" {
			for l := range strings.SplitSeq(strings.TrimRight(e.Message, "\r\n"), "\n") {
				p.f("             | %s\n", plain([]byte(strings.TrimRight(l, "\r"))))
			}
		}
	}
	return p.err
}

// printer remembers the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// letter names the nth party: A to Z, then A1 and so on.
func letter(n int) string {
	name := string(rune('A' + n%26))
	if n >= 26 {
		name += fmt.Sprint(n / 26)
	}
	return name
}

func line(e Entry, letters map[string]string) string {
	if e.Kind != KindMessage {
		who := letters[e.Leg]
		if e.Leg != "" && who != "" {
			who += ": "
		}
		return fmt.Sprintf("%14s %-8s  %s%s", "|", e.Kind, who, e.Text)
	}
	text := strings.TrimPrefix(e.Text, "SIP/2.0 ")
	text = strings.TrimSuffix(text, " SIP/2.0")
	if e.SDP != "" {
		text += "  [" + e.SDP + "]"
	}
	name := letters[e.Leg]
	if name == "" {
		return fmt.Sprintf("%-6s %-22s %s  from %s to %s", arrow(e.Sent), e.Network+" "+e.Remote.String(), text, withHost(party(e.From)), withHost(party(e.To)))
	}
	if name == "A" {
		shaft := "------->"
		if e.Sent {
			shaft = "<-------"
		}
		return fmt.Sprintf("%4s %s |                %s", name, shaft, text)
	}
	shaft := "<-------"
	if e.Sent {
		shaft = "------->"
	}
	return fmt.Sprintf("%14s %s %-4s  %s", "|", shaft, name, text)
}

func arrow(sent bool) string {
	if sent {
		return "to"
	}
	return "from"
}

// List writes the list of calls for people.
func List(w io.Writer, calls []Summary) error {
	p := &printer{w: w}
	if len(calls) == 0 {
		p.f("no call is remembered\n")
	}
	for _, c := range calls {
		state := "goes on"
		if c.Over {
			state = "over"
		}
		items := make([]string, len(c.Interactions))
		for i, item := range c.Interactions {
			items[i] = fmt.Sprint(item)
		}
		p.f("%s  interaction %-8s %-8s %s, from %s to %s, Call-ID %s\n", c.Began.Local().Format(time.DateTime), strings.Join(items, ","),
			state, c.Who, short(party(c.From)), short(party(c.To)), c.CallID)
	}
	return p.err
}

// party is whom a From or To means: the number or name, empty where it has none, and
// the host. What cannot be read is the host as it is.
func party(address string) (user, host string) {
	uri := address
	if at := strings.LastIndexByte(uri, '<'); at >= 0 {
		uri, _, _ = strings.Cut(uri[at+1:], ">")
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return "", address
	}
	user, host, ok = strings.Cut(rest, "@")
	if !ok {
		user, host = "", rest
		if strings.EqualFold(scheme, "tel") {
			user, host = rest, ""
		}
	}
	user, _, _ = strings.Cut(user, ";")
	host, _, _ = strings.Cut(host, ";")
	if name, err := url.PathUnescape(user); err == nil {
		user = plain([]byte(name))
	}
	return user, host
}

// short is a party as the log names it.
func short(user, host string) string {
	if user == "" {
		return host
	}
	return user
}

// withHost is a party with the host, which matters where a message fits nothing here.
func withHost(user, host string) string {
	if user == "" || host == "" {
		return user + host
	}
	return user + "@" + host
}

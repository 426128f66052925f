package app

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"centrala/acd"
	"centrala/configs"
	"centrala/queuegroups"
)

// ExplainOptions is a question to Explain.
type ExplainOptions struct {
	Config string // a file; empty: the embedded sample
	From   string // the caller's number; empty: withheld
	To     string // a number or an extension
	At     string // "2026-12-24 18:30", "18:30" (today) or RFC 3339; empty: now
	Away   []string
}

// Explain writes what would become of a call at a time, and why, by the rules of
// the core itself. No call is made and no server need run: every agent who is not
// away is taken to be at work with a phone that rings, and nobody answers. The
// error is ErrBadConfig, or ErrUsage for a bad question.
func Explain(o ExplainOptions, out io.Writer) error {
	_, config, err := configs.InspectAll(o.Config)
	if err != nil {
		return badConfig(err)
	}
	q, err := question(config, o)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	away := make([]queuegroups.AgentID, 0, len(o.Away))
	for _, name := range o.Away {
		id := queuegroups.AgentID(name)
		if config.Agent(id) == nil {
			return fmt.Errorf("%w: --away: there is no agent %q", ErrUsage, name)
		}
		away = append(away, id)
	}
	e := acd.Rehearsal(config, q.At, away).Explain(q)
	fmt.Fprintf(out, "%s calls %s on %s\n", cmp.Or(q.From.Number, "somebody"), q.To, q.At.Format("Monday 2006-01-02 15:04 MST"))
	if agent, group := config.ByExtension(q.To); (agent != nil || group != nil) && config.Number(q.To) == nil {
		fmt.Fprintf(out, "          %s is an extension: only agents reach it, and this is a caller from outside; ask for a number\n", q.To)
	}
	for _, st := range e.Steps {
		if words := sentence(st); words != "" {
			fmt.Fprintf(out, "%8s  %s\n", st.At.Sub(q.At).Round(100*time.Millisecond), words)
		}
	}
	if e.End == nil {
		fmt.Fprintln(out, "          … and so on: the call waits until somebody answers")
	}
	return nil
}

// question reads the options. Times are those of the number's hours, where it has some.
func question(config *queuegroups.Config, o ExplainOptions) (q acd.Question, err error) {
	q.To = o.To
	if agent, group := config.ByExtension(o.To); agent == nil && group == nil {
		if q.To, err = queuegroups.Normalize(o.To, config.Region); err != nil {
			return q, fmt.Errorf("--to: %w", err)
		}
	}
	var hours *queuegroups.Hours
	if n := config.Number(q.To); n != nil {
		q.Trunk, hours = n.Trunk, config.HoursOf(n.Hours)
	}
	if o.From != "" {
		if q.From.Number, err = queuegroups.Normalize(o.From, config.Region); err != nil {
			return q, fmt.Errorf("--from: %w", err)
		}
	}
	now := time.Now()
	if hours != nil {
		now = now.In(hours.Location())
	}
	if q.At, err = readTime(o.At, now); err != nil {
		return q, fmt.Errorf("--at: %w", err)
	}
	if hours != nil {
		q.At = q.At.In(hours.Location())
	}
	return q, nil
}

// readTime reads a time of the command line; what it does not say is as now.
func readTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", text, now.Location()); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("15:04", text, now.Location()); err == nil {
		return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location()), nil
	}
	return time.Time{}, fmt.Errorf(`%q is not a time such as "2026-12-24 18:30", 18:30 or 2026-12-24T18:30:00+01:00`, text)
}

// sentence tells a step to an admin; empty: it goes without saying.
func sentence(st acd.Step) string {
	why := ""
	if st.Why != "" {
		why = ": " + st.Why
	}
	choice := ""
	if st.Choice != nil {
		choice = " (" + st.Choice.String() + ")"
	}
	switch st.Kind {
	case acd.StepArrived:
		if st.Group == "" {
			return "nobody knows the number " + st.What
		}
		return "the call arrives in the group " + string(st.Group)
	case acd.StepQueued:
		return "nobody can be rung, the caller waits with music" + choice
	case acd.StepOffer:
		if st.Agent == "" {
			return st.What + " is called" + why + choice
		}
		return string(st.Agent) + " is rung" + why + choice
	case acd.StepRinging:
		return ""
	case acd.StepOutcome:
		return cmp.Or(string(st.Agent), "the number") + ": " + spaced(st.What) + why
	case acd.StepAction:
		return "nobody answered, so: " + spaced(st.What) + why + choice
	case acd.StepEnded:
		return "the call ends: " + spaced(st.What) + why
	default:
		words := []string{spaced(string(st.Kind)), string(st.Group), string(st.Agent), spaced(st.What)}
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		return strings.Join(words, " ") + why + choice
	}
}

func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

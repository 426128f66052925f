package acd_test

import (
	"fmt"
	"slices"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// doQueue runs the lines about queues and hours; false: it is none.
func (r *script) doQueue(verb string, args []string) bool {
	switch verb {
	case "hours": // hours ID open|closed|auto [until DURATION]
		state := acd.HoursState(args[1])
		if args[1] == "auto" {
			state = acd.HoursAuto
		}
		e := &acd.HoursForced{Hours: queuegroups.HoursID(args[0]), State: state}
		if k := slices.Index(args, "until"); k > 0 {
			d, err := time.ParseDuration(args[k+1])
			if err != nil {
				r.t.Fatal(err)
			}
			e.Until = r.start.Add(d)
		}
		r.apply(e)
	case "expect": // expect LEG: what its caller can be told
		for _, i := range r.s.Interactions() {
			if i.Leg == acd.LegID(args[0]) {
				e, ok := r.s.Expect(i.ID, r.now)
				fmt.Fprintf(&r.out, "  %s: %v position %d, wait %s, known %v, assumed %v, overdue %v\n", i.Leg, ok, e.Position, e.Wait.Round(time.Second), e.Known, e.Assumed, e.Overdue)
			}
		}
	case "conditions":
		for _, g := range r.s.Groups() {
			fmt.Fprintf(&r.out, "  %s: %s since %s, handling takes %s, promises %+v\n", g.ID, g.Condition, r.since(g.Since), g.Handle, g.Promises)
		}
		for _, h := range r.s.Hours() {
			fmt.Fprintf(&r.out, "  %s: open %v forced %q until %s\n", h.ID, h.Open, h.Forced, r.since(h.Until))
		}
	default:
		return false
	}
	return true
}

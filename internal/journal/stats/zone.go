package stats

import (
	"fmt"
	"strings"
	"time"
)

const (
	second  = int64(1_000_000) // in microseconds, as all times here
	hour    = 3600 * second
	day     = 24 * hour
	weekday = 3 // 1970-01-01 was a Thursday, the third day after a Monday
)

// season is a time with one offset of the local time from UTC.
type season struct {
	from   int64 // µs
	offset int64 // µs
}

// zone is the local time within a range: its seasons, in order. The first one is
// also for what is before it.
type zone []season

// offsets finds the changes of a zone's offset within a range.
func offsets(loc *time.Location, from, till time.Time) zone {
	offset := func(t time.Time) int64 {
		_, s := t.In(loc).Zone()
		return int64(s) * second
	}
	z := zone{{from.UnixMicro(), offset(from)}}
	const step = 6 * time.Hour // no zone changes twice within it
	for t := from; t.Before(till); t = t.Add(step) {
		next := t.Add(step)
		if offset(next) == z[len(z)-1].offset {
			continue
		}
		low, high := t.Unix(), next.Unix() // the change is behind low, and not behind high
		for high-low > 1 {
			if mid := (low + high) / 2; offset(time.Unix(mid, 0)) == z[len(z)-1].offset {
				low = mid
			} else {
				high = mid
			}
		}
		z = append(z, season{high * second, offset(next)})
	}
	return z
}

// at is the season of a time.
func (z zone) at(t int64) (k int) {
	for k+1 < len(z) && z[k+1].from <= t {
		k++
	}
	return k
}

// offset is that of a column, as SQL.
func (z zone) offset(column string) string {
	if len(z) == 1 {
		return fmt.Sprint(z[0].offset)
	}
	var b strings.Builder
	b.WriteString("case")
	for k := 1; k < len(z); k++ {
		fmt.Fprintf(&b, " when %s < %d then %d", column, z[k].from, z[k-1].offset)
	}
	fmt.Fprintf(&b, " else %d end", z[len(z)-1].offset)
	return b.String()
}

// unit is how long an interval of a dimension of time is; 0: it is none.
func (q *Query) unit(d Dimension) int64 {
	switch d {
	case ByHour:
		return hour
	case ByWeekday, ByDay:
		return day
	case ByInterval:
		return q.Interval.Microseconds()
	default:
		return 0
	}
}

// key is a column's interval of a dimension of time, as SQL: see cell for the numbers.
func (r *running) key(d Dimension, column string) string {
	offset := r.zone.offset(column)
	local := fmt.Sprintf("(%s + %s)", column, offset)
	switch d {
	case ByHour:
		return fmt.Sprintf("%s / %d %% 24", local, hour)
	case ByWeekday:
		return fmt.Sprintf("(%s / %d + %d) %% 7", local, day, weekday)
	case ByDay:
		return fmt.Sprintf("%s / %d", local, day)
	default:
		unit := r.q.unit(d)
		return fmt.Sprintf("%s / %d * %d - (%s)", local, unit, unit, offset)
	}
}

// keyAt is the same of a time.
func (r *running) keyAt(d Dimension, t int64) int64 {
	offset := r.zone[r.zone.at(t)].offset
	local := t + offset
	switch d {
	case ByHour:
		return local / hour % 24
	case ByWeekday:
		return (local/day + weekday) % 7
	case ByDay:
		return local / day
	default:
		unit := r.q.unit(d)
		return local/unit*unit - offset
	}
}

// next is where the shortest of the intervals ends that a time is in.
func (r *running) next(t int64) int64 {
	k := r.zone.at(t)
	local := t + r.zone[k].offset
	end := r.q.Till.UnixMicro()
	for _, d := range r.q.By {
		if unit := r.q.unit(d); unit > 0 {
			end = min(end, t+unit-local%unit)
		}
	}
	if k+1 < len(r.zone) {
		end = min(end, r.zone[k+1].from)
	}
	return end
}

// cell is a part of a key as the database gives it: a text, or the number of an
// interval: an hour, a weekday from 0, days since 1970, microseconds since 1970.
type cell struct {
	name   string
	number int64
}

func (c cell) text(d Dimension) string {
	switch d {
	case ByHour:
		return fmt.Sprintf("%02d", c.number)
	case ByWeekday:
		return fmt.Sprint(c.number + 1)
	case ByDay:
		return time.Unix(c.number*86400, 0).UTC().Format(time.DateOnly)
	case ByInterval:
		return time.UnixMicro(c.number).UTC().Format(time.RFC3339)
	default:
		return c.name
	}
}

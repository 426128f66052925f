package queuegroups

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
	_ "time/tzdata" // so that time zones are known on machines without them
)

// Hours is a calendar of opening hours (R61). Times are those of the clock on
// the wall in TimeZone: when the clock is put forward an interval is that much
// shorter, when it is put back that much longer.
type Hours struct {
	ID       HoursID `json:"id"`
	TimeZone string  `json:"timezone"` // IANA name
	// Week holds the intervals that begin on each day, by time.Weekday, in order of time.
	Week     [7][]Interval `json:"week"`
	Holidays []Date        `json:"holidays,omitempty"`

	zone *time.Location // of TimeZone; nil in a value that was not loaded
}

// Interval is a time of the day from From up to but not including To, in
// minutes after midnight. From is 0 to 1439; To is greater than From and at
// most From+1440: beyond 1440 it lies on the next day.
type Interval struct {
	From int `json:"from"`
	To   int `json:"to"`
}

const minutesPerDay = 24 * 60

// String gives the interval as in YAML: "22:00-06:00".
func (i Interval) String() string {
	to := i.To
	if to > minutesPerDay {
		to -= minutesPerDay
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", i.From/60, i.From%60, to/60, to%60)
}

// Date is a day of the calendar; Year 0 means each year.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String gives the date as in YAML: "2026-12-25", or "12-25" for each year.
func (d Date) String() string {
	if d.Year == 0 {
		return fmt.Sprintf("%02d-%02d", int(d.Month), d.Day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText gives the date as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what String gives.
func (d *Date) UnmarshalText(text []byte) error {
	date, err := ParseDate(string(text))
	if err == nil {
		*d = date
	}
	return err
}

// ParseDate reads "2026-12-25", or "12-25" for each year.
func ParseDate(text string) (Date, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil && t.Year() > 0 {
		return Date{t.Year(), t.Month(), t.Day()}, nil
	}
	// 2000 was a leap year, so that 02-29 is a date.
	if t, err := time.Parse(time.DateOnly, "2000-"+text); err == nil {
		return Date{0, t.Month(), t.Day()}, nil
	}
	return Date{}, fmt.Errorf("%q is not a date such as 2026-12-25, or 12-25 for each year", text)
}

func (d Date) compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// Open tells whether the hours are open at an instant. A holiday closes its
// whole date, and with it the rest of the interval that began on it or that
// would run into it over midnight. Hours whose time zone is unknown, which Load
// never gives, are read in UTC.
func (h *Hours) Open(at time.Time) bool {
	local := at.In(h.Location())
	minute := local.Hour()*60 + local.Minute()
	// Days are reckoned in UTC, where each has a noon: a zone may lack even a midnight.
	today := time.Date(local.Year(), local.Month(), local.Day(), 12, 0, 0, 0, time.UTC)
	if h.holiday(today) {
		return false
	}
	for _, i := range h.Week[today.Weekday()] {
		if i.From <= minute && minute < i.To {
			return true
		}
	}
	yesterday := today.AddDate(0, 0, -1)
	for _, i := range h.Week[yesterday.Weekday()] {
		if minute+minutesPerDay < i.To {
			return !h.holiday(yesterday)
		}
	}
	return false
}

// Location is the time zone of the hours; UTC if it is unknown, which Load never gives.
func (h *Hours) Location() *time.Location {
	if h.zone != nil {
		return h.zone
	}
	zone, err := time.LoadLocation(h.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (h *Hours) holiday(day time.Time) bool {
	date := Date{day.Year(), day.Month(), day.Day()}
	for _, d := range h.Holidays {
		if d == date || d.Year == 0 && d.Month == date.Month && d.Day == date.Day {
			return true
		}
	}
	return false
}

// UnmarshalJSON reads what encoding/json wrote, and finds the time zone once.
func (h *Hours) UnmarshalJSON(data []byte) error {
	type plain Hours
	if err := json.Unmarshal(data, (*plain)(h)); err != nil {
		return err
	}
	zone, err := time.LoadLocation(h.TimeZone)
	if err != nil {
		return fmt.Errorf("hours %s: %w", h.ID, err)
	}
	h.zone = zone
	return nil
}

// nextWithin is how far Next looks ahead, in days: a calendar with nothing but
// one holiday's closing a year changes within it.
const nextWithin = 367

// Next returns the first instant after at when the hours open or close; false:
// not within a year.
func (h *Hours) Next(at time.Time) (change time.Time, ok bool) {
	open := h.Open(at)
	zone := h.Location()
	local := at.In(zone)
	for day := -1; day <= nextWithin; day++ {
		for _, c := range h.edges(local.Year(), local.Month(), local.Day()+day, zone) {
			if c.After(at) && h.Open(c) != open && (!ok || c.Before(change)) {
				change, ok = c, true
			}
		}
		if ok && day > 0 { // an edge of the next day may come before one found on this, where the clock is put back
			return change, true
		}
	}
	return change, ok
}

// edges are the instants of a day at which the hours may open or close: where
// intervals begin and end, midnight, and where the clock is changed. A time of
// the clock that comes twice, or not at all, stands for the instants around it.
func (h *Hours) edges(year int, month time.Month, day int, zone *time.Location) []time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, zone)
	minutes := []int{0}
	for _, week := range h.Week {
		for _, i := range week {
			minutes = append(minutes, i.From, i.To%minutesPerDay)
		}
	}
	var out []time.Time
	for _, m := range minutes {
		c := time.Date(year, month, day, 0, m, 0, 0, zone)
		for _, off := range []time.Duration{-time.Hour, -30 * time.Minute, 0, 30 * time.Minute, time.Hour} {
			out = append(out, c.Add(off))
		}
	}
	if _, end := midnight.ZoneBounds(); !end.IsZero() && end.Sub(midnight) < 48*time.Hour {
		out = append(out, end)
	}
	return out
}

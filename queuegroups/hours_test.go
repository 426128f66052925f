package queuegroups

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func hoursOf(t *testing.T, yaml string) *Hours {
	t.Helper()
	c, err := Load(options(File{"hours.yaml", []byte("hours: {h: " + yaml + "}")}))
	if err != nil {
		t.Fatal(err)
	}
	return c.HoursOf("h")
}

func TestHours_Open(t *testing.T) {
	const (
		office = `{timezone: Europe/Warsaw, open: {mon-fri: ["08:00-13:00", "14:00-18:00"], "sat,sun": 10:00-12:00}, holidays: [2026-12-24, 12-25, 2026-06-04]}`
		night  = `{timezone: Europe/Warsaw, open: {mon: 22:00-06:00, sat: 20:00-24:00, sun: 00:00-02:00}}`
		always = `{timezone: America/New_York, open: {mon-sun: 00:00-24:00}, holidays: 07-04}`
		nights = `{timezone: Europe/Warsaw, open: {mon-sun: 22:00-06:00}, holidays: [2026-12-25, 02-29]}`
		early  = `{timezone: Europe/Warsaw, open: {sun: "02:30-06:00"}}`
		never  = `{timezone: UTC, open: {}}`
		// In 2018 the clock in São Paulo went from 2018-11-03T24:00 to 2018-11-04T01:00.
		brazil = `{timezone: America/Sao_Paulo, open: {sat: "22:00-02:00", sun: "22:00-02:00"}, holidays: 2018-11-05}`
		round  = `{timezone: UTC, open: {sat-mon: 22:00-06:00}}`
	)
	for _, test := range []struct {
		hours, at string
		open      bool
	}{
		// Monday 2026-11-23; the clock in Warsaw is an hour ahead of UTC.
		{office, "2026-11-23T08:00:00+01:00", true},
		{office, "2026-11-23T07:59:59.999+01:00", false},
		{office, "2026-11-23T12:59:59.999+01:00", true},
		{office, "2026-11-23T13:00:00+01:00", false},
		{office, "2026-11-23T13:30:00+01:00", false},
		{office, "2026-11-23T14:00:00+01:00", true},
		{office, "2026-11-23T18:00:00+01:00", false},
		{office, "2026-11-23T16:59:59Z", true},
		{office, "2026-11-23T17:00:00Z", false},
		{office, "2026-11-21T11:00:00+01:00", true},
		{office, "2026-11-21T09:00:00+01:00", false},
		{office, "2026-11-22T10:00:00+01:00", true},
		// In summer it is two hours ahead.
		{office, "2026-07-06T06:00:00Z", true},
		{office, "2026-07-06T05:59:59Z", false},
		// Holidays, of one year and of each.
		{office, "2026-12-24T10:00:00+01:00", false},
		{office, "2027-12-24T10:00:00+01:00", true},
		{office, "2026-12-25T10:00:00+01:00", false},
		{office, "2028-12-25T10:00:00+01:00", false},
		{office, "2026-06-04T10:00:00+02:00", false},
		// A holiday is that date in the time zone of the hours.
		{always, "2026-07-04T03:59:59Z", true},
		{always, "2026-07-04T04:00:00Z", false},
		{always, "2026-07-05T03:59:59Z", false},
		{always, "2026-07-05T04:00:00Z", true},
		// Over midnight.
		{night, "2026-11-23T21:59:59+01:00", false},
		{night, "2026-11-23T22:00:00+01:00", true},
		{night, "2026-11-24T00:00:00+01:00", true},
		{night, "2026-11-24T05:59:59+01:00", true},
		{night, "2026-11-24T06:00:00+01:00", false},
		{night, "2026-11-24T22:00:00+01:00", false},
		{night, "2026-11-23T05:00:00+01:00", false},
		{night, "2026-11-28T23:59:59+01:00", true},
		{night, "2026-11-29T00:00:00+01:00", true},
		{night, "2026-11-29T02:00:00+01:00", false},
		{round, "2026-11-22T03:00:00Z", true},
		{round, "2026-11-23T03:00:00Z", true},
		{round, "2026-11-24T03:00:00Z", true},
		{round, "2026-11-25T03:00:00Z", false},
		// A holiday closes its date and the night that begins on it.
		{nights, "2026-12-24T23:59:59+01:00", true},
		{nights, "2026-12-25T00:00:00+01:00", false},
		{nights, "2026-12-25T23:00:00+01:00", false},
		{nights, "2026-12-26T05:00:00+01:00", false},
		{nights, "2026-12-26T22:00:00+01:00", true},
		{nights, "2028-02-29T23:00:00+01:00", false},
		{nights, "2027-03-01T05:00:00+01:00", true},
		// The clock goes from 02:00 to 03:00: there is no 02:30 on 2026-03-29.
		{early, "2026-03-29T01:59:59+01:00", false},
		{early, "2026-03-29T03:00:00+02:00", true},
		{early, "2026-03-29T05:59:59+02:00", true},
		{early, "2026-03-29T06:00:00+02:00", false},
		// The clock goes back from 03:00 to 02:00: 02:30 is twice on 2026-10-25.
		{early, "2026-10-25T02:30:00+02:00", true},
		{early, "2026-10-25T02:15:00+01:00", false},
		{early, "2026-10-25T02:30:00+01:00", true},
		// Nights before and after the change of the clock end at 06:00 on it.
		{nights, "2026-03-29T05:59:59+02:00", true},
		{nights, "2026-03-29T06:00:00+02:00", false},
		{nights, "2026-10-25T05:59:59+01:00", true},
		{nights, "2026-10-25T06:00:00+01:00", false},
		{brazil, "2018-11-03T23:59:59-03:00", true},
		{brazil, "2018-11-04T01:00:00-02:00", true},
		{brazil, "2018-11-04T02:00:00-02:00", false},
		{brazil, "2018-11-04T23:59:59-02:00", true},
		{brazil, "2018-11-05T00:30:00-02:00", false},
		{never, "2026-11-23T12:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339Nano, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if open := hoursOf(t, test.hours).Open(at); open != test.open {
			t.Errorf("%s at %s: open is %v", test.hours, test.at, open)
		}
	}
}

// A second, slower reading of the same calendar: is some interval of this day
// or of the day before, written out as instants on the wall clock, running?
func TestHours_OpenAgreesWithIntervals(t *testing.T) {
	h := hoursOf(t, `{timezone: Europe/Warsaw, open: {mon-thu: ["06:15-11:40", "20:30-03:20"], fri: 04:00-24:00, sun: 23:00-00:30}, holidays: [2026-03-30, 10-23]}`)
	zone, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	wall := func(at time.Time) int { return at.Hour()*60 + at.Minute() }
	running := func(at time.Time) bool {
		day := time.Date(at.Year(), at.Month(), at.Day(), 12, 0, 0, 0, zone)
		for back := range 2 {
			begun := day.AddDate(0, 0, -back)
			holiday := false
			for _, d := range []time.Time{begun, day} {
				holiday = holiday || d.Format(time.DateOnly) == "2026-03-30" || d.Format("01-02") == "10-23"
			}
			for _, i := range h.Week[begun.Weekday()] {
				if minute := wall(at) + back*minutesPerDay; i.From <= minute && minute < i.To && !holiday {
					return true
				}
			}
		}
		return false
	}
	for _, month := range []time.Month{time.March, time.October} { // the clock is changed in both
		for at := time.Date(2026, month, 20, 0, 0, 0, 0, zone); at.Month() == month; at = at.Add(5 * time.Minute) {
			if h.Open(at) != running(at) {
				t.Fatalf("%s: open is %v", at, h.Open(at))
			}
		}
	}
}

func TestHours_WithoutLoad(t *testing.T) {
	h := Hours{TimeZone: "Europe/Warsaw", Week: [7][]Interval{time.Monday: {{8 * 60, 16 * 60}}}}
	if at := time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC); !h.Open(at) {
		t.Error("closed at 08:30 in Warsaw")
	}
	h.TimeZone = "Mars/Olympus"
	if at := time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC); h.Open(at) {
		t.Error("an unknown time zone is not UTC")
	}
}

func TestHours_JSONNeedsItsTimeZone(t *testing.T) {
	var h Hours
	err := json.Unmarshal([]byte(`{"id": "office", "timezone": "Mars/Olympus"}`), &h)
	if err == nil || !strings.Contains(err.Error(), "office") {
		t.Errorf("error %v", err)
	}
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]Date{
		"2026-12-25": {2026, time.December, 25}, "12-25": {0, time.December, 25}, "02-29": {0, time.February, 29}, "2028-02-29": {2028, time.February, 29},
	} {
		got, err := ParseDate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2026-02-29", "02-30", "1-1", "2026-1-1", "0000-01-01", "26-12-25", "12-25-2026", "Easter", "12-25 "} {
		if got, err := ParseDate(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestInterval_String(t *testing.T) {
	for text, want := range map[string]Interval{
		"08:00-18:30": {480, 1110}, "22:00-06:00": {1320, 1800}, "00:00-24:00": {0, 1440}, "22:00-24:00": {1320, 1440}, "22:00-00:00": {1320, 1440},
	} {
		got, _, err := parseInterval(text)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if text != "22:00-00:00" && got.String() != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
}

func BenchmarkHours_Open(b *testing.B) {
	c := loadDesign(b)
	h, at := c.HoursOf("office"), time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if !h.Open(at) {
			b.Fatal("closed")
		}
	}
}

// Next against a walk minute by minute, on days when the clock is changed too.
func TestHours_NextAgainstAWalk(t *testing.T) {
	calendars := []Hours{
		{TimeZone: "Europe/Warsaw", Week: everyDay(Interval{8 * 60, 12 * 60}, Interval{13 * 60, 18 * 60})},
		{TimeZone: "Europe/Warsaw", Week: everyDay(Interval{22 * 60, 30 * 60}), Holidays: []Date{{0, 12, 25}}},
		{TimeZone: "America/New_York", Week: everyDay(Interval{90, 150}), Holidays: []Date{{2026, 11, 2}}},
		{TimeZone: "Australia/Lord_Howe", Week: everyDay(Interval{0, 100}, Interval{115, 1440})},
		{TimeZone: "UTC", Week: [7][]Interval{time.Monday: {{0, 1440}}}},
	}
	starts := []time.Time{
		time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 31, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 24, 3, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 4, 3, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 3, 0, 0, 0, time.UTC),
	}
	for _, h := range calendars {
		for _, start := range starts {
			for at := start; at.Before(start.AddDate(0, 0, 3)); at = at.Add(time.Minute) {
				if h.Open(at) != h.Open(at.Add(-time.Minute)) && at.After(start) {
					before, ok := h.Next(at.Add(-time.Minute))
					if !ok || !before.Equal(at) {
						t.Fatalf("%s from %s: Next is %s, the walk finds %s", h.TimeZone, at.Add(-time.Minute), before, at)
					}
				}
			}
		}
	}
}

func TestHours_NextNever(t *testing.T) {
	for _, h := range []Hours{{TimeZone: "UTC"}, {TimeZone: "UTC", Week: everyDay(Interval{0, 1440})}} {
		if at, ok := h.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
			t.Errorf("%v changes at %s", h.Week, at)
		}
	}
	h := Hours{TimeZone: "UTC", Week: everyDay(Interval{0, 1440}), Holidays: []Date{{2026, 12, 24}}}
	if at, ok := h.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); !ok || !at.Equal(time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the only holiday of the year: %s, %v", at, ok)
	}
}

func everyDay(list ...Interval) (week [7][]Interval) {
	for d := range week {
		week[d] = list
	}
	return week
}

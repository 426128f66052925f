package stats_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// golden is a report of a golden day and what it must say: by line, or "total",
// figures and their values, computed by hand as the comment above it tells.
type golden struct {
	day   string
	what  string
	query stats.Query // From and Till as times of the day's zone; Levels are the day's
	from  string
	till  string
	lines map[string]string
	count int // of lines; 0: as many as in lines without total
}

const clock = "2006-01-02 15:04:05"

func warsaw(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestGoldenDays(t *testing.T) {
	cases := append(append(plainDay(), abandonedDay()...), append(append(append(append(transferDay(), holdDay()...), chatDay()...), answerDay()...), nights()...)...)
	loc := warsaw(t)
	dbtest.Each(t, func(t *testing.T, _ *db.DB) {
		postgres := strings.Contains(t.Name(), "postgres")
		for _, day := range days(t) {
			o := dbtest.SQLite
			if postgres {
				o = dbtest.Postgres
			}
			d := dbtest.Open(t, o(t))
			log := recorded(t, day)
			write(t, d, log)
			rate(t, d, play(t, day).ratings...)
			tried := 0
			for _, g := range cases {
				if g.day == day {
					tried++
					t.Run(day+"/"+g.what, func(t *testing.T) { g.check(t, d, loc) })
				}
			}
			if tried == 0 {
				t.Errorf("nothing is expected of the day %s", day)
			}
			if day == "nights" {
				continue // thousands of hours; TestRoll_RandomDays has a change of the clocks, too
			}
			roll(t, d, log[len(log)-1].At.AddDate(0, 0, 1)) // and the same of what is counted ahead
			for _, g := range cases {
				if g.day == day {
					t.Run(day+"/"+g.what+", counted ahead", func(t *testing.T) { g.check(t, d, loc) })
				}
			}
		}
	})
}

func (g *golden) check(t *testing.T, d *db.DB, loc *time.Location) {
	t.Helper()
	q := g.query
	q.Zone = loc
	q.From, q.Till = at(t, loc, g.from), at(t, loc, g.till)
	q.Levels = stats.Levels(config(t, g.day))
	r, err := stats.Compute(t.Context(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]*stats.Line{"total": &r.Total}
	for k := range r.Lines {
		lines[strings.Join(r.Lines[k].Key, " ")] = &r.Lines[k]
	}
	wanted := 0
	for key, want := range g.lines {
		if key != "total" {
			wanted++
		}
		l := lines[key]
		if l == nil {
			t.Errorf("no line %q", key)
			continue
		}
		for pair := range strings.FieldsSeq(want) {
			name, value, _ := strings.Cut(pair, "=")
			if got := figure(t, &q, l, name); got != value {
				t.Errorf("%s: %s is %s, want %s", key, name, got, value)
			}
		}
	}
	if g.count == 0 {
		g.count = wanted
	}
	if len(r.Lines) != g.count {
		keys := []string{}
		for _, l := range r.Lines {
			keys = append(keys, strings.Join(l.Key, " "))
		}
		t.Errorf("%d lines, want %d: %q", len(r.Lines), g.count, keys)
	}
}

// figure is one of a line: a count as itself, seconds as a decimal, what is divided
// as both, as in 7/9.
func figure(t *testing.T, q *stats.Query, l *stats.Line, name string) string {
	t.Helper()
	for _, f := range stats.Figures() {
		if f.Name != name {
			continue
		}
		if !f.In(q) {
			return "left"
		}
		v := f.Of(l)
		switch {
		case !v.Known():
			return "unknown"
		case f.Unit == stats.Share:
			return fmt.Sprintf("%d/%d", v.Part, v.Of)
		}
		return v.Decimal()
	}
	t.Fatalf("no figure %s", name)
	return ""
}

func at(t *testing.T, loc *time.Location, text string) time.Time {
	t.Helper()
	x, err := time.ParseInLocation(clock, text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The calls of the plain day, in order: how long they waited, who took them, and
// how long they talked.
//
//	c1   8 s  anna   120 s     08:10:00 to 08:10:08, 08:12:08
//	c2  20 s  anna   180 s     08:20:00 to 08:20:20, 08:23:20
//	c3   5 s  anna   120 s     08:30:00 to 08:30:05, 08:32:05
//	c4 100 s  anna   120 s     08:31:00 to 08:32:40, 08:34:40
//	c5  11 s  bartek 120 s     08:40:30 to 08:40:41, 08:42:41; anna declined at 08:40:35
func plainDay() []golden {
	return []golden{
		{
			// Offered 5, all answered. In time, within 20 s: 8, 20, 5, 11, so 4 of 5.
			// Σ wait = 8 + 20 + 5 + 100 + 11 = 144; 144 / 5 = 28.8.
			// In order 5 8 11 20 100: p50 is number ⌈2.5⌉ = 3, 11; p90 ⌈4.5⌉ = 5, 100; p95 and p99 likewise.
			// c4 came to wait when handling took 157.5 s on the average of the core (150 of c1: 120 + 30 of
			// wrap-up; then 150 + (210 − 150) / 8 with c2), and one agent was at work: forecast 157.5, real
			// 100, error 57.5.
			// Talk 120 + 180 + 120 + 120 + 120 = 660, wrap-up 5 × 30 = 150, together 810; 810 / 5 = 162.
			// Offers answered after 8, 20, 5, 5 (08:32:35 to 08:32:40) and 6 s (08:40:35 to 08:40:41): 44 / 5 = 8.8.
			// Packets 30 of 15000 lost; MOS (4.30 + 4.10) / 2 = 4.2.
			day: "plain", what: "by group", from: "2026-11-16 00:00:00", till: "2026-11-17 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByGroup}},
			lines: map[string]string{
				"sales": `offered=5 answered=5 abandoned=0 short_abandons=0 passed_on=0 unserved=0 turned_away=0
					answered_within=4 service_level=4/5 abandon_rate=0/5
					wait_mean=28.8 wait_p50=11 wait_p90=100 wait_p95=100 wait_p99=100 wait_max=100 abandon_time_mean=unknown
					promised=1 promised_wait_mean=157.5 promised_real_mean=100 promised_error_mean=57.5
					offers_answered=5 offers_missed=1 offers_declined=1 answer_rate=5/6 answer_speed_mean=8.8
					handled=5 talk_time=660 talk_mean=132 hold_time=0 wrap_up_time=150 wrap_up_mean=30 handle_time=810 handle_mean=162 talk_max=180
					interactions=5 never_answered=0 legs=2 packet_loss=30/15000 mos_mean=4.2 mos_min=4.1
					occupancy=left`,
			},
		},
		{
			// anna, from 08:00 to 09:00: available 600 + 442 + 370 + 320 + 235 + 300 = 2267 (from 08:00:00, 08:12:38,
			// 08:23:50, 08:35:10, 08:41:05 and 08:55:00 on), rung 8 + 20 + 5 + 5 + 5 = 43, talking 120 + 180 + 120 +
			// 120 = 540, wrap-up 4 × 30 = 120, left alone after she declined 30, break 600: 3600 in all.
			// Occupancy (540 + 120) / (660 + 2267) = 660 / 2927 s.
			// bartek, from 08:40 on: available 35 + 1009 = 1044, rung 6, talking 120, wrap-up 30: 1200.
			// Together 810 / (810 + 3311).
			// Waits of anna's: 5 8 20 100: mean 133 / 4, p50 is number 2, p90 ⌈3.6⌉ = 4.
			day: "plain", what: "by agent", from: "2026-11-16 00:00:00", till: "2026-11-17 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByAgent}},
			lines: map[string]string{
				"anna": `available_time=2267 ringing_time=43 busy_time=540 after_time=120 other_time=30 break_time=600 occupancy=660000000/2927000000
					answered=4 wait_mean=33.25 wait_p50=8 wait_p90=100 offered=left service_level=left
					offers_answered=4 offers_missed=1 answer_rate=4/5 answer_speed_mean=9.5 handled=4 talk_time=540 handle_mean=165`,
				"bartek": `available_time=1044 ringing_time=6 busy_time=120 after_time=30 other_time=0 break_time=0 occupancy=150000000/1194000000
					answered=1 wait_mean=11 answer_speed_mean=6 handled=1 handle_time=150`,
				"total": `available_time=3311 occupancy=810000000/4121000000 answered=5 wait_p50=11 handled=5`,
			},
		},
		{
			// From 08:05 to 08:15, what has not ended then cut off: available 300 + 142, rung 8, talking 120, wrap-up 30.
			day: "plain", what: "ten minutes", from: "2026-11-16 08:05:00", till: "2026-11-16 08:15:00",
			query: stats.Query{By: []stats.Dimension{stats.ByAgent}},
			lines: map[string]string{"anna": "available_time=442 ringing_time=8 busy_time=120 after_time=30 break_time=0 handled=1"},
		},
		{
			// By quarters of an hour that begin at 07:00, 07:15, 07:30 in UTC: c1; c2; c3, c4, c5. c1 waited
			// 8, c2 20; c3 to c5 5, 100, 11: 116 / 3. From 08:30 to 08:45 anna was available 320 + 235 = 555
			// (she went to her break at 08:45:00), bartek 35 + 109 (08:43:11 to 08:45).
			day: "plain", what: "by quarter", from: "2026-11-16 08:00:00", till: "2026-11-16 08:45:00",
			query: stats.Query{By: []stats.Dimension{stats.ByInterval}, Interval: 15 * time.Minute},
			lines: map[string]string{
				"2026-11-16T07:00:00Z": "offered=1 service_level=1/1 wait_mean=8 available_time=742 busy_time=120",
				"2026-11-16T07:15:00Z": "offered=1 service_level=1/1 wait_mean=20 available_time=670 busy_time=180",
				"2026-11-16T07:30:00Z": "offered=3 service_level=2/3 wait_mean=38.666667 available_time=699 busy_time=360",
				"total":                "offered=5 wait_p50=11 available_time=2111",
			},
		},
		{
			day: "plain", what: "by number and trunk", from: "2026-11-16 00:00:00", till: "2026-11-17 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByNumber, stats.ByTrunk}},
			lines: map[string]string{"+48221234567 carrier": "offered=5 service_level=4/5 handled=5 talk_time=660 mos_mean=4.2 interactions=5"},
		},
	}
}

// The abandoned day. In sales hung up after 3 s (short: less than 5), 5, 20, 21 and,
// while it rang, 15 s; answered after 10, 20 and 30 s.
//
//	offered 8, short 1, in time: answered 2 (10, 20), abandoned 3 (5, 20, 15)
//
// In support, which has no measure of its own and room for one, one hung up after
// 40 s and one was turned away.
func abandonedDay() []golden {
	whole := func(what string, level *queuegroups.ServiceLevel, lines map[string]string) golden {
		return golden{
			day: "abandons", what: what, from: "2026-11-17 00:00:00", till: "2026-11-18 00:00:00", lines: lines,
			query: stats.Query{By: []stats.Dimension{stats.ByGroup}, Level: level},
		}
	}
	level := func(a queuegroups.Abandons, short time.Duration) *queuegroups.ServiceLevel {
		return &queuegroups.ServiceLevel{Within: 20 * time.Second, Abandons: a, Short: short}
	}
	return []golden{
		// Service level 2 / (8 − 1), in support 0 / 1, together 2 / 8. Abandon rate (5 − 1) / (8 − 1), in support 1 / 1.
		// Time to abandon (3 + 5 + 20 + 21 + 15) / 5 = 12.8. Waits 10 20 30: p50 is number 2, p90 ⌈2.7⌉ = 3.
		// anna's call to +48501000004 lasted 60 s.
		whole("negative", nil, map[string]string{
			"sales": `offered=8 answered=3 abandoned=5 short_abandons=1 unserved=0 answered_within=2 abandoned_within=3 service_level=2/7 abandon_rate=4/7
				wait_mean=20 wait_p50=20 wait_p90=30 wait_max=30 abandon_time_mean=12.8 interactions=8 never_answered=5
				offers_answered=3 offers_withdrawn=1 answer_rate=3/3`,
			"support": "offered=1 answered=0 abandoned=1 turned_away=1 service_level=0/1 abandon_rate=1/1 wait_mean=unknown wait_p50=unknown wait_max=40 abandon_time_mean=40",
			"total":   "offered=9 turned_away=1 service_level=2/8 wait_max=40",
		}),
		// 2 / (8 − 1 − 3); in support the abandon was after the 20 s: 0 / 1.
		whole("ignored", level(queuegroups.AbandonsIgnored, 5*time.Second), map[string]string{
			"sales": "service_level=2/4", "support": "service_level=0/1", "total": "service_level=2/5",
		}),
		// (2 + 3) / (8 − 1).
		whole("positive", level(queuegroups.AbandonsPositive, 5*time.Second), map[string]string{
			"sales": "service_level=5/7", "support": "service_level=0/1", "total": "service_level=5/8",
		}),
		// Without short ones: the abandon after 3 s is one in time, too. 2 / 8, 2 / (8 − 4), (2 + 4) / 8.
		whole("negative, none short", level(queuegroups.AbandonsNegative, 0), map[string]string{
			"sales": "service_level=2/8 short_abandons=0 abandoned_within=4 abandon_rate=5/8", "support": "service_level=0/1"}),
		whole("ignored, none short", level(queuegroups.AbandonsIgnored, 0), map[string]string{"sales": "service_level=2/4", "support": "service_level=0/1"}),
		whole("positive, none short", level(queuegroups.AbandonsPositive, 0), map[string]string{"sales": "service_level=6/8", "support": "service_level=0/1"}),
		{
			day: "abandons", what: "calls made", from: "2026-11-17 00:00:00", till: "2026-11-18 00:00:00",
			query: stats.Query{Agents: []queuegroups.AgentID{"anna"}},
			lines: map[string]string{"total": "calls_made=1 calls_reached=1 calls_made_time=60 handled=3 answered=3"},
		},
		{
			// Only what arrived from 09:09:00 on and before 09:40: a5, b1, b2.
			day: "abandons", what: "arrived", from: "2026-11-17 09:09:00", till: "2026-11-17 09:40:00",
			query: stats.Query{Cohort: stats.Arrived, Kind: "call", Way: "in"},
			lines: map[string]string{"total": "offered=3 answered=2 abandoned=1 service_level=2/3 wait_mean=15 occupancy=left"},
		},
	}
}

// The day of transfers: by call, who had it and for how long.
//
//	c1  sales, 5 s; anna 90 s, of them 30 (10:01:05 to 10:01:35) with bartek aside; bartek 120 s
//	c2  sales, 4 s; anna 60 s; support, 5 s; bartek 60 s
//	c3  sales, passed on after 21 s (it rang 20 s from 10:20:01 on); support, 4 s; bartek 60 s
//	c4  support, passed on after 10 s to a number outside
//	c5  sales, 3 s; anna 110 s, of them 20 (10:40:33 to 10:40:53) with celina aside
func transferDay() []golden {
	return []golden{
		{
			// Sales: offered 4, answered 3 (5, 4, 3 s: mean 4, the median 4), passed on 1; 3 / 4. In it anna talked 60 + 60 + 90 s
			// with 30 + 20 of hold, bartek 120: 330 in 4 talks; wrap-up 10 s after each: 40.
			// Support: offered 3, answered 2 (5, 4), passed on 1. bartek talked 60 + 60, wrap-up 2 × 20.
			// Offers in sales: answered after 5, 4, 3, and of the consultations 5 and 3 s; no answer 1; in support 5 and 4.
			day: "transfers", what: "by group", from: "2026-11-18 00:00:00", till: "2026-11-19 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByGroup}},
			lines: map[string]string{
				"sales": `offered=4 answered=3 passed_on=1 abandoned=0 service_level=3/4 wait_mean=4 wait_p50=4 wait_p90=5 wait_max=5
					handled=4 talk_time=330 hold_time=50 holds=2 wrap_up_time=40 handle_time=420 handle_mean=105
					offers_answered=5 offers_no_answer=1 offers_missed=1 answer_rate=5/6 answer_speed_mean=4
					transfers_blind=1 transfers_attended=1 consultations=1 transfers_failed=0 moved=0 parked=0`,
				"support": `offered=3 answered=2 passed_on=1 service_level=2/3 wait_mean=4.5 wait_p50=4 wait_p90=5
					handled=2 talk_time=120 hold_time=0 wrap_up_time=40 handle_mean=80 offers_answered=2 answer_speed_mean=4.5 transfers_blind=0`,
				"total": "offered=7 answered=5 passed_on=2 service_level=5/7 wait_mean=4.2 handled=6 transfers_blind=1",
			},
		},
		{
			// Of anna's own: 3 talks, 60 + 60 + 90 s and 50 of hold, wrap-up 30: 290. bartek: 120 + 60 + 60, wrap-up 10 + 20 + 20: 290.
			day: "transfers", what: "by agent", from: "2026-11-18 00:00:00", till: "2026-11-19 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByAgent}},
			lines: map[string]string{
				"anna": `handled=3 talk_time=210 hold_time=50 holds=2 wrap_up_time=30 handle_time=290 handle_mean=96.666667 talk_max=110
					offers_answered=3 offers_no_answer=1 answer_speed_mean=4 transfers_blind=1 transfers_attended=1 consultations=1`,
				"bartek": "handled=3 talk_time=240 hold_time=0 wrap_up_time=50 handle_time=290 offers_answered=3 transfers_blind=0 transfers_attended=0",
				"celina": "handled=0 talk_mean=unknown offers_answered=1 answer_speed_mean=3",
				"total":  "handled=6 interactions=4",
			},
		},
	}
}

// The day of holds, all of sales:
//
//	c1  4 s; anna 120 s (10:00:04 to 10:02:04), of them 20 and 5 on hold: 95 of talk
//	c2  6 s; anna 60 s, of them the last 30 on hold: 30 of talk
//	c3  5 s; anna 60 s, 40 s in slot 1, celina 60 s
//	c4  3 s; anna 30 s, then in slot 2 until they went
func holdDay() []golden {
	return []golden{
		{
			// Waits 4, 6, 5, 3: mean 18/4, the lower median 4; all within 20 s. Talk 95 + 30 + 60 + 60 + 30 = 275, hold 20 + 5 + 30 = 55; what is in a slot is neither.
			// Wrap-up 10 s after each of the 5 talks, celina's too, since they were in sales: 50. Handled 5: (275 + 55 + 50) / 5 = 76.
			day: "holds", what: "by group", from: "2026-11-16 00:00:00", till: "2026-11-17 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByGroup}},
			lines: map[string]string{
				"sales": `offered=4 answered=4 abandoned=0 service_level=4/4 wait_mean=4.5 wait_p50=4 wait_p90=6 wait_max=6
					handled=5 talk_time=275 hold_time=55 holds=3 wrap_up_time=50 handle_time=380 handle_mean=76 parked=2 transfers_blind=0 consultations=0`,
				"total": "offered=4 answered=4 handled=5 talk_time=275 hold_time=55 parked=2",
			},
		},
		{
			// anna: 95 + 30 + 60 + 30 = 215 of talk, 55 of hold, wrap-up 40: 310 in 4 talks. celina: 60 and 10.
			day: "holds", what: "by agent", from: "2026-11-16 00:00:00", till: "2026-11-17 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByAgent}},
			lines: map[string]string{
				"anna":   "handled=4 talk_time=215 hold_time=55 holds=3 wrap_up_time=40 handle_time=310 handle_mean=77.5 parked=2",
				"celina": "handled=1 talk_time=60 hold_time=0 holds=0 wrap_up_time=10 handle_time=70 parked=0",
				"total":  "handled=5 interactions=4",
			},
		},
	}
}

// The day of chats: k1 waited 30 s and lasted 600, k2 60 s and 600, k3 was given up
// after 60 s, k4 waited 610 s, longer than the channel lets it, and lasted 300.
func chatDay() []golden {
	return []golden{{
		// Within 2 min: answered 30, 60; abandoned 60. Abandons count for it: (2 + 1) / 4. Σ wait = 30 + 60 + 610 = 700.
		day: "chats", what: "by channel", from: "2026-11-19 00:00:00", till: "2026-11-20 00:00:00",
		query: stats.Query{By: []stats.Dimension{stats.ByChannel}},
		lines: map[string]string{
			"website": `offered=4 answered=3 abandoned=1 answered_within=2 abandoned_within=1 service_level=3/4 abandon_rate=1/4
				wait_mean=233.333333 wait_p50=60 wait_p90=610 wait_max=610 abandon_time_mean=60
				handled=3 talk_time=1500 talk_mean=500 chats_unanswered=1 interactions=4 never_answered=1`,
		},
	}, {
		day: "chats", what: "calls alone", from: "2026-11-19 00:00:00", till: "2026-11-20 00:00:00",
		query: stats.Query{Kind: "call"},
		lines: map[string]string{"total": "offered=0 answered=0 service_level=unknown handled=0 interactions=0"},
	}}
}

// The nights in which the clocks change: s1 waited 5 s on the 28th, talked 120 s until
// the 29th; s2 waited 5 s from 01:59:58 to 03:00:03 by the clock, and talked 120 s.
// In autumn both calls are in the hour from 02:00, which there is twice: waits of 5
// and 15 s, 120 s each. After each a minute of wrap-up.
func nights() []golden {
	return []golden{
		{
			// The 28th, from 23:00: available 3590, rung 5, talking 5. The 29th until 04:00, three hours: talking 115 + 120,
			// wrap-up 120, rung 5, available 10800 − 360 = 10440.
			day: "nights", what: "spring by day", from: "2026-03-28 00:00:00", till: "2026-03-30 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByDay}},
			lines: map[string]string{
				"2026-03-28": "offered=1 answered=1 wait_mean=5 handled=0 interactions=0 available_time=3590 ringing_time=5 busy_time=5 after_time=0",
				"2026-03-29": "offered=1 answered=1 wait_mean=5 handled=2 interactions=2 available_time=10440 ringing_time=5 busy_time=235 after_time=120",
			},
		},
		{
			// s1 arrived on the 28th: its talk, too, is among those of that day.
			day: "nights", what: "spring by day of arrival", from: "2026-03-28 00:00:00", till: "2026-03-30 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByDay}, Cohort: stats.Arrived},
			lines: map[string]string{
				"2026-03-28": "offered=1 answered=1 handled=1 talk_time=120 interactions=1",
				"2026-03-29": "offered=1 answered=1 handled=1 talk_time=120 interactions=1",
			},
		},
		{
			// There is no hour from 02:00. From 01:00 to 02:00 available 3598, rung 2; from 03:00 rung 3, talking 120, wrap-up 60.
			day: "nights", what: "spring by hour", from: "2026-03-28 00:00:00", till: "2026-03-30 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByHour}},
			lines: map[string]string{
				"23": "answered=1 available_time=3590 busy_time=5",
				"00": "answered=0 handled=1 available_time=3425 busy_time=115 after_time=60",
				"01": "available_time=3598 ringing_time=2",
				"03": "answered=1 handled=1 available_time=3417 ringing_time=3 busy_time=120 after_time=60",
			},
		},
		{
			// Two hours from 02:00: rung 5 + 15, talking 240, wrap-up 120, available 7200 − 380 = 6820.
			day: "nights", what: "autumn by hour", from: "2026-10-25 00:00:00", till: "2026-10-26 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByHour}},
			lines: map[string]string{
				"00": "available_time=3600", "01": "available_time=3600", "03": "available_time=3600",
				"02": "answered=2 wait_mean=10 handled=2 talk_time=240 available_time=6820 ringing_time=20 busy_time=240 after_time=120",
			},
		},
		{
			// By halves of an hour the two are apart. 25 hours have 50 halves; anna was there for ten of them.
			day: "nights", what: "autumn by half", from: "2026-10-25 00:00:00", till: "2026-10-26 00:00:00", count: 10,
			query: stats.Query{By: []stats.Dimension{stats.ByInterval}, Interval: 30 * time.Minute},
			lines: map[string]string{
				"2026-10-25T00:30:00Z": "answered=1 wait_mean=5 available_time=1615", "2026-10-25T01:30:00Z": "answered=1 wait_mean=15 available_time=1605",
				"2026-10-24T22:00:00Z": "available_time=1800", "2026-10-25T02:30:00Z": "available_time=1800", "total": "available_time=17620",
			},
		},
		{
			// Saturday, 6, and Sunday, 7. Two hours of Saturday the 24th and one of the 28th: 7200 + 3590.
			day: "nights", what: "by weekday", from: "2026-03-01 00:00:00", till: "2026-11-01 00:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByWeekday}},
			lines: map[string]string{"6": "answered=1 available_time=10790", "7": "answered=3 handled=4 available_time=28060"},
		},
	}
}

// What has not ended yet, as the core tells it, is cut off where the report ends.
func TestCompute_Now(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		loc := warsaw(t)
		log := recorded(t, "plain")
		var until []acd.Entry
		for _, e := range log { // anna has c1
			if e.At.After(at(t, loc, "2026-11-16 08:11:00")) {
				break
			}
			until = append(until, e)
		}
		write(t, d, until)
		from, till := at(t, loc, "2026-11-16 08:00:00"), at(t, loc, "2026-11-16 08:11:08")
		r, err := stats.Compute(t.Context(), d, stats.Query{From: from, Till: till, Zone: loc, By: []stats.Dimension{stats.ByAgent}, Now: now(t, until)})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Lines) != 1 || figure(t, &r.Query, &r.Lines[0], "busy_time") != "60" || figure(t, &r.Query, &r.Lines[0], "available_time") != "600" {
			t.Errorf("%+v", r.Lines)
		}
	})
}

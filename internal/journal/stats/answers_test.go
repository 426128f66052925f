package stats_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/chat"
	"centrala/chat/store"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
	"centrala/internal/journal/stats"
	"centrala/queuegroups"
)

// rate has somebody rate chats, as the chats' own store does.
func rate(t testing.TB, d *db.DB, list ...rating) {
	t.Helper()
	var now time.Time
	s := store.New(store.Options{DB: d, Dir: t.TempDir(), Log: zerolog.Nop(), Now: func() time.Time { return now }, Rated: journal.Rated})
	for _, x := range list {
		now = x.at
		session(t, d, string(x.chat))
		if err := s.Rate(t.Context(), chat.Rating{Session: chat.SessionID(x.chat), Who: x.who, Score: x.score}); err != nil {
			t.Fatal(err)
		}
	}
}

// session makes a session of a name, if there is none, with all that it needs. A bot had those to their end whose name begins so.
func session(t testing.TB, d *db.DB, name string) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *sql.Tx) error {
		var there bool
		if err := tx.QueryRow("select exists (select 1 from chat_sessions where id = $1)", name).Scan(&there); err != nil || there {
			return err
		}
		for _, text := range []string{
			"insert into chat_contacts (name, created) values ($1, 1)",
			"insert into chat_identities (contact, channel, external, verified, created) select max(id), 'website', $1, 0, 1 from chat_contacts",
			"insert into chat_conversations (identity, channel, seq, read_customer, read_agent, created) select max(id), 'website', 0, 0, 0, 1 from chat_identities where external = $1",
			"insert into chat_sessions (id, conversation, first, opened, closed, bot) select $1, max(id), 1, 1, 2, case when $1 like 'bot%' then 1 else 0 end from chat_conversations",
		} {
			if _, err := tx.Exec(text, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The chats of the day of answers, in order, with how long their customers waited:
//
//	k1  anna, first after 12 min, 10 of them closed: 50 s from the opening on; then 40 s, and 10 s after it was reopened
//	k2  anna 15 s; bartek, who got it from the queue, 60 s, from when the customer wrote, to anna then; celina, in mail, 90 s
//	k3  bartek closed it at 11:05 without a word
//	k4  nobody, given up after 6 min
//	k5  anna 120 s; the customer closed it after another question
//	k6  bartek 390 s; a supervisor beside him 10 s
func answerDay() []golden {
	whole := func(what string, q stats.Query, lines map[string]string) golden {
		return golden{day: "answers", what: what, from: "2026-11-20 00:00:00", till: "2026-11-21 00:00:00", query: q, lines: lines}
	}
	return []golden{
		// First answers 15 50 120 390: Σ 575 / 4 = 143.75, p50 is number 2, p90 ⌈3.6⌉ = 4. Within 60 s 2, of 4 and 2 without.
		// Later ones 10 10 40 60 90: 210 / 5 = 42, p50 number 3, p90 ⌈4.5⌉ = 5. k4 and k6 were too long without anybody.
		// Ratings: the customers' 5, which took the place of a 4, 2, and the bot's 4: 11 / 3; the supervisor's 3.
		whole("by channel", stats.Query{By: []stats.Dimension{stats.ByChannel}}, map[string]string{
			"website": `chats=6 chats_unanswered=2 chats_without_answer=2 chats_left_waiting=1
				first_answers=4 first_answer_mean=143.75 first_answer_p50=50 first_answer_p90=390 first_answer_p95=390 first_answer_p99=390
				first_answer_max=390 first_answers_within=2 first_answer_level=2/6
				next_answers=5 next_answer_mean=42 next_answer_p50=40 next_answer_p90=90 next_answer_max=90
				customer_ratings=3 customer_rating_mean=3.666667 supervisor_ratings=1 supervisor_rating_mean=3`,
		}),
		// anna's: 50 15 120 and 40 10; k1 and k5 were hers in the end. bartek's: 390 and 60, k3 and k6. celina's: 90, k2.
		// Nobody had k4. Each talk is one handled: k1, k2, k5; k2, k3, k6; k2.
		whole("by agent", stats.Query{By: []stats.Dimension{stats.ByAgent}}, map[string]string{
			"anna": `chats=2 handled=3 chats_without_answer=0 chats_left_waiting=1 first_answers=3 first_answer_mean=61.666667 first_answer_p50=50
				first_answer_max=120 first_answer_level=2/3 next_answers=2 next_answer_mean=25 next_answer_p90=40
				customer_ratings=2 customer_rating_mean=3.5 supervisor_ratings=1 supervisor_rating_mean=3`,
			"bartek": `chats=2 handled=3 chats_unanswered=1 chats_without_answer=1 chats_left_waiting=0 first_answers=1 first_answer_mean=390 first_answer_level=0/2
				next_answers=1 next_answer_mean=60 customer_ratings=0 customer_rating_mean=unknown supervisor_ratings=0`,
			"celina": `chats=1 handled=1 first_answers=0 first_answer_mean=unknown first_answer_p50=unknown first_answer_level=unknown next_answers=1 next_answer_mean=90
				next_answer_p50=90 next_answer_max=90`,
			"boss":  "chats=0 handled=0 next_answers=1 next_answer_mean=10",
			"total": "chats=5 chats_without_answer=1 first_answers=4 next_answers=5 next_answer_max=90 customer_ratings=2",
		}),
		// As anna was alone: what few are asked of comes from the facts.
		whole("of an agent", stats.Query{Agents: []queuegroups.AgentID{"anna"}}, map[string]string{
			"total": "chats=2 first_answers=3 first_answer_p50=50 next_answer_p50=10 customer_ratings=2 customer_rating_mean=3.5 supervisor_ratings=1",
		}),
		// mail, by its measure of 20 s, had one later answer.
		whole("by group", stats.Query{By: []stats.Dimension{stats.ByGroup}}, map[string]string{
			"channel:website": "chats=5 first_answers=4 first_answers_within=2 next_answers=4 next_answer_mean=30 customer_ratings=3",
			"channel:mail":    "chats=1 first_answers=0 first_answers_within=0 next_answers=1 next_answer_mean=90 customer_ratings=0",
			"total":           "chats=6 first_answer_p90=390 next_answer_p50=40",
		}),
		// The bot's is by no agent's name, and in no call's line.
		whole("without an agent", stats.Query{Agents: []queuegroups.AgentID{""}, Kind: "chat"}, map[string]string{"total": "customer_ratings=1 customer_rating_mean=4 supervisor_ratings=0"}),
		whole("of calls", stats.Query{Kind: "call"}, map[string]string{"total": "customer_ratings=0 supervisor_ratings=0"}),
		// By when it was decided: k3 ended without an answer at 11:15, k5 waiting at 13:14, the ratings as they were given.
		{
			day: "answers", what: "by hour", from: "2026-11-20 09:00:00", till: "2026-11-20 14:00:00",
			query: stats.Query{By: []stats.Dimension{stats.ByHour}, Kind: "chat"},
			lines: map[string]string{
				"09": "chats=1 first_answers=1 next_answers=2 next_answer_mean=25 customer_ratings=1 customer_rating_mean=5 supervisor_ratings=0",
				"10": "chats=1 first_answers=1 next_answers=2 customer_ratings=0",
				"11": "chats=1 first_answers=0 chats_without_answer=1",
				"12": "chats=1 first_answers=0 chats_without_answer=1 supervisor_ratings=1",
				"13": "chats=1 first_answers=1 chats_left_waiting=1 customer_ratings=1 customer_rating_mean=2",
			},
		},
		// k1 alone arrived before 10:00, what was thought of it was told later, too.
		{
			day: "answers", what: "arrived", from: "2026-11-20 00:00:00", till: "2026-11-20 10:00:00", query: stats.Query{Cohort: stats.Arrived},
			lines: map[string]string{"total": "chats=1 first_answers=1 first_answer_mean=50 next_answer_mean=25 customer_rating_mean=5 supervisor_rating_mean=3"},
		},
		whole("within 2 min", stats.Query{Level: &queuegroups.ServiceLevel{Within: 2 * time.Minute}}, map[string]string{
			"total": "first_answers_within=3 first_answer_level=3/6",
		}),
	}
}

// What was counted of ratings is counted again where one takes the place of another,
// where the chat goes on to somebody else after it was rated, where the core is told of
// a chat anew, and where chats are erased or too old to be kept.
func TestRoll_Ratings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		day := play(t, "answers")
		end := day.log[len(day.log)-1].At
		from, till := end.AddDate(0, 0, -1), end.Add(3*time.Hour)
		tried := func(what, customers, supervisors string) {
			t.Helper()
			q := stats.Query{From: from, Till: till, Zone: time.UTC}
			report, err := stats.Compute(t.Context(), d, q)
			if err != nil {
				t.Fatal(err)
			}
			got := figure(t, &q, &report.Total, "customer_ratings") + " " + figure(t, &q, &report.Total, "customer_rating_mean")
			if by := figure(t, &q, &report.Total, "supervisor_ratings"); got != customers || by != supervisors {
				t.Errorf("%s: customers %s, supervisors %s, want %s, %s", what, got, by, customers, supervisors)
			}
			same(t, d, stats.Query{From: from, Till: till, Zone: time.UTC, By: []stats.Dimension{stats.ByAgent, stats.ByHour}})
		}
		// k2 is with bartek as an hour ends, was rated in it, and goes on to celina.
		k := slices.IndexFunc(day.log, func(e acd.Entry) bool { w, ok := e.Event.(*acd.ChatWritten); return ok && w.Leg == "w3" })
		over := day.log[k].At.Truncate(time.Hour)
		moved := shifted(day.log, over.Sub(day.log[k].At))
		rate(t, d, rating{over.Add(-time.Minute), "k2", "user:boss", 4})
		write(t, d, moved[:k+1])
		if n, err := stats.Roll(t.Context(), d, over); n == 0 || err != nil {
			t.Fatalf("%d counted ahead, %v", n, err)
		}
		write(t, d, moved)
		tried("with somebody else after it was rated", "0 unknown", "1")
		rate(t, d, day.ratings...)
		tried("rated", "3 3.666667", "2")
		roll(t, d, till)
		rate(t, d, rating{end.Add(time.Hour), "k1", "customer", 1}, rating{end.Add(time.Hour), "k5", "user:late", 5}, rating{end.Add(-20 * time.Hour), "bot", "customer", 1})
		tried("rated anew, and another that nobody but a bot had", "4 2", "3")
		roll(t, d, till)
		anew := journal.Rows{Interactions: []journal.Interaction{{ID: 9999, Kind: journal.KindChat, Direction: journal.DirectionIn, Channel: "website",
			LastGroup: "channel:mail", ByAgent: "celina", Arrived: journal.MicrosOf(end), Ended: journal.MicrosOf(end.Add(time.Minute)), Leg: "k1"}}}
		if err := d.Write(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.Exec("delete from rollups"); err != nil { // the journal would delete what it is late for
				return err
			}
			return anew.Insert(t.Context(), tx, d.Mark)
		}); err != nil {
			t.Fatal(err)
		}
		tried("told of anew", "4 2", "3")
		if _, err := journal.Erase(t.Context(), d, "k5555", "erased-x"); err != nil {
			t.Fatal(err)
		}
		tried("erased", "4 2", "3")
		roll(t, d, till)
		if _, err := journal.Trim(t.Context(), d, end.Add(-30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		tried("trimmed", "3 2", "1") // of k1 as it was told of anew, and of those that a bot had
	})
}

// Ratings that are given while they are counted are in the next count.
func TestRoll_RatedMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		day := play(t, "answers")
		end := day.log[len(day.log)-1].At
		write(t, d, day.log)
		ctx, stop := context.WithCancel(t.Context())
		rolled := make(chan error, 1)
		go func() {
			for ctx.Err() == nil {
				if _, err := stats.Roll(t.Context(), d, end); err != nil {
					rolled <- err
					return
				}
			}
			rolled <- nil
		}()
		for k := range 8 {
			rate(t, d, rating{end.Add(-time.Duration(20+5*k) * time.Minute), "k1", "user:" + strings.Repeat("x", k), 1 + k%5})
		}
		stop()
		if err := <-rolled; err != nil {
			t.Fatal(err)
		}
		same(t, d, stats.Query{From: end.AddDate(0, 0, -1), Till: end.AddDate(0, 0, 1), Zone: time.UTC, By: []stats.Dimension{stats.ByHour}})
	})
}

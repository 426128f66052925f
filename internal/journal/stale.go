package journal

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"centrala/internal/journal/db"
)

// Rollup names what package stats counts ahead, by hours and days: the column source
// of the table rollups. A row there is true, or it is not there: whoever writes
// facts of a time that is over deletes what was counted of them, in the same
// transaction.
type Rollup string

// What is counted ahead.
const (
	RollupVisits       Rollup = "visits"
	RollupOffers       Rollup = "offers"
	RollupTalks        Rollup = "talks"
	RollupTransfers    Rollup = "transfers"
	RollupLegs         Rollup = "legs"
	RollupAnswers      Rollup = "answers"
	RollupRatings      Rollup = "ratings" // of chats, which are rows of the chats' own
	RollupInteractions Rollup = "interactions"
	RollupMade         Rollup = "made" // calls that agents made
	RollupStates       Rollup = "states"
)

// Rollups returns all of them.
func Rollups() []Rollup {
	return []Rollup{
		RollupVisits, RollupOffers, RollupTalks, RollupTransfers, RollupLegs, RollupAnswers, RollupRatings, RollupInteractions, RollupMade, RollupStates,
	}
}

const (
	// Hour and Day are what is counted ahead, in microseconds, from 1970 on in UTC.
	Hour Micros = 3_600_000_000
	Day         = 24 * Hour
)

// execer is a transaction.
type execer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

// stale are hours of which facts arrive late, by what they change.
type stale struct {
	over  Micros // hours that end later have not been counted
	hours map[Rollup]map[Micros]bool
}

// mark notes that something changes from the hour of one time to that of another.
func (s *stale) mark(of Rollup, from, till Micros) {
	for at := from - from%Hour; at <= till && at+Hour <= s.over; at += Hour {
		if s.hours[of] == nil {
			s.hours[of] = map[Micros]bool{}
		}
		s.hours[of][at] = true
	}
}

// stale finds the hours before the last checkpoint that the rows change. All rows
// are of about now, so there are few.
func (r *Rows) stale(over Micros) stale {
	s := stale{over: over, hours: map[Rollup]map[Micros]bool{}}
	for _, x := range r.Interactions {
		if x.Ended != 0 {
			s.mark(RollupInteractions, x.Ended, x.Ended)
			s.mark(RollupMade, x.Ended, x.Ended)
		}
	}
	for _, arrived := range r.Regrouped { // a leg is counted in the last group of its call
		s.mark(RollupLegs, arrived, over)
	}
	for _, x := range r.Visits {
		s.mark(RollupVisits, x.Left, x.Left)
		s.mark(RollupTransfers, x.Left, x.Left)
	}
	for _, x := range r.Offers {
		s.mark(RollupOffers, x.Ended, x.Ended)
	}
	for _, x := range r.Talks { // a transfer is counted in the group of the talk that it was made in
		s.mark(RollupTalks, x.Ended, x.Ended)
		s.mark(RollupTransfers, x.Began, x.Ended)
	}
	for _, x := range r.Wrapped {
		s.mark(RollupTalks, x.Ended, x.Ended)
	}
	for _, x := range r.Transfers {
		s.mark(RollupTransfers, x.At, x.At)
	}
	for _, x := range r.Legs {
		s.mark(RollupLegs, x.Ended, x.Ended)
	}
	for _, x := range r.Answers {
		s.mark(RollupAnswers, x.Ended, x.Ended)
	}
	for _, x := range r.AgentStates {
		s.mark(RollupStates, x.Ended, x.Ended)
	}
	return s
}

// rated marks when chats were rated, of those that began long enough ago: a rating is
// counted with whom its chat had last, as the rows now say.
func (s *stale) rated(ctx context.Context, tx *sql.Tx, r *Rows) error {
	var chats []any
	for _, x := range r.Interactions {
		if x.Kind == KindChat && x.Arrived-x.Arrived%Hour+Hour <= s.over {
			chats = append(chats, string(x.Leg))
		}
	}
	for some := range slices.Chunk(chats, parametersMax) {
		if err := s.ratings(ctx, tx, "session in ("+placesOf(len(some))+")", some...); err != nil {
			return err
		}
	}
	return nil
}

// ratings marks when those were given for which a condition holds.
func (s *stale) ratings(ctx context.Context, tx *sql.Tx, where string, args ...any) error {
	rows, err := tx.QueryContext(ctx, "select at from chat_ratings where "+where, args...)
	if err != nil {
		return fmt.Errorf("journal: ratings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var at Micros
		if err := rows.Scan(&at); err != nil {
			return fmt.Errorf("journal: ratings: %w", err)
		}
		s.mark(RollupRatings, at, at)
	}
	return rows.Err()
}

// placesOf are the places of so many values in a statement, from the first on.
func placesOf(n int) string {
	places := make([]string, n)
	for k := range places {
		places[k] = fmt.Sprintf("$%d", k+1)
	}
	return strings.Join(places, ", ")
}

// Rated has the ratings of some times counted anew. Whoever writes a rating, or changes
// or deletes one, calls it first, in the same transaction, with the times of both.
func Rated(ctx context.Context, tx db.Tx, times ...time.Time) error {
	if err := Lock(ctx, tx); err != nil {
		return err
	}
	late := everything()
	for _, t := range times {
		late.mark(RollupRatings, MicrosOf(t), MicrosOf(t))
	}
	return late.drop(ctx, tx)
}

// everything has all hours be over that are told of.
func everything() stale {
	return stale{over: math.MaxInt64, hours: map[Rollup]map[Micros]bool{}}
}

// drop deletes what was counted of these hours.
func (s *stale) drop(ctx context.Context, tx execer) error {
	for of, hours := range s.hours {
		for at := range hours {
			if _, err := tx.ExecContext(ctx, "delete from rollups where source = $1 and (span = 1 and at = $2 or span = 24 and at = $3)",
				string(of), int64(at), int64(at-at%Day)); err != nil {
				return fmt.Errorf("journal: what was counted: %w", err)
			}
		}
	}
	return nil
}

// dropBefore deletes what was counted of the time before another, whose facts go.
func dropBefore(ctx context.Context, tx *sql.Tx, at int64) error {
	if err := Lock(ctx, tx); err != nil {
		return err
	}
	for _, of := range Rollups() {
		if _, err := tx.ExecContext(ctx, "delete from rollups where source = $1 and span in (1, 24) and at < $2", string(of), at); err != nil {
			return err
		}
	}
	return nil
}

// Lock has the transaction come before or after any that writes facts, never beside it.
func Lock(ctx context.Context, tx execer) error {
	_, err := tx.ExecContext(ctx, "update checkpoint set node = node where id = 1")
	return err
}

package journal_test

import (
	"database/sql"
	"fmt"
	"reflect"
	"testing"
	"time"

	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// fill gives every field of a struct a value of its own.
func fill(v reflect.Value, n int) {
	for k := range v.NumField() {
		f := v.Field(k)
		switch f.Kind() {
		case reflect.String:
			f.SetString(fmt.Sprintf("%s %d", v.Type().Field(k).Name, n))
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(1000*k + n + 1))
		case reflect.Uint64:
			f.SetUint(uint64(1000*k + n + 1))
		case reflect.Bool:
			f.SetBool(n%2 == 0)
		case reflect.Slice:
			f.SetBytes([]byte(`{"n":1}`))
		case reflect.Struct:
			fill(f, n+100*k)
		default:
			panic(f.Kind())
		}
	}
}

func filled[R any](n int) []R {
	rows := make([]R, n)
	for k := range rows {
		fill(reflect.ValueOf(&rows[k]).Elem(), k)
	}
	return rows
}

// Every column is written, none is mistaken for another: what comes back is as
// often as the fields are.
func TestRows_Insert(t *testing.T) {
	const n = 77
	rows := journal.Rows{
		Interactions: filled[journal.Interaction](n), Visits: filled[journal.Visit](n), Offers: filled[journal.Offer](n),
		Talks: filled[journal.Talk](n), Holds: filled[journal.Hold](n), Transfers: filled[journal.Transfer](n),
		Legs: filled[journal.Leg](n), Answers: filled[journal.Answer](n), AgentStates: filled[journal.AgentState](n), Events: filled[journal.Event](n),
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { return rows.Insert(t.Context(), tx, d.Mark) }); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"interactions", "visits", "offers", "talks", "holds", "transfers", "legs", "answers", "agent_states", "events"} {
			var got int
			if err := d.Read().QueryRow("select count(*) from " + table).Scan(&got); err != nil || got != n {
				t.Errorf("%s: %d rows, %v", table, got, err)
			}
		}
		var trunk, caller, end string
		var arrived, ended int64
		var unanswered bool
		err := d.Read().QueryRow("select trunk, caller, end_reason, arrived, ended, unanswered from interactions where leg = 'Leg 76'").
			Scan(&trunk, &caller, &end, &arrived, &ended, &unanswered)
		if err != nil || trunk != "Trunk 76" || caller != "Caller 76" || end != "End 76" || arrived != 11077 || ended != 13077 || !unanswered {
			t.Errorf("%q %q %q %d %d %v: %v", trunk, caller, end, arrived, ended, unanswered, err)
		}
	})
}

func TestMicros(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC)
	if got := journal.MicrosOf(at).Time(); !got.Equal(at) {
		t.Errorf("%v, want %v", got, at)
	}
	if journal.MicrosOf(time.Time{}) != 0 || !journal.Micros(0).Time().IsZero() {
		t.Error("never is not 0")
	}
}

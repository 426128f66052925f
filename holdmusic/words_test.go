package holdmusic

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Counted minutes in each language, as people say them: the forms of the number
// and of the noun.
func TestMinutesAreCountedAsPeopleDo(t *testing.T) {
	for language, rows := range map[string]map[int]string{
		"en": {
			1: "1 minute-one", 2: "2 minute-many", 11: "11 minute-many", 12: "12 minute-many", 20: "20 minute-many",
			21: "20 1 minute-many", 22: "20 2 minute-many", 59: "50 9 minute-many", 60: "60 minute-many",
		},
		"pl": {
			1:  "1f minute-one",    // jedna minuta
			2:  "2f minute-few",    // dwie minuty
			3:  "3 minute-few",     // trzy minuty
			4:  "4 minute-few",     // cztery minuty
			5:  "5 minute-many",    // pięć minut
			10: "10 minute-many",   // dziesięć minut
			11: "11 minute-many",   // jedenaście minut
			12: "12 minute-many",   // dwanaście minut
			13: "13 minute-many",   // trzynaście minut
			14: "14 minute-many",   // czternaście minut
			15: "15 minute-many",   // piętnaście minut
			20: "20 minute-many",   // dwadzieścia minut
			21: "20 1 minute-many", // dwadzieścia jeden minut
			22: "20 2f minute-few", // dwadzieścia dwie minuty
			24: "20 4 minute-few",  // dwadzieścia cztery minuty
			25: "20 5 minute-many", // dwadzieścia pięć minut
			31: "30 1 minute-many", // trzydzieści jeden minut
			52: "50 2f minute-few", // pięćdziesiąt dwie minuty
			60: "60 minute-many",   // sześćdziesiąt minut
		},
		"ru": {
			1:  "1f minute-one",    // одна минута
			2:  "2f minute-few",    // две минуты
			3:  "3 minute-few",     // три минуты
			4:  "4 minute-few",     // четыре минуты
			5:  "5 minute-many",    // пять минут
			10: "10 minute-many",   // десять минут
			11: "11 minute-many",   // одиннадцать минут
			12: "12 minute-many",   // двенадцать минут
			14: "14 minute-many",   // четырнадцать минут
			20: "20 minute-many",   // двадцать минут
			21: "20 1f minute-one", // двадцать одна минута
			22: "20 2f minute-few", // двадцать две минуты
			24: "20 4 minute-few",  // двадцать четыре минуты
			25: "20 5 minute-many", // двадцать пять минут
			31: "30 1f minute-one", // тридцать одна минута
			52: "50 2f minute-few", // пятьдесят две минуты
			60: "60 minute-many",   // шестьдесят минут
		},
	} {
		for n, want := range rows {
			t.Run(fmt.Sprint(language, n), func(t *testing.T) {
				got := strings.Join(Notice{Wait: time.Duration(n) * time.Minute}.words(grammars()[language]), " ")
				if got != "wait "+want {
					t.Errorf("%q, want %q", got, "wait "+want)
				}
			})
		}
	}
}

// A position is a bare number, which is masculine in Polish and Russian.
func TestPositionsAreSaid(t *testing.T) {
	for _, c := range []struct {
		language string
		position int
		want     string
	}{
		{"en", 1, "next"}, {"pl", 1, "next"}, {"ru", 1, "next"},
		{"en", 2, "position 2"}, {"pl", 2, "position 2"}, {"ru", 2, "position 2"},
		{"en", 19, "position 19"}, {"pl", 21, "position 20 1"}, {"ru", 21, "position 20 1"},
		{"en", 100, "position 100"}, {"pl", 100, "position 100"}, {"ru", 100, "position 100"},
		{"en", 101, "position 100 and 1"}, {"pl", 101, "position 100 1"}, {"ru", 101, "position 100 1"},
		{"en", 342, "position 300 and 40 2"}, {"pl", 342, "position 300 40 2"}, {"ru", 342, "position 300 40 2"},
		{"en", 999, "position 900 and 90 9"}, {"pl", 910, "position 900 10"},
		{"en", 1000, ""}, {"en", 0, ""}, {"en", -1, ""},
	} {
		t.Run(fmt.Sprint(c.language, c.position), func(t *testing.T) {
			got := strings.Join(Notice{Position: c.position}.words(grammars()[c.language]), " ")
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestWaitsAreRoundedUp(t *testing.T) {
	for _, c := range []struct {
		wait, says time.Duration
		want       string
	}{
		{-time.Second, 0, ""},
		{0, 0, ""},
		{time.Nanosecond, time.Minute, "wait less-than-a-minute"},
		{30 * time.Second, time.Minute, "wait less-than-a-minute"},
		{31 * time.Second, time.Minute, "wait 1 minute-one"},
		{time.Minute, time.Minute, "wait 1 minute-one"},
		{time.Minute + 1, 2 * time.Minute, "wait 2 minute-many"},
		{59*time.Minute + 1, time.Hour, "wait 60 minute-many"},
		{time.Hour, time.Hour, "wait 60 minute-many"},
		{time.Hour + 1, time.Hour + 1, "wait more-than-an-hour"},
	} {
		t.Run(c.wait.String(), func(t *testing.T) {
			n := Notice{Wait: c.wait}
			if got := strings.Join(n.words(grammars()["en"]), " "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got := n.Promise(); got != c.says {
				t.Errorf("means %v, want %v", got, c.says)
			}
		})
	}
}

func TestPositionAndWaitAreTwoSentences(t *testing.T) {
	got := strings.Join(Notice{Position: 3, Wait: 4 * time.Minute}.words(grammars()["pl"]), " ")
	if want := "position 3  wait 4 minute-few"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

package queuegroups

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestNormalize(t *testing.T) {
	for _, test := range []struct{ number, region, want string }{
		// R96: one number, however it is written.
		{"+48221234567", "PL", "+48221234567"},
		{"+48 (22) 123-45-67", "PL", "+48221234567"},
		{"0048221234567", "PL", "+48221234567"},
		{"00 48 22 123 45 67", "PL", "+48221234567"},
		{"22 123 45 67", "PL", "+48221234567"},
		{"(22) 123.45.67", "PL", "+48221234567"},
		{" +48 22 123 45 67 ", "PL", "+48221234567"},
		{"+48\u00a022\u00a0123\u00a045\u00a067", "PL", "+48221234567"},
		{"+48221234567", "", "+48221234567"},
		{"+48 22 123 45 67", "US", "+48221234567"},

		{"601 234 567", "PL", "+48601234567"},
		{"030 1234567", "DE", "+49301234567"},
		{"+49 (0) 30 1234567", "DE", "+49301234567"},
		{"011 48 22 123 45 67", "US", "+48221234567"},
		{"(212) 555-0123", "US", "+12125550123"},
		{"06 698 12345", "IT", "+390669812345"},
		{"8 (495) 123-45-67", "RU", "+74951234567"},
		{"+800 1234 5678", "PL", "+80012345678"},
		{"+66 0 0 48406227", "TH", "+6648406227"},
	} {
		got, err := Normalize(test.number, test.region)
		if err != nil || got != test.want {
			t.Errorf("%q in %s: %q, %v; want %q", test.number, test.region, got, err, test.want)
		}
	}
	for _, test := range []struct{ number, region string }{
		{"", "PL"}, {"anna", "PL"}, {"+", "PL"}, {"112", "PL"}, {"22 12", "PL"}, {"+48 22 123 45 67 890 123", "PL"},
		{"+999 22 123 45 67", "PL"}, {"22 123 45 67", ""}, {"22 123 45 67", "XX"}, {"22 123 45 67", "pl"},
		{"1-800-FLOWERS", "US"}, {"tel:+48221234567", "PL"}, {"+48 22 123 45 67 ext. 8", "PL"}, {"+48221234567;8", "PL"},
		{"٢٢١٢٣٤٥٦٧", "PL"}, {"+48221234567\n", "PL"},
	} {
		if got, err := Normalize(test.number, test.region); !errors.Is(err, ErrNotNumber) || got != "" {
			t.Errorf("%q in %q: %q, %v; want ErrNotNumber", test.number, test.region, got, err)
		}
	}
}

func TestKnownRegion(t *testing.T) {
	for region, want := range map[string]bool{"PL": true, "US": true, "XK": true, "": false, "pl": false, "ZZ": false, "001": false, "Poland": false} {
		if KnownRegion(region) != want {
			t.Errorf("%q: %v", region, !want)
		}
	}
}

// Whatever the country and however often its prefixes are dialled, what comes
// out stays as it is.
func TestNormalize_IsIdempotent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		code, prefix := phonenumbers.GetCountryCodeForRegion(region), phonenumbers.GetNddPrefixForRegion(region, true)
		for range 15 {
			digits := strconv.FormatUint(random.Uint64(), 10)[:3+random.IntN(10)]
			for _, number := range []string{digits, prefix + digits, fmt.Sprintf("+%d%s%s", code, prefix, digits), fmt.Sprintf("+%d%s%s%s", code, prefix, prefix, digits)} {
				once, err := Normalize(number, region)
				if err != nil {
					continue
				}
				accepted++
				for _, anywhere := range []string{region, "US", ""} {
					if twice, err := Normalize(once, anywhere); err != nil || twice != once {
						t.Errorf("%s in %s gives %s, which in %q gives %q, %v", number, region, once, anywhere, twice, err)
					}
				}
			}
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d numbers were tried", accepted)
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{1,16}$`)

func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"+48 (22) 123-45-67", "0048221234567", "22 123 45 67", "+7 8 800 1234567", "+39 06 698", "+1 1 212 555 0123", "+290 1", "+66000048406227", "00", "+", "(((("} {
		for _, region := range []string{"PL", "US", "RU", "IT", ""} {
			f.Add(seed, region)
		}
	}
	f.Fuzz(func(t *testing.T, number, region string) {
		once, err := Normalize(number, region)
		if err != nil {
			if once != "" || !errors.Is(err, ErrNotNumber) {
				t.Fatalf("%q in %q: %q, %v", number, region, once, err)
			}
			return
		}
		if !e164.MatchString(once) {
			t.Fatalf("%q in %q gives %q", number, region, once)
		}
		for _, region := range []string{region, "PL", ""} {
			if twice, err := Normalize(once, region); err != nil || twice != once {
				t.Fatalf("%q in %q gives %q, which gives %q, %v", number, region, once, twice, err)
			}
		}
	})
}

func BenchmarkNormalize(b *testing.B) {
	for name, number := range map[string]string{"e164": "+48221234567", "national": "22 123 45 67"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Normalize(number, "PL"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a carrier is sent is what it would be dialled as there, and is read as the same number again.
func TestFormat(t *testing.T) {
	for _, test := range []struct{ number, region, plain, national string }{
		{"+48221234567", "PL", "48221234567", "221234567"},
		{"+33142685300", "PL", "33142685300", "0033142685300"},
		{"+49301234567", "DE", "49301234567", "0301234567"},
		{"+12125550123", "US", "12125550123", "12125550123"},
		{"+48221234567", "US", "48221234567", "01148221234567"},
		{"+74951234567", "RU", "74951234567", "84951234567"},
		{"+390669812345", "IT", "390669812345", "0669812345"},
	} {
		for format, want := range map[NumberFormat]string{NumberE164: test.number, NumberPlain: test.plain, NumberNational: test.national} {
			if got := Format(test.number, format, test.region); got != want {
				t.Errorf("%s in %s as %q: %s, want %s", test.number, test.region, format, got, want)
			}
		}
		if again, err := Normalize(test.national, test.region); err != nil || again != test.number {
			t.Errorf("%s in %s is read as %s, %v", test.national, test.region, again, err)
		}
	}
	for _, number := range []string{"", "101", "anonymous"} {
		if got := Format(number, NumberNational, "PL"); got != number {
			t.Errorf("%q became %q", number, got)
		}
	}
	for _, c := range []struct{ number, region string }{{"+1", "PL"}, {"+48221234567", "XX"}} {
		if got := Format(c.number, NumberNational, c.region); got != c.number {
			t.Errorf("%q in %q became %q", c.number, c.region, got)
		}
	}
}

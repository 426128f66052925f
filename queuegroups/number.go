package queuegroups

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// ErrNotNumber is wrapped by the errors of Normalize.
var ErrNotNumber = errors.New("not a telephone number")

// Normalize gives the E.164 form (+48221234567) of a number as people write it
// (R96). Spaces, brackets, hyphens, dots and slashes do not matter. A number
// that begins with neither + nor the region's international prefix is one of
// the region, an ISO 3166 code such as PL. It checks that the number's length
// is possible in its country, not that the number is in use. Normalising what
// it gives gives the same again.
func Normalize(number, region string) (string, error) {
	for _, r := range number {
		if !strings.ContainsRune("+0123456789()[]-./ \u00a0\u2010\u2011\u2012\u2013", r) {
			return "", fmt.Errorf("%q is %w: it contains %q", number, ErrNotNumber, r)
		}
	}
	// A national prefix behind the country's code ("+66 0 …") is taken away once
	// at a time, so what comes out is read again until it stays as it is.
	last := number
	for range maxReadings {
		parsed, err := parseNumber(last, region)
		if err != nil {
			return "", fmt.Errorf("%q is %w: %w", number, ErrNotNumber, err)
		}
		if parsed == last {
			return parsed, nil
		}
		last = parsed
	}
	return "", fmt.Errorf("%q is %w: too many prefixes", number, ErrNotNumber)
}

// maxReadings is more than any number takes that somebody would write.
const maxReadings = 6

func parseNumber(number, region string) (string, error) {
	n, err := phonenumbers.Parse(number, region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		if !strings.HasPrefix(strings.TrimSpace(number), "+") && !KnownRegion(region) {
			return "", fmt.Errorf("without + it needs a region, and %q is none", region)
		}
		return "", errors.New("no country has this code")
	case err != nil:
		return "", errors.New("it does not look like one")
	}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.TOO_SHORT:
		return "", errors.New("too short")
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return "", errors.New("the area code is missing")
	case phonenumbers.TOO_LONG:
		return "", errors.New("too long")
	case phonenumbers.INVALID_COUNTRY_CODE:
		return "", errors.New("no country has this code")
	case phonenumbers.INVALID_LENGTH:
		return "", errors.New("no number of its country has this length")
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// KnownRegion tells whether a region is one of the ISO 3166 codes, in capitals, that have telephones.
func KnownRegion(region string) bool {
	return phonenumbers.GetCountryCodeForRegion(region) != 0
}

// Format writes an E.164 number as a carrier in a region wants it. What is no
// E.164 number stays as it is.
func Format(number string, format NumberFormat, region string) string {
	if !strings.HasPrefix(number, "+") {
		return number
	}
	switch format {
	case NumberPlain:
		return number[1:]
	case NumberNational:
		n, err := phonenumbers.Parse(number, region)
		if err != nil || !KnownRegion(region) {
			return number
		}
		if text := digits(phonenumbers.FormatOutOfCountryCallingNumber(n, region)); text != "" {
			return text
		}
	case NumberE164:
	}
	return number
}

// digits drops all else from a number.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

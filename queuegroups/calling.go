package queuegroups

import (
	"slices"

	"github.com/nyaruka/phonenumbers"
)

// CallClass is a class of numbers outside, by what calls to them cost and how
// often they are used to steal. An agent may call those of a class and of all
// classes before it.
type CallClass string

// The classes of numbers. What is not known to be harmless is in the last.
const (
	CallInternal      CallClass = "internal"      // none outside
	CallNational      CallClass = ""              // ordinary, shared-cost and free numbers of the region
	CallInternational CallClass = "international" // ordinary and free ones of other countries
	CallAny           CallClass = "any"           // premium-rate, personal, satellite and unknown ones
)

// DefaultMaxCalls is how many calls from an agent's phones there may be at once:
// the one they talk in, one to somebody whom they ask, and two more that have not
// ended yet.
const DefaultMaxCalls = 4

// reach orders the classes.
func (c CallClass) reach() int {
	switch c {
	case CallInternal:
		return 0
	case CallNational:
		return 1
	case CallInternational:
		return 2
	case CallAny:
		return 3
	}
	return 0 // none that is known: nothing
}

// String is the class as the YAML file names it.
func (c CallClass) String() string {
	if c == CallNational {
		return "national"
	}
	return string(c)
}

// callClass reads which numbers an agent may call.
func callClass(v text) CallClass {
	if v.V == "national" {
		return CallNational
	}
	return CallClass(v.V)
}

// ClassOf is the class of a number in its E.164 form, seen from a region. The
// country is that of the number, not of its code: +1 876 is Jamaica and no
// national call in the United States.
func ClassOf(e164, region string) CallClass {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return CallAny
	}
	country, kind := phonenumbers.GetRegionCodeForNumber(n), phonenumbers.GetNumberType(n)
	switch kind {
	case phonenumbers.TOLL_FREE, phonenumbers.SHARED_COST:
	case phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP, phonenumbers.UAN:
		if country == nonGeographic { // satellites and networks of the world, at any price
			return CallAny
		}
	default: // premium-rate, personal numbers, pagers, voicemail, and what is no number in use
		return CallAny
	}
	if country == region {
		return CallNational
	}
	return CallInternational
}

// nonGeographic is the region of numbers of no country, such as +800 and +881.
const nonGeographic = "001"

// MayCall tells whether an agent may call a number outside, in its E.164 form, or
// send somebody there, and of which class it is. Who is no agent may call none.
func (c *Config) MayCall(agent AgentID, e164 string) (CallClass, bool) {
	class := ClassOf(e164, c.Region)
	a := c.Agent(agent)
	return class, a != nil && class.reach() <= a.Calls.reach()
}

// TakesShort tells whether the trunk takes a number that is dialled as it is, and
// whether it is that of an emergency service.
func (t *Trunk) TakesShort(number string) (takes, emergency bool) {
	emergency = slices.Contains(t.Emergency, number)
	return emergency || slices.Contains(t.Short, number), emergency
}

// MayCallShort tells whether an agent may call a number as it is dialled: known, where
// a trunk takes it, those of emergency services always.
func (c *Config) MayCallShort(agent AgentID, number string) (known, may, emergency bool) {
	a := c.Agent(agent)
	for i := range c.Trunks {
		takes, urgent := c.Trunks[i].TakesShort(number)
		known, emergency = known || takes, emergency || urgent
	}
	return known, known && a != nil && (emergency || a.Calls.reach() >= CallNational.reach()), emergency
}

// OwnNumber is the number of ours that calls by a trunk are shown to come from: its
// caller_id, or else the first of the numbers that lead to us by it. False: there is
// none.
func (c *Config) OwnNumber(trunk TrunkID) (string, bool) {
	for i := range c.Trunks {
		if t := &c.Trunks[i]; t.ID == trunk && t.CallerID != "" {
			return t.CallerID, true
		}
	}
	for i := range c.Numbers {
		if c.Numbers[i].Trunk == trunk {
			return c.Numbers[i].Number, true
		}
	}
	return "", false
}

// TrunkOut is the trunk that is named for an agent's calls outside; empty: none is.
func (c *Config) TrunkOut(agent AgentID) TrunkID {
	if a := c.Agent(agent); a != nil {
		return a.Trunk
	}
	return ""
}

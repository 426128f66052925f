package queuegroups

import "time"

// ServiceLevel says by what measure a group or a channel is judged: the share of
// those who were answered in time. The zero value: none is declared.
type ServiceLevel struct {
	Within   time.Duration `json:"within"` // an answer within it is in time
	Abandons Abandons      `json:"abandons"`
	Short    time.Duration `json:"short,omitempty"` // whoever hangs up in less does not count at all; 0: nobody
}

// Abandons says what it means when somebody hangs up who waited no longer than
// ServiceLevel.Within.
type Abandons string

// They were not served; they do not count; they count as answered in time.
const (
	AbandonsNegative Abandons = "negative"
	AbandonsIgnored  Abandons = "ignored"
	AbandonsPositive Abandons = "positive"
)

// OrDefault is the measure itself, or where none is declared: 20 s are in time, and
// all who came count.
func (l ServiceLevel) OrDefault() ServiceLevel {
	if l == (ServiceLevel{}) {
		return ServiceLevel{Within: 20 * time.Second, Abandons: AbandonsNegative}
	}
	return l
}

// WallboardLimits say from when on a wallboard shows a group in another colour and word. The zero value:
// none are declared.
type WallboardLimits struct {
	Late    time.Duration `json:"late"`      // who has waited for this long is late
	TooLate time.Duration `json:"too_late"`  // and far too late from here on
	Aim     int           `json:"on_target"` // the service level, in percent, from which the group is on target
	Least   int           `json:"far_below"` // and that under which it is far below
}

// OrDefault are the limits themselves, or where none are declared: 30 s, 2 min, 80 and 60 percent.
func (w WallboardLimits) OrDefault() WallboardLimits {
	if w == (WallboardLimits{}) {
		return WallboardLimits{Late: 30 * time.Second, TooLate: 2 * time.Minute, Aim: 80, Least: 60}
	}
	return w
}

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

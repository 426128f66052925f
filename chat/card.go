package chat

import (
	"net/mail"
	"regexp"
	"strings"
)

// Mark is something by which one person is known in any channel, if somebody vouches
// for it: a telephone or an address of e-mail (R57).
type Mark struct {
	Kind  string // phone or email
	Value string // always written the same way
}

// international is a telephone number in E.164.
var international = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Marks are those in the details. A number without its country is none: nobody knows whose it is.
func (d Details) Marks() (list []Mark) {
	phone := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ()-./\u00a0", r) {
			return -1
		}
		return r
	}, d.Phone)
	if rest, ok := strings.CutPrefix(phone, "00"); ok {
		phone = "+" + rest
	}
	if international.MatchString(phone) {
		list = append(list, Mark{"phone", phone})
	}
	if a, err := mail.ParseAddress(d.Email); err == nil {
		list = append(list, Mark{"email", strings.ToLower(a.Address)})
	}
	return list
}

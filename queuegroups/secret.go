package queuegroups

import (
	"fmt"
	"io"
)

// redacted is what is seen of a secret wherever it is printed or marshalled.
const redacted = "[secret]"

// Secret is a password or token. Printing or marshalling it, alone or inside
// another value, never shows it. The zero Secret is empty.
type Secret struct {
	value *string // a pointer, so that fmt shows nothing even where it cannot call Format
}

// NewSecret makes a secret of its value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Value gives the secret itself.
func (s Secret) Value() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty tells whether there is no secret.
func (s Secret) Empty() bool { return s.value == nil }

// Equal tells whether two secrets have the same value.
func (s Secret) Equal(other Secret) bool { return s.Value() == other.Value() }

// String hides the value.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// Format hides the value from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText hides the value from encoding/json and all that honours encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

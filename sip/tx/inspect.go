package tx

import (
	"bytes"

	"centrala/sip/dialog"
	"centrala/sip/edge"
	"centrala/sip/header"
)

// inspect answers what the library would drop without a word, such as a
// request line that it cannot read (RFC 3261 section 21.4.1), and drops
// responses of that kind.
func inspect(msg []byte) (forward, reply []byte) {
	fault := header.Screen(msg)
	switch {
	case fault == nil:
		return msg, nil
	case bytes.HasPrefix(msg, []byte("SIP/")):
		return nil, nil
	}
	return nil, edge.Reply(msg, fault.Code, fault.Reason, dialog.NewTag())
}

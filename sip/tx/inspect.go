package tx

import (
	"bytes"

	"centrala/sip/dialog"
	"centrala/sip/edge"
)

// inspect answers what the library would drop without a word: a request line
// that it cannot read. RFC 3261 section 21.4.1 wants a 400 for that.
func inspect(msg []byte) (forward, reply []byte) {
	end := bytes.Index(msg, []byte("\r\n"))
	if end < 0 {
		return nil, nil
	}
	line := msg[:end]
	if bytes.HasPrefix(line, []byte("SIP/")) {
		return msg, nil
	}
	if bytes.Count(line, []byte(" ")) == 2 {
		return msg, nil
	}
	return nil, edge.Reply(msg, 400, "Bad Request: request line", dialog.NewTag())
}

package edge

import (
	"bytes"
	"errors"
	"strconv"
)

// Reply makes a stateless answer to the request that msg begins with, from
// what can be found of its Via, From, To, Call-ID and CSeq, for messages that
// cannot be parsed (RFC 3261 section 21.4.1). It returns nil if msg is not a
// request, is an ACK, or has no Via to answer to. A To without a tag gets tag.
func Reply(msg []byte, code int, reason, tag string) []byte {
	line, rest, _ := bytes.Cut(msg, crlf)
	if bytes.HasPrefix(line, sipSlash) || bytes.HasPrefix(line, ackSpace) || !bytes.Contains(line, spaceSIPSlash) {
		return nil
	}
	b := make([]byte, 0, 512)
	b = append(b, "SIP/2.0 "...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, ' ')
	b = append(b, reason...)
	b = append(b, "\r\n"...)
	vias := 0
	seen := map[string]bool{}
	for len(rest) > 0 {
		var header []byte
		header, rest = cutHeader(rest)
		if len(header) == 0 {
			break
		}
		name, value, ok := bytes.Cut(header, colon)
		if !ok {
			continue
		}
		long := echoed(name)
		if long == "" || long != "Via" && seen[long] {
			continue
		}
		seen[long] = true
		if long == "Via" {
			vias++
		}
		b = append(b, long...)
		b = append(b, ": "...)
		b = appendUnfolded(b, bytes.TrimSpace(value))
		if long == "To" && tag != "" && !bytes.Contains(bytes.ToLower(value), []byte("tag")) {
			b = append(b, ";tag="...)
			b = append(b, tag...)
		}
		b = append(b, "\r\n"...)
	}
	if vias == 0 {
		return nil
	}
	return append(b, "Content-Length: 0\r\n\r\n"...)
}

var ackSpace = []byte("ACK ")

// cutHeader takes the first header, with its folded lines, off a header section.
func cutHeader(b []byte) (header, rest []byte) {
	end := 0
	for {
		i := bytes.Index(b[end:], crlf)
		if i < 0 {
			return b, nil
		}
		next := end + i + 2
		if end+i == 0 || next >= len(b) || b[next] != ' ' && b[next] != '\t' {
			return b[:end+i], b[next:]
		}
		end = next
	}
}

// echoed is the full name of a header that an answer repeats, "" for others.
func echoed(name []byte) string {
	switch string(bytes.ToLower(bytes.TrimSpace(name))) {
	case "via", "v":
		return "Via"
	case "from", "f":
		return "From"
	case "to", "t":
		return "To"
	case "call-id", "i":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	}
	return ""
}

// appendUnfolded appends a header value on one line, without control characters.
func appendUnfolded(b, value []byte) []byte {
	for _, c := range value {
		switch {
		case c == '\r', c == '\n':
		case c < ' ' && c != '\t':
			b = append(b, '?')
		default:
			b = append(b, c)
		}
	}
	return b
}

// badFrame answers a message whose end cannot be found.
func badFrame(msg []byte, err error) []byte {
	switch {
	case errors.Is(err, ErrTooLong):
		return Reply(msg, 513, "Message Too Large", "")
	case errors.Is(err, ErrContentLength):
		return Reply(msg, 400, "Bad Content-Length", "")
	}
	return nil
}

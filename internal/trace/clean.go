package trace

import (
	"bytes"
)

// hidden is what is put in place of each byte of a secret, so that lengths stay.
const hidden = 'x'

var lineEnd = []byte("\r\n")

// clean returns a copy of a message without secrets, and its Call-ID. Hidden are
// what answers a challenge (RFC 8760; nonces stay, to see which was answered),
// passwords in URIs, keys of audio in session descriptions (RFC 4568, RFC 8839),
// and, unless keys is set, telephone keys in bodies of INFO.
func clean(msg []byte, keys bool) (data []byte, callID string) {
	data = bytes.Clone(msg)
	head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	hideUserinfo(head)
	secret, dtmf := false, false // secret: the header that goes on in the next line
	_, rest, _ := bytes.Cut(head, lineEnd)
	for len(rest) > 0 {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			continue
		}
		switch line[0] {
		case ' ', '\t':
			if secret {
				hideAnswer(line, false)
			}
			continue
		case 'a', 'A', 'p', 'P', 'c', 'C', 'i', 'I':
		default:
			secret = false
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if secret = confidential(name); secret {
			hideAnswer(value, true)
		}
		switch {
		case callID == "" && (bytes.EqualFold(name, []byte("Call-ID")) || len(name) == 1 && name[0]|0x20 == 'i'):
			callID = string(bytes.TrimSpace(value))
		case bytes.EqualFold(name, []byte("Content-Type")) || len(name) == 1 && name[0]|0x20 == 'c':
			dtmf = bytes.Contains(bytes.ToLower(value), []byte("dtmf"))
		}
	}
	switch {
	case len(body) == 0:
	case dtmf && !keys:
		hideKeys(body)
	case !dtmf:
		hideAudioKeys(body)
	}
	return data, callID
}

// confidential tells whether the value of a header may prove who somebody is.
func confidential(name []byte) bool {
	if len(name) < len("Authorization") {
		return false
	}
	for _, n := range []string{"Authorization", "Proxy-Authorization", "Authentication-Info", "Proxy-Authentication-Info"} {
		if bytes.EqualFold(name, []byte(n)) {
			return true
		}
	}
	return false
}

// hideAnswer hides the parameters that are computed from a password. Of a scheme
// other than Digest nothing is known, so that all of it is hidden.
func hideAnswer(value []byte, begins bool) {
	trimmed := bytes.TrimLeft(value, " \t")
	if scheme, token, ok := bytes.Cut(trimmed, []byte(" ")); begins && ok && !bytes.EqualFold(scheme, []byte("Digest")) &&
		!bytes.ContainsRune(scheme, '=') {
		fill(token)
		return
	}
	lower := bytes.ToLower(value)
	for _, name := range []string{"response", "rspauth"} {
		for at := 0; ; {
			i := bytes.Index(lower[at:], []byte(name))
			if i < 0 {
				break
			}
			start := at + i
			at = start + len(name)
			if start > 0 && !bytes.ContainsRune([]byte(" \t,"), rune(lower[start-1])) {
				continue
			}
			after := bytes.TrimLeft(value[at:], " \t")
			if len(after) == 0 || after[0] != '=' {
				continue
			}
			after = bytes.TrimLeft(after[1:], " \t")
			end := bytes.IndexAny(after, ", \t")
			if len(after) > 0 && after[0] == '"' {
				after = after[1:]
				end = bytes.IndexByte(after, '"')
			}
			if end < 0 {
				end = len(after)
			}
			fill(after[:end])
		}
	}
}

// hideUserinfo hides passwords in SIP URIs: sip:user:password@host (RFC 3261 section 19.1.1).
func hideUserinfo(head []byte) {
	for at := 0; ; {
		i := bytes.IndexByte(head[at:], '@')
		if i < 0 {
			return
		}
		end := at + i
		begin := end
		for begin > at && !uriBound(head[begin-1]) {
			begin--
		}
		at = end + 1
		user := afterScheme(head[begin:end])
		if colon := bytes.IndexByte(user, ':'); colon >= 0 {
			fill(user[colon+1:])
		}
	}
}

// afterScheme is what follows the first "sip:" or "sips:"; nil: neither is there.
func afterScheme(b []byte) []byte {
	for ; len(b) >= len("sip:"); b = b[1:] {
		if b[0]|0x20 != 's' || !bytes.EqualFold(b[:3], []byte("sip")) {
			continue
		}
		if rest := b[3:]; rest[0] == ':' {
			return rest[1:]
		} else if rest[0]|0x20 == 's' && len(rest) > 1 && rest[1] == ':' {
			return rest[2:]
		}
	}
	return nil
}

// uriBound tells whether c stands before a URI and never in its user part.
func uriBound(c byte) bool { return c <= ' ' || c == '<' || c == '>' || c == '"' }

// hideAudioKeys hides what audio is encrypted with.
func hideAudioKeys(body []byte) {
	for len(body) > 0 {
		var line []byte
		line, body, _ = bytes.Cut(body, []byte("\n"))
		switch {
		case bytes.HasPrefix(line, []byte("a=crypto:")):
			for {
				i := bytes.Index(line, []byte("inline:"))
				if i < 0 {
					break
				}
				line = line[i+len("inline:"):]
				end := bytes.IndexAny(line, "|; \r")
				if end < 0 {
					end = len(line)
				}
				fill(line[:end])
			}
		case bytes.HasPrefix(line, []byte("k=")):
			fill(bytes.TrimRight(line[2:], "\r"))
		case bytes.HasPrefix(line, []byte("a=ice-pwd:")):
			fill(bytes.TrimRight(line[len("a=ice-pwd:"):], "\r"))
		}
	}
}

// hideKeys hides the telephone key in the body of an INFO: "Signal=5", or the key alone.
func hideKeys(body []byte) {
	found := false
	rest := body
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if i := bytes.IndexAny(line, "=:"); i >= 0 {
			if bytes.EqualFold(bytes.TrimSpace(line[:i]), []byte("Signal")) {
				fill(bytes.TrimSpace(line[i+1:]))
			}
			found = true
		}
	}
	if !found {
		fill(bytes.TrimSpace(body))
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = hidden
	}
}

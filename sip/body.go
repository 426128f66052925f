package sip

import (
	"bytes"
	"mime"
	"strings"

	"github.com/emiago/sipgo/sip"
)

const sdpType = "application/sdp"

// sessionIn finds the session description in a message. ok is false if there
// is a body but none that we understand (415). A multipart body, as gateways
// send, may hold one beside others (RFC 5621 section 3).
func sessionIn(m sip.Message, contentType *sip.ContentTypeHeader) (sdp []byte, ok bool) {
	body := m.Body()
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, true
	}
	if contentType == nil {
		return nil, false
	}
	kind, params, err := mime.ParseMediaType(string(*contentType))
	switch {
	case err != nil:
		return nil, false
	case kind == sdpType:
		return body, true
	case !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "":
		return nil, false
	}
	return sessionPart(body, params["boundary"])
}

// keyIn finds the telephone key in the body of an INFO, in one of the two ways
// that phones write it: "Signal=5" among other lines (application/dtmf-relay), or
// the key alone (application/dtmf). ok is false for other bodies; key is 0 if
// none can be made out.
func keyIn(body []byte, contentType *sip.ContentTypeHeader) (key byte, ok bool) {
	if contentType == nil {
		return 0, false
	}
	kind, _, _ := strings.Cut(strings.ToLower(string(*contentType)), ";")
	signal := ""
	switch strings.TrimSpace(kind) {
	case "application/dtmf-relay":
		for line := range strings.Lines(string(body)) {
			name, value, _ := strings.Cut(line, "=")
			if strings.EqualFold(strings.TrimSpace(name), "Signal") {
				signal = value
			}
		}
	case "application/dtmf":
		signal = string(body)
	default:
		return 0, false
	}
	switch signal = strings.ToUpper(strings.TrimSpace(signal)); signal {
	case "10": // by the number of its event, RFC 4733 section 3.2
		signal = "*"
	case "11":
		signal = "#"
	}
	if len(signal) != 1 || !strings.Contains("0123456789*#ABCD", signal) {
		return 0, true
	}
	return signal[0], true
}

// sessionPart finds the part of a multipart body that is a session description.
func sessionPart(body []byte, boundary string) ([]byte, bool) {
	mark := []byte("--" + boundary)
	for i, part := range bytes.Split(body, mark) {
		if i == 0 || bytes.HasPrefix(part, []byte("--")) {
			continue // before the first, after the last
		}
		head, content, ok := bytes.Cut(part, []byte("\r\n\r\n"))
		if !ok {
			continue
		}
		for line := range strings.SplitSeq(string(head), "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			name = strings.ToLower(strings.TrimSpace(name))
			if name != "content-type" && name != "c" {
				continue
			}
			if kind, _, err := mime.ParseMediaType(value); err == nil && kind == sdpType {
				return bytes.TrimSuffix(content, []byte("\r\n")), true
			}
		}
	}
	return nil, false
}

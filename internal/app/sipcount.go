package app

import (
	"bytes"
	"slices"
	"sync/atomic"
)

// sipMethods are those counted by name; all others are counted as "other".
var sipMethods = [...]string{
	"INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "SUBSCRIBE", "NOTIFY",
	"MESSAGE", "PUBLISH", "other",
}

const (
	firstStatus = 100
	lastStatus  = 699
)

// sipCount counts messages on the wire, repeated ones and those that nobody could
// read included. Its zero value is ready. Lines below are by "sent by us".
type sipCount struct {
	requests  [2][len(sipMethods)]atomic.Uint64
	responses [2][len(sipMethods)][lastStatus - firstStatus + 1]atomic.Uint64
}

var cseqHeader = []byte("\r\nCSeq:")

// add counts a message. A response without a status or CSeq that can be read is not counted.
func (c *sipCount) add(sent bool, msg []byte) {
	way := 0
	if sent {
		way = 1
	}
	if rest, ok := bytes.CutPrefix(msg, []byte("SIP/2.0 ")); ok {
		status := 0
		for _, d := range rest[:min(3, len(rest))] {
			status = status*10 + int(d) - '0'
		}
		at := bytes.Index(rest, cseqHeader)
		if at < 0 || status < firstStatus || status > lastStatus {
			return
		}
		line, _, _ := bytes.Cut(rest[at+len(cseqHeader):], []byte("\r\n"))
		line = bytes.TrimSpace(line)
		c.responses[way][method(line[bytes.LastIndexByte(line, ' ')+1:])][status-firstStatus].Add(1)
		return
	}
	name, _, _ := bytes.Cut(msg, []byte(" "))
	c.requests[way][method(name)].Add(1)
}

// method is the place of a method in sipMethods.
func method(name []byte) int {
	const other = len(sipMethods) - 1
	if i := slices.Index(sipMethods[:other], string(name)); i >= 0 {
		return i
	}
	return other
}

// each calls request and response with every count that is not 0.
func (c *sipCount) each(request func(n uint64, method, dir string), response func(n uint64, method string, status int, dir string)) {
	for way, dir := range []string{"in", "out"} {
		for m, name := range sipMethods {
			if n := c.requests[way][m].Load(); n > 0 {
				request(n, name, dir)
			}
			for i := range c.responses[way][m] {
				if n := c.responses[way][m][i].Load(); n > 0 {
					response(n, name, firstStatus+i, dir)
				}
			}
		}
	}
}

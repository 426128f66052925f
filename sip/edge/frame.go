package edge

import (
	"bytes"
	"errors"
	"strconv"
)

// Errors of a byte stream that has no message boundary to go on from.
var (
	ErrTooLong       = errors.New("message too long")
	ErrContentLength = errors.New("no usable Content-Length")
	ErrNotSIP        = errors.New("stream is not SIP")
)

// framer cuts a byte stream into messages by their Content-Length
// (RFC 3261 section 18.3).
type framer struct {
	max  int
	buf  []byte // what was read and not yet returned begins at off
	off  int
	head int // end of the header section of the message at off, once seen
	scan int // how far the header section was searched
}

const frameChunk = 4096

// space returns room for a read; added then tells how much came.
func (f *framer) space() []byte {
	if f.off > 0 {
		f.buf = f.buf[:copy(f.buf, f.buf[f.off:])]
		f.head, f.scan = max(0, f.head-f.off), max(0, f.scan-f.off)
		f.off = 0
	}
	if cap(f.buf)-len(f.buf) < frameChunk {
		grown := make([]byte, len(f.buf), 2*cap(f.buf)+frameChunk)
		copy(grown, f.buf)
		f.buf = grown
	}
	return f.buf[len(f.buf):cap(f.buf)]
}

// added takes in n bytes of the room, and removes line ends between messages.
// It returns how many pings (two line ends) were among them.
func (f *framer) added(n int) (pings int) {
	f.buf = f.buf[:len(f.buf)+n]
	return f.skipLineEnds()
}

func (f *framer) skipLineEnds() (pings int) {
	if f.head > 0 || f.scan > f.off {
		return 0 // within a message
	}
	ends := 0
	for {
		rest := f.buf[f.off:]
		if len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n' {
			f.off += 2
			ends++
			continue
		}
		return ends / 2
	}
}

// next returns the next whole message, nil if more bytes are needed. The slice
// is valid until the next call of space.
func (f *framer) next() ([]byte, error) {
	f.skipLineEnds()
	rest := f.buf[f.off:]
	if len(rest) == 0 || len(rest) == 1 && rest[0] == '\r' {
		return nil, nil
	}
	if !methodByte(rest[0]) {
		return nil, ErrNotSIP
	}
	if f.head == 0 {
		from := max(f.scan, f.off)
		i := bytes.Index(f.buf[max(f.off, from-3):], headEnd)
		if i < 0 {
			f.scan = len(f.buf)
			if len(rest) > f.max {
				return nil, ErrTooLong
			}
			return nil, nil
		}
		f.head = max(f.off, from-3) + i + len(headEnd)
	}
	length, found, ok := contentLength(f.buf[f.off:f.head])
	if !found || !ok {
		return nil, ErrContentLength
	}
	end := f.head + length
	if length > f.max || end-f.off > f.max {
		return nil, ErrTooLong
	}
	if len(f.buf) < end {
		return nil, nil
	}
	msg := f.buf[f.off:end:end]
	f.off, f.head, f.scan = end, 0, 0
	return msg, nil
}

// message returns what there is of the message that could not be framed.
func (f *framer) message() []byte { return f.buf[f.off:] }

var headEnd = []byte("\r\n\r\n")

// contentLength finds the one Content-Length (or l) of a header section. ok is
// false for one that is no number, and for several that differ.
func contentLength(head []byte) (length int, found, ok bool) {
	for len(head) > 0 {
		line := head
		if i := bytes.Index(head, crlf); i >= 0 {
			line, head = head[:i], head[i+2:]
		} else {
			head = nil
		}
		if len(line) < 2 || line[0]|0x20 != 'l' && line[0]|0x20 != 'c' {
			continue
		}
		name, value, ok := bytes.Cut(line, colon)
		if !ok {
			continue
		}
		name = bytes.TrimRight(name, " \t")
		if len(name) != 1 && !bytes.EqualFold(name, contentLengthName) || len(name) == 1 && name[0]|0x20 != 'l' {
			continue
		}
		for len(head) > 0 && (head[0] == ' ' || head[0] == '\t') { // folded, RFC 3261 section 7.3.1
			more, rest, _ := bytes.Cut(head, crlf)
			value, head = bytes.Join([][]byte{value, more}, []byte(" ")), rest
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31)
		if err != nil || found && int(n) != length {
			return 0, true, false
		}
		found, length = true, int(n)
	}
	return length, found, true
}

var (
	crlf              = []byte("\r\n")
	colon             = []byte(":")
	contentLengthName = []byte("content-length")
)

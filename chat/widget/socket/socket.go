// Package socket is the server's side of WebSocket (RFC 6455) for very many connections that
// are silent nearly always. It takes text messages alone and no extensions, and holds nothing for a
// connection that waits but its state of some hundred bytes: buffers are there while they are used.
package socket

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Status says why a connection is closed (RFC 6455 section 7.4.1).
type Status uint16

// The statuses that are used here.
const (
	StatusNormal   Status = 1000
	StatusProtocol Status = 1002
	StatusKind     Status = 1003 // a message that is no text
	StatusText     Status = 1007 // text that is no UTF-8
	StatusPolicy   Status = 1008
	StatusTooBig   Status = 1009
)

// ErrClosed is the error of Read when the other side has closed the connection in order.
var ErrClosed = errors.New("the WebSocket is closed")

// Opcodes (RFC 6455 section 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

const (
	controlMost = 125             // bytes of a control frame (RFC 6455 section 5.5)
	chunk       = 4 << 10         // so much of a message is made room for at a time
	pongWithin  = 5 * time.Second // a pong, and a close frame, may take to be sent
	closeWithin = 5 * time.Second // the other side's close frame may take to come
)

// Conn is a connection. One goroutine reads and closes it; any may write and cut it.
type Conn struct {
	conn     net.Conn
	most     int
	early    []byte   // what came with the handshake
	ahead    [48]byte // what was read and not used yet is ahead[from:to]; small frames come whole
	from, to int

	writing sync.Mutex
	closed  bool // a close frame was sent; under writing
}

// Accept makes a request a WebSocket whose messages have most bytes at most. If it cannot be one, that was
// answered. Who may connect is found out before; the request's context ends when its handler returns, which
// may be before the connection ends.
func Accept(w http.ResponseWriter, r *http.Request, most int) (*Conn, error) {
	key, err := handshake(r)
	if err != nil {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, err.Error(), http.StatusUpgradeRequired)
		return nil, err
	}
	h := w.Header()
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Accept", key)
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("WebSocket: %w", err)
	}
	c := &Conn{conn: conn, most: most}
	if n := buffered.Reader.Buffered(); n > 0 {
		c.early = make([]byte, n)
		_, _ = io.ReadFull(buffered.Reader, c.early) // they are there
	}
	return c, nil
}

// handshake checks what the client asks for, and returns the answer to its key (RFC 6455 section 4.2).
func handshake(r *http.Request) (accept string, err error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	raw, bad := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet, !r.ProtoAtLeast(1, 1), !has(r, "Connection", "upgrade"), !has(r, "Upgrade", "websocket"):
		return "", errors.New("this address is for WebSockets")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", errors.New("the version of WebSocket must be 13")
	case bad != nil, len(raw) != 16:
		return "", errors.New("Sec-WebSocket-Key must be 16 bytes in base64")
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// has tells whether a header names a token.
func has(r *http.Request, header, token string) bool {
	for _, line := range r.Header.Values(header) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// Read returns the next message, and answers pings until it comes. After an error, of which one is that no
// whole message came within the time, the connection is closed.
func (c *Conn) Read(within time.Duration) ([]byte, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(within)) // reading tells what is wrong
	var message []byte
	for begun := false; ; {
		op, fin, n, key, err := c.header()
		if err != nil {
			return nil, c.broken(err)
		}
		if op >= opClose {
			if err := c.control(op, fin, int(min(n, controlMost+1)), key); err != nil {
				return nil, c.broken(err)
			}
			continue
		}
		switch {
		case op == opContinuation && !begun, op == opText && begun:
			return nil, c.broken(&fault{StatusProtocol, "a fragment out of order"})
		case op != opContinuation && op != opText:
			return nil, c.broken(&fault{StatusKind, "only text is taken"})
		case n > uint64(c.most-len(message)):
			return nil, c.broken(&fault{StatusTooBig, "the message is too long"})
		}
		begun = true
		if message, err = c.payload(message, int(n), key); err != nil {
			return nil, c.broken(err)
		}
		if !fin {
			continue
		}
		if !utf8.Valid(message) {
			return nil, c.broken(&fault{StatusText, "the text is not UTF-8"})
		}
		return message, nil
	}
}

// fault is what is wrong with what came.
type fault struct {
	status Status
	reason string
}

// Error implements error.
func (f *fault) Error() string { return "WebSocket: " + f.reason }

// broken closes the connection for an error, and tells the other side of it where it is its fault.
func (c *Conn) broken(err error) error {
	var f *fault
	if errors.As(err, &f) {
		c.Close(f.status, f.reason)
	} else {
		c.Cut()
	}
	return err
}

// header reads that of a frame (RFC 6455 section 5.2).
func (c *Conn) header() (op byte, fin bool, n uint64, key [4]byte, err error) {
	b, err := c.next(2)
	if err != nil {
		return 0, false, 0, key, err
	}
	op, fin, n = b[0]&0xf, b[0]&0x80 != 0, uint64(b[1]&0x7f)
	switch {
	case b[0]&0x70 != 0:
		return 0, false, 0, key, &fault{StatusProtocol, "a bit is set that nothing was agreed for"}
	case b[1]&0x80 == 0: // section 5.1
		return 0, false, 0, key, &fault{StatusProtocol, "a frame is not masked"}
	}
	switch n {
	case 126:
		if b, err = c.next(2); err == nil {
			n = uint64(binary.BigEndian.Uint16(b))
		}
	case 127:
		if b, err = c.next(8); err == nil {
			n = binary.BigEndian.Uint64(b)
		}
	}
	if err == nil {
		b, err = c.next(4)
	}
	if err != nil {
		return 0, false, 0, key, err
	}
	return op, fin, n, [4]byte(b), nil
}

// next returns the next n bytes, of which there are 8 at most, until the next reading.
func (c *Conn) next(n int) ([]byte, error) {
	if c.to-c.from < n {
		c.to = copy(c.ahead[:], c.ahead[c.from:c.to])
		for c.from = 0; c.to < n; {
			got, err := c.read(c.ahead[c.to:])
			if c.to += got; err != nil && c.to < n {
				return nil, err
			}
		}
	}
	b := c.ahead[c.from : c.from+n]
	c.from += n
	return b, nil
}

// read reads from what came with the handshake, and then from the connection.
func (c *Conn) read(b []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(b, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.conn.Read(b)
}

// payload appends that of a frame to a message. Room is made for what has come, not for what was announced.
func (c *Conn) payload(message []byte, n int, key [4]byte) ([]byte, error) {
	begins := len(message)
	for end := begins + n; len(message) < end; {
		at := len(message)
		if ahead := c.ahead[c.from:min(c.to, c.from+end-at)]; len(ahead) > 0 {
			message = append(message, ahead...)
			c.from += len(ahead)
			continue
		}
		size := min(end-at, chunk)
		message = append(message, make([]byte, size)...)
		got, err := c.read(message[at:])
		if message = message[:at+got]; err != nil && len(message) < end {
			return nil, err
		}
	}
	for k := begins; k < len(message); k++ {
		message[k] ^= key[(k-begins)&3]
	}
	return message, nil
}

// control takes a control frame.
func (c *Conn) control(op byte, fin bool, n int, key [4]byte) error {
	if !fin || n > controlMost {
		return &fault{StatusProtocol, "a control frame is too long, or in parts"}
	}
	text, err := c.payload(nil, n, key)
	if err != nil {
		return err
	}
	switch op {
	case opPing:
		return c.write(opPong, text, pongWithin)
	case opPong:
		return nil
	case opClose:
		_ = c.write(opClose, text[:min(len(text), 2)], pongWithin) // the other side is going
		return ErrClosed
	}
	return &fault{StatusProtocol, "a frame of no known kind"}
}

// Write sends a text message. After an error, of which one is that it took longer, the connection is cut.
func (c *Conn) Write(text []byte, within time.Duration) error { return c.write(opText, text, within) }

func (c *Conn) write(op byte, payload []byte, within time.Duration) error {
	frame := make([]byte, 0, 10+len(payload))
	frame = append(frame, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 127), uint64(n))
	}
	frame = append(frame, payload...)
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closed {
		return ErrClosed // nothing follows a close frame (RFC 6455 section 5.5.1)
	}
	c.closed = op == opClose
	_ = c.conn.SetWriteDeadline(time.Now().Add(within)) // writing tells what is wrong
	_, err := c.conn.Write(frame)
	if err != nil {
		c.Cut()
	}
	return err
}

// Close tells the other side why the connection ends, waits a moment for its word, and cuts it. It is for
// the goroutine that reads.
func (c *Conn) Close(status Status, reason string) {
	defer c.Cut()
	text := binary.BigEndian.AppendUint16(nil, uint16(status))
	if c.write(opClose, append(text, reason[:min(len(reason), controlMost-2)]...), pongWithin) != nil {
		return
	}
	// What was not read when the connection is cut could take our word with it.
	_ = c.conn.SetReadDeadline(time.Now().Add(closeWithin)) // reading tells what is wrong
	_, _ = io.Copy(io.Discard, io.LimitReader(c.conn, 1<<20))
}

// Cut ends the connection at once.
func (c *Conn) Cut() { _ = c.conn.Close() }

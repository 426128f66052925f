package socket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const patience = 30 * time.Second

// serve accepts WebSockets of most bytes and has f serve each, beside its request.
func serve(t testing.TB, most int, f func(*Conn)) (address string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, most)
		if err != nil {
			return
		}
		go func() {
			defer c.Cut()
			f(c)
		}()
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// echo sends back what comes.
func echo(c *Conn) {
	for {
		text, err := c.Read(patience)
		if err != nil || c.Write(text, patience) != nil {
			return
		}
	}
}

// With another's client: messages of all sizes come whole, in as many parts as it likes, pings are answered
// and both sides close in order.
func TestConn(t *testing.T) {
	closed := make(chan error, 1)
	address := serve(t, 1<<20, func(c *Conn) {
		for {
			text, err := c.Read(patience)
			if err != nil {
				closed <- err
				return
			}
			if err := c.Write(text, patience); err != nil {
				closed <- err
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	for _, n := range []int{0, 1, 40, 47, 48, 49, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 1 << 20} {
		want := bytes.Repeat([]byte("ż"), n/2+1)[:n/2*2]
		if err := c.Write(ctx, websocket.MessageText, want); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("of %d bytes %d came back: %v", len(want), len(got), err)
		}
	}
	w, err := c.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 5000 { // more than one frame
		fmt.Fprintf(w, "%d ", k)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.Read(ctx); err != nil || !strings.HasSuffix(string(got), " 4999 ") {
		t.Errorf("%d bytes in parts: %v", len(got), err)
	}
	reading := c.CloseRead(ctx) // so that the pong is heard
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
	_ = reading
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
	if err := <-closed; !errors.Is(err, ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
}

// The server closes with a status and a reason, which the other side hears though it goes on writing.
func TestConn_Close(t *testing.T) {
	address := serve(t, 100, func(c *Conn) {
		if _, err := c.Read(patience); err == nil {
			c.Close(StatusPolicy, "go away")
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		_ = c.Write(ctx, websocket.MessageText, []byte("hello")) // the server is closing
	}
	_, _, err = c.Read(ctx)
	var e websocket.CloseError
	if !errors.As(err, &e) || e.Code != websocket.StatusPolicyViolation || e.Reason != "go away" {
		t.Errorf("%v", err)
	}
}

// raw is a client that sends what it is told.
type raw struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, address string, behind ...byte) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	head := "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := conn.Write(append([]byte(head), behind...)); err != nil {
		t.Fatal(err)
	}
	r := &raw{t, conn, bufio.NewReader(conn)}
	p, err := http.ReadResponse(r.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The example of RFC 6455 section 1.3.
	if p.StatusCode != http.StatusSwitchingProtocols || p.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("%s %v", p.Status, p.Header)
	}
	return r
}

// frame is a frame as clients send it.
func frame(first byte, payload string) []byte {
	key := [4]byte{1, 2, 3, 4}
	b := []byte{first}
	if len(payload) < 126 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	}
	b = append(b, key[:]...)
	for k := range len(payload) {
		b = append(b, payload[k]^key[k&3])
	}
	return b
}

// next reads a short frame of the server's.
func (r *raw) next() (op byte, payload string) {
	r.t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r.in, head); err != nil {
		r.t.Fatal(err)
	}
	body := make([]byte, head[1])
	if _, err := io.ReadFull(r.in, body); err != nil {
		r.t.Fatal(err)
	}
	return head[0], string(body)
}

// What is against the protocol, or too much, ends the connection with the status that says so.
func TestConn_Faults(t *testing.T) {
	address := serve(t, 200, echo)
	for name, x := range map[string]struct {
		send []byte
		want Status
	}{
		"a reserved bit":             {frame(0xc1, "x"), StatusProtocol},
		"not masked":                 {[]byte{0x81, 1, 'x'}, StatusProtocol},
		"binary":                     {frame(0x82, "x"), StatusKind},
		"an unknown frame":           {frame(0x83, "x"), StatusKind},
		"an unknown control frame":   {frame(0x8b, "x"), StatusProtocol},
		"a continuation of nothing":  {frame(0x80, "x"), StatusProtocol},
		"a message within a message": {append(frame(0x01, "x"), frame(0x81, "y")...), StatusProtocol},
		"a ping in parts":            {frame(0x09, "x"), StatusProtocol},
		"a long ping":                {frame(0x89, strings.Repeat("x", 126)), StatusProtocol},
		"no UTF-8":                   {frame(0x81, "\xff"), StatusText},
		"too long":                   {frame(0x81, strings.Repeat("x", 201)), StatusTooBig},
		"too long in parts":          {append(frame(0x01, strings.Repeat("x", 150)), frame(0x80, strings.Repeat("x", 51))...), StatusTooBig},
		"too long by its own word":   {append([]byte{0x81, 0xff}, bytes.Repeat([]byte{0xff}, 12)...), StatusTooBig},
		"normal":                     {frame(0x88, "\x03\xe8"), StatusNormal},
	} {
		r := dial(t, address)
		if _, err := r.conn.Write(x.send); err != nil {
			t.Fatal(err)
		}
		op, payload := r.next()
		if op != 0x88 || len(payload) < 2 || Status(binary.BigEndian.Uint16([]byte(payload))) != x.want {
			t.Errorf("%s: %x %q", name, op, payload)
		}
		_ = r.conn.Close()
	}
}

// Frames that come with the handshake, byte by byte, in parts and with pings between are taken; a ping
// is answered at once.
func TestConn_Pieces(t *testing.T) {
	address := serve(t, 1000, echo)
	r := dial(t, address, frame(0x81, "early")...)
	if op, text := r.next(); op != 0x81 || text != "early" {
		t.Errorf("%x %q", op, text)
	}
	all := append(append(frame(0x01, "in "), frame(0x89, "are you there?")...), frame(0x80, "parts")...)
	for _, b := range all {
		if _, err := r.conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if op, text := r.next(); op != 0x8a || text != "are you there?" {
		t.Errorf("%x %q", op, text)
	}
	if op, text := r.next(); op != 0x81 || text != "in parts" {
		t.Errorf("%x %q", op, text)
	}
}

// What is no handshake is answered as HTTP.
func TestAccept_Refuses(t *testing.T) {
	good := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.StdEncoding.EncodeToString(make([]byte, 16))}
	for _, bad := range []string{"", "Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for name, value := range good {
			if name != bad {
				r.Header.Set(name, value)
			}
		}
		if bad == "" {
			r.Method = http.MethodPost
		}
		w := httptest.NewRecorder()
		if c, err := Accept(w, r, 1); err == nil || c != nil || w.Code != http.StatusUpgradeRequired {
			t.Errorf("without %q: %d %v", bad, w.Code, err)
		}
	}
}

// Whatever comes, nothing of it is more than was allowed, and reading ends.
func FuzzRead(f *testing.F) {
	f.Add(frame(0x81, "hello"))
	f.Add(append(frame(0x01, "a"), frame(0x80, "b")...))
	f.Add(frame(0x89, "ping"))
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := net.Pipe()
		go func() {
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			_, _ = theirs.Write(sent)
			_ = theirs.Close()
		}()
		c := &Conn{conn: ours, most: 50}
		for {
			text, err := c.Read(patience)
			if err != nil {
				return
			}
			if len(text) > 50 {
				t.Fatalf("%d bytes", len(text))
			}
		}
	})
}

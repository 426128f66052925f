package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"centrala/e2e/process"
)

// window is a chat window on a website, of a visitor at an address of their own.
type window struct {
	b       *bench
	address string
	conn    *websocket.Conn
	ready   chan struct{} // closed once it was told how things stand
	active  chan struct{} // closed once an agent has the chat
	is      sync.Once
	has     sync.Once
}

// told is a frame that a window is sent.
type told struct {
	Type, ID, Phase, Code string
	Items                 []struct{ By, Text string }
}

// open begins a visitor's session and connects.
func (b *bench) open(k int) (*window, error) {
	w := &window{b: b, address: fmt.Sprintf("10.%d.%d.%d", k>>16&255, k>>8&255, k&255), ready: make(chan struct{}), active: make(chan struct{})}
	headers := http.Header{"Origin": {"http://" + webAddr}, "X-Forwarded-For": {w.address}}
	var session struct{ Token string }
	if err := b.ask(http.MethodPost, "/widget/website/session", headers, map[string]string{}, &session); err != nil {
		return nil, err
	}
	var err error
	if w.conn, _, err = websocket.Dial(b.ctx, "http://"+webAddr+"/widget/website/socket", &websocket.DialOptions{HTTPHeader: headers, HTTPClient: b.http}); err != nil {
		return nil, err
	}
	w.conn.SetReadLimit(1 << 20)
	if err := w.write(map[string]any{"type": "hello", "token": session.Token, "since": -1}); err != nil {
		return nil, err
	}
	go w.read()
	return w, nil
}

func (w *window) write(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.conn.Write(w.b.ctx, websocket.MessageText, body)
}

// read takes frames until the bench ends.
func (w *window) read() {
	for {
		_, text, err := w.conn.Read(w.b.ctx)
		if err != nil {
			w.b.wrong(fmt.Errorf("a window was cut off: %w", err))
			return
		}
		var f told
		if err := json.Unmarshal(text, &f); err != nil {
			w.b.wrong(err)
			return
		}
		switch f.Type {
		case "beat":
			w.b.wrong(w.write(map[string]string{"type": "beat"}))
		case "state":
			w.is.Do(func() { close(w.ready) })
			if f.Phase == "active" {
				w.has.Do(func() { close(w.active) })
			}
		case "kept":
			w.b.ack(f.ID)
		case "refused":
			w.b.wrong(fmt.Errorf("a window was refused: %s", f.Code))
		case "messages":
			for _, m := range f.Items {
				if m.By == "agent" {
					w.b.see(m.Text)
				}
			}
		}
	}
}

// customerSays has the nth message of a row written.
func (b *bench) customerSays(r *row, n int, _ time.Time) {
	w, text := b.talking[n%len(b.talking)], r.text(n)
	b.wrong(w.write(map[string]any{"type": "message", "id": text, "text": text}))
}

// idleWindows opens all windows, and tells what they take that do nothing.
func (b *bench) idleWindows() error {
	n := b.options.windows
	b.windows = make([]*window, n)
	live, resident, goroutines := b.server.Live(), b.server.Status("VmRSS"), b.server.Goroutines()
	cpu, began := b.server.CPU(), time.Now()
	if err := many(n, 50, func(k int) (err error) {
		if b.windows[k], err = b.open(k); err != nil {
			return err
		}
		select {
		case <-b.windows[k].ready:
		case <-time.After(patience):
			return fmt.Errorf("a window was told nothing")
		}
		return nil
	}); err != nil {
		return err
	}
	opened, took := b.server.CPU()-cpu, time.Since(began)
	before, now := b.server.Live(), time.Now()
	cpu = b.server.CPU()
	time.Sleep(time.Duration(b.idle) * time.Second)
	cores := (b.server.CPU() - cpu).Seconds() / time.Since(now).Seconds()
	each := float64(n) * 1000
	fmt.Printf("%s: opening %d windows took %.1f s, %.2f ms of CPU each; idle, a window takes %.1f kB in use after a collection (%.1f kB at once after opening), %.1f kB resident, %.1f goroutines; all together %.3f cores\n",
		b.name, n, took.Seconds(), process.Ms(opened)/float64(n), (b.server.Live()-live)/each, (before-live)/each,
		(b.server.Status("VmRSS")-resident)*1024/float64(n), float64(b.server.Goroutines()-goroutines)/float64(n), cores)
	return nil
}

// talk has so many windows begin a chat that every agent has as many as they can take.
func (b *bench) talk() error {
	n := min(b.options.windows, b.options.agents*b.chats)
	b.talking = b.windows[:n]
	var begun atomic.Int64
	live := b.server.Live()
	err := many(n, 50, func(k int) error {
		w := b.talking[k]
		if err := w.write(map[string]any{"type": "message", "id": "first", "text": "Good morning"}); err != nil {
			return err
		}
		select {
		case <-w.active:
			begun.Add(1)
		case <-time.After(patience):
			return fmt.Errorf("after %d chats of %d an agent had no time: %w", begun.Load(), n, b.fault())
		}
		return nil
	})
	if err == nil {
		fmt.Printf("%s: a chat that an agent has takes %.1f kB in use after a collection, above an idle window\n", b.name, (b.server.Live()-live)/1000/float64(n))
	}
	return err
}

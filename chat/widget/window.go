package widget

import (
	"encoding/json"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"centrala/chat/widget/socket"
)

// window is a window's WebSocket: the first frame says who it is, so that no token is in an address. One
// goroutine reads; another one is there only while there is something to send. What the request that began
// it took has been given back.
type window struct {
	*Server
	conn    *socket.Conn
	name    string // of the channel
	channel *Channel
	from    netip.Addr
	client  *client

	greeted atomic.Bool // it has said who it is
	mu      sync.Mutex
	due     due
	sending bool
	over    bool
	sender  sync.WaitGroup
}

// due is what is to be sent.
type due uint8

const (
	dueLook due = 1 << iota // something may have changed
	dueBeat
)

// socket takes in a WebSocket.
func (a *ask) socket() {
	conn, err := socket.Accept(a.w, a.r, frameMax) // Serve looked at the origin
	if err != nil {
		return // it was answered
	}
	w := &window{Server: a.Server, conn: conn, name: a.name, channel: a.channel, from: a.from}
	if !w.begins(w.serve) {
		conn.Cut()
	}
}

// begins has f run beside its caller; false: the server has stopped.
func (s *Server) begins(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stopped:
		return false
	default:
	}
	s.running.Go(f)
	return true
}

// serve serves a window until it ends.
func (w *window) serve() {
	defer w.conn.Cut()
	defer w.fault()
	if !w.beats.add(w) {
		return
	}
	defer w.beats.remove(w)
	if no := w.hello(); no != nil {
		_ = w.send(refusedFrame{"refused", "", no.code, seconds(no.after)}) // the visitor is gone
		w.conn.Close(socket.StatusPolicy, no.code)
		return
	}
	defer w.leave()
	w.greeted.Store(true)
	w.look(dueLook)
	for {
		text, err := w.conn.Read(5 * w.beat / 2)
		if err != nil || !w.hear(text) {
			return
		}
	}
}

// hello waits for the first frame.
func (w *window) hello() *refusal {
	text, err := w.conn.Read(helloWithin)
	var f frame
	if err != nil || json.Unmarshal(text, &f) != nil || f.Type != "hello" {
		return refused(codeBad)
	}
	v, no := w.known(w.life, w.name, f.Token, w.from)
	if no == nil {
		w.client, no = w.enter(v, w.channel, f.Since, func() { w.look(dueLook) })
	}
	return no
}

// leave takes the window out of all lists.
func (w *window) leave() {
	w.conn.Cut()
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.sender.Wait()
	w.clients.leave(w.client)
}

// hear does what a frame asks for; false: the window is to end.
func (w *window) hear(text []byte) bool {
	var f frame
	var answer any
	var no *refusal
	switch {
	case json.Unmarshal(text, &f) != nil:
		no = refused(codeBad)
	case f.Type == "beat":
		return true
	default:
		if c := w.Server.channel(w.name); c != nil { // as it is declared now
			answer, no = w.take(w.life, w.client.visitor, c, w.from, &f)
		} else {
			no = refused(codeNoChannel)
		}
	}
	if no != nil && (f.Type == "message" || f.Type == "rate" || f.Type == "close" || f.Type == "mail" || f.Type == "") {
		answer = refusedFrame{"refused", f.ID, no.code, seconds(no.after)}
	}
	return answer == nil || w.send(answer) == nil
}

func (w *window) send(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.conn.Write(text, writeWithin)
}

// look has the window be sent what is due. It does not wait.
func (w *window) look(what due) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due |= what
	if w.sending || w.over {
		return
	}
	w.sending = true
	w.sender.Go(w.work)
}

// work sends what is due until nothing is.
func (w *window) work() {
	defer w.fault()
	for {
		w.mu.Lock()
		what := w.due
		if w.due = 0; what == 0 || w.over {
			w.sending = false
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		if err := w.tell(what); err != nil {
			w.conn.Cut() // the window connects anew, and says what it has
			return       // sending stays: nothing more is sent
		}
	}
}

// tell sends what is due.
func (w *window) tell(what due) (err error) {
	var list []any
	if what&dueBeat != 0 {
		if list, err = w.passed(w.client); err != nil {
			return err
		}
	}
	if what&dueLook != 0 {
		more, err := w.frames(w.life, w.client)
		if err != nil {
			return err
		}
		list = append(list, more...)
	}
	for _, f := range list {
		if err := w.send(f); err != nil {
			return err
		}
	}
	return nil
}

// fault ends a window, and not the server, for a fault of ours.
func (w *window) fault() {
	if fault := recover(); fault != nil {
		w.log.Error().Str("channel", w.name).Interface("fault", fault).Bytes("stack", debug.Stack()).Msg("a fault of ours ended a chat window")
		w.conn.Cut()
	}
}

// beatSlots is in how many turns signs of life are given, so that they are not given to all at once.
const beatSlots = 20

// beats give windows signs of life: some in each turn.
type beats struct {
	mu    sync.Mutex
	slots [beatSlots]map[*window]bool
	next  int
	over  bool
}

// add lists a window; false: the server stops.
func (x *beats) add(w *window) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		return false
	}
	least := 0
	for k := range x.slots {
		if len(x.slots[k]) < len(x.slots[least]) {
			least = k
		}
	}
	if x.slots[least] == nil {
		x.slots[least] = map[*window]bool{}
	}
	x.slots[least][w] = true
	return true
}

func (x *beats) remove(w *window) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range x.slots {
		delete(m, w)
	}
}

// turn gives those whose turn it is a sign of life.
func (x *beats) turn() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for w := range x.slots[x.next] {
		if w.greeted.Load() {
			w.look(dueBeat)
		}
	}
	x.next = (x.next + 1) % beatSlots
}

// live gives signs of life until the server stops.
func (s *Server) live() {
	t := time.NewTicker(s.beat / beatSlots)
	defer t.Stop()
	for {
		select {
		case <-s.stopped:
			s.beats.cut()
			return
		case <-t.C:
			s.beats.turn()
		}
	}
}

// cut ends all windows.
func (x *beats) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over = true
	for _, m := range x.slots {
		for w := range m {
			w.conn.Cut()
		}
	}
}

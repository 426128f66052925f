package tx_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"centrala/sip/edge"
	"centrala/sip/tx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// nobody has no use for what comes in.
type nobody struct{}

func (nobody) Request(r *tx.Request)       { r.Refuse(sip.StatusNotFound, "Not Found") }
func (nobody) Ack(*sip.Request, edge.Flow) {}
func (nobody) Stray(*sip.Response)         {}
func (nobody) FlowClosed(edge.Flow)        {}

// layer serves until the test ends.
func layer(t *testing.T, change ...func(*tx.Options)) *tx.Layer {
	t.Helper()
	o := tx.Options{
		UDP: []netip.AddrPort{loopback}, TCP: []netip.AddrPort{loopback}, Handler: nobody{},
		Allow: []sip.RequestMethod{sip.INVITE, sip.ACK, sip.CANCEL, sip.BYE}, Log: zerolog.Nop(),
	}
	for _, f := range change {
		f(&o)
	}
	l, err := tx.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(l.Close)
	return l
}

// ask makes a request that is complete but for its Via.
func ask(method sip.RequestMethod, call int) *sip.Request {
	req := sip.NewRequest(method, sip.Uri{Scheme: "sip", User: "phone", Host: "127.0.0.1"})
	hops, callID := sip.MaxForwardsHeader(70), sip.CallIDHeader(fmt.Sprint("call-", call))
	req.AppendHeader(&hops)
	req.AppendHeader(&sip.FromHeader{Address: sip.Uri{Scheme: "sip", Host: "pbx.test"}, Params: sip.HeaderParams{{K: "tag", V: "a"}}})
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: "phone", Host: "127.0.0.1"}})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: uint32(1 + call), MethodName: method})
	return req
}

// rounds starts requests of several methods again and again, and has read, which returns what came
// next, tell whether they came in that order. A round is over before the next begins: what the
// peer's buffer has no room for is not taken for lost order.
func rounds(t *testing.T, l *tx.Layer, n int, to func() edge.Flow, read func() string) {
	t.Helper()
	wrong := 0
	for i := range n {
		flow := to()
		order := []sip.RequestMethod{sip.BYE, sip.INVITE, sip.ACK, sip.OPTIONS}
		var open []*tx.Client
		for _, method := range order {
			req := ask(method, i)
			if method == sip.ACK {
				if err := l.SendAck(req, flow); err != nil {
					t.Fatal(err)
				}
				continue
			}
			open = append(open, l.Send(req, flow, func(*sip.Response, error) {}))
		}
		var got []string
		for range order {
			got = append(got, read())
		}
		for _, c := range open {
			c.Drop() // or it would be sent again
		}
		if fmt.Sprint(got) != fmt.Sprint(order) {
			if wrong++; wrong < 5 {
				t.Errorf("round %d: sent %v, got %v", i, order, got)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d rounds out of order", wrong, n)
	}
}

// listen is a phone that listens for connections.
func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(loopback))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	_ = ln.SetDeadline(time.Now().Add(patience))
	return ln
}

func accept(t *testing.T, ln *net.TCPListener) *net.TCPConn {
	t.Helper()
	nc, err := ln.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	return nc
}

func addr(t *testing.T, a net.Addr) netip.AddrPort {
	t.Helper()
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// methods reads requests without bodies off a connection, and returns the method of the next.
func methods(t *testing.T, nc net.Conn) func() string {
	in := bufio.NewReader(nc)
	return func() string {
		t.Helper()
		method := ""
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			switch line = strings.TrimSpace(line); {
			case method == "":
				method, _, _ = strings.Cut(line, " ")
			case line == "":
				return method
			}
		}
	}
}

func towards(t *testing.T, l *tx.Layer, network string, a net.Addr) edge.Flow {
	t.Helper()
	flow, err := l.Towards(network, addr(t, a), "")
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

func TestSend_LeavesInOrder_Datagrams(t *testing.T) {
	l := layer(t)
	phone, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = phone.Close() }()
	flow := towards(t, l, "udp", phone.LocalAddr())
	buf := make([]byte, 4096)
	seen := make(map[string]bool) // a process that was held up repeats what nobody answered (timers A and E)
	rounds(t, l, 200, func() edge.Flow { return flow }, func() string {
		for {
			_ = phone.SetReadDeadline(time.Now().Add(patience))
			n, err := phone.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if text := string(buf[:n]); !seen[text] {
				seen[text] = true
				method, _, _ := strings.Cut(text, " ")
				return method
			}
		}
	})
}

func TestSend_LeavesInOrder_OpenConnection(t *testing.T) {
	l := layer(t)
	ln := listen(t)
	first := l.Send(ask(sip.OPTIONS, 0), towards(t, l, "tcp", ln.Addr()), func(*sip.Response, error) {})
	read := methods(t, accept(t, ln))
	if got := read(); got != "OPTIONS" {
		t.Fatal(got)
	}
	first.Drop()
	flow := towards(t, l, "tcp", ln.Addr())
	if flow.ID == "" {
		t.Fatal("the connection is not open")
	}
	rounds(t, l, 200, func() edge.Flow { return flow }, read)
}

// What is started while a connection is being opened leaves by it in that order, and before what
// is started later.
func TestSend_LeavesInOrder_ConnectionToBeOpened(t *testing.T) {
	l := layer(t)
	var ln *net.TCPListener
	var read func() string
	rounds(t, l, 50, func() edge.Flow {
		ln, read = listen(t), nil
		return towards(t, l, "tcp", ln.Addr())
	}, func() string {
		if read == nil {
			read = methods(t, accept(t, ln))
		}
		return read()
	})
}

// A peer that takes nothing holds up nobody who sends to it: in the end its connection is closed.
func TestSend_PeerThatDoesNotRead(t *testing.T) {
	l := layer(t, func(o *tx.Options) {
		o.Streams = edge.StreamLimits{MaxPending: 64 << 10, Write: time.Hour}
	})
	ln := listen(t)
	failed := make(chan error, 1)
	on := func(_ *sip.Response, err error) {
		select {
		case failed <- err:
		default:
		}
	}
	l.Send(ask(sip.OPTIONS, 0), towards(t, l, "tcp", ln.Addr()), on)
	nc := accept(t, ln)
	if got := methods(t, nc)(); got != "OPTIONS" {
		t.Fatal(got)
	}
	flow := towards(t, l, "tcp", ln.Addr())
	over, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for i := 1; l.Flows().Alive(flow.ID); i++ {
			req := ask(sip.INVITE, i)
			req.SetBody(make([]byte, 32<<10))
			l.Send(req, flow, on)
		}
	}()
	select {
	case <-over.Done():
	case <-time.After(patience):
		t.Fatal("whoever sends is held up")
	}
	select {
	case err := <-failed:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(patience):
		t.Fatal("nobody was told that nothing left")
	}
}

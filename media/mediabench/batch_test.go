package main

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is sent in batches arrives whole, from whom it is, and with the time when it came.
func TestBatch(t *testing.T) {
	var socks [2]*batch
	for i := range socks {
		b, err := newBatch()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(b.fd) })
		socks[i] = b
	}
	from, to := socks[0], socks[1]
	at := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}}
	binary.BigEndian.PutUint16(portBytes(&at), port(to.fd))
	before := time.Now().UnixNano()
	for k := range sendBatch {
		from.put(k, &at, []byte{byte(k), 7})
	}
	if n := from.send(sendBatch); n != sendBatch {
		t.Fatalf("%d sent", n)
	}
	n := to.receive()
	if n != sendBatch {
		t.Fatalf("%d received", n)
	}
	for k := range n {
		b, source, when := to.message(k)
		if len(b) != 2 || b[0] != byte(k) || binary.BigEndian.Uint16(portBytes(source)) != port(from.fd) {
			t.Errorf("%v from %+v", b, source)
		}
		if when < before || when > time.Now().UnixNano() {
			t.Errorf("came at %d, sent at %d", when, before)
		}
	}
	if n := to.receive(); n != 0 {
		t.Errorf("%d packets that nobody sent", n)
	}
}

// The load tells holes, the distance of packets and how long a bridged packet took from what it is shown.
func TestLoad_Notes(t *testing.T) {
	l := &load{work: "waiting", legs: make([]caller, 2)}
	packet := make([]byte, 172)
	note := func(leg int, seq uint16, at time.Duration) {
		binary.BigEndian.PutUint16(packet[2:], seq)
		l.note(leg, packet, int64(at))
	}
	note(0, 65535, 0)
	note(0, 0, 23*time.Millisecond)
	note(0, 3, 38*time.Millisecond)
	if l.got != 3 || l.lost() != 2 || len(l.samples) != 2 || l.samples[0] != 3e6 || l.samples[1] != 5e6 {
		t.Errorf("heard %d, lost %d, off %v", l.got, l.lost(), l.samples)
	}

	l = &load{work: "bridged", legs: make([]caller, 2), warm: true, seq: 500, sent: 1}
	l.legs[1].sentAt[500%64] = int64(time.Second)
	binary.BigEndian.PutUint16(packet[12:], 500)
	note(0, 10, time.Second+time.Millisecond)
	l.warm, l.legs[1].sentAt[501%64] = false, int64(2*time.Second)
	l.sent++
	note(0, 11, 2*time.Second+4*time.Millisecond)
	if l.lost() != 0 || len(l.samples) != 2 || l.samples[0] != 1e6 || l.samples[1] != 4e6 {
		t.Errorf("lost %d, took %v", l.lost(), l.samples)
	}
}

// The warm-up of a load that hears nothing fails, instead of giving figures of nothing.
func TestLoad_HearsNothing(t *testing.T) {
	l, err := newLoad(2, "waiting")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.connect([]address{{[4]byte{127, 0, 0, 1}, 9}, {[4]byte{127, 0, 0, 2}, 9}})
	if err := l.warmUp(); err == nil {
		t.Error("no error")
	}
}

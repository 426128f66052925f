package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"centrala/media/sdp"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

const frame = 20 * time.Millisecond

// load is the callers and agents: a few sockets for all of them, so that it costs little beside
// what is measured. The kernel notes when each packet came. Waiting callers tell the time between
// two packets, less the 20 ms it should be; bridged ones the time a packet took.
//
// All legs send the same packet of a period: what is encrypted is encrypted once, since each leg of
// the child has a context of its own and the same key.
type load struct {
	work   string
	socks  []*batch
	legs   []caller
	byAddr map[[4]byte][]int32 // by port: the number of the leg, from 1
	seq    uint16
	packet [2][]byte // of the present period: plain and encrypted
	seal   *srtp.Context

	warm   bool // what is encrypted is decrypted, to learn how the child numbers its packets
	header rtp.Header

	sent, got int
	holes     int
	samples   []int64
}

// caller is one leg as its far end sees it.
type caller struct {
	to     unix.RawSockaddrInet4
	open   *srtp.Context
	hears  bool
	heard  uint16 // sequence number of the newest packet
	offset uint16 // how much it is ahead of what was sent to the other leg
	last   int64  // when it came
	sentAt [64]int64
}

// loadSockets is how many sockets the callers share.
const loadSockets = 8

func newLoad(n int, work string) (*load, error) {
	l := &load{work: work, legs: make([]caller, n), byAddr: make(map[[4]byte][]int32)}
	for range loadSockets {
		b, err := newBatch()
		if err != nil {
			l.close()
			return nil, err
		}
		l.socks = append(l.socks, b)
	}
	l.packet[0] = make([]byte, 172)
	return l, nil
}

// sock is the socket of a leg; neighbours share one.
func (l *load) sock(leg int) *batch { return l.socks[leg/batchSize%loadSockets] }

// ports are where each leg's far end listens.
func (l *load) ports() []uint16 {
	list := make([]uint16, len(l.legs))
	for i := range list {
		list[i] = port(l.sock(i).fd)
	}
	return list
}

// connect is told where the child's legs listen.
func (l *load) connect(at []address) {
	for i, a := range at {
		l.legs[i].to = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.IP}
		binary.BigEndian.PutUint16(portBytes(&l.legs[i].to), a.Port)
		if l.byAddr[a.IP] == nil {
			l.byAddr[a.IP] = make([]int32, 1<<16)
		}
		l.byAddr[a.IP][a.Port] = int32(i) + 1
	}
}

// secure encrypts what some legs are sent with one key and decrypts what they send with a key each.
func (l *load) secure(suite sdp.Suite, key []byte, keys [][]byte) (err error) {
	if l.seal, err = cipher(suite, key); err != nil {
		return err
	}
	for i := range l.legs {
		if secured(l.work, i) {
			if l.legs[i].open, err = cipher(suite, keys[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *load) close() {
	for _, s := range l.socks {
		unix.Close(s.fd)
	}
}

// lost is how many packets are missing.
func (l *load) lost() int {
	if bridges(l.work) {
		return l.sent - l.got
	}
	return l.holes
}

// errNotCarried is wrapped where the machine could not even bring the work up.
var errNotCarried = errors.New("not carried")

// warmUp runs until every source is known, for some seconds at most.
func (l *load) warmUp() error {
	const most = 8 // seconds
	deaf := 0
	for range most {
		l.warm = true
		l.run(time.Second)
		l.warm, deaf = false, 0
		for i := range l.legs {
			if !l.legs[i].hears {
				deaf++
			}
		}
		if deaf == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: %d of %d legs heard nothing within %d s", errNotCarried, deaf, len(l.legs), most)
}

// begin begins the figures anew; what came before is not counted.
func (l *load) begin() {
	l.receive()
	l.sent, l.got, l.holes, l.samples = 0, 0, 0, l.samples[:0]
}

// run sends each leg its packet once in 20 ms, spread evenly, and reads what comes.
func (l *load) run(d time.Duration) {
	const portions = 40 // of a period
	begin := time.Now()
	for at := 0; time.Duration(at)*frame/portions < d; at++ {
		if l.warm || l.work != "waiting" {
			part := at % portions
			if part == 0 {
				l.nextPacket()
			}
			l.send(part*len(l.legs)/portions, (part+1)*len(l.legs)/portions)
		}
		if at%2 == 1 {
			l.receive()
		}
		sleep(time.Until(begin.Add(time.Duration(at+1) * frame / portions)))
	}
	if bridges(l.work) { // what is under way
		sleep(50 * time.Millisecond)
	}
	l.receive()
}

func sleep(d time.Duration) {
	if d > 0 {
		t := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&t, nil)
	}
}

// nextPacket makes the packet of a period. Its payload begins with its number.
func (l *load) nextPacket() {
	l.seq++
	b := l.packet[0]
	b[0], b[1], b[11] = 0x80, 8, 1
	binary.BigEndian.PutUint16(b[2:], l.seq)
	binary.BigEndian.PutUint32(b[4:], 160*uint32(l.seq))
	binary.BigEndian.PutUint16(b[12:], l.seq)
	if l.seal != nil {
		if sealed, err := l.seal.EncryptRTP(l.packet[1][:0], b, &l.header); err == nil {
			l.packet[1] = sealed
		}
	}
}

func (l *load) send(from, to int) {
	for from < to {
		n := min(to-from, batchSize-from%batchSize, sendBatch) // of one socket
		s := l.sock(from)
		now := time.Now().UnixNano()
		for k := range n {
			leg := &l.legs[from+k]
			packet := l.packet[0]
			if leg.open != nil {
				packet = l.packet[1]
			}
			leg.sentAt[l.seq%uint16(len(leg.sentAt))] = now
			s.put(k, &leg.to, packet)
		}
		l.sent += s.send(n)
		from += n
	}
}

func (l *load) receive() {
	for _, s := range l.socks {
		for {
			n := s.receive()
			for k := range n {
				b, from, at := s.message(k)
				if leg := l.byAddr[from.Addr]; leg != nil && len(b) >= 172 && b[1]&0x7f == 8 {
					if i := leg[binary.BigEndian.Uint16(portBytes(from))]; i > 0 {
						l.note(int(i-1), b, at)
					}
				}
			}
			if n < batchSize {
				break
			}
		}
	}
}

func (l *load) note(i int, b []byte, now int64) {
	leg := &l.legs[i]
	seq := binary.BigEndian.Uint16(b[2:])
	if bridges(l.work) {
		if l.warm && !l.learn(leg, seq, b) {
			return
		}
		l.got++
		sent := &l.legs[i^1].sentAt
		l.samples = append(l.samples, now-sent[(seq-leg.offset)%uint16(len(sent))])
		return
	}
	l.got++
	if leg.hears {
		l.holes += int(seq - leg.heard - 1)
		off := now - leg.last - int64(frame)
		l.samples = append(l.samples, max(off, -off))
	}
	leg.hears, leg.last, leg.heard = true, now, seq
}

// learn looks into a packet to see which one it was when it was sent.
func (l *load) learn(leg *caller, seq uint16, b []byte) bool {
	if leg.open != nil {
		var err error
		if b, err = leg.open.DecryptRTP(nil, slices.Clone(b), &l.header); err != nil {
			return false
		}
	}
	leg.offset, leg.hears = seq-binary.BigEndian.Uint16(b[12:]), true
	return true
}

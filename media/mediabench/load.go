package main

import (
	"encoding/binary"
	"time"

	"centrala/media/sdp"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

const frame = 20 * time.Millisecond

// load is the callers and agents: many sockets, one loop. Waiting callers note the time between
// two packets, less the 20 ms it should be; bridged ones the time a packet took, which it carries.
type load struct {
	work    string
	epoll   int
	fds     []int
	packets [][]byte
	last    []int64
	seq     []uint16 // sent
	heard   []uint16 // sequence number of the newest packet
	hears   []bool
	out, in []*srtp.Context // by socket; nil: plain

	room   [2000]byte // for a packet that is encrypted
	header rtp.Header

	sent, got int
	holes     int
	samples   []int64
	start     time.Time
}

func newLoad(n int, work string) (*load, error) {
	epoll, err := unix.EpollCreate1(0)
	if err != nil {
		return nil, err
	}
	l := &load{work: work, epoll: epoll, start: time.Now()}
	for i := range n {
		fd, err := bound()
		if err != nil {
			return nil, err
		}
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			return nil, err
		}
		l.fds = append(l.fds, fd)
		b := make([]byte, 172)
		b[0], b[1], b[11] = 0x80, 8, byte(i)
		l.packets = append(l.packets, b)
	}
	l.last, l.seq, l.heard, l.hears = make([]int64, n), make([]uint16, n), make([]uint16, n), make([]bool, n)
	l.out, l.in = make([]*srtp.Context, n), make([]*srtp.Context, n)
	return l, nil
}

// bound opens a socket on a free port of loopback.
func bound() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
}

func port(fd int) uint16 {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0
	}
	return uint16(sa.(*unix.SockaddrInet4).Port)
}

func connectTo(fd int, port uint16) error {
	return unix.Connect(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}})
}

func (l *load) ports() []uint16 {
	var list []uint16
	for _, fd := range l.fds {
		list = append(list, port(fd))
	}
	return list
}

func (l *load) connect(ports []uint16) error {
	for i, p := range ports {
		if err := connectTo(l.fds[i], p); err != nil {
			return err
		}
	}
	return nil
}

// secure encrypts what some sockets send with one key and decrypts what they get with a key each.
func (l *load) secure(suite sdp.Suite, key []byte, keys [][]byte) (err error) {
	for i := range l.fds {
		if !secured(l.work, i) {
			continue
		}
		if l.out[i], err = cipher(suite, key); err != nil {
			return err
		}
		if l.in[i], err = cipher(suite, keys[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) close() {
	for _, fd := range l.fds {
		unix.Close(fd)
	}
	unix.Close(l.epoll)
}

// forget begins the figures anew.
func (l *load) forget() {
	l.sent, l.got, l.holes, l.samples = 0, 0, 0, l.samples[:0]
}

// lost is how many packets are missing.
func (l *load) lost() int {
	if bridges(l.work) {
		return l.sent - l.got
	}
	return l.holes
}

// run sends each socket's packet once in 20 ms, spread evenly, and reads what comes.
func (l *load) run(d time.Duration) {
	until := time.Since(l.start) + d
	const slices = 40 // of a period
	next := time.Since(l.start)
	for at := 0; ; at++ {
		now := time.Since(l.start)
		if now >= until {
			break
		}
		if l.work != "waiting" || d <= time.Second {
			part := at % slices
			for i := part * len(l.fds) / slices; i < (part+1)*len(l.fds)/slices; i++ {
				l.send(i)
			}
		}
		next += frame / slices
		l.receive(next)
	}
	l.receive(time.Since(l.start) + 50*time.Millisecond) // what is under way
}

func (l *load) send(i int) {
	b := l.packets[i]
	l.seq[i]++
	binary.BigEndian.PutUint16(b[2:], l.seq[i])
	binary.BigEndian.PutUint32(b[4:], 160*uint32(l.seq[i]))
	binary.BigEndian.PutUint64(b[12:], uint64(time.Since(l.start)))
	if l.out[i] != nil {
		var err error
		if b, err = l.out[i].EncryptRTP(l.room[:0], b, &l.header); err != nil {
			return
		}
	}
	if _, err := unix.Write(l.fds[i], b); err == nil {
		l.sent++
	}
}

// receive reads until a time, at least once.
func (l *load) receive(until time.Duration) {
	var events [256]unix.EpollEvent
	var b [2000]byte
	for {
		wait := int((until - time.Since(l.start) + time.Millisecond/2) / time.Millisecond)
		n, err := unix.EpollWait(l.epoll, events[:], max(wait, 0))
		if err != nil {
			continue
		}
		now := int64(time.Since(l.start))
		for _, e := range events[:n] {
			k, err := unix.Read(l.fds[e.Fd], b[:])
			if err != nil || k < len(l.packets[0]) {
				continue
			}
			packet := b[:k]
			if in := l.in[e.Fd]; in != nil {
				if packet, err = in.DecryptRTP(packet, packet, &l.header); err != nil {
					continue // RTCP
				}
			}
			if len(packet) == len(l.packets[0]) {
				l.note(int(e.Fd), packet, now)
			}
		}
		if n < len(events) && time.Since(l.start) >= until {
			return
		}
	}
}

func (l *load) note(i int, b []byte, now int64) {
	l.got++
	if bridges(l.work) {
		l.samples = append(l.samples, now-int64(binary.BigEndian.Uint64(b[12:])))
		return
	}
	seq := binary.BigEndian.Uint16(b[2:])
	if l.hears[i] {
		l.holes += int(seq - l.heard[i] - 1)
		off := now - l.last[i] - int64(frame)
		l.samples = append(l.samples, max(off, -off))
	}
	l.hears[i], l.last[i], l.heard[i] = true, now, seq
}

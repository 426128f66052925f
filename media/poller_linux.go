package media

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// maxEvents is how many ready sockets are taken from the kernel at once.
const maxEvents = 128

// poller reads the sockets of its endpoints in one goroutine: an endpoint costs no goroutine and
// no buffer, and a packet one wait less than with a reader for each socket. What is relayed leaves
// from here too.
type poller struct {
	engine *Engine
	log    zerolog.Logger
	epoll  int
	bell   int // eventfd: time to stop

	mu    sync.Mutex
	slots []slot
	free  []uint32

	// of the goroutine in loop
	events [maxEvents]unix.EpollEvent
	ready  [maxEvents]*Endpoint
	buf    [maxPacket + 1]byte
	from   sockaddr
}

// slot gives an endpoint a number that the kernel keeps with its sockets. A number is used again;
// the generation tells what the kernel had to say of an endpoint before.
type slot struct {
	ep         *Endpoint
	generation int32
}

func newPoller(e *Engine) (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	p := &poller{engine: e, log: e.log, epoll: epoll, bell: bell, slots: make([]slot, 1)} // number 0 is the bell's
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, bell, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
		p.close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p, nil
}

// close may be called when loop has returned.
func (p *poller) close() {
	_ = unix.Close(p.bell)
	_ = unix.Close(p.epoll)
}

// stop makes loop return.
func (p *poller) stop() {
	_, _ = unix.Write(p.bell, binary.NativeEndian.AppendUint64(nil, 1))
}

// add begins to read the endpoint's sockets. The kernel keeps the slot's number, whose lowest bit
// tells RTCP from RTP, and its generation.
func (p *poller) add(ep *Endpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var i uint32
	if n := len(p.free); n > 0 {
		i, p.free = p.free[n-1], p.free[:n-1]
	} else {
		i = uint32(len(p.slots))
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[i]
	s.ep, ep.slot = ep, i
	for bit, sock := range []socket{ep.rtp, ep.rtcp} {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i<<1) | int32(bit), Pad: s.generation}
		if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, sock.fd, &event); err != nil {
			p.vacate(i)
			return fmt.Errorf("epoll: %w", err)
		}
	}
	return nil
}

// remove forgets the endpoint. Closing its sockets ends what the kernel knows of them.
func (p *poller) remove(ep *Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vacate(ep.slot)
}

func (p *poller) vacate(i uint32) {
	p.slots[i].ep = nil
	p.slots[i].generation++
	p.free = append(p.free, i)
}

// loop reads until stop.
func (p *poller) loop() {
	for {
		n, err := unix.EpollWait(p.epoll, p.events[:], -1)
		if err != nil && err != unix.EINTR {
			p.log.Error().Err(err).Msg("RTP is not read any more")
			return
		}
		events := p.events[:max(n, 0)]
		p.mu.Lock()
		for i := range events {
			p.ready[i] = nil
			if s := &p.slots[uint32(events[i].Fd)>>1]; s.generation == events[i].Pad {
				p.ready[i] = s.ep
			}
		}
		p.mu.Unlock()
		now := int64(p.engine.clock())
		for i := range events {
			if events[i].Fd == 0 {
				return
			}
			if ep := p.ready[i]; ep != nil {
				p.read(ep, events[i].Fd&1 != 0, now)
			}
		}
	}
}

// read takes one packet. What is left makes the kernel report the socket again. A fault while
// handling a packet costs that packet only.
func (p *poller) read(ep *Endpoint, rtcp bool, now int64) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error().Str("leg", ep.label).Any("panic", r).Msg("packet dropped")
		}
	}()
	if rtcp {
		ep.readRTCP(p.buf[:], &p.from, now)
	} else {
		ep.readRTP(p.buf[:], &p.from, now)
	}
}

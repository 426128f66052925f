package media

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

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
	file   *os.File // of epoll

	mu    sync.Mutex
	slots []slot
	free  []uint32

	// of the goroutine in loop
	events [maxEvents]unix.EpollEvent
	ready  [maxEvents]*Endpoint
	buf    [maxPacket + 1 + srtpOverhead]byte // with room to encrypt a relayed packet
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
	if err := unix.SetNonblock(epoll, true); err != nil { // os.NewFile asks for it, to use the runtime's poller
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{engine: e, log: e.log, epoll: epoll, file: os.NewFile(uintptr(epoll), "epoll")}, nil
}

// close ends loop.
func (p *poller) close() { _ = p.file.Close() }

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
		if err := p.register(i, bit, sock); err != nil {
			p.vacate(i)
			return fmt.Errorf("epoll: %w", err)
		}
	}
	return nil
}

// register begins to read a socket of the endpoint in a slot; bit is 1 for RTCP. Accessed with mu held.
func (p *poller) register(i uint32, bit int, sock socket) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i<<1) | int32(bit), Pad: p.slots[i].generation}
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, sock.fd, &event)
}

// unwatch ends reading the RTP socket; false: it is read still. What was found ready before may be read
// once more. An endpoint that was removed is not read.
func (p *poller) unwatch(ep *Endpoint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots[ep.slot].ep == ep && unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, ep.rtp.fd, nil) == nil
}

// watch begins to read the RTP socket again; false: it is not read.
func (p *poller) watch(ep *Endpoint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots[ep.slot].ep == ep && p.register(ep.slot, 0, ep.rtp) == nil
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

// loop reads until close.
func (p *poller) loop() {
	conn, err := p.file.SyscallConn()
	if err == nil {
		err = conn.Read(p.drain)
	}
	select {
	case <-p.engine.stop:
	default:
		p.log.Error().Err(err).Msg("RTP is not read any more")
	}
}

// drain reads until no socket is ready. It returns false, so that the runtime calls it again when
// one is.
func (p *poller) drain(epoll uintptr) (done bool) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&p.events)), maxEvents, 0, 0, 0)
		if errno != 0 || n == 0 {
			return false
		}
		p.handle(p.events[:n])
	}
}

func (p *poller) handle(events []unix.EpollEvent) {
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
		if ep := p.ready[i]; ep != nil {
			p.read(ep, events[i].Fd&1 != 0, now)
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
		ep.readRTCP(p.buf[:maxPacket+1], &p.from, now)
	} else {
		ep.readRTP(p.buf[:maxPacket+1], &p.from, now)
	}
}

package media

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveBuffer is SO_RCVBUF in bytes: about half a second of G.711 should the process be held up.
const receiveBuffer = 64 << 10

// maxAge is the most that a packet is taken to have lain in its socket.
const maxAge = time.Second

// expedited is the type-of-service byte of DSCP EF (RFC 4594: telephony).
const expedited = 0xb8

// socket is a non-blocking UDP socket that the Go runtime does not know of. An endpoint sends and
// receives 50 packets a second; through package net each costs several times what the kernel
// needs for it in the runtime's poller, which also would wake for every packet a second time.
// Calls neither block nor allocate, so that they are made raw, without telling the scheduler.
// The owner makes sure that nothing uses a socket while it is closed.
type socket struct{ fd int }

// sockaddr is an address in the kernel's form.
type sockaddr struct {
	b [unix.SizeofSockaddrInet6]byte
	n uint32 // bytes of b in use
}

func (a *sockaddr) set(to netip.AddrPort) {
	*a = sockaddr{n: unix.SizeofSockaddrInet4}
	binary.BigEndian.PutUint16(a.b[2:], to.Port())
	if to.Addr().Is4() {
		binary.NativeEndian.PutUint16(a.b[:], unix.AF_INET)
		ip := to.Addr().As4()
		copy(a.b[4:], ip[:])
		return
	}
	a.n = unix.SizeofSockaddrInet6
	binary.NativeEndian.PutUint16(a.b[:], unix.AF_INET6)
	ip := to.Addr().As16()
	copy(a.b[8:], ip[:])
}

func (a *sockaddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(a.b[2:])
	switch binary.NativeEndian.Uint16(a.b[:]) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a.b[4:8])), port)
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(a.b[8:24])).Unmap(), port)
	}
	return netip.AddrPort{}
}

// openSocket binds a socket. The error is unix.EADDRINUSE when the port is taken.
func openSocket(at netip.AddrPort) (socket, error) {
	family, level, option := unix.AF_INET, unix.IPPROTO_IP, unix.IP_TOS
	if at.Addr().Is6() {
		family, level, option = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return socket{}, fmt.Errorf("open a UDP socket: %w", err)
	}
	s := socket{fd}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer); err != nil {
		s.close()
		return socket{}, fmt.Errorf("set the receive buffer: %w", err)
	}
	_ = unix.SetsockoptInt(fd, level, option, expedited)                // priority only: audio flows without it
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) // see receiveLate; without it what is late looks new
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(at.Port()), Addr: as4(at.Addr())}
	if family == unix.AF_INET6 {
		sa = &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	}
	if err := unix.Bind(fd, sa); err != nil {
		s.close()
		return socket{}, fmt.Errorf("bind UDP %v: %w", at, err)
	}
	return s, nil
}

func as4(a netip.Addr) [4]byte {
	if a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}

func (s socket) close() { _ = unix.Close(s.fd) }

// connect makes the kernel drop what comes from elsewhere, and send cheaper.
func (s socket) connect(to netip.AddrPort) error {
	var a sockaddr
	a.set(to)
	return s.connectRaw(&a)
}

// disconnect takes packets from everywhere again.
func (s socket) disconnect() error {
	return s.connectRaw(&sockaddr{n: unix.SizeofSockaddrInet4}) // AF_UNSPEC is 0, see connect(2)
}

func (s socket) connectRaw(a *sockaddr) error {
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&a.b)), uintptr(a.n))
	if errno != 0 {
		return errno
	}
	return nil
}

// send sends b to the connected peer. write(2) would do the same by way of the file system's layer, for
// a tenth more.
func (s socket) send(b []byte) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if errno == unix.ECONNREFUSED { // reports what became of an earlier packet; this one was not sent
		_, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	}
	return errno
}

// sendTo writes b to an address, connected or not.
func (s socket) sendTo(b []byte, to *sockaddr) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0,
		uintptr(unsafe.Pointer(&to.b)), uintptr(to.n))
	return errno
}

// receive reads one packet and returns its full length, which is more than len(b) when it was cut.
func (s socket) receive(b []byte, from *sockaddr) (int, unix.Errno) {
	from.n = uint32(len(from.b))
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_TRUNC,
		uintptr(unsafe.Pointer(&from.b)), uintptr(unsafe.Pointer(&from.n)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// backlog is room for a packet that is read some time after it came.
type backlog struct {
	packet  [maxPacket + 1]byte
	from    sockaddr
	control [unix.SizeofCmsghdr + 16]byte // the time when it came, seconds and nanoseconds since 1970
	vector  unix.Iovec
	header  unix.Msghdr
}

// receiveLate reads one packet and returns its full length and how long ago it came.
func (s socket) receiveLate(b *backlog) (n int, age time.Duration, errno unix.Errno) {
	b.vector = unix.Iovec{Base: &b.packet[0], Len: uint64(len(b.packet))}
	b.header = unix.Msghdr{
		Name: &b.from.b[0], Namelen: uint32(len(b.from.b)), Iov: &b.vector, Iovlen: 1,
		Control: &b.control[0], Controllen: uint64(len(b.control)),
	}
	r, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&b.header)), unix.MSG_TRUNC)
	if errno != 0 {
		return 0, 0, errno
	}
	b.from.n = b.header.Namelen
	if b.header.Controllen == uint64(len(b.control)) {
		at := b.control[unix.SizeofCmsghdr:]
		came := time.Unix(int64(binary.NativeEndian.Uint64(at)), int64(binary.NativeEndian.Uint64(at[8:])))
		age = min(max(0, time.Since(came)), maxAge) // the wall clock may be set meanwhile
	}
	return int(r), age, 0
}

package main

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize = 64 // messages that a system call takes at most
	sendBatch = 8  // the same for sending, since they leave one after the other and count as sent at once
)

// mmsghdr is that of recvmmsg(2).
type mmsghdr struct {
	unix.Msghdr
	n uint32
	_ [4]byte
}

// batch is a socket of which many messages are read and sent at once.
type batch struct {
	fd      int
	headers [batchSize]mmsghdr
	vectors [batchSize]unix.Iovec
	from    [batchSize]unix.RawSockaddrInet4
	control [batchSize][32]byte // room for a timestamp
	packets [batchSize][256]byte

	outHeaders [sendBatch]mmsghdr
	outVectors [sendBatch]unix.Iovec
}

// newBatch opens a socket on a free port of loopback, which notes when each packet came.
func newBatch() (*batch, error) {
	fd, err := bound([4]byte{127, 0, 0, 1})
	if err != nil {
		return nil, err
	}
	b := &batch{fd: fd}
	const room = 4 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room) // as much as there may be
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("timestamps of packets: %w", err)
	}
	return b, nil
}

// receive reads up to batchSize messages, as many as there are.
func (b *batch) receive() int {
	for k := range b.headers {
		b.vectors[k] = unix.Iovec{Base: &b.packets[k][0], Len: uint64(len(b.packets[k]))}
		b.headers[k].Msghdr = unix.Msghdr{
			Name: (*byte)(unsafe.Pointer(&b.from[k])), Namelen: unix.SizeofSockaddrInet4,
			Iov: &b.vectors[k], Iovlen: 1, Control: &b.control[k][0], Controllen: uint64(len(b.control[k])),
		}
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// message is the kth message read, from whom it is and when it came, in ns since 1970.
func (b *batch) message(k int) (packet []byte, from *unix.RawSockaddrInet4, at int64) {
	c := b.control[k][unix.SizeofCmsghdr:]
	at = int64(binary.NativeEndian.Uint64(c))*1e9 + int64(binary.NativeEndian.Uint64(c[8:]))
	return b.packets[k][:b.headers[k].n], &b.from[k], at
}

// put makes a packet the kth to be sent.
func (b *batch) put(k int, to *unix.RawSockaddrInet4, packet []byte) {
	b.outVectors[k] = unix.Iovec{Base: &packet[0], Len: uint64(len(packet))}
	b.outHeaders[k].Msghdr = unix.Msghdr{
		Name: (*byte)(unsafe.Pointer(to)), Namelen: unix.SizeofSockaddrInet4, Iov: &b.outVectors[k], Iovlen: 1,
	}
}

// send sends the first n and tells how many went out.
func (b *batch) send(n int) (sent int) {
	for sent < n {
		k, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.outHeaders[sent])), uintptr(n-sent), 0, 0, 0)
		if errno != 0 {
			break
		}
		sent += int(k)
	}
	return sent
}

// bound opens a socket on a free port of an address.
func bound(ip [4]byte) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrInet4{Addr: ip})
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

// portBytes is the port of an address in the order of the network.
func portBytes(a *unix.RawSockaddrInet4) []byte {
	return (*[2]byte)(unsafe.Pointer(&a.Port))[:]
}

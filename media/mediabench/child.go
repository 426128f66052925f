package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
	"unsafe"

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

// child does the work that the parent orders, until its standard input ends.
func child(role, profile string) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	before := memory()
	begin := engine
	if role == "floor" {
		begin = floor
	}
	u := usage{Endpoints: len(o.Ports)}
	if err := roomFor(len(o.Ports)); err != nil {
		return err
	}
	if u.At, u.Keys, err = begin(o); err != nil {
		return err
	}
	if profile != "" && role == "engine" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	out := json.NewEncoder(os.Stdout)
	u.Memory = before
	if err := out.Encode(u); err != nil {
		return err
	}
	for {
		if _, err := in.ReadBytes('\n'); err != nil {
			return nil
		}
		u.CPU, u.Memory = cpu(), memory()
		if err := out.Encode(u); err != nil {
			return err
		}
	}
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// engine makes an endpoint for each port and plays or bridges.
func engine(o order) (at []address, keys [][]byte, err error) {
	e, err := media.New(media.Options{PortMin: 10000, PortMax: 60000})
	if err != nil {
		return nil, nil, err
	}
	tune := tone.NewProgram(440, -10)
	var eps []*media.Endpoint
	for i, p := range o.Ports {
		ep, err := e.NewEndpoint(media.EndpointOptions{Local: netip.AddrFrom4(legAddress(i))})
		if err != nil {
			return nil, nil, err
		}
		profile, crypto := "RTP/AVP", ""
		if secured(o.Work, i) {
			profile, crypto = "RTP/SAVP", sdp.Crypto{Tag: 1, Suite: o.Suite, Key: string(o.Key)}.String()
		}
		offer := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d %s 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n%s", p, profile, crypto)
		answer, err := ep.AcceptOffer([]byte(offer))
		if err != nil {
			return nil, nil, err
		}
		s, err := sdp.Parse(answer)
		if err != nil {
			return nil, nil, err
		}
		at = append(at, address{legAddress(i), s.Streams[0].Port})
		key := ""
		if secured(o.Work, i) {
			key = s.Streams[0].Crypto[0].Key
		}
		keys = append(keys, []byte(key))
		eps = append(eps, ep)
		if !bridges(o.Work) {
			ep.Play(tune)
		} else if i%2 == 1 {
			media.Bridge(eps[i-1], ep)
		}
	}
	return at, keys, nil
}

// floor does the least that gives the same packets: connected sockets, bare system calls and ciphers
// that do not ask what has been seen before.
func floor(o order) (at []address, keys [][]byte, err error) {
	var legs []bareLeg
	for i, p := range o.Ports {
		l := bareLeg{}
		if l.fd, err = bound(legAddress(i)); err != nil {
			return nil, nil, err
		}
		if err := connectTo(l.fd, p); err != nil {
			return nil, nil, err
		}
		if secured(o.Work, i) {
			if l.open, err = cipher(o.Suite, o.Key); err != nil {
				return nil, nil, err
			}
			if l.seal, err = cipher(o.Suite, o.Key); err != nil {
				return nil, nil, err
			}
		}
		at, keys, legs = append(at, address{legAddress(i), port(l.fd)}), append(keys, o.Key), append(legs, l)
	}
	// Those who wait in silence are listened to as well: they may press a key. It makes sending
	// dearer, since the kernel tells epoll of each packet that has left.
	epoll, err := unix.EpollCreate1(0)
	if err != nil {
		return nil, nil, err
	}
	for i := range legs {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, legs[i].fd, &event); err != nil {
			return nil, nil, err
		}
	}
	go floorRead(epoll, legs, bridges(o.Work))
	if !bridges(o.Work) {
		go floorPlay(legs)
	}
	return at, keys, nil
}

// bareLeg is a socket and its ciphers; nil: plain.
type bareLeg struct {
	fd         int
	open, seal *srtp.Context
}

// read takes a packet; 0: there was none after all.
func read(fd int, b []byte) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// write sends to the peer of a socket. Like read, it is dearer as the system call of that name, which
// goes by way of the file system's layer.
func write(fd int, b []byte) {
	_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
}

// floorRead reads each packet and writes it to the other leg of a call, if there are calls.
func floorRead(epoll int, legs []bareLeg, calls bool) {
	runtime.LockOSThread()
	var events [128]unix.EpollEvent
	var b [1500]byte
	var header rtp.Header
	for {
		n, err := unix.EpollWait(epoll, events[:], -1)
		if err != nil {
			continue
		}
		for _, e := range events[:n] {
			l := &legs[e.Fd]
			k := read(l.fd, b[:])
			if k <= 0 || !calls {
				continue
			}
			var err error
			packet, to := b[:k], &legs[e.Fd^1]
			if l.open != nil {
				if packet, err = l.open.DecryptRTP(packet, packet, &header); err != nil {
					continue
				}
			}
			if to.seal != nil {
				if packet, err = to.seal.EncryptRTP(packet, packet, &header); err != nil {
					continue
				}
			}
			write(to.fd, packet)
		}
	}
}

// floorPlay writes a packet to each socket once in 20 ms, in 20 portions.
func floorPlay(legs []bareLeg) {
	runtime.LockOSThread()
	const portions = 20
	packet := make([]byte, 172)
	packet[0], packet[1] = 0x80, 8
	next := time.Now()
	for i := 0; ; i++ {
		packet[3], packet[2] = byte(i/portions), byte(i/portions>>8)
		part := i % portions
		for _, l := range legs[part*len(legs)/portions : (part+1)*len(legs)/portions] {
			write(l.fd, packet)
		}
		next = next.Add(frame / portions)
		if late := time.Since(next); late > frame { // like the engine, it makes up for nothing
			next = next.Add(late)
		}
		time.Sleep(time.Until(next))
	}
}

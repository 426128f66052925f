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

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"

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
	if u.Ports, err = begin(o); err != nil {
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
func engine(o order) ([]uint16, error) {
	e, err := media.New(media.Options{PortMin: 20000, PortMax: 60000})
	if err != nil {
		return nil, err
	}
	tune := tone.NewProgram(440, -10)
	var eps []*media.Endpoint
	var ports []uint16
	for i, p := range o.Ports {
		ep, err := e.NewEndpoint(media.EndpointOptions{Local: netip.MustParseAddr("127.0.0.1")})
		if err != nil {
			return nil, err
		}
		offer := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n", p)
		answer, err := ep.AcceptOffer([]byte(offer))
		if err != nil {
			return nil, err
		}
		s, err := sdp.Parse(answer)
		if err != nil {
			return nil, err
		}
		ports = append(ports, s.Streams[0].Port)
		eps = append(eps, ep)
		if o.Work != "bridged" {
			ep.Play(tune)
		} else if i%2 == 1 {
			media.Bridge(eps[i-1], ep)
		}
	}
	return ports, nil
}

// floor does the least that gives the same packets: connected sockets and bare system calls.
func floor(o order) ([]uint16, error) {
	var fds []int
	var ports []uint16
	for _, p := range o.Ports {
		fd, err := bound()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port(fd))
		if err := connectTo(fd, p); err != nil {
			return nil, err
		}
		fds = append(fds, fd)
	}
	if o.Work != "waiting" {
		epoll, err := unix.EpollCreate1(0)
		if err != nil {
			return nil, err
		}
		for i, fd := range fds {
			event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd), Pad: -1}
			if o.Work == "bridged" {
				event.Pad = int32(fds[i^1])
			}
			if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
				return nil, err
			}
		}
		go floorRead(epoll)
	}
	if o.Work != "bridged" {
		go floorPlay(fds)
	}
	return ports, nil
}

// floorRead reads each packet and writes it to the other socket, if there is one.
func floorRead(epoll int) {
	runtime.LockOSThread()
	var events [128]unix.EpollEvent
	var b [1500]byte
	for {
		n, err := unix.EpollWait(epoll, events[:], -1)
		if err != nil {
			continue
		}
		for _, e := range events[:n] {
			if k, err := unix.Read(int(e.Fd), b[:]); err == nil && e.Pad >= 0 {
				_, _ = unix.Write(int(e.Pad), b[:k])
			}
		}
	}
}

// floorPlay writes a packet to each socket once in 20 ms, in 20 portions.
func floorPlay(fds []int) {
	runtime.LockOSThread()
	const portions = 20
	packet := make([]byte, 172)
	packet[0], packet[1] = 0x80, 8
	next := time.Now()
	for i := 0; ; i++ {
		packet[3], packet[2] = byte(i/portions), byte(i/portions>>8)
		part := i % portions
		for _, fd := range fds[part*len(fds)/portions : (part+1)*len(fds)/portions] {
			_, _ = unix.Write(fd, packet)
		}
		next = next.Add(20 * time.Millisecond / portions)
		time.Sleep(time.Until(next))
	}
}

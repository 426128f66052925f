package trace

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
)

// Numbers of the capture file format (draft-ietf-opsawg-pcap).
const (
	pcapMagic   = 0xa1b23c4d // times in nanoseconds
	pcapRaw     = 101        // LINKTYPE_RAW: packets begin with the IP header
	pcapSnapLen = 1 << 18
	udpHeader   = 8
	protocolUDP = 17
)

// Pcap writes the messages of a trace as a capture file. Each is one UDP packet
// between its real addresses, whatever it was really carried by: TLS is in clear,
// and a message over TCP is whole. What was hidden stays so.
func Pcap(w io.Writer, t Trace) error {
	head := make([]byte, 24)
	le := binary.LittleEndian
	le.PutUint32(head[0:], pcapMagic)
	le.PutUint16(head[4:], 2) // version 2.4
	le.PutUint16(head[6:], 4)
	le.PutUint32(head[16:], pcapSnapLen)
	le.PutUint32(head[20:], pcapRaw)
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	for _, e := range t.Entries {
		if e.Kind != KindMessage {
			continue
		}
		from, to := *e.Remote, *e.Local
		if e.Sent {
			from, to = to, from
		}
		data := e.Raw
		if data == nil {
			data = []byte(e.Message)
		}
		p := packet(from, to, data)
		record := make([]byte, 16, 16+len(p))
		le.PutUint32(record[0:], uint32(e.At.Unix()))
		le.PutUint32(record[4:], uint32(e.At.Nanosecond()))
		le.PutUint32(record[8:], uint32(len(p)))
		le.PutUint32(record[12:], uint32(len(p)))
		if _, err := w.Write(append(record, p...)); err != nil {
			return fmt.Errorf("write capture: %w", err)
		}
	}
	return nil
}

// packet puts a message into a UDP packet. One that is too long for a packet is cut.
func packet(from, to netip.AddrPort, payload []byte) []byte {
	const longest = 65535 - 20 - udpHeader
	payload = payload[:min(len(payload), longest)]
	udp := make([]byte, udpHeader, udpHeader+len(payload))
	be := binary.BigEndian
	be.PutUint16(udp[0:], from.Port())
	be.PutUint16(udp[2:], to.Port())
	be.PutUint16(udp[4:], uint16(udpHeader+len(payload)))
	udp = append(udp, payload...)
	src, dst := from.Addr().AsSlice(), to.Addr().AsSlice()

	pseudo := append(append([]byte{}, src...), dst...)
	pseudo = append(pseudo, 0, protocolUDP, udp[4], udp[5])
	sum := checksum(append(pseudo, udp...))
	if sum == 0 {
		sum = 0xffff // RFC 768: 0 means that there is none
	}
	be.PutUint16(udp[6:], sum)

	if from.Addr().Is4() && to.Addr().Is4() {
		ip := make([]byte, 20, 20+len(udp))
		ip[0], ip[8], ip[9] = 0x45, 64, protocolUDP
		be.PutUint16(ip[2:], uint16(20+len(udp)))
		copy(ip[12:], src)
		copy(ip[16:], dst)
		be.PutUint16(ip[10:], checksum(ip))
		return append(ip, udp...)
	}
	ip := make([]byte, 40, 40+len(udp))
	ip[0], ip[6], ip[7] = 0x60, protocolUDP, 64
	be.PutUint16(ip[4:], uint16(len(udp)))
	a, b := from.Addr().As16(), to.Addr().As16()
	copy(ip[8:], a[:])
	copy(ip[24:], b[:])
	return append(ip, udp...)
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for len(b) >= 2 {
		sum += uint32(b[0])<<8 | uint32(b[1])
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

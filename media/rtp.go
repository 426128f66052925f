package media

import "encoding/binary"

const rtpHeader = 12 // bytes of the fixed header, RFC 3550 5.1

// maxPacket is the longest packet that is taken from a socket, in bytes.
const maxPacket = 1500

// packet is a parsed RTP packet. Its payload is buf[start:end] of the buffer it was read into;
// start is at least rtpHeader, so that a new header fits in front.
type packet struct {
	marker     bool
	pt         uint8
	seq        uint16
	ts, ssrc   uint32
	start, end int
}

// parseRTP checks all lengths of the packet in b (RFC 3550 5.1 and A.1).
func parseRTP(b []byte) (packet, bool) {
	if len(b) < rtpHeader || b[0]>>6 != 2 {
		return packet{}, false
	}
	p := packet{
		marker: b[1]&0x80 != 0,
		pt:     b[1] & 0x7f,
		seq:    binary.BigEndian.Uint16(b[2:]),
		ts:     binary.BigEndian.Uint32(b[4:]),
		ssrc:   binary.BigEndian.Uint32(b[8:]),
		start:  rtpHeader + 4*int(b[0]&0x0f), // contributing sources
		end:    len(b),
	}
	if b[0]&0x10 != 0 { // extension
		if p.start+4 > p.end {
			return packet{}, false
		}
		p.start += 4 + 4*int(binary.BigEndian.Uint16(b[p.start+2:]))
	}
	if p.start > p.end {
		return packet{}, false
	}
	if b[0]&0x20 != 0 { // padding; its last byte counts itself
		n := 0
		if p.end > p.start {
			n = int(b[p.end-1])
		}
		if n == 0 || p.end-n < p.start {
			return packet{}, false
		}
		p.end -= n
	}
	return p, true
}

// isRTCP tells RTCP from RTP on a shared port (RFC 5761 4).
func isRTCP(b []byte) bool {
	return len(b) >= 4 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}

// putHeader writes a header without contributing sources, extension and padding.
func putHeader(b []byte, marker bool, pt uint8, seq uint16, ts, ssrc uint32) {
	b[0] = 0x80
	b[1] = pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
}

// Package sdp reads and writes session descriptions (RFC 8866) with one audio
// stream, and negotiates them (RFC 3264, RFC 6337). It does no I/O.
//
// Reading is lenient about what does not matter here (the order of lines,
// unknown lines, numbers too large for an integer in o=), since equipment in
// the field gets these wrong; writing is strict.
package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Errors of reading and negotiating.
var (
	// ErrMalformed: the bytes are no session description.
	ErrMalformed = errors.New("malformed session description")
	// ErrNoCodec: no audio stream that both sides can use.
	ErrNoCodec = errors.New("no common audio codec")
)

// MaxSize is the longest description that is read, in bytes.
const MaxSize = 64 << 10

const maxStreams = 32

// Direction is the direction of a stream as seen by who wrote it.
type Direction uint8

// The directions (RFC 3264 5.1).
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// String is the attribute that SDP uses.
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d]
}

// Sends and Receives split a direction into its halves.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the writer wants to receive.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Reverse is the same as seen by the other side, and the widest answer to an offer (RFC 3264 6.1).
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	case SendRecv, Inactive:
	}
	return d
}

// Format is a payload type and what it stands for.
type Format struct {
	PT   uint8  // 0 to 127
	Name string // in upper case: PCMA, PCMU, OPUS, TELEPHONE-EVENT
	Rate int    // in hertz
}

func (f Format) samePT(other Format) bool { return f.PT == other.PT }

// TelephoneEvent is the name of the format of RFC 4733, as Format has it.
const TelephoneEvent = "TELEPHONE-EVENT"

// Opus is the name of the format of RFC 7587, and OpusRate the rate of its timestamps, in hertz.
const (
	Opus     = "OPUS"
	OpusRate = 48000
)

// Stream is one m= section.
type Stream struct {
	Kind      string // audio, video, image ...
	Port      uint16 // 0: refused or removed
	Proto     string // RTP/AVP ...
	List      string // the formats as written; a refusal repeats them
	Formats   []Format
	Addr      netip.Addr     // of c=, from the section or the session; may be 0.0.0.0
	RTCP      netip.AddrPort // a=rtcp (RFC 3605), else the next port
	Mux       bool           // a=rtcp-mux (RFC 5761)
	Direction Direction
	Mid       string
	Crypto    []Crypto // the a=crypto lines that can be used, in order
	transport transport
}

// OnHold reports the old way to hold: an address that nothing can be sent to (RFC 3264 8.4).
// Browsers write it when ICE is still to find theirs.
func (s *Stream) OnHold() bool { return s.Addr.IsUnspecified() && !s.web() }

// Session is a session description.
type Session struct {
	Origin  string // the value of o=
	Streams []Stream
}

// Parse reads a description. Addresses must be literal: names are not looked up.
func Parse(b []byte) (*Session, error) {
	if len(b) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	p := parser{}
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrMalformed, i+1, err)
		}
	}
	return p.finish()
}

// parser collects the lines; attributes apply to the stream last begun, or to all.
type parser struct {
	session   Session
	version   bool
	addr      netip.Addr
	direction Direction
	transport transport
	streams   []section
}

// section is a stream in the making, with what the session may have to complete.
type section struct {
	Stream
	directed bool
	rtcpPort uint16
	rtcpAddr netip.Addr
	names    map[uint8]Format
}

func (p *parser) line(line string) error {
	if len(line) < 2 || line[1] != '=' {
		return fmt.Errorf("%.20q has no type and value", line)
	}
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
			return errors.New("a control character")
		}
	}
	value := strings.TrimSpace(line[2:])
	if !p.version && line[0] != 'v' {
		return errors.New("v= is not the first line")
	}
	switch line[0] {
	case 'v':
		p.version = true
		if value != "0" {
			return fmt.Errorf("version %.10q", value)
		}
	case 'o':
		p.session.Origin = value
	case 'c':
		return p.connection(value)
	case 'm':
		return p.media(value)
	case 'a':
		name, rest, _ := strings.Cut(value, ":")
		return p.attribute(name, strings.TrimSpace(rest))
	}
	return nil
}

// address reads "IN IP4 192.0.2.1", with the TTL of a multicast address cut off.
func address(fields []string) (netip.Addr, error) {
	if len(fields) != 3 || !strings.EqualFold(fields[0], "IN") {
		return netip.Addr{}, errors.New("no internet address")
	}
	literal, _, _ := strings.Cut(fields[2], "/")
	addr, err := netip.ParseAddr(literal)
	if err != nil || addr.Zone() != "" || addr.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("the address %.60q cannot be used", fields[2])
	}
	return addr.Unmap(), nil
}

func (p *parser) connection(value string) error {
	addr, err := address(strings.Fields(value))
	if n := len(p.streams); n == 0 {
		p.addr = addr
	} else if s := &p.streams[n-1]; err == nil || s.Kind == "audio" {
		s.Addr = addr
	} else {
		return nil // of a stream that is refused anyway
	}
	return err
}

func (p *parser) media(value string) error {
	if len(p.streams) == maxStreams {
		return fmt.Errorf("more than %d streams", maxStreams)
	}
	fields := strings.Fields(value)
	if len(fields) < 3 {
		return errors.New("m= lacks port or transport")
	}
	literal, _, _ := strings.Cut(fields[1], "/")
	port, err := strconv.ParseUint(literal, 10, 16)
	if err != nil {
		return fmt.Errorf("port %.20q", fields[1])
	}
	s := section{Stream: Stream{
		Kind: fields[0], Port: uint16(port), Proto: fields[2], List: strings.Join(fields[3:], " "),
	}}
	s.names = map[uint8]Format{ // RFC 3551 table 4: what needs no a=rtpmap
		0: {PT: 0, Name: "PCMU", Rate: 8000},
		8: {PT: 8, Name: "PCMA", Rate: 8000},
	}
	p.streams = append(p.streams, s)
	return nil
}

func (p *parser) attribute(name, value string) error {
	for d := SendRecv; d <= Inactive; d++ {
		if name == d.String() {
			if n := len(p.streams); n > 0 {
				p.streams[n-1].Direction, p.streams[n-1].directed = d, true
			} else {
				p.direction = d
			}
			return nil
		}
	}
	if len(p.streams) == 0 {
		p.transport.attribute(name, value)
		return nil
	}
	return p.streams[len(p.streams)-1].attribute(name, value)
}

func (s *section) attribute(name, value string) error {
	switch name {
	case "rtpmap":
		number, encoding, _ := strings.Cut(value, " ")
		pt, err := strconv.ParseUint(number, 10, 7)
		if err != nil {
			return nil // of a payload type that cannot be; it does no harm
		}
		parts := strings.Split(strings.TrimSpace(encoding), "/")
		channels := "1"
		if strings.EqualFold(parts[0], Opus) {
			channels = "2" // whatever it carries (RFC 7587 section 7)
		}
		if len(parts) < 2 || len(parts) > 2 && parts[2] != channels {
			delete(s.names, uint8(pt)) // more channels: none of ours
			return nil
		}
		rate, _ := strconv.Atoi(parts[1])
		s.names[uint8(pt)] = Format{PT: uint8(pt), Name: strings.ToUpper(parts[0]), Rate: rate}
	case "rtcp":
		fields := strings.Fields(value)
		if len(fields) == 0 {
			return errors.New("a=rtcp without a port")
		}
		port, err := strconv.ParseUint(fields[0], 10, 16)
		if err != nil {
			return fmt.Errorf("RTCP port %.20q", fields[0])
		}
		s.rtcpPort = uint16(port)
		if len(fields) > 1 {
			if s.rtcpAddr, err = address(fields[1:]); err != nil {
				return err
			}
		}
	case "rtcp-mux":
		s.Mux = true
	case "mid":
		s.Mid = value
	case "crypto":
		if c, ok := parseCrypto(value); ok {
			s.Crypto = append(s.Crypto, c)
		}
	default:
		s.transport.attribute(name, value)
	}
	return nil
}

func (p *parser) finish() (*Session, error) {
	if !p.version {
		return nil, fmt.Errorf("%w: no v= line", ErrMalformed)
	}
	for i := range p.streams {
		s := &p.streams[i]
		if !s.Addr.IsValid() {
			s.Addr = p.addr
		}
		if !s.directed {
			s.Direction = p.direction
		}
		if s.Kind == "audio" && s.Port != 0 && !s.Addr.IsValid() {
			return nil, fmt.Errorf("%w: no c= for the audio", ErrMalformed)
		}
		s.transport = s.transport.completed(p.transport)
		s.RTCP = s.rtcpSource()
		s.Formats = s.formats()
		p.session.Streams = append(p.session.Streams, s.Stream)
	}
	return &p.session, nil
}

func (s *section) rtcpSource() netip.AddrPort {
	addr, port := s.rtcpAddr, s.rtcpPort
	if !addr.IsValid() {
		addr = s.Addr
	}
	if port == 0 && s.Port < 65535 {
		port = s.Port + 1
	}
	if s.Port == 0 || port == 0 || !addr.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, port)
}

// formats are those of the m= line, in its order of preference, whose name is known.
func (s *section) formats() []Format {
	var list []Format
	for _, field := range strings.Fields(s.List) {
		pt, err := strconv.ParseUint(field, 10, 7)
		if err != nil {
			continue
		}
		if f, ok := s.names[uint8(pt)]; ok {
			list = append(list, f)
		}
	}
	return list
}

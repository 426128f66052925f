package media

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// This file holds what an ICE-lite agent has to know of STUN (RFC 8489, RFC 8445
// section 7.3): it answers checks and never makes any.

const (
	stunHeader      = 20 // bytes
	stunCookie      = 0x2112a442
	stunRequest     = 0x0001 // binding
	stunSuccess     = 0x0101
	stunUsername    = 0x0006
	stunIntegrity   = 0x0008
	stunXORMapped   = 0x0020
	stunUse         = 0x0025 // USE-CANDIDATE
	stunFingerprint = 0x8028
	stunCRC         = 0x5354554e
	stunMAC         = sha1.Size
	stunAnswer      = 128 // bytes; room for the longest
)

// stunCheck is a connectivity check that was read. Its slices are of the packet.
type stunCheck struct {
	packet    []byte
	username  []byte // ours, a colon, the peer's
	integrity int    // where that attribute begins
	nominates bool
}

// isSTUN tells by its first byte whether a packet is one of STUN (RFC 7983).
func isSTUN(b []byte) bool { return b[0] < 4 }

// parseCheck reads a binding request with everything that a check must have.
func parseCheck(b []byte) (c stunCheck, ok bool) {
	if len(b) < stunHeader || binary.BigEndian.Uint16(b) != stunRequest || binary.BigEndian.Uint32(b[4:]) != stunCookie ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader {
		return c, false
	}
	c.packet = b
	for at := stunHeader; at < len(b); {
		if at+4 > len(b) {
			return c, false
		}
		kind, n := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		next := at + 4 + (n+3)&^3
		if next > len(b) {
			return c, false
		}
		value := b[at+4 : at+4+n]
		switch {
		case kind == stunFingerprint:
			// It is the last, and no check goes without (RFC 8445 section 7.2.2).
			return c, n == 4 && next == len(b) && c.integrity != 0 && c.username != nil &&
				binary.BigEndian.Uint32(value) == crc32.ChecksumIEEE(b[:at])^stunCRC
		case c.integrity != 0: // what follows it does not count (RFC 8489 section 14.5)
		case kind == stunUsername:
			c.username = value
		case kind == stunUse:
			c.nominates = true
		case kind == stunIntegrity:
			if n != stunMAC {
				return c, false
			}
			c.integrity = at
		}
		at = next
	}
	return c, false
}

// genuine tells whether whoever made the check knows the password.
func (c *stunCheck) genuine(password string) bool {
	want := integrity(c.packet[:c.integrity], password)
	return hmac.Equal(want, c.packet[c.integrity+4:c.integrity+4+stunMAC])
}

// names are our name and the peer's.
func (c *stunCheck) names() (own, peer string) {
	a, b, _ := bytes.Cut(c.username, []byte{':'})
	return string(a), string(b)
}

// integrity is the MAC of a message as far as it goes, whose header is to tell that it goes on for
// as long as the attribute.
func integrity(b []byte, password string) []byte {
	mac := hmac.New(sha1.New, []byte(password))
	var length [2]byte
	binary.BigEndian.PutUint16(length[:], uint16(len(b)-stunHeader+4+stunMAC))
	mac.Write(b[:2])
	mac.Write(length[:])
	mac.Write(b[4:])
	return mac.Sum(nil)
}

// answer writes the answer to a check that came from an address.
func (c *stunCheck) answer(room []byte, from netip.AddrPort, password string) []byte {
	b := binary.BigEndian.AppendUint16(room[:0], stunSuccess)
	b = append(b, 0, 0)
	b = append(b, c.packet[4:stunHeader]...)
	ip := from.Addr().AsSlice()
	family := byte(1)
	if len(ip) == 16 {
		family = 2
	}
	b = binary.BigEndian.AppendUint16(b, stunXORMapped)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(ip)))
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, from.Port()^stunCookie>>16)
	for i, x := range ip { // with the cookie, for IPv6 with the transaction's id, too
		b = append(b, x^c.packet[4+i])
	}
	mac := integrity(b, password)
	b = binary.BigEndian.AppendUint16(b, stunIntegrity)
	b = binary.BigEndian.AppendUint16(b, stunMAC)
	b = append(b, mac...)
	const trailer = 8
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader+trailer))
	sum := crc32.ChecksumIEEE(b) ^ stunCRC
	b = binary.BigEndian.AppendUint16(b, stunFingerprint)
	b = binary.BigEndian.AppendUint16(b, 4)
	return binary.BigEndian.AppendUint32(b, sum)
}

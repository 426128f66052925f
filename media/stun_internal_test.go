package media

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"testing"
)

// MakeCheck makes a connectivity check, for the tests of the package from outside.
func MakeCheck(username, password string, nominates bool) []byte {
	b := binary.BigEndian.AppendUint16(nil, stunRequest)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	b = append(b, "transaction."...)
	add := func(kind uint16, value []byte) {
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	add(stunUsername, []byte(username))
	if nominates {
		add(stunUse, nil)
	}
	add(stunIntegrity, integrity(b, password))
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader+8))
	add(stunFingerprint, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)^stunCRC))
	return b
}

// RFC 5769 section 2.1: a request that others made.
func TestSTUN_RFC5769(t *testing.T) {
	const password = "VOkJxbRl1RmTxUk/WvJxBt"
	request := []byte("\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae" +
		"\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36" +
		"\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20" +
		"\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2" +
		"\x80\x28\x00\x04\xe5\x7a\x3b\xcf")
	c, ok := parseCheck(request)
	if own, peer := c.names(); !ok || own != "evtj" || peer != "h6vY" || c.nominates {
		t.Fatalf("%v %q %q", ok, own, peer)
	}
	if !c.genuine(password) || c.genuine("another") {
		t.Error("the password")
	}
	for i := range request {
		request[i] ^= 1
		if c, ok := parseCheck(request); ok && c.genuine(password) {
			t.Errorf("byte %d may be changed", i)
		}
		request[i] ^= 1
	}
	for i := range request {
		if _, ok := parseCheck(request[:i]); ok {
			t.Errorf("%d bytes are a check", i)
		}
	}
	// Section 2.2 and 2.3: the mapped addresses of its answers.
	for addr, want := range map[string]string{
		"192.0.2.1:32853": "\x00\x01\xa1\x47\xe1\x12\xa6\x43",
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": "\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9",
	} {
		var room [stunAnswer]byte
		b := c.answer(room[:], netip.MustParseAddrPort(addr), password)
		if got := string(b[stunHeader+4 : stunHeader+4+len(want)]); got != want {
			t.Errorf("%s: %x", addr, got)
		}
		if int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader {
			t.Errorf("%s: length %d of %d", addr, binary.BigEndian.Uint16(b[2:]), len(b))
		}
	}
}

func FuzzSTUN(f *testing.F) {
	f.Add(MakeCheck("a:b", "password", true))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) == 0 || !isSTUN(b) {
			return
		}
		if c, ok := parseCheck(b); ok {
			c.names()
			c.genuine("password")
			c.answer(nil, netip.MustParseAddrPort("192.0.2.1:1"), "password")
		}
	})
}

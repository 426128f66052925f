package media

import (
	"crypto/rand"
	"fmt"

	"centrala/media/sdp"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// srtpOverhead is how much longer encryption makes a packet, at most, in bytes:
// the tag of RFC 7714, and for RTCP the index of RFC 3711 3.4 and its tag.
const srtpOverhead = 16 + 4 + 10

// replayWindow is how far behind the newest packet one may come, in packets (RFC 3711 3.3.2).
const replayWindow = 128

// security is how one direction of an endpoint is encrypted. Not safe for
// concurrent use: what is received is guarded by in.mu, what is sent by out.mu.
type security struct {
	suite  sdp.Suite
	key    string
	cipher *srtp.Context // nil: not at all
	header rtp.Header    // room

	required bool // without keys nothing passes
}

// randomKey returns bytes that nobody can guess.
func randomKey(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// set puts keys into effect. Keys that stay the same keep their packet counts,
// and with them what has been seen already.
func (s *security) set(suite sdp.Suite, key string) error {
	if s.suite == suite && s.key == key {
		return nil
	}
	if suite == "" {
		*s = security{required: s.required}
		return nil
	}
	profile, keyLen := srtp.ProtectionProfileAes128CmHmacSha1_80, 16
	switch suite {
	case sdp.GCM128:
		profile = srtp.ProtectionProfileAeadAes128Gcm
	case sdp.CM128s:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_32
	case sdp.CM128:
	}
	c, err := srtp.CreateContext([]byte(key[:keyLen]), []byte(key[keyLen:]), profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return fmt.Errorf("SRTP with %s: %w", suite, err)
	}
	*s = security{suite: suite, key: key, cipher: c, required: s.required}
	return nil
}

// unproven reports that there are no keys yet by which it could be told who a packet is from.
func (s *security) unproven() bool { return s.required && s.cipher == nil }

// open decrypts an RTP packet in its buffer; false: it is not the peer's, or has
// been here before.
func (s *security) open(b []byte) ([]byte, bool) {
	if s.cipher == nil {
		return b, !s.unproven()
	}
	if _, ok := parseRTP(b); !ok {
		return nil, false
	}
	plain, err := s.cipher.DecryptRTP(b, b, &s.header)
	return plain, err == nil
}

// seal encrypts an RTP packet in its buffer, which has srtpOverhead bytes of room
// behind the packet.
func (s *security) seal(b []byte) ([]byte, bool) {
	if s.cipher == nil {
		return b, !s.unproven()
	}
	sealed, err := s.cipher.EncryptRTP(b, b, &s.header)
	return sealed, err == nil
}

// openControl decrypts an RTCP packet.
func (s *security) openControl(b []byte) ([]byte, bool) {
	if s.cipher == nil {
		return b, !s.unproven()
	}
	plain, err := s.cipher.DecryptRTCP(nil, b, nil)
	return plain, err == nil
}

// sealControl encrypts an RTCP packet.
func (s *security) sealControl(b []byte) ([]byte, bool) {
	if s.cipher == nil {
		return b, !s.unproven()
	}
	sealed, err := s.cipher.EncryptRTCP(nil, b, nil)
	return sealed, err == nil
}

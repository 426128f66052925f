package sdp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrInsecure: the peer does not encrypt its audio (RFC 4568), and must.
var ErrInsecure = errors.New("the audio would not be encrypted")

// Security says whether audio is encrypted by SRTP with keys from the session
// description (SDES, RFC 4568). Whoever can read the signalling can read the
// keys, so that it protects only as far as the signalling is protected.
type Security uint8

// The policies.
const (
	// SecureAccepted: plain RTP is offered; an offer of SRTP is accepted.
	SecureAccepted Security = iota
	// SecureOffered: SRTP is offered beside plain RTP, in one stream.
	SecureOffered
	// SecureRequired: nothing but SRTP.
	SecureRequired
	// SecureNever: plain RTP only; an offer of nothing but SRTP is refused.
	SecureNever
)

// Suite is a crypto suite of RFC 4568 or RFC 7714 by its registered name.
type Suite string

// The suites that can be had, the best first. That with the short tag is
// accepted, not offered.
const (
	GCM128   Suite = "AEAD_AES_128_GCM"
	CM128    Suite = "AES_CM_128_HMAC_SHA1_80"
	CM128s   Suite = "AES_CM_128_HMAC_SHA1_32"
	keyGCM         = 16 + 12 // bytes of master key and salt, RFC 7714 13.1
	keyCM          = 16 + 14 // RFC 4568 6.2
	maxTag         = 999_999_999
	inline         = "inline:"
	offered0       = 1 // the tag of the first line that we offer
)

// offeredSuites are offered in this order.
func offeredSuites() []Suite { return []Suite{GCM128, CM128} }

// KeyLen is the length of a suite's master key and salt in bytes; 0: unknown suite.
func (s Suite) KeyLen() int {
	switch s {
	case GCM128:
		return keyGCM
	case CM128, CM128s:
		return keyCM
	}
	return 0
}

// Crypto is a line a=crypto that can be used.
type Crypto struct {
	Tag   int
	Suite Suite
	Key   string // master key and salt, as bytes
}

// Keying is how the audio of a session is encrypted. The zero value: not at all.
type Keying struct {
	Suite   Suite
	Out, In string // master key and salt of what we send and of what the peer sends, as bytes
}

// parseCrypto reads the value of a=crypto (RFC 4568 9.1); false: it asks for what we do not have.
func parseCrypto(value string) (Crypto, bool) {
	fields := strings.Fields(value)
	if len(fields) < 3 {
		return Crypto{}, false
	}
	tag, err := strconv.Atoi(fields[0])
	if err != nil || tag < 0 || tag > maxTag {
		return Crypto{}, false
	}
	c := Crypto{Tag: tag, Suite: Suite(strings.ToUpper(fields[1]))}
	parameters, ok := strings.CutPrefix(fields[2], inline)
	if !ok || strings.Contains(parameters, ";") { // several keys are told apart by an MKI
		return Crypto{}, false
	}
	encoded, rest, _ := strings.Cut(parameters, "|")
	if strings.Contains(rest, ":") { // an MKI (6.1); a lifetime has no colon
		return Crypto{}, false
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		key, err = base64.RawStdEncoding.DecodeString(encoded)
	}
	if err != nil || len(key) == 0 || len(key) != c.Suite.KeyLen() {
		return Crypto{}, false
	}
	for _, p := range fields[3:] { // 6.3: what is not understood must not be ignored, but for WSH
		if !strings.HasPrefix(strings.ToUpper(p), "WSH=") && !strings.EqualFold(p, "KDR=0") {
			return Crypto{}, false
		}
	}
	c.Key = string(key)
	return c, true
}

func (c Crypto) String() string {
	return fmt.Sprintf("a=crypto:%d %s %s%s\r\n", c.Tag, c.Suite, inline, base64.StdEncoding.EncodeToString([]byte(c.Key)))
}

// secured tells whether the stream is a profile that is encrypted (RFC 3711, RFC 5124).
func (s *Stream) secured() bool { return s.Proto == "RTP/SAVP" || s.Proto == "RTP/SAVPF" }

// key is our key for a suite, the same through the session: a key that changed
// would start the sender's packet count anew.
func (n *Negotiator) key(s Suite) string {
	if k, ok := n.keys[s]; ok {
		return k
	}
	if n.keys == nil {
		n.keys = map[Suite]string{}
	}
	k := string(n.local.Random(s.KeyLen()))
	n.keys[s] = k
	return k
}

// parse reads the peer's description. Under SecureNever its keys are not seen:
// a stream that has them beside plain RTP is a plain one, one that is encrypted
// by its profile is none of ours.
func (n *Negotiator) parse(b []byte) (*Session, error) {
	s, err := Parse(b)
	if err == nil && n.local.Security == SecureNever {
		for i := range s.Streams {
			s.Streams[i].Crypto = nil
		}
	}
	return s, err
}

// lines are the a=crypto lines of an offer of ours. What is in use is offered first.
func (n *Negotiator) lines(proto string) []Crypto {
	used := n.agreed.Keying.Suite
	if n.local.Web != nil {
		return nil
	}
	switch n.local.Security {
	case SecureNever:
		return nil
	case SecureAccepted:
		if used == "" && proto == "RTP/AVP" {
			return nil
		}
	case SecureOffered, SecureRequired:
	}
	var list []Crypto
	for _, s := range append([]Suite{used}, offeredSuites()...) {
		if s != "" && !slices.ContainsFunc(list, func(c Crypto) bool { return c.Suite == s }) {
			list = append(list, Crypto{Tag: len(list) + 1, Suite: s, Key: n.key(s)})
		}
	}
	return list
}

// secure judges the encryption of an offered stream. ErrInsecure: it must be
// encrypted; ErrNoCodec: it is, in no way that we know.
func (n *Negotiator) secure(s *Stream) error {
	switch {
	case len(s.Crypto) > 0, n.local.Web != nil: // DTLS brings the keys
		return nil
	case s.secured():
		return ErrNoCodec
	case n.local.Security == SecureRequired:
		return ErrInsecure
	}
	return nil
}

// answerKeying takes the keys from the peer's offer and gives our line of the answer.
func (n *Negotiator) answerKeying(s *Stream) (Keying, []Crypto) {
	if len(s.Crypto) == 0 || n.local.Web != nil {
		return Keying{}, nil
	}
	theirs := s.Crypto[0]
	own := Crypto{Tag: theirs.Tag, Suite: theirs.Suite, Key: n.key(theirs.Suite)} // 5.1.2: the tag of the line taken
	return Keying{Suite: theirs.Suite, Out: own.Key, In: theirs.Key}, []Crypto{own}
}

// offerKeying takes the keys from the answer to our offer of lines.
func (n *Negotiator) offerKeying(s *Stream) (Keying, error) {
	if n.local.Web != nil {
		return Keying{}, nil
	}
	if len(s.Crypto) == 0 {
		if s.secured() || n.local.Security == SecureRequired {
			return Keying{}, ErrInsecure
		}
		return Keying{}, nil
	}
	theirs := s.Crypto[0]
	i := slices.IndexFunc(n.said, func(c Crypto) bool { return c.Tag == theirs.Tag && c.Suite == theirs.Suite })
	if i < 0 { // 5.1.3: it must be one of ours
		return Keying{}, fmt.Errorf("%w: a=crypto:%d %s was not offered", ErrMalformed, theirs.Tag, theirs.Suite)
	}
	return Keying{Suite: theirs.Suite, Out: n.said[i].Key, In: theirs.Key}, nil
}

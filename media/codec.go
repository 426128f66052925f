package media

import (
	"centrala/media/sdp"

	"github.com/zaf/g711"
)

// Codec is one of the two encodings of ITU-T G.711: 8,000 samples a second, one byte a sample.
type Codec uint8

// The codecs. Their values index arrays of length NumCodecs; see PayloadType for the number in RTP.
const (
	PCMU      Codec = iota // µ-law
	PCMA                   // A-law
	NumCodecs = 2
)

// SampleRate is the rate of both codecs and of telephone-event, in hertz.
const SampleRate = 8000

// opusFactor is how many times as fast the timestamps of Opus run, and those of telephone-events beside it (RFC 7587
// section 4.1): 48,000 a second.
const opusFactor = sdp.OpusRate / SampleRate

// clockFactor is how many times as fast as SampleRate timestamps run.
func clockFactor(opus bool) int {
	if opus {
		return opusFactor
	}
	return 1
}

// FrameSamples is the number of samples, and of bytes, in a frame of 20 ms.
const FrameSamples = 160

// PayloadType is the static RTP payload type (RFC 3551 table 4).
func (c Codec) PayloadType() uint8 {
	if c == PCMA {
		return 8
	}
	return 0
}

// String is the encoding name that SDP uses.
func (c Codec) String() string {
	if c == PCMA {
		return "PCMA"
	}
	return "PCMU"
}

// Silence is the byte that decodes to the smallest amplitude.
func (c Codec) Silence() byte {
	if c == PCMA {
		return 0xd5
	}
	return 0xff
}

// AppendEncoded appends one byte for each 16-bit sample.
func (c Codec) AppendEncoded(dst []byte, pcm []int16) []byte {
	for _, s := range pcm {
		if c == PCMA {
			dst = append(dst, g711.EncodeAlawFrame(s))
		} else {
			dst = append(dst, g711.EncodeUlawFrame(s))
		}
	}
	return dst
}

// AppendDecoded appends one 16-bit sample for each byte.
func (c Codec) AppendDecoded(dst []int16, payload []byte) []int16 {
	for _, b := range payload {
		if c == PCMA {
			dst = append(dst, g711.DecodeAlawFrame(b))
		} else {
			dst = append(dst, g711.DecodeUlawFrame(b))
		}
	}
	return dst
}

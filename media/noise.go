package media

import "math"

// noisePT is the payload type of comfort noise at 8,000 Hz (RFC 3389 3, RFC 3551 table 4). It is not
// offered; peers that were told nothing of it send it nevertheless.
const noisePT = 13

// faintest is the level of comfort noise that is as good as none, in -dBov.
const faintest = 127

// noiseLevel is how loud the noise is that a packet asks for, in -dBov: 0 is the loudest, 127 the
// faintest (RFC 3389 3.1). What follows the first byte is the noise's colour, which is not kept.
func noiseLevel(payload []byte) uint8 {
	if len(payload) == 0 {
		return faintest
	}
	return payload[0] & 0x7f
}

// makeNoise fills b, of at most FrameSamples bytes, with white noise at a level in -dBov. The same seed
// gives the same noise.
func makeNoise(b []byte, c Codec, level uint8, seed uint32) {
	var pcm [FrameSamples]int16
	if level < faintest {
		// The root mean square of even noise is its peak divided by the root of 3.
		peak := min(32768*math.Pow(10, -float64(level)/20)*math.Sqrt(3), math.MaxInt16)
		for i := range pcm {
			seed = seed*1664525 + 1013904223
			pcm[i] = int16(peak * float64(int32(seed)) / (1 << 31))
		}
	}
	c.AppendEncoded(b[:0], pcm[:len(b)])
}

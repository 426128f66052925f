package holdmusic

import "centrala/media"

// program is one programme as it is played: a ring of encoded audio for each
// codec, in which a frame may begin at any sample. It never changes.
type program struct {
	samples uint64                  // length of the ring; at least FrameSamples
	rings   [media.NumCodecs][]byte // samples bytes, then the first FrameSamples-1 once more
}

var _ media.Program = (*program)(nil)

// newProgram encodes pcm, which must not be empty. What is shorter than a frame
// is repeated.
func newProgram(pcm []int16) *program {
	once := len(pcm)
	for len(pcm) < media.FrameSamples {
		pcm = append(pcm[:len(pcm):len(pcm)], pcm[:once]...)
	}
	p := &program{samples: uint64(len(pcm))}
	for c := range p.rings {
		ring := make([]byte, 0, len(pcm)+media.FrameSamples-1)
		ring = media.Codec(c).AppendEncoded(ring, pcm)
		// The start again behind the end, so that a frame across the seam is one piece.
		p.rings[c] = append(ring, ring[:media.FrameSamples-1]...)
	}
	return p
}

// Frame returns what the programme plays at tick: all who listen at the same
// tick hear the same. The bytes are shared and must not be changed.
func (p *program) Frame(c media.Codec, tick uint64) []byte {
	at := tick % p.samples * media.FrameSamples % p.samples
	return p.rings[c][at : at+media.FrameSamples : at+media.FrameSamples]
}

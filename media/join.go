package media

// joinTime is over how many samples a new source is led on from where the one before it stopped: 10 ms.
const joinTime = FrameSamples / 2

// seamless is the step between two samples that is left as it is: 128 of 32768, less than the codecs
// resolve but of a whisper.
const seamless = 128

// seam is where a stream's source stopped: its newest sample.
type seam struct {
	last  byte
	codec Codec
	heard bool // it was heard just now
}

// note keeps the last sample of a packet of audio.
func (s *seam) note(payload []byte, c Codec) {
	if len(payload) > 0 {
		s.last, s.codec, s.heard = payload[len(payload)-1], c, true
	}
}

// join leads the first packet of a new source on from the last sample of the one before, so that the
// change does not click: the step between the two is added to it and fades away over joinTime. What
// follows on silence is left as it is.
func (s *seam) join(payload []byte, c Codec) {
	if len(payload) == 0 || !s.heard {
		return
	}
	var room [joinTime]int16
	pcm := c.AppendDecoded(room[:0], payload[:min(len(payload), joinTime)])
	var newest [1]int16
	step := int(s.codec.AppendDecoded(newest[:0], []byte{s.last})[0]) - int(pcm[0])
	if step >= -seamless && step <= seamless {
		return
	}
	for i := range pcm {
		v := int(pcm[i]) + step*(len(pcm)-i)/len(pcm)
		pcm[i] = int16(min(max(v, -32768), 32767))
	}
	c.AppendEncoded(payload[:0], pcm)
}

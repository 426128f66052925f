package mp3

import (
	"encoding/binary"
	"time"
)

// header is the four bytes at the beginning of a frame (ISO 11172-3 2.4.2.3, 13818-3).
type header struct {
	version  int // see mpeg1
	crc      bool
	bitrate  int // index
	rate     int // samples a second
	padding  int // bytes
	channels int
	word     uint32
}

// The versions, as the header has them. 2.5 is nobody's standard, but of files for telephones.
const (
	mpeg25 = 0
	mpeg2  = 2
	mpeg1  = 3
)

// Bits of the header.
const (
	syncBits   = 0xffe00000
	versionBit = 19
	layerBits  = 3 << 17
	layer3     = 1 << 17
	noCRC      = 1 << 16
)

// kilobits are the bit rates of layer III by index, for MPEG 1 and for the others. 0: free, -1: none.
func kilobits(version int) [16]int {
	if version == mpeg1 {
		return [16]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, -1}
	}
	return [16]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, -1}
}

// parseHeader reads a header of layer III; false if it is none.
func parseHeader(b []byte) (h header, ok bool) {
	w := binary.BigEndian.Uint32(b)
	h = header{
		version: int(w >> versionBit & 3), crc: w&noCRC == 0, bitrate: int(w >> 12 & 15),
		padding: int(w >> 9 & 1), channels: 2, word: w,
	}
	const reserved = 1 // version
	frequency := w >> 10 & 3
	if w&syncBits != syncBits || w&layerBits != layer3 || h.version == reserved || frequency == 3 || w&3 == 2 || h.bitrate == 15 {
		return h, false
	}
	h.rate = [3]int{44100, 48000, 32000}[frequency]
	switch h.version {
	case mpeg2:
		h.rate /= 2
	case mpeg25:
		h.rate /= 4
	}
	if w>>6&3 == 3 {
		h.channels = 1
	}
	return h, true
}

// like tells whether two frames can be of one recording.
func (h header) like(other header) bool { return h.version == other.version && h.rate == other.rate }

// samples is how many samples of each channel the frame holds.
func (h header) samples() int {
	if h.version == mpeg1 {
		return 1152
	}
	return 576
}

// size is the frame's length in bytes; 0 for a free bit rate, whose frames do not tell it.
func (h header) size() int {
	k := kilobits(h.version)[h.bitrate]
	if k == 0 {
		return 0
	}
	return h.samples()/8*k*1000/h.rate + h.padding
}

// sideInfo is the length of the side information behind the header and its check.
func (h header) sideInfo() int {
	switch {
	case h.version == mpeg1 && h.channels == 2:
		return 32
	case h.version != mpeg1 && h.channels == 1:
		return 9
	}
	return 17
}

// body is where the side information begins.
func (h header) body() int {
	if h.crc {
		return 6
	}
	return 4
}

// duration is how long so many samples last.
func duration(samples int64, rate int) time.Duration {
	return time.Duration(float64(samples) / float64(rate) * float64(time.Second)).Round(time.Millisecond)
}

// info is what the encoder tells of the whole recording in a first frame without audio.
type info struct {
	frames       int64 // 0: unknown
	delay, extra int   // samples of silence that the encoder put before and after; -1: unknown
}

// parseInfo reads the tag of a first frame (Xing, LAME); false if the frame is an ordinary one. Where there is
// a check, some encoders (LAME among them) put the tag where it would be without.
func parseInfo(h header, frame []byte) (i info, ok bool) {
	i.delay, i.extra = -1, -1
	for _, body := range []int{h.body(), 4} {
		if len(frame) < body+h.sideInfo()+8 {
			continue
		}
		tag := frame[body+h.sideInfo():]
		if s := string(tag[:4]); s == "Xing" || s == "Info" {
			i.read(tag)
			return i, true
		}
	}
	return i, false
}

// read reads the tag, as far as it goes.
func (i *info) read(tag []byte) {
	flags := tag[7]
	tag = tag[8:]
	for bit, length := range []int{4, 4, 100, 4} { // frames, bytes, a table of places, quality
		if flags>>bit&1 == 0 {
			continue
		}
		if len(tag) < length {
			return
		}
		if bit == 0 {
			i.frames = int64(binary.BigEndian.Uint32(tag))
		}
		tag = tag[length:]
	}
	const delays = 21 // behind the encoder's name and settings
	if len(tag) >= delays+3 && (string(tag[:4]) == "LAME" || string(tag[:4]) == "Lavc" || string(tag[:4]) == "Lavf") {
		i.delay = int(tag[delays])<<4 | int(tag[delays+1])>>4
		i.extra = int(tag[delays+1]&15)<<8 | int(tag[delays+2])
	}
}

package mp3

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxJunk is how many bytes may lie between two frames, or before the first. Programs that join or cut
// recordings leave some.
const maxJunk = 64 << 10

// frames takes a recording apart, and is read by the decoder: it gets nothing but whole frames of one
// rate, in the form that it decodes rightly (see repack).
type frames struct {
	r     *bufio.Reader
	first header // valid when found
	found bool
	info  info
	count int64 // frames given to the decoder
	// failed is why no more frames come; the decoder does not hand all errors on.
	failed error

	raw   []byte // the frame that was read last
	ready []byte // what the decoder has still to read
	repack
}

// next reads the next frame that holds audio. It returns io.EOF after the last.
func (f *frames) next() (h header, frame []byte, err error) {
	for {
		h, err := f.sync()
		if err != nil {
			return h, nil, err
		}
		if h.size() == 0 {
			return h, nil, fmt.Errorf("%w: its bit rate is free, which is not read", ErrFormat)
		}
		if h.size() < h.body()+h.sideInfo() {
			return h, nil, fmt.Errorf("%w: frames of %d bytes", ErrFormat, h.size())
		}
		f.raw = append(f.raw[:0], make([]byte, h.size())...)
		if _, err := io.ReadFull(f.r, f.raw); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return h, nil, err
		}
		if f.found {
			return h, f.raw, nil
		}
		f.found, f.first = true, h
		tagged := false
		if f.info, tagged = parseInfo(h, f.raw); !tagged {
			return h, f.raw, nil
		}
	}
}

// sync goes to the next header. Where one is expected and something else lies there, only a header that
// another one follows is believed.
func (f *frames) sync() (header, error) {
	for skipped := 0; ; skipped++ {
		b, err := f.r.Peek(4)
		if len(b) < 4 {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.EOF
			}
			return header{}, err
		}
		if f.found && skipped == 0 && isTag(b) {
			return header{}, io.EOF
		}
		h, ok := parseHeader(b)
		ok = ok && (h.size() > 0 || skipped == 0) // a free bit rate is refused, but not in what is junk
		if ok && (!f.found || h.like(f.first)) && (f.found && skipped == 0 || f.followed(h)) {
			return h, nil
		} else if ok && f.found && skipped == 0 && f.followed(h) {
			return h, fmt.Errorf("%w: after %v its sample rate changes from %d to %d",
				ErrFormat, duration(f.count*int64(f.first.samples()), f.first.rate), f.first.rate, h.rate)
		}
		if skipped == maxJunk {
			if !f.found {
				return header{}, fmt.Errorf("%w: no MP3 audio in its first %d kB", ErrFormat, maxJunk>>10)
			}
			return header{}, fmt.Errorf("%w: no MP3 audio in %d kB after %v",
				ErrFormat, maxJunk>>10, duration(f.count*int64(f.first.samples()), f.first.rate))
		}
		if _, err := f.r.Discard(1); err != nil {
			return header{}, err
		}
	}
}

// isTag tells whether what follows the audio begins: ID3v1, ID3v2, APE, lyrics.
func isTag(b []byte) bool {
	for _, tag := range []string{"TAG", "ID3", "APET", "LYRI"} {
		if bytes.HasPrefix(b, []byte(tag)) {
			return true
		}
	}
	return false
}

// followed tells whether the next frame, or the end of the file, is where this header says.
func (f *frames) followed(h header) bool {
	size := h.size()
	if size == 0 {
		return !f.found // whoever asked refuses it
	}
	b, _ := f.r.Peek(size + 4)
	if len(b) == size || len(b) >= size+4 && isTag(b[size:]) {
		return true
	}
	if len(b) < size+4 {
		return false
	}
	next, ok := parseHeader(b[size:])
	return ok && next.like(h)
}

// skipTags goes over what stands before the audio (ID3v2).
func (f *frames) skipTags() error {
	for {
		b, err := f.r.Peek(10)
		if err != nil || string(b[:3]) != "ID3" {
			return nil // short files are found out later
		}
		size := int64(b[6]&127)<<21 | int64(b[7]&127)<<14 | int64(b[8]&127)<<7 | int64(b[9]&127) + 10
		if b[5]&0x10 != 0 {
			size += 10 // a footer
		}
		if _, err := io.CopyN(io.Discard, f.r, size); err != nil {
			return fmt.Errorf("%w: it ends within its tags", ErrFormat)
		}
	}
}

// Read implements io.Reader for the decoder.
func (f *frames) Read(b []byte) (int, error) {
	for len(f.ready) == 0 {
		h, frame, err := f.next()
		if err != nil {
			f.failed = err
			return 0, err
		}
		f.count++
		f.ready = f.fit(h, frame)
	}
	n := copy(b, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}

// repack brings frames into a form that the decoder reads rightly. It reads MPEG 2 frames with a padding
// byte one byte too short at 22050 Hz, and MPEG 2.5 not at all, although what it would need of a frame of
// 11025 or 12000 Hz is the same as at 16000 Hz. So frames of these rates are built anew, of the greatest
// size, each with all of its own data, which an encoder spreads over those before as well (the bit
// reservoir, ISO 11172-3 2.4.3.4).
type repack struct {
	reservoir []byte // data of the frames before, the newest last
	out       []byte
}

const (
	maxReservoir = 255 // bytes: main_data_begin of MPEG 2 has 8 bits
	lsfGranule   = 63  // bits of side information of a channel, ISO 13818-3 2.4.1.7
	part23       = 12  // bits of them, the first, that tell how long the channel's data are
)

// fit gives the frame as the decoder gets it.
func (p *repack) fit(h header, frame []byte) []byte {
	if h.rate != 22050 && h.version != mpeg25 {
		return frame
	}
	side := frame[h.body() : h.body()+h.sideInfo()]
	data := frame[h.body()+h.sideInfo():]
	begin := int(side[0])
	enough := begin <= len(p.reservoir)
	p.reservoir = append(p.reservoir, data...)
	start := len(p.reservoir) - len(data) - begin

	const largest = 14 // index of 160 kbit/s
	to := h
	to.word = h.word&^(15<<12|1<<9|3<<versionBit) | noCRC | mpeg2<<versionBit | largest<<12
	if h.version == mpeg25 {
		to.word = to.word&^(3<<10) | 2<<10 // as at 16000 Hz
	}
	to, _ = parseHeader([]byte{byte(to.word >> 24), byte(to.word >> 16), byte(to.word >> 8), byte(to.word)})
	p.out = append(p.out[:0], make([]byte, to.size())...)
	copy(p.out, []byte{byte(to.word >> 24), byte(to.word >> 16), byte(to.word >> 8), byte(to.word)})
	bits := 0
	for c := range h.channels {
		private := h.channels // bits, ISO 13818-3 2.4.1.7
		bits += number(side, 8+private+c*lsfGranule, part23)
	}
	room := p.out[4+h.sideInfo():]
	// Side information of zeros is a frame of silence, for one whose data were cut off or do not fit.
	if length := (bits + 7) / 8; enough && length <= len(room) && start+length <= len(p.reservoir) {
		copy(p.out[4:], side)
		p.out[4] = 0 // its data begin here
		copy(room, p.reservoir[start:start+length])
	}
	if n := len(p.reservoir) - maxReservoir; n > 0 {
		p.reservoir = append(p.reservoir[:0], p.reservoir[n:]...)
	}
	return p.out
}

// number reads bits of b as a number.
func number(b []byte, at, bits int) (n int) {
	for i := at; i < at+bits; i++ {
		n = n<<1 | int(b[i/8]>>(7-i%8)&1)
	}
	return n
}

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

// frames takes a recording apart: into whole frames of one rate.
type frames struct {
	r     *bufio.Reader
	first header // valid when found
	found bool
	info  info
	count int64  // frames that hold audio
	raw   []byte // the frame that was read last
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
		tagged := false
		if !f.found {
			f.found, f.first = true, h
			f.info, tagged = parseInfo(h, f.raw)
		}
		if !tagged {
			f.count++
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

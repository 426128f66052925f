// Package mp3 reads MP3 files (MPEG 1 and 2, layer III) piece by piece, whatever they hold.
//
// The decoder is go-mp3. What it is given are whole frames of one rate, taken apart here: it does not read
// all of them rightly, panics at some broken ones, and knows nothing of the silence that encoders put
// round a recording. MPEG 2.5 is read at 11025 and 12000 Hz and not at 8000 Hz, for which it lacks tables.
package mp3

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	decoder "github.com/hajimehoshi/go-mp3"
)

// ErrFormat is wrapped by all errors that say the bytes are no MP3 file that can be read.
var ErrFormat = errors.New("unreadable MP3 file")

// decoderDelay is by how many samples a decoder of layer III lags behind.
const decoderDelay = 529

// Reader reads a recording.
type Reader struct {
	frames    *frames
	decoder   *decoder.Decoder
	announced int64
	left      int64 // samples until the encoder's silence behind the recording; -1: unknown
	buf       [4 * 1152]byte
	rest      int // bytes of buf that are no whole frame
}

// NewReader reads as far as the audio begins.
func NewReader(r io.Reader) (*Reader, error) {
	m := &Reader{frames: &frames{r: bufio.NewReaderSize(r, 64<<10)}, left: -1}
	if err := m.frames.skipTags(); err != nil {
		return nil, err
	}
	if err := m.open(); err != nil {
		return nil, err
	}
	m.announced = m.frames.info.frames * int64(m.frames.first.samples())
	if i := m.frames.info; i.delay >= 0 {
		if err := m.skip(i.delay + decoderDelay); err != nil {
			return nil, err
		}
		if m.announced > int64(i.delay+i.extra) {
			m.announced -= int64(i.delay + i.extra)
			m.left = m.announced
		}
	}
	return m, nil
}

func (m *Reader) open() (err error) {
	defer m.survive(&err)
	// A first look, to tell what is wrong better than the decoder does.
	h, err := m.frames.sync()
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it holds no audio", ErrFormat)
	case err != nil:
		return err
	case h.rate == 8000:
		return fmt.Errorf("%w: MP3 at 8000 Hz is not read; 11025 Hz and more are, and WAV of any rate", ErrFormat)
	}
	m.decoder, err = decoder.NewDecoder(m.frames)
	return m.verdict(err)
}

// survive makes an error of a panic of the decoder's.
func (m *Reader) survive(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: it is broken after %v", ErrFormat, m.read())
	}
}

// read is how much was decoded, in playing time.
func (m *Reader) read() fmt.Stringer {
	f := m.frames
	return duration(f.count*int64(f.first.samples()), max(f.first.rate, 1))
}

// verdict gives the decoder's errors a name; those of reading the file stay.
func (m *Reader) verdict(err error) error {
	switch {
	case err == nil:
		return nil
	case m.frames.failed != nil && !errors.Is(m.frames.failed, io.EOF):
		return m.frames.failed
	case errors.Is(err, io.EOF) && m.frames.count == 0:
		return fmt.Errorf("%w: it holds no audio", ErrFormat)
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return fmt.Errorf("%w: it is broken after %v: %w", ErrFormat, m.read(), err)
}

// Rate is the frames a second.
func (m *Reader) Rate() int { return m.frames.first.rate }

// Announced is how many samples there are by the file's own account, which is wrong when it was cut short;
// 0 if it does not tell.
func (m *Reader) Announced() int64 { return m.announced }

// skip reads over samples.
func (m *Reader) skip(samples int) error {
	x := make([]float32, 1152)
	for samples > 0 {
		n, err := m.Read(x[:min(samples, len(x))])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		samples -= n
	}
	return nil
}

// Read reads up to len(x) frames, mixed to one channel, of -1 to 1. It returns io.EOF after the last.
func (m *Reader) Read(x []float32) (n int, err error) {
	if m.left >= 0 {
		x = x[:min(int64(len(x)), m.left)]
	}
	if len(x) == 0 {
		return 0, io.EOF
	}
	const frame = 4 // bytes: two channels of 16 bits, the same in both for one channel
	buf := m.buf[:min(len(m.buf), frame*len(x))]
	got, err := m.decode(buf[m.rest:])
	got += m.rest
	for n < got/frame {
		l, r := int16(binary.LittleEndian.Uint16(buf[n*frame:])), int16(binary.LittleEndian.Uint16(buf[n*frame+2:]))
		x[n] = (float32(l) + float32(r)) / (2 * 32768)
		n++
	}
	m.rest = copy(buf, buf[n*frame:got])
	if m.left >= 0 {
		m.left -= int64(n)
	}
	if n > 0 {
		return n, nil // an error comes again
	}
	return 0, err
}

func (m *Reader) decode(b []byte) (n int, err error) {
	defer m.survive(&err)
	n, err = m.decoder.Read(b)
	return n, m.verdict(err)
}

// Package mp3 reads MP3 files (MPEG 1, 2 and 2.5, layer III, 8000 to 48000 Hz) piece by piece, mixed to one channel.
//
// It goes over what programs leave between frames, takes away the silence that encoders put round a recording, and plays
// broken frames as silence. It does not read free bit rates, layers I and II, or files whose rate changes.
//
// A file is taken apart into frames (frames.go). The decoder reads a frame's side information (side.go), and for each
// granule and channel its scale factors (scale.go) and lines (huffman.go, trees.go) by bands (bands.go); it gives the lines their
// size (spectrum.go), parts joined channels (stereo.go), and turns lines into samples of 32 subbands (hybrid.go) and these into
// sound (synthesis.go).
package mp3

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// ErrFormat is wrapped by all errors that say the bytes are no MP3 file that can be read.
var ErrFormat = errors.New("unreadable MP3 file")

// decoderDelay is by how many samples a decoder of layer III lags behind.
const decoderDelay = 529

// Reader reads a recording.
type Reader struct {
	frames    *frames
	decoder   decoder
	announced int64
	left      int64     // samples until the encoder's silence behind the recording; -1: unknown
	frame     []float32 // the samples of the last frame
	pending   []float32 // those of them that are still to be read
}

// NewReader reads as far as the audio begins.
func NewReader(r io.Reader) (*Reader, error) {
	m := &Reader{frames: &frames{r: bufio.NewReaderSize(r, 64<<10)}, left: -1}
	if err := m.frames.skipTags(); err != nil {
		return nil, err
	}
	if err := m.next(); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: it holds no audio", ErrFormat)
	} else if err != nil {
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

// next decodes the next frame.
func (m *Reader) next() error {
	h, frame, err := m.frames.next()
	if err != nil {
		return err
	}
	m.frame = m.decoder.decode(h, frame, m.frame[:0])
	m.pending = m.frame
	return nil
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
	if len(m.pending) == 0 {
		if err := m.next(); err != nil {
			return 0, err
		}
	}
	n = min(len(x), len(m.pending))
	for i, v := range m.pending[:n] {
		x[i] = max(-1, min(1, v))
	}
	m.pending = m.pending[n:]
	if m.left >= 0 {
		m.left -= int64(n)
	}
	return n, nil
}

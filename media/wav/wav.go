// Package wav reads the WAV files that people have and writes the one kind that
// every program reads: 16-bit PCM, mono.
package wav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/zaf/g711"
)

// MaxFrames is the longest recording that Read takes: an hour at 48 kHz. A Reader takes any.
const MaxFrames = 3600 * 48000

// ErrFormat is wrapped by all errors that say the bytes are no WAV file that can be read.
var ErrFormat = errors.New("unreadable WAV file")

// ErrEmpty: the file is well made and holds no audio.
var ErrEmpty = fmt.Errorf("%w: it holds no audio", ErrFormat)

// Audio is a recording, mixed to one channel.
type Audio struct {
	Rate     int       // frames a second
	Channels int       // in the file, before mixing
	Samples  []float32 // -1 to 1
}

// The encodings of the fmt chunk.
const (
	formatPCM        = 1
	formatFloat      = 3
	formatALaw       = 6
	formatMuLaw      = 7
	formatExtensible = 0xfffe
)

type format struct {
	encoding, channels, bits int
	rate                     int
	sample                   func([]byte) float32 // decodes one sample of bits/8 bytes
}

// Reader reads a recording piece by piece.
type Reader struct {
	format    format
	r         io.Reader
	left      int64 // bytes of audio still to come, by the file's own account
	counts    bool  // left is known
	buf       []byte
	announced int64 // frames
	rest      int   // bytes of a frame that is not whole, at buf's beginning
}

// Read reads a whole recording; see NewReader for what it takes. Audio that is cut short is taken as
// far as it goes.
func Read(r io.Reader) (Audio, error) {
	w, err := NewReader(r)
	if err != nil {
		return Audio{}, err
	}
	a := Audio{Rate: w.Rate(), Channels: w.format.channels}
	piece := make([]float32, 4096)
	for {
		n, err := w.Read(piece)
		a.Samples = append(a.Samples, piece[:n]...)
		switch {
		case len(a.Samples) > MaxFrames:
			return Audio{}, fmt.Errorf("%w: longer than %d samples a channel", ErrFormat, MaxFrames)
		case errors.Is(err, io.EOF) && len(a.Samples) == 0:
			return Audio{}, ErrEmpty
		case errors.Is(err, io.EOF):
			return a, nil
		case err != nil:
			return Audio{}, err
		}
	}
}

// NewReader reads as far as the audio begins. It takes PCM of 8, 16, 24 or 32 bits, floating point of
// 32 or 64, A-law and µ-law, of any rate and with up to 8 channels.
func NewReader(r io.Reader) (*Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var head [12]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return nil, short("the RIFF header", err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("%w: it does not begin with RIFF and WAVE", ErrFormat)
	}
	w := &Reader{r: br}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(br, chunk[:]); err != nil {
			return nil, short("a chunk before the data", err)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			var err error
			if w.format, err = readFormat(br, size); err != nil {
				return nil, err
			}
		case "data":
			if w.format.sample == nil {
				return nil, fmt.Errorf("%w: the data come before the format", ErrFormat)
			}
			w.left, w.counts = size, size != 0 && size < streamed
			if w.counts {
				w.announced = size / int64(w.format.frame())
			}
			w.buf = make([]byte, 4096*w.format.frame())
			return w, nil
		default:
			if _, err := io.CopyN(io.Discard, br, size+size%2); err != nil {
				return nil, short("chunk "+fmt.Sprintf("%q", chunk[:4]), err)
			}
		}
	}
}

// streamed is from which length on a data chunk was written by a program that could not go back to note
// the length: these put 0, the largest number of 31 or 32 bits, or that less the header's.
const streamed = 0x7fff0000

// Rate is the frames a second.
func (w *Reader) Rate() int { return w.format.rate }

// Announced is how many frames there are by the file's own account, which is wrong when it was cut short;
// 0 if it does not tell.
func (w *Reader) Announced() int64 { return w.announced }

// Read reads up to len(x) frames, mixed to one channel, of -1 to 1. It returns io.EOF after the last.
func (w *Reader) Read(x []float32) (int, error) {
	frame := w.format.frame()
	buf := w.buf[:min(len(w.buf), len(x)*frame)]
	if w.counts {
		buf = buf[:min(int64(len(buf)), int64(w.rest)+w.left)]
	}
	if len(buf) < frame {
		return 0, io.EOF
	}
	n, err := io.ReadAtLeast(w.r, buf[w.rest:], frame-w.rest)
	w.left -= int64(n)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return 0, err
	}
	n += w.rest
	whole := n - n%frame
	width := w.format.bits / 8
	for i := range whole / frame {
		var sum float32
		for c := range w.format.channels {
			sum += w.format.sample(buf[i*frame+c*width:])
		}
		x[i] = sum / float32(w.format.channels)
	}
	w.rest = copy(buf, buf[whole:n])
	return whole / frame, nil
}

// short tells a file that ends too early from one that cannot be read.
func short(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends within %s", ErrFormat, where)
	}
	return err
}

// frame is the bytes of one sample of each channel.
func (f format) frame() int { return f.channels * f.bits / 8 }

func readFormat(r io.Reader, size int64) (format, error) {
	if size < 16 || size > 4096 {
		return format{}, fmt.Errorf("%w: a format chunk of %d bytes", ErrFormat, size)
	}
	b := make([]byte, size+size%2)
	if _, err := io.ReadFull(r, b); err != nil {
		return format{}, short("the format chunk", err)
	}
	f := format{
		encoding: int(binary.LittleEndian.Uint16(b)),
		channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate:     int(binary.LittleEndian.Uint32(b[4:])),
		bits:     int(binary.LittleEndian.Uint16(b[14:])),
	}
	align := int(binary.LittleEndian.Uint16(b[12:]))
	if f.encoding == formatExtensible {
		if size < 40 {
			return format{}, fmt.Errorf("%w: an extensible format of %d bytes", ErrFormat, size)
		}
		f.encoding = int(binary.LittleEndian.Uint16(b[24:])) // the first two bytes of the sub-format's GUID
	}
	if f.channels < 1 || f.channels > 8 {
		return format{}, fmt.Errorf("%w: %d channels", ErrFormat, f.channels)
	}
	if f.rate < 1000 || f.rate > 384000 {
		return format{}, fmt.Errorf("%w: %d samples a second", ErrFormat, f.rate)
	}
	if f.sample = decoder(f.encoding, f.bits); f.sample == nil {
		name := map[int]string{2: " (ADPCM)", 17: " (ADPCM)", 49: " (GSM)", 85: " (MP3)"}[f.encoding]
		return format{}, fmt.Errorf("%w: encoding %d%s with %d bits", ErrFormat, f.encoding, name, f.bits)
	}
	if align != f.frame() {
		return format{}, fmt.Errorf("%w: frames of %d bytes for %d channels of %d bits", ErrFormat, align, f.channels, f.bits)
	}
	return f, nil
}

// decoder returns how one sample is read, nil for an encoding that is not known.
func decoder(encoding, bits int) func([]byte) float32 {
	le := binary.LittleEndian
	switch [2]int{encoding, bits} {
	case [2]int{formatPCM, 8}:
		return func(b []byte) float32 { return (float32(b[0]) - 128) / 128 }
	case [2]int{formatPCM, 16}:
		return func(b []byte) float32 { return float32(int16(le.Uint16(b))) / 32768 }
	case [2]int{formatPCM, 24}:
		return func(b []byte) float32 {
			return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
		}
	case [2]int{formatPCM, 32}:
		return func(b []byte) float32 { return float32(int32(le.Uint32(b))) / (1 << 31) }
	case [2]int{formatFloat, 32}:
		return func(b []byte) float32 { return bounded(float64(math.Float32frombits(le.Uint32(b)))) }
	case [2]int{formatFloat, 64}:
		return func(b []byte) float32 { return bounded(math.Float64frombits(le.Uint64(b))) }
	case [2]int{formatALaw, 8}:
		return func(b []byte) float32 { return float32(g711.DecodeAlawFrame(b[0])) / 32768 }
	case [2]int{formatMuLaw, 8}:
		return func(b []byte) float32 { return float32(g711.DecodeUlawFrame(b[0])) / 32768 }
	}
	return nil
}

// bounded clips to full scale and makes silence of what is no number.
func bounded(v float64) float32 {
	if math.IsNaN(v) {
		return 0
	}
	return float32(min(max(v, -1), 1))
}

// Write writes 16-bit mono PCM.
func Write(w io.Writer, rate int, samples []int16) error {
	const header = 44
	data := 2 * len(samples)
	if int64(data) > math.MaxUint32-header {
		return fmt.Errorf("%d samples are too many for a WAV file", len(samples))
	}
	b := make([]byte, 0, header+data)
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(header-8+data))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, formatPCM)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(2*rate))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(data))
	for _, s := range samples {
		b = le.AppendUint16(b, uint16(s))
	}
	_, err := w.Write(b)
	return err
}

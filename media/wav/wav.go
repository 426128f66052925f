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

// MaxFrames is the longest recording that Read takes: an hour at 48 kHz.
const MaxFrames = 3600 * 48000

// ErrFormat is wrapped by all errors that say the bytes are no WAV file that can be read.
var ErrFormat = errors.New("unreadable WAV file")

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

// Read reads PCM of 8, 16, 24 or 32 bits, floating point of 32 or 64, A-law and µ-law, of any rate
// and with up to 8 channels. A data chunk that is cut short, or whose length is not known because
// the file was streamed, is taken as far as it goes.
func Read(r io.Reader) (Audio, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var head [12]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return Audio{}, short("the RIFF header", err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return Audio{}, fmt.Errorf("%w: it does not begin with RIFF and WAVE", ErrFormat)
	}
	var f format
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(br, chunk[:]); err != nil {
			return Audio{}, short("a chunk before the data", err)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			var err error
			if f, err = readFormat(br, size); err != nil {
				return Audio{}, err
			}
		case "data":
			if f.sample == nil {
				return Audio{}, fmt.Errorf("%w: the data come before the format", ErrFormat)
			}
			return readData(br, f, size)
		default:
			if _, err := io.CopyN(io.Discard, br, size+size%2); err != nil {
				return Audio{}, short("chunk "+fmt.Sprintf("%q", chunk[:4]), err)
			}
		}
	}
}

// short tells a file that ends too early from one that cannot be read.
func short(where string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends within %s", ErrFormat, where)
	}
	return err
}

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
		return format{}, fmt.Errorf("%w: encoding %d with %d bits", ErrFormat, f.encoding, f.bits)
	}
	if align != f.channels*f.bits/8 {
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

func readData(r io.Reader, f format, size int64) (Audio, error) {
	const streamed = 0xffffffff // or 0: the writer could not go back to note the length
	width := f.bits / 8
	frame := width * f.channels
	if size != 0 && size != streamed {
		r = io.LimitReader(r, size)
	}
	a := Audio{Rate: f.rate, Channels: f.channels}
	buf := make([]byte, 4096*frame)
	for {
		n, err := io.ReadFull(r, buf)
		for b := buf[:n-n%frame]; len(b) > 0; b = b[frame:] {
			var sum float32
			for c := range f.channels {
				sum += f.sample(b[c*width:])
			}
			a.Samples = append(a.Samples, sum/float32(f.channels))
		}
		if len(a.Samples) > MaxFrames {
			return Audio{}, fmt.Errorf("%w: longer than %d samples a channel", ErrFormat, MaxFrames)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if len(a.Samples) == 0 {
				return Audio{}, fmt.Errorf("%w: it holds no audio", ErrFormat)
			}
			return a, nil
		default:
			return Audio{}, err
		}
	}
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

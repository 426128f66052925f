package wav_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"centrala/media/tone"
	"centrala/media/wav"

	"github.com/zaf/g711"
)

// file builds a WAV file around data.
func file(encoding uint16, channels, rate, bits int, extensible bool, size uint32, data []byte) []byte {
	le := binary.LittleEndian
	var f []byte
	put := encoding
	if extensible {
		put = 0xfffe
	}
	f = le.AppendUint16(f, put)
	f = le.AppendUint16(f, uint16(channels))
	f = le.AppendUint32(f, uint32(rate))
	f = le.AppendUint32(f, uint32(rate*channels*bits/8))
	f = le.AppendUint16(f, uint16(channels*bits/8))
	f = le.AppendUint16(f, uint16(bits))
	if extensible {
		f = le.AppendUint16(f, 22)
		f = le.AppendUint16(f, uint16(bits))
		f = le.AppendUint32(f, 0)
		f = le.AppendUint16(f, encoding)
		f = append(f, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
	}
	b := []byte("RIFF\x00\x00\x00\x00WAVE")
	b = append(b, "LIST\x03\x00\x00\x00abc\x00"...) // an odd length, padded
	b = append(b, "fmt "...)
	b = le.AppendUint32(b, uint32(len(f)))
	b = append(b, f...)
	b = append(b, "data"...)
	b = le.AppendUint32(b, size)
	return append(b, data...)
}

// encoded writes the samples in one of the encodings, the same in each channel.
func encoded(pcm []int16, encoding uint16, bits, channels int) []byte {
	le := binary.LittleEndian
	var b []byte
	for _, s := range pcm {
		for range channels {
			switch {
			case encoding == 6:
				b = append(b, g711.EncodeAlawFrame(s))
			case encoding == 7:
				b = append(b, g711.EncodeUlawFrame(s))
			case encoding == 3 && bits == 32:
				b = le.AppendUint32(b, math.Float32bits(float32(s)/32768))
			case encoding == 3:
				b = le.AppendUint64(b, math.Float64bits(float64(s)/32768))
			case bits == 8:
				b = append(b, byte(int(s>>8)+128))
			case bits == 16:
				b = le.AppendUint16(b, uint16(s))
			case bits == 24:
				b = append(b, 0, byte(s), byte(s>>8))
			case bits == 32:
				b = le.AppendUint32(b, uint32(s)<<16)
			}
		}
	}
	return b
}

func samples(a wav.Audio) []int16 {
	pcm := make([]int16, len(a.Samples))
	for i, s := range a.Samples {
		pcm[i] = int16(s * 32767)
	}
	return pcm
}

func TestRead_Encodings(t *testing.T) {
	for _, c := range []struct {
		name     string
		encoding uint16
		bits     int
	}{
		{"pcm 8", 1, 8}, {"pcm 16", 1, 16}, {"pcm 24", 1, 24}, {"pcm 32", 1, 32},
		{"float 32", 3, 32}, {"float 64", 3, 64}, {"A-law", 6, 8}, {"µ-law", 7, 8},
	} {
		for _, rate := range []int{8000, 11025, 44100, 48000} {
			for channels := 1; channels <= 2; channels++ {
				pcm := tone.Sine(500, -6, rate, 100*time.Millisecond)
				data := encoded(pcm, c.encoding, c.bits, channels)
				b := file(c.encoding, channels, rate, c.bits, channels == 2, uint32(len(data)), data)
				a, err := wav.Read(iotest.HalfReader(bytes.NewReader(b)))
				if err != nil {
					t.Errorf("%s, %d Hz, %d channels: %v", c.name, rate, channels, err)
					continue
				}
				if a.Rate != rate || a.Channels != channels || len(a.Samples) != len(pcm) {
					t.Errorf("%s: got %d Hz, %d channels, %d samples", c.name, a.Rate, a.Channels, len(a.Samples))
				}
				if level := tone.Level(samples(a), rate, 500); math.Abs(level+6) > 0.3 {
					t.Errorf("%s, %d Hz, %d channels: %.2f dBFS, want -6", c.name, rate, channels, level)
				}
			}
		}
	}
}

func TestRead_ChannelsAreMixed(t *testing.T) {
	data := []byte{0x00, 0x40, 0x00, 0xc0, 0x00, 0x40, 0x00, 0x00} // 0.5 and -0.5; 0.5 and 0
	a, err := wav.Read(bytes.NewReader(file(1, 2, 8000, 16, false, 8, data)))
	if err != nil || len(a.Samples) != 2 || a.Samples[0] != 0 || a.Samples[1] != 0.25 {
		t.Fatalf("%v %v", a.Samples, err)
	}
}

// What lies after the data is not audio; a cut or streamed file is taken as far as it goes.
func TestRead_Lengths(t *testing.T) {
	data := encoded(tone.Sine(500, -6, 8000, 10*time.Millisecond), 1, 16, 1)
	for _, c := range []struct {
		name string
		size uint32
		data []byte
		want int
	}{
		{"exact", 160, data, 80},
		{"chunk after the data", 160, append(data[:160:160], "LIST\x04\x00\x00\x00abcd"...), 80},
		{"cut within a sample", 160, data[:101], 50},
		{"streamed, length 0", 0, data, 80},
		{"streamed, length 2^32-1", 0xffffffff, data, 80},
	} {
		a, err := wav.Read(bytes.NewReader(file(1, 1, 8000, 16, false, c.size, c.data)))
		if err != nil || len(a.Samples) != c.want {
			t.Errorf("%s: %d samples, %v; want %d", c.name, len(a.Samples), err, c.want)
		}
	}
}

func TestRead_Errors(t *testing.T) {
	for _, c := range []struct {
		want string
		file []byte
	}{
		{"ends within the RIFF header", nil},
		{"does not begin with RIFF", []byte("ID3\x04 and so on, an MP3 file")},
		{"ends within a chunk before the data", []byte("RIFF\x00\x00\x00\x00WAVE")},
		{"data come before the format", []byte("RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd")},
		{"encoding 85", file(85, 1, 8000, 16, false, 2, []byte{0, 0})},
		{"with 12 bits", file(1, 2, 8000, 12, false, 6, make([]byte, 6))},
		{"0 channels", file(1, 0, 8000, 16, false, 2, []byte{0, 0})},
		{"0 samples a second", file(1, 1, 0, 16, false, 2, []byte{0, 0})},
		{"no audio", file(1, 1, 8000, 16, false, 0, nil)},
	} {
		_, err := wav.Read(bytes.NewReader(c.file))
		if !errors.Is(err, wav.ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := wav.Read(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, wav.ErrFormat) {
		t.Errorf("a read error became %v", err)
	}
}

func TestWrite_ReadsBack(t *testing.T) {
	pcm := append(tone.Sine(700, 0, 8000, 50*time.Millisecond), math.MaxInt16, math.MinInt16, 0)
	var b bytes.Buffer
	if err := wav.Write(&b, 8000, pcm); err != nil {
		t.Fatal(err)
	}
	a, err := wav.Read(&b)
	if err != nil || a.Rate != 8000 || len(a.Samples) != len(pcm) {
		t.Fatalf("%d Hz, %d samples, %v", a.Rate, len(a.Samples), err)
	}
	for i, s := range a.Samples {
		if int16(s*32768) != pcm[i] && pcm[i] != math.MinInt16 {
			t.Fatalf("sample %d: wrote %d, read %v", i, pcm[i], s)
		}
	}
}

// Whatever is read is within full scale and no longer than its bytes allow.
func FuzzRead(f *testing.F) {
	data := encoded(tone.Sine(500, -6, 8000, 5*time.Millisecond), 1, 16, 1)
	f.Add(file(1, 1, 8000, 16, false, uint32(len(data)), data))
	f.Add(file(3, 2, 44100, 32, true, 8, make([]byte, 8)))
	f.Add(file(6, 1, 8000, 8, false, 0, data))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := wav.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if len(a.Samples) == 0 || len(a.Samples) > len(b) || a.Rate <= 0 || a.Channels < 1 {
			t.Fatalf("%d samples at %d Hz from %d bytes", len(a.Samples), a.Rate, len(b))
		}
		for _, s := range a.Samples {
			if !(s >= -1 && s <= 1) {
				t.Fatalf("sample %v", s)
			}
		}
	})
}

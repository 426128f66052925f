package holdmusic

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"centrala/media/mp3"
	"centrala/media/wav"
)

// source is a recording that is read piece by piece, mixed to one channel.
type source interface {
	Rate() int // samples a second
	// Read reads up to len(x) samples, of -1 to 1. It returns io.EOF after the last.
	Read(x []float32) (int, error)
	// Announced is how many samples there should be; 0: unknown.
	Announced() int64
}

// ErrFormat is wrapped by all errors that say that a file is of a kind that is not read, or is cut short.
// What is wrong within a WAV or MP3 file wraps wav.ErrFormat or mp3.ErrFormat.
var ErrFormat = errors.New("no whole WAV or MP3 file")

// kinds are other files that people have, by how they begin.
func kinds() []struct{ at, begins, name string } {
	const behindSize = "????"
	return []struct{ at, begins, name string }{
		{"", "OggS", "an Ogg file (Vorbis or Opus)"},
		{"", "fLaC", "a FLAC file"},
		{behindSize, "ftyp", "an MP4 file (AAC, or bought music with a lock)"},
		{"", "\x30\x26\xb2\x75", "a Windows Media file"},
		{"", "FORM", "an AIFF file"},
		{"", ".snd", "an AU file"},
		{"", "#!AMR", "an AMR file"},
		{"", "MThd", "a MIDI file"},
		{"", "\x1a\x45\xdf\xa3", "a Matroska or WebM file"},
		{"", "RF64", "a WAV file of more than 4 GB"},
		{"", "\xff\xf1", "an AAC file"},
		{"", "\xff\xf9", "an AAC file"},
	}
}

// open finds out what a file is and reads as far as the audio begins.
func open(r io.Reader) (source, error) {
	br := bufio.NewReader(r)
	head, err := br.Peek(12)
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	for _, k := range kinds() {
		if len(head) > len(k.at) && bytes.HasPrefix(head[len(k.at):], []byte(k.begins)) {
			return nil, fmt.Errorf("%w: it is %s", ErrFormat, k.name)
		}
	}
	if bytes.HasPrefix(head, []byte("RIFF")) {
		return wav.NewReader(br)
	}
	m, err := mp3.NewReader(br)
	if errors.Is(err, mp3.ErrFormat) && !bytes.HasPrefix(head, []byte("ID3")) && head[0] != 0xff {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return m, err
}

// decode reads a file that plays for at most a time, and brings it to 8000 Hz.
func decode(r io.Reader, ends edge, longest time.Duration) (*recording, error) {
	src, err := open(&limited{r: r, left: MaxFileSize})
	if err != nil {
		return nil, err
	}
	length := func(samples int64) time.Duration {
		return time.Duration(float64(samples) / float64(src.Rate()) * float64(time.Second)).Round(time.Millisecond)
	}
	to := &recording{}
	s := newResampler(src.Rate(), ends, to)
	x := make([]float32, 8192)
	for {
		if l := length(max(int64(s.seen), src.Announced())); l > longest {
			return nil, fmt.Errorf("it plays for %v; at most %v are allowed", l.Round(time.Second), longest)
		}
		n, err := src.Read(x)
		s.write(x[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case int64(s.seen) < src.Announced():
		return nil, fmt.Errorf("%w: it is cut short: it announces %v of audio and holds %v",
			ErrFormat, length(src.Announced()), length(int64(s.seen)))
	case s.seen == 0:
		return nil, wav.ErrEmpty
	}
	s.finish()
	return to, nil
}

// limited reads up to left bytes from r and fails if there are more.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	// One byte more than allowed tells a file that is too large from one that just fits.
	n, err := l.r.Read(b[:min(int64(len(b)), l.left+1)])
	if int64(n) > l.left {
		return 0, fmt.Errorf("it is larger than %d MB; mono at 8000 Hz is all that a telephone carries", MaxFileSize>>20)
	}
	l.left -= int64(n)
	return n, err
}

// recording is audio at 8000 Hz (full scale: 1), in pieces, so that it grows without being copied.
type recording struct{ pieces [][]float32 }

// pieceLength is how many samples a piece holds: half a minute.
const pieceLength = 30 * rate

func (r *recording) append(v float32) {
	last := len(r.pieces) - 1
	if last < 0 || len(r.pieces[last]) == pieceLength {
		r.pieces = append(r.pieces, make([]float32, 0, min(pieceLength, rate<<min(last+1, 5))))
		last++
	}
	r.pieces[last] = append(r.pieces[last], v)
}

// at is a sample's place.
func (r *recording) at(i int) *float32 { return &r.pieces[i/pieceLength][i%pieceLength] }

func (r *recording) len() int {
	if len(r.pieces) == 0 {
		return 0
	}
	return (len(r.pieces)-1)*pieceLength + len(r.pieces[len(r.pieces)-1])
}

// peak is the largest absolute value.
func (r *recording) peak() (peak float32) {
	for _, piece := range r.pieces {
		for _, v := range piece {
			peak = max(peak, v, -v)
		}
	}
	return peak
}

// quantize turns samples into 16 bits, and lets go of the recording.
func (r *recording) quantize() []int16 {
	pcm := make([]int16, 0, r.len())
	for i, piece := range r.pieces {
		for _, v := range piece {
			pcm = append(pcm, int16(math.Round(float64(min(max(v, -1), 1))*math.MaxInt16)))
		}
		r.pieces[i] = nil
	}
	return pcm
}

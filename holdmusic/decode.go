package holdmusic

import (
	"fmt"
	"io"
	"math"
	"time"

	"centrala/media/wav"
)

// decode reads a WAV file, mixed to mono.
func decode(r io.Reader) (x []float32, from int, err error) {
	audio, err := wav.Read(&limited{r: r, left: MaxFileSize})
	if err != nil {
		return nil, 0, err
	}
	length := time.Duration(float64(len(audio.Samples)) / float64(audio.Rate) * float64(time.Second))
	if length > MaxFileLength {
		return nil, 0, fmt.Errorf("it plays for %v; at most %v are allowed", length.Round(time.Second), MaxFileLength)
	}
	return audio.Samples, audio.Rate, nil
}

// limited reads up to left bytes from r and fails if there are more.
type limited struct {
	r    io.Reader
	left int
}

func (l *limited) Read(b []byte) (int, error) {
	// One byte more than allowed tells a file that is too large from one that just fits.
	n, err := l.r.Read(b[:min(len(b), l.left+1)])
	if n > l.left {
		return 0, fmt.Errorf("it is larger than %d MB; mono at 8000 Hz is all that a telephone carries", MaxFileSize>>20)
	}
	l.left -= n
	return n, err
}

// quantize turns samples (full scale: 1) into 16 bits.
func quantize(x []float32) []int16 {
	pcm := make([]int16, len(x))
	for i, v := range x {
		pcm[i] = int16(math.Round(float64(min(max(v, -1), 1)) * math.MaxInt16))
	}
	return pcm
}

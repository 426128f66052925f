package mp3_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"centrala/media/mp3"
)

var rates = []int{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}

// recording is a second of stereo that has everything an encoder treats by itself: tones, a sweep, noise, blows, a
// channel that is alone, and both alike.
func recording(rate int) []int16 {
	random := rand.New(rand.NewPCG(uint64(rate), 1))
	n := rate
	pcm := make([]int16, 0, 2*n)
	for i := range n {
		t := float64(i) / float64(rate)
		tone := 0.2*math.Sin(2*math.Pi*440*t) + 0.1*math.Sin(2*math.Pi*(200+float64(rate)/6*t)*t)
		noise := 0.1 * (random.Float64() - 0.5)
		blow := math.Exp(-60*math.Mod(t, 0.13)) * (random.Float64() - 0.5)
		l, r := tone+noise, tone+0.1*(random.Float64()-0.5)
		switch {
		case t > 0.8:
			l, r = tone+noise, tone+noise
		case t > 0.6:
			l, r = 0.1*tone+noise, 0
		case t > 0.2:
			l, r = l/4+blow, r/4+blow/2
		}
		pcm = append(pcm, int16(32767*l), int16(32767*r))
	}
	return pcm
}

// encodeStereo encodes samples of two channels by lame.
func encodeStereo(t testing.TB, rate int, pcm []int16, options ...string) (file []byte) {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.raw"), filepath.Join(dir, "out.mp3")
	if err := os.WriteFile(in, raw(pcm), 0o600); err != nil {
		t.Fatal(err)
	}
	khz := strconv.FormatFloat(float64(rate)/1000, 'f', -1, 64)
	run(t, append(options, "--quiet", "-r", "-s", khz, "--resample", khz, in, out)...)
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func raw(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, v := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func run(t testing.TB, options ...string) {
	t.Helper()
	if text, err := exec.Command("lame", options...).CombinedOutput(); err != nil {
		t.Fatalf("lame (scripts/install-test-deps.sh installs it): %v %s", err, text)
	}
}

// byLame is a file as lame decodes it, mixed to one channel, of -1 to 1.
func byLame(t testing.TB, file []byte, channels int) (x []float64) {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.mp3"), filepath.Join(dir, "out.raw")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "--quiet", "--decode", "-t", in, out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(b) >= 2*channels; b = b[2*channels:] {
		sum := 0.0
		for c := range channels {
			sum += float64(int16(binary.LittleEndian.Uint16(b[2*c:])))
		}
		x = append(x, sum/float64(channels)/32768)
	}
	return x
}

// difference is the power of what two recordings differ by, over their common length, in decibels of full scale.
func difference(t testing.TB, file []byte, want []float64) float64 {
	t.Helper()
	r, err := mp3.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0
	if !bytes.Contains(file, []byte("LAME")) || !bytes.Contains(file, []byte("Info")) && !bytes.Contains(file, []byte("Xing")) {
		n = -529 // without the tag (small frames have no room for it) lame takes away its decoder's own delay
	}
	x := make([]float32, 999)
	for {
		got, err := r.Read(x)
		for _, v := range x[:got] {
			if n >= 0 && n < len(want) {
				sum += (float64(v) - want[n]) * (float64(v) - want[n])
			}
			n++
		}
		if err != nil {
			break
		}
	}
	if n < len(want)-1152 || n > len(want)+1152 {
		t.Errorf("%d samples, want %d", n, len(want))
	}
	return 10 * math.Log10(max(sum/float64(min(n, len(want))), 1e-14))
}

// power is that of a recording, in decibels of full scale.
func power(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return 10 * math.Log10(max(sum/float64(len(x)), 1e-14))
}

// What comes out is what lame's own decoder makes of the file, but for its rounding to 16 bits, which is a noise of -101 dB.
func TestDecode_AsLameDoes(t *testing.T) {
	for _, rate := range rates {
		for name, options := range map[string][]string{
			"mono":            {"-m", "m", "-b", "32"},
			"stereo variable": {"-m", "s", "-V", "1"},
			"joint":           {"-m", "j", "-b", "48"},
			"joint variable":  {"-m", "j", "-V", "6"},
			"short blocks":    {"-m", "f", "-b", "64", "--allshort"},
			"with a check":    {"-m", "j", "-b", "64", "-p"},
		} {
			t.Run(fmt.Sprint(rate, " ", name), func(t *testing.T) {
				t.Parallel()
				file := encodeStereo(t, rate, recording(rate), options...)
				channels := 2
				if options[1] == "m" {
					channels = 1
				}
				if d := difference(t, file, byLame(t, file, channels)); d > -98 {
					t.Errorf("off by a noise of %.1f dB", d)
				}
			})
		}
	}
}

package mp3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"centrala/media/mp3"
	"centrala/media/tone"
	"centrala/media/wav"
)

// lame encodes samples by the program of that name.
func lame(t testing.TB, rate int, pcm []int16, options ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.mp3")
	var b bytes.Buffer
	if err := wav.Write(&b, rate, pcm); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// The rate is kept whatever the bit rate.
	options = append(options, "--quiet", "--resample", strconv.FormatFloat(float64(rate)/1000, 'f', -1, 64), in, out)
	if text, err := exec.Command("lame", options...).CombinedOutput(); err != nil {
		t.Fatalf("lame (scripts/install-test-deps.sh installs it): %v %s", err, text)
	}
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// readAll decodes a whole file.
func readAll(r *mp3.Reader) (pcm []int16, err error) {
	x := make([]float32, 1000)
	for {
		n, err := r.Read(x)
		for _, v := range x[:n] {
			pcm = append(pcm, int16(v*32767))
		}
		if errors.Is(err, io.EOF) {
			return pcm, nil
		}
		if err != nil {
			return pcm, err
		}
	}
}

func decoded(t testing.TB, file []byte) (pcm []int16, rate int) {
	t.Helper()
	r, err := mp3.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if pcm, err = readAll(r); err != nil {
		t.Fatal(err)
	}
	if n := r.Announced(); n != 0 && n != int64(len(pcm)) {
		t.Errorf("%d samples of %d in a whole file", len(pcm), n)
	}
	return pcm, r.Rate()
}

// purity is how far what is no tone of this frequency lies below full scale, in decibels.
func purity(pcm []int16, rate int, hertz float64) float64 {
	var all float64
	for _, v := range pcm {
		all += float64(v) * float64(v)
	}
	all /= float64(len(pcm)) * 32768 * 32768
	level := math.Pow(10, tone.Level(pcm, rate, hertz)/10) / 2 // power of a sine of that peak
	return 10 * math.Log10(max(all-level, 1e-12))
}

// Every rate, many bit rates, one channel and two: the tone is there, of its length, and nothing else is.
func TestRead_RatesAndBitRates(t *testing.T) {
	for _, rate := range rates {
		bitRates := []int{16, 24, 32, 40, 64, 80, 96, 128}
		if rate < 16000 {
			bitRates = []int{16, 24, 32, 40, 64}
		}
		for _, kbit := range bitRates {
			t.Run(fmt.Sprint(rate, "/", kbit), func(t *testing.T) {
				t.Parallel()
				in := tone.Sine(1000, -6, rate, 1500*time.Millisecond)
				file := lame(t, rate, in, "-b", strconv.Itoa(kbit), "-m", "m")
				pcm, got := decoded(t, file)
				silence := 0 // that the encoder adds, told in a tag for which small frames have no room
				if !bytes.Contains(file, []byte("LAME")) || !bytes.Contains(file, []byte("Info")) {
					silence = 3 * 1152
				}
				if got != rate || len(pcm) < len(in) || len(pcm) > len(in)+silence {
					t.Fatalf("%d samples at %d Hz, want %d at %d", len(pcm), got, len(in), rate)
				}
				middle := pcm[rate/4 : rate/4+rate]
				if level := tone.Level(middle, rate, 1000); math.Abs(level+6) > 0.5 {
					t.Errorf("the tone is at %.2f dB, want -6", level)
				}
				if rest := purity(middle, rate, 1000); rest > -45 {
					t.Errorf("noise at %.1f dB", rest)
				}
			})
		}
	}
}

// The decoder's delay and the silence that the encoder puts round a recording are taken away: what comes
// out lies where it lay, to the sample, so that a recording can be played in a loop.
func TestRead_WithoutTheEncodersSilence(t *testing.T) {
	for _, rate := range []int{8000, 11025, 22050, 44100} {
		in := make([]int16, rate)
		click := tone.Sine(700, -6, rate, 50*time.Millisecond)
		copy(in[rate/2:], click)
		pcm, _ := decoded(t, lame(t, rate, in, "-b", "64", "-m", "m"))
		if len(pcm) != len(in) {
			t.Fatalf("%d Hz: %d samples, want %d", rate, len(pcm), len(in))
		}
		best, at := 0.0, 0
		for shift := -1200; shift <= 1200; shift++ {
			var sum float64
			for i, v := range click {
				sum += float64(v) * float64(pcm[rate/2+i+shift])
			}
			if sum > best {
				best, at = sum, shift
			}
		}
		if at < -1 || at > 1 {
			t.Errorf("%d Hz: the tone lies %d samples away", rate, at)
		}
	}
}

// Stereo, joint and variable bit rates, with tags before and behind, without the encoder's own tag.
func TestRead_Kinds(t *testing.T) {
	const rate = 44100
	in := tone.Sine(1000, -6, rate, time.Second)
	picture := append([]byte("ID3\x04\x00\x00\x00\x04\x00\x00"), make([]byte, 65536)...)
	for name, file := range map[string][]byte{
		"variable":          lame(t, rate, in, "-V", "2"),
		"joint stereo":      lame(t, rate, in, "-m", "j"),
		"with a checksum":   lame(t, rate, in, "-p"),
		"22050 checksum":    lame(t, 22050, tone.Sine(1000, -6, 22050, time.Second), "-p", "-b", "32"),
		"without a tag":     lame(t, rate, in, "-t"),
		"with a picture":    append(picture, lame(t, rate, in)...),
		"with tags":         lame(t, rate, in, "--tt", "Waiting", "--add-id3v2"),
		"junk at both ends": slices.Concat([]byte("some program's junk \xff\xfb\x90"), lame(t, rate, in), []byte("and more junk")),
	} {
		t.Run(name, func(t *testing.T) {
			pcm, rate := decoded(t, file)
			if level := tone.Level(pcm[rate/4:rate*3/4], rate, 1000); math.Abs(level+6) > 0.7 {
				t.Errorf("%.2f dB, want -6", level)
			}
		})
	}
}

func TestRead_CutShort(t *testing.T) {
	file := lame(t, 44100, tone.Sine(1000, -6, 44100, 4*time.Second))
	r, err := mp3.NewReader(bytes.NewReader(file[:len(file)/2]))
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := readAll(r)
	if err != nil || len(pcm) < 44100 || len(pcm) > 3*44100 || r.Announced() != 4*44100 {
		t.Errorf("%d samples, %d announced, %v", len(pcm), r.Announced(), err)
	}
}

func TestRead_Errors(t *testing.T) {
	good := lame(t, 44100, tone.Sine(1000, -6, 44100, time.Second), "-t")
	other := lame(t, 32000, tone.Sine(1000, -6, 32000, time.Second), "-t")
	layer2 := slices.Clone(good)
	for i := range layer2 {
		if layer2[i] == 0xff && i+1 < len(layer2) && layer2[i+1] == 0xfb {
			layer2[i+1] = 0xfd
		}
	}
	for _, c := range []struct {
		want string
		file []byte
	}{
		{"holds no audio", nil},
		{"holds no audio", []byte("ID3")},
		{"within its tags", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f")},
		{"no MP3 audio in its first 64 kB", make([]byte, 1<<20)},
		{"no MP3 audio", append(layer2, make([]byte, 100_000)...)},
		{"bit rate is free", []byte("\xff\xfb\x00\x00" + strings.Repeat("0", 5000))},
		{"changes from 44100 to 32000", append(good[:len(good):len(good)], other...)},
		{"no MP3 audio in 64 kB after 1.0", append(good[:len(good):len(good)], make([]byte, 100_000)...)},
	} {
		r, err := mp3.NewReader(bytes.NewReader(c.file))
		if err == nil {
			_, err = readAll(r)
		}
		if !errors.Is(err, mp3.ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	broken := errors.New("disk on fire")
	_, err := mp3.NewReader(iotest.ErrReader(broken))
	if err != nil && !errors.Is(err, broken) {
		t.Errorf("a read error became %v", err)
	}
	r, err := mp3.NewReader(io.MultiReader(bytes.NewReader(good[:5000]), iotest.ErrReader(broken)))
	if err == nil {
		_, err = readAll(r)
	}
	if !errors.Is(err, broken) || errors.Is(err, mp3.ErrFormat) {
		t.Errorf("a read error in the midst became %v", err)
	}
}

// Whatever the bytes, reading ends without a panic, within full scale, and in no more audio than so many
// bytes can hold.
func FuzzRead(f *testing.F) {
	for _, rate := range []int{8000, 22050, 44100} {
		file := lame(f, rate, tone.Sine(1000, -6, rate, 200*time.Millisecond), "-b", "32")
		f.Add(file)
		f.Add(file[len(file)/3:])
	}
	f.Add([]byte("\xff\xfb\x90\x00"))
	for _, made := range []form{{3, 0, 2, 3}, {3, 1, 1, 0}, {2, 1, 2, 1}, {0, 2, 2, 3}} {
		f.Add(made.madeUp(rand.New(rand.NewPCG(1, 1)), 3))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := mp3.NewReader(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, mp3.ErrFormat) {
				t.Fatalf("%v", err)
			}
			return
		}
		x := make([]float32, 700)
		total := 0
		for {
			n, err := r.Read(x)
			total += n
			for _, v := range x[:n] {
				if !(v >= -1 && v <= 1) {
					t.Fatalf("sample %v", v)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				if !errors.Is(err, mp3.ErrFormat) {
					t.Fatalf("%v", err)
				}
				break
			}
		}
		const least = 24 // bytes of the smallest frame
		if total > (len(b)/least+1)*1152 || r.Rate() < 8000 {
			t.Fatalf("%d samples at %d Hz from %d bytes", total, r.Rate(), len(b))
		}
	})
}

// BenchmarkRead is a minute of joint stereo at 44,100 Hz.
func BenchmarkRead(b *testing.B) {
	file := lame(b, 44100, tone.Sine(1000, -6, 44100, time.Minute), "-m", "j", "-b", "128")
	b.ReportAllocs()
	for b.Loop() {
		decoded(b, file)
	}
}

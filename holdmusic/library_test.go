package holdmusic

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"centrala/media"
	"centrala/media/tone"
	"centrala/media/wav"
)

// toneFile is a WAV file with a tone, of 16 bits and mono.
func toneFile(hertz float64, from int, d time.Duration) []byte {
	var b bytes.Buffer
	if err := wav.Write(&b, from, tone.Sine(hertz, -6, from, d)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// stereoFile has a tone on the left and another on the right channel.
func stereoFile(left, right float64, from int, d time.Duration) []byte {
	l, r := tone.Sine(left, -6, from, d), tone.Sine(right, -6, from, d)
	both := make([]int16, 0, 2*len(l))
	for i := range l {
		both = append(both, l[i], r[i])
	}
	var b bytes.Buffer
	if err := wav.Write(&b, from, both); err != nil {
		panic(err)
	}
	file := b.Bytes()
	binary.LittleEndian.PutUint16(file[22:], 2)
	binary.LittleEndian.PutUint32(file[28:], uint32(4*from))
	binary.LittleEndian.PutUint16(file[32:], 4)
	return file
}

// opener reads from files in memory.
func opener(files fstest.MapFS) func(string) (io.ReadCloser, error) {
	return func(name string) (io.ReadCloser, error) { return files.Open(name) }
}

func file(content []byte) *fstest.MapFile { return &fstest.MapFile{Data: content} }

// hear gives what a listener hears of a programme from a tick on.
func hear(p media.Program, c media.Codec, tick uint64, d time.Duration) []int16 {
	var pcm []int16
	for range d / (20 * time.Millisecond) {
		pcm = c.AppendDecoded(pcm, p.Frame(c, tick))
		tick++
	}
	return pcm
}

func mustProgram(t *testing.T, l *Library, id string) media.Program {
	t.Helper()
	p, ok := l.Program(id)
	if !ok {
		t.Fatalf("there is no programme %s", id)
	}
	return p
}

// wantTone checks that a tone is heard at about the level all files are brought to.
func wantTone(t *testing.T, pcm []int16, hertz, level float64) {
	t.Helper()
	if got := tone.Level(pcm, rate, hertz); math.Abs(got-level) > 0.5 {
		t.Errorf("%v Hz at %.1f dB, want %.1f", hertz, got, level)
	}
}

// toneLevel is the peak level of a tone whose loudness is targetLevel.
func toneLevel(hertz float64) float64 {
	return targetLevel - loudness(recordingOf(sineAt(hertz, rate, 4*rate)))
}

func TestFilesFollowOneAnotherForEver(t *testing.T) {
	l := New(opener(fstest.MapFS{
		"a.wav": file(toneFile(500, 44100, time.Second)),
		"b.wav": file(toneFile(1000, 8000, 2*time.Second)),
		"c.wav": file(toneFile(1500, 16000, time.Second)),
	}))
	if err := l.Load(Wanted{Programs: map[string][]string{"calm": {"a.wav", "b.wav", "c.wav"}}}); err != nil {
		t.Fatal(err)
	}
	p := mustProgram(t, l, "calm")
	for c := range media.Codec(media.NumCodecs) {
		for round := range uint64(3) {
			for second, hertz := range []float64{500, 1000, 1000, 1500} {
				t.Run(fmt.Sprint(c, round, second), func(t *testing.T) {
					wantTone(t, hear(p, c, round*200+uint64(second)*50, time.Second), hertz, toneLevel(hertz))
				})
			}
		}
	}
}

func TestStereoIsMixed(t *testing.T) {
	l := New(opener(fstest.MapFS{"s.wav": file(stereoFile(600, 1300, 48000, time.Second))}))
	if err := l.Load(Wanted{Programs: map[string][]string{"m": {"s.wav"}}}); err != nil {
		t.Fatal(err)
	}
	pcm := hear(mustProgram(t, l, "m"), media.PCMA, 0, time.Second)
	// Two tones share the loudness, the upper one's part is weighted by 0.8 dB more.
	wantTone(t, pcm, 600, targetLevel)
	wantTone(t, pcm, 1300, targetLevel)
}

func TestLoadNamesEveryBadFileAndChangesNothing(t *testing.T) {
	files := fstest.MapFS{
		"good.wav":  file(toneFile(500, 8000, time.Second)),
		"empty.wav": file(nil),
		"text.wav":  file([]byte("this is not music, whatever its name may be")),
		"long.wav":  file(toneFile(50, 1000, MaxFileLength+time.Second)), // told by its header
	}
	l := New(opener(files))
	if err := l.Load(Wanted{Programs: map[string][]string{"calm": {"good.wav"}}}); err != nil {
		t.Fatal(err)
	}
	before := mustProgram(t, l, "calm")
	err := l.Load(Wanted{Programs: map[string][]string{
		"calm":   {"good.wav"},
		"first":  {"missing.wav", "empty.wav", "good.wav"},
		"second": {"text.wav", "long.wav", "builtin:xx/none"},
		"third":  {},
	}})

	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"first: file missing.wav: ", "first: file empty.wav: ", "second: file text.wav: ",
		"second: file long.wav: it plays for 1h0m1s; at most 1h0m0s", "second: file builtin:xx/none: ", "builtin:pl/please-wait",
		"third: has no files",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not tell %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good.wav") {
		t.Errorf("the error names a good file:\n%v", err)
	}
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrFormat) {
		t.Errorf("the causes are not in the error: %v", err)
	}
	if got := mustProgram(t, l, "calm"); got != before {
		t.Error("the programme was replaced")
	}
	if _, ok := l.Program("first"); ok {
		t.Error("a programme with bad files is there")
	}
}

func TestLoadReplacesAllAtOnce(t *testing.T) {
	files := fstest.MapFS{"a.wav": file(toneFile(500, 8000, time.Second)), "b.wav": file(toneFile(900, 8000, time.Second))}
	l := New(opener(files))
	if err := l.Load(Wanted{Programs: map[string][]string{"x": {"a.wav"}, "y": {"a.wav"}, "gone": {"b.wav"}}}); err != nil {
		t.Fatal(err)
	}
	old := mustProgram(t, l, "x")
	if mustProgram(t, l, "y") != old {
		t.Error("two names for the same files take memory twice")
	}
	if err := l.Load(Wanted{Programs: map[string][]string{"x": {"b.wav"}}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Program("gone"); ok {
		t.Error("a programme that is configured no more is still there")
	}
	wantTone(t, hear(mustProgram(t, l, "x"), media.PCMU, 0, time.Second), 900, toneLevel(900))
	wantTone(t, hear(old, media.PCMU, 0, time.Second), 500, toneLevel(500)) // for who still listens
}

// endless is a file that never ends.
type endless struct{ io.Reader }

func (endless) Close() error { return nil }

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestFileThatIsTooLong(t *testing.T) {
	header := toneFile(100, 16000, 0)
	binary.LittleEndian.PutUint32(header[40:], math.MaxUint32) // its length is not told
	l := New(func(string) (io.ReadCloser, error) {
		return endless{io.MultiReader(bytes.NewReader(header), zeros{})}, nil
	})
	l.maxFile = time.Minute
	err := l.Load(Wanted{Programs: map[string][]string{"m": {"big.wav"}}})
	if err == nil || !strings.Contains(err.Error(), "big.wav: it plays for 1m0s; at most 1m0s are allowed") {
		t.Fatalf("error %v", err)
	}
}

func TestFileThatIsTooLarge(t *testing.T) {
	_, err := io.Copy(io.Discard, &limited{r: zeros{}, left: 3 << 20})
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("error %v", err)
	}
	n, err := io.Copy(io.Discard, &limited{r: io.LimitReader(zeros{}, 3<<20), left: 3 << 20})
	if err != nil || n != 3<<20 {
		t.Errorf("a file that just fits: %d bytes, %v", n, err)
	}
}

func TestTooMuchMusic(t *testing.T) {
	l := New(opener(fstest.MapFS{"a.wav": file(toneFile(50, 8000, 19*time.Second))}))
	l.maxTotal = 3 * time.Minute
	one := []string{"a.wav", "a.wav", "a.wav", "a.wav", "a.wav"}
	err := l.Load(Wanted{Programs: map[string][]string{"x": append(one, one...)}})
	if err == nil || !strings.Contains(err.Error(), "file a.wav: makes the programme longer than 3m") {
		t.Errorf("one long programme: error %v", err)
	}
	err = l.Load(Wanted{Programs: map[string][]string{"x": one, "y": append(one, "builtin:default")}})
	if err == nil || !strings.Contains(err.Error(), "y: all hold music together is longer than 3m") {
		t.Errorf("two long programmes: error %v", err)
	}
}

func TestBuiltinFiles(t *testing.T) {
	l := New(func(name string) (io.ReadCloser, error) { return nil, os.ErrNotExist })
	programs := make(map[string][]string)
	for _, name := range Builtin() {
		programs[name] = []string{name}
	}
	if len(programs) != 4 {
		t.Errorf("built in: %v", Builtin())
	}
	if err := l.Load(Wanted{Programs: programs}); err != nil {
		t.Fatal(err)
	}
	for name := range programs {
		pcm := hear(mustProgram(t, l, name), media.PCMA, 0, 3*time.Second)
		if heard, peak := heardLoudness(pcm), toDB(float64(peakOf(floats(pcm)))); math.Abs(heard-targetLevel) > 4 || peak > peakLevel+0.5 {
			t.Errorf("%s: loudness %.1f dB, peak %.1f dB", name, heard, peak)
		}
	}
	if got, want := hear(l.Default(), media.PCMU, 7, time.Second), hear(mustProgram(t, l, "builtin:default"), media.PCMU, 7, time.Second); !equal(got, want) {
		t.Error("the default is not builtin:default")
	}
}

func equal(a, b []int16) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Whatever a file holds, loading it ends in an error that names it or in a
// programme that plays.
func FuzzLoad(f *testing.F) {
	f.Add(toneFile(440, 8000, 100*time.Millisecond))
	f.Add(toneFile(440, 44100, 10*time.Millisecond))
	f.Add(stereoFile(440, 880, 11025, 10*time.Millisecond))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVE"))
	files := fstest.MapFS{}
	l := New(opener(files))
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := l.Load(Wanted{}); err != nil {
			t.Fatal(err)
		}
		files["f.wav"] = file(content)
		err := l.Load(Wanted{Programs: map[string][]string{"m": {"f.wav"}}})
		p, ok := l.Program("m")
		if ok != (err == nil) {
			t.Fatalf("error %v, but programme there: %v", err, ok)
		}
		if err != nil {
			var wrong *FileError
			if !errors.As(err, &wrong) || wrong.File != "f.wav" || wrong.Program != "m" {
				t.Fatalf("the error does not name the file: %v", err)
			}
			return
		}
		for tick := range uint64(100) {
			if n := len(p.Frame(media.PCMA, tick)); n != media.FrameSamples {
				t.Fatalf("a frame of %d bytes", n)
			}
		}
	})
}

// BenchmarkNew is what the tune that is built in costs at start.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(nil)
	}
}

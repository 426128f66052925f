package holdmusic

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"centrala/media"
	"centrala/media/wav"
)

// sox makes a file by the program of that name from a recording of test.
func sox(t testing.TB, recording []byte, name string, options ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, name)
	if err := os.WriteFile(in, recording, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{in}, options...)
	command := exec.Command("sox", append(args, out)...)
	if strings.HasSuffix(name, ".mp3") {
		command = exec.Command("lame", append(append([]string{"--quiet"}, options...), in, out)...)
	}
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v (scripts/install-test-deps.sh installs it): %v %s", command, err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tune is a minute's worth of something like music, in miniature: chords that swell, at a peak level in dB.
func tune(from int, d time.Duration, peak float64) []byte {
	pcm := make([]int16, int(d.Seconds()*float64(from)))
	for i := range pcm {
		at := float64(i) / float64(from)
		v := 0.0
		for k, hertz := range []float64{220, 277, 330, 880, 1760} {
			v += math.Sin(2*math.Pi*hertz*at) / float64(k+2)
		}
		pcm[i] = int16(v / 1.5 * (0.6 + 0.4*math.Sin(2*math.Pi*at)) * fromDB(peak) * 32767)
	}
	var b bytes.Buffer
	if err := wav.Write(&b, from, pcm); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// noise is loud and dense, as what is played on the radio.
func noise(from int, d time.Duration) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, int(d.Seconds()*float64(from)))
	low := 0.0
	for i := range pcm {
		low += (random.NormFloat64() - low) * 0.2
		pcm[i] = int16(32767 * math.Tanh(4*low))
	}
	var b bytes.Buffer
	if err := wav.Write(&b, from, pcm); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Whatever the file, what listeners hear of it is as loud as of any other within a decibel, and not clipped.
func TestFilesOfEveryKindAreEquallyLoud(t *testing.T) {
	const d = 2 * time.Second
	files := fstest.MapFS{}
	add := func(name string, content []byte) { files[name] = file(content) }
	for _, from := range []int{8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000} {
		for _, format := range [][]string{
			{"-b", "8", "-e", "unsigned-integer"}, {"-b", "16", "-e", "signed-integer"}, {"-b", "24", "-e", "signed-integer"},
			{"-b", "32", "-e", "signed-integer"}, {"-b", "32", "-e", "floating-point"}, {"-b", "64", "-e", "floating-point"},
			{"-e", "a-law"}, {"-e", "mu-law"},
		} {
			if from != 8000 && from != 44100 && format[1] != "16" {
				continue
			}
			name := fmt.Sprintf("%d %s.wav", from, strings.Join(format, " "))
			add(name, sox(t, tune(from, d, -12), "out.wav", format...))
		}
	}
	loud := tune(44100, d, 0)
	add("loud.wav", loud)
	add("quiet.wav", tune(44100, d, -40))
	add("dense.wav", noise(44100, d))
	add("stereo.wav", sox(t, loud, "out.wav", "-c", "2"))
	add("left only.wav", sox(t, loud, "out.wav", "-c", "2")) // see below
	add("six channels.wav", sox(t, loud, "out.wav", "-c", "6"))
	for i := 44; i < len(files["left only.wav"].Data)-3; i += 4 {
		binary.LittleEndian.PutUint16(files["left only.wav"].Data[i+2:], 0)
	}
	add("mono.mp3", sox(t, loud, "out.mp3", "-b", "64", "-m", "m"))
	add("stereo.mp3", sox(t, files["stereo.wav"].Data, "out.mp3", "-V", "4", "-m", "j"))
	add("quiet.mp3", sox(t, files["quiet.wav"].Data, "out.mp3", "-b", "128"))
	for _, from := range []string{"8", "11.025", "22.05", "32"} {
		add(from+".mp3", sox(t, loud, "out.mp3", "--resample", from, "-b", "32", "-m", "m"))
	}
	l := New(opener(files))
	programs := map[string][]string{}
	for name := range files {
		programs[name] = []string{name}
	}
	if err := l.Load(Wanted{Programs: programs}); err != nil {
		t.Fatal(err)
	}
	for c := range media.Codec(media.NumCodecs) {
		least, most := math.Inf(1), math.Inf(-1)
		for name := range files {
			pcm := hear(mustProgram(t, l, name), c, 0, d)
			heard := heardLoudness(pcm)
			least, most = min(least, heard), max(most, heard)
			if peak := peakOf(floats(pcm)); toDB(float64(peak)) > peakLevel+0.5 {
				t.Errorf("%s: peak at %.1f dB", name, toDB(float64(peak)))
			}
			if math.Abs(heard-targetLevel) > 0.5 {
				t.Errorf("%s by %v: loudness %.2f", name, c, heard)
			}
		}
		if most-least > 1 {
			t.Errorf("%v: from %.2f to %.2f dB", c, least, most)
		}
	}
}

// An MP3 file in a loop goes on as if there were no seam: the silence that encoders add is taken away.
func TestMP3LoopsWithoutGap(t *testing.T) {
	const hertz = 400 // turns a whole number of times in two seconds
	l := New(opener(fstest.MapFS{"m.mp3": file(sox(t, toneFile(hertz, 44100, 2*time.Second), "out.mp3", "-b", "64", "-m", "m"))}))
	if err := l.Load(Wanted{Programs: map[string][]string{"m": {"m.mp3"}}}); err != nil {
		t.Fatal(err)
	}
	p := mustProgram(t, l, "m")
	pcm := hear(p, media.PCMA, 90, 400*time.Millisecond) // the seam is in the middle
	step := 0
	for i := 1; i < len(pcm); i++ {
		step = max(step, int(pcm[i])-int(pcm[i-1]), int(pcm[i-1])-int(pcm[i]))
	}
	natural := fromDB(toneLevel(hertz)) * 32768 * 2 * math.Pi * hertz / rate
	if float64(step) > 1.5*natural {
		t.Errorf("a step of %d at the seam; the tone's own are up to %.0f", step, natural)
	}
	for at := 0; at+400 <= len(pcm); at += 400 {
		wantTone(t, pcm[at:at+400], hertz, toneLevel(hertz))
	}
}

// Files that are none, or not whole, are refused with a reason that names the file and helps.
func TestFilesThatAreNotPlayed(t *testing.T) {
	good, mp3 := tune(44100, 3*time.Second, -6), sox(t, tune(44100, 3*time.Second, -6), "out.mp3")
	for _, c := range []struct {
		name, want string
		content    []byte
	}{
		{"cut.wav", "it is cut short: it announces 3s of audio and holds 1.", good[:len(good)/2]},
		{"header.wav", "it is cut short: it announces 3s of audio and holds 0s", good[:44]},
		{"half a header.wav", "it ends within", good[:30]},
		{"cut.mp3", "it is cut short: it announces 3s of audio and holds 1.", mp3[:len(mp3)/2]},
		{"empty.wav", "it is empty", nil},
		{"nothing in it.wav", "it holds no audio", toneFile(100, 8000, 0)},
		{"bought.m4p", "bought music with a lock", []byte("\x00\x00\x00\x20ftypM4P \x00\x00\x00\x00M4P M4A mp42")},
		{"song.wma", "Windows Media", []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c")},
		{"song.mp3", "an Ogg file", []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00")},
		{"song.flac", "a FLAC file", []byte("fLaC\x00\x00\x00\x22")},
		{"adpcm.wav", "encoding 2 (ADPCM)", sox(t, good, "out.wav", "-e", "ms-adpcm")},
		{"page.html", "no MP3 audio", []byte("<!DOCTYPE html>" + strings.Repeat("<p>Not found</p>", 9000))},
		{"text.txt", "it holds no audio", []byte("to do: put music here")},
	} {
		l := New(opener(fstest.MapFS{c.name: file(c.content)}))
		err := l.Load(Wanted{Programs: map[string][]string{"calm": {c.name}}})
		if err == nil || !strings.Contains(err.Error(), "hold music calm: file "+c.name+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

// hour is an hour of stereo at 44100 Hz, made up as it is read: 635 MB.
func hour() io.ReadCloser {
	header := stereoFile(0, 0, 44100, 0)
	const size = 3600 * 44100 * 4
	binary.LittleEndian.PutUint32(header[40:], size)
	return endless{io.MultiReader(bytes.NewReader(header), io.LimitReader(&sawtooth{}, size))}
}

type sawtooth struct{ at uint32 }

func (s *sawtooth) Read(b []byte) (int, error) {
	b = b[:len(b)&^3]
	for i := 0; i < len(b); i += 4 {
		v := uint16(int16(s.at * 250 % 20000))
		binary.LittleEndian.PutUint16(b[i:], v)
		binary.LittleEndian.PutUint16(b[i+2:], v)
		s.at++
	}
	return len(b), nil
}

// An hour of it takes no more memory than its audio at 8000 Hz does, however large the file is.
func TestHourTakesBoundedMemory(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("takes some seconds, minutes under the race detector")
	}
	l := New(func(string) (io.ReadCloser, error) { return hour(), nil })
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	err := l.Load(Wanted{Programs: map[string][]string{"m": {"hour.wav"}}})
	close(stop)
	most := <-peak
	if err != nil {
		t.Fatal(err)
	}
	// 115 MB of samples for a moment, then 58 and 58 MB of them encoded; as much again is not collected yet.
	if most > 400<<20 {
		t.Errorf("%d MB of heap", most>>20)
	}
	t.Logf("%d MB of heap", most>>20)
	if n := mustProgram(t, l, "m").(*program).samples; n != 3600*rate {
		t.Errorf("%d samples", n)
	}
}

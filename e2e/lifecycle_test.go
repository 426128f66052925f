package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"centrala/media/tone"
	"centrala/media/wav"
)

// SIGTERM drains: who talks goes on talking, new callers are turned away, and
// when the last call is over the process ends.
func TestDrain(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, picksUp)
	s := newServer(t, site, withPhones("evenly", "", anna))
	talking := s.call("+48600100200", "+48221234567", 500)
	talking.waitAnswered()
	talking.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.waitLog("draining: new calls are turned away; signal once more to hang up")
	late := s.call("+48600100201", "+48221234567", 700)
	refusal := late.wait("the new caller is turned away", response("INVITE", 503))
	if refusal.header("Retry-After") == "" {
		t.Error("the 503 does not tell when to try again")
	}
	talking.waitTone("the caller still hears the agent", 900, 300*time.Millisecond)
	anna.waitTone("the agent still hears the caller", 500, 300*time.Millisecond)
	talking.hangUp()
	talking.waitOver()
	select {
	case <-s.gone:
	case <-time.After(patience):
		t.Fatal("the server did not end after the last call")
	}
	if !s.cmd.ProcessState.Success() {
		t.Errorf("the server ended with %v", s.cmd.ProcessState)
	}
}

// The second SIGTERM hangs up who still talks, and the process ends in good order.
// While it drains it says that calls should go elsewhere, and that it works.
func TestDrain_SecondSignalHangsUp(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, picksUp)
	s := newServer(t, site, withPhones("evenly", "", anna))
	admin := "http://" + s.admin.String()
	if out, err := s.centrala("healthz", "--ready", "--admin", admin); err != nil || out != "ok\n" {
		t.Errorf("%v: %s", err, out)
	}
	talking := s.call("+48600100200", "+48221234567", 500)
	talking.waitAnswered()
	talking.waitTone("the caller hears the agent", 900, 200*time.Millisecond)
	signal := func() {
		t.Helper()
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	signal()
	s.waitLog("draining: new calls are turned away; signal once more to hang up")
	if out, err := s.centrala("healthz", "--ready", "--admin", admin); err == nil || !strings.Contains(out, "draining") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := s.centrala("healthz", "--admin", admin); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	signal()
	s.waitLog("hanging up")
	talking.waitOver()
	anna.waitFor("BYE", 1)
	select {
	case <-s.gone:
	case <-time.After(patience):
		t.Fatal("the server did not end")
	}
	if !s.cmd.ProcessState.Success() {
		t.Errorf("the server ended with %v", s.cmd.ProcessState)
	}
	if out, err := s.centrala("healthz", "--admin", admin); err == nil || !strings.Contains(out, "is it running") {
		t.Errorf("%v: %s", err, out)
	}
}

// SIGHUP puts changed queue groups in force without disturbing a call; a file
// with a mistake changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	anna := newPhone(t, site, "anna", 900, picksUp)
	s := newServer(t, site, withPhones("evenly", "", anna))
	talking := s.call("+48600100200", "+48221234567", 500)
	talking.waitAnswered()
	talking.waitTone("the caller hears the agent", 900, 200*time.Millisecond)

	groups, err := os.ReadFile(filepath.Join(s.dir, "queuegroups.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	reload := func(text, logged string) {
		t.Helper()
		s.writeFile("queuegroups.yaml", text)
		before := len(s.log(logged))
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, logged, func() bool { return len(s.log(logged)) > before })
	}
	changed := strings.Replace(string(groups), "hold_music: calm", "hold_music: jazz", 1)
	reload(changed, "reloaded")
	waiting := s.call("+48600100201", "+48221234567", 700)
	waiting.waitAnswered()
	waiting.waitTone("the new music", jazzHertz, 200*time.Millisecond)

	s.writeFile("jazz.wav", "no music")
	s.writeFile("queuegroups.yaml", changed)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reload is refused and the bad file named", func() bool {
		for _, line := range s.faults() {
			if strings.Contains(line.text, "reload refused") && strings.Contains(line.text, "jazz.wav") {
				return true
			}
		}
		return false
	})
	s.expectFault("reload refused")
	waiting.waitTone("the music goes on", jazzHertz, 200*time.Millisecond)
	talking.waitTone("so does the call", 900, 200*time.Millisecond)
	talking.wantOnly(200*time.Millisecond, 900, calmHertz, jazzHertz)
	talking.hangUp()
	talking.waitOver()
	waiting.waitTone("the next caller hears the agent", 900, 200*time.Millisecond)
	waiting.hangUp()
	waiting.waitOver()
}

// The sample queue groups, a phone with a password of the sample, and the test
// caller that is part of the program: the first try of a new installation.
func TestSampleAndTestCall(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	sample, err := os.ReadFile("../configs/queuegroups.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := prepareServer(t, site, string(sample))
	for name, from := range map[string]string{
		"music/calm.wav": "../configs/music/calm.wav", "music/jazz.wav": "../configs/music/jazz.wav",
		"holidays/pl.yaml": "../configs/holidays/pl.yaml",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		s.writeFile(name, string(content))
	}
	s.run()

	const voice = 2650 // nothing in the music is near
	heard := filepath.Join(t.TempDir(), "heard.wav")
	call := exec.Command(os.Getenv(serverProgram), "call", "--to", fmt.Sprintf("sip:+48221234567@%v", s.sip),
		"--record", heard, "--for", "80s") // the agent, whose phone is only begun with, ends it sooner
	var output strings.Builder
	call.Stdout, call.Stderr = &output, &output
	if err := start(call); err != nil {
		t.Fatal(err)
	}
	eventually(t, "half a second of music was sent", func() bool {
		return s.metrics()["centrala_rtp_sent_packets_total"] >= 25
	})
	anna := s.softphone("anna", "anna-sample", "udp", "auto", voice)
	anna.wait("talks", "CALL_ESTABLISHED")
	anna.hearsMore(2 * time.Second)
	anna.hangUp()
	if err := call.Wait(); err != nil {
		t.Fatalf("centrala call: %v\n%s", err, output.String())
	}
	anna.wait("hangs up", "CALL_CLOSED")
	wantOnly(t, anna.recordings()[0], 8000, 440, voice)

	file, err := os.Open(heard)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	audio, err := wav.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(audio.Samples))
	for i, v := range audio.Samples {
		pcm[i] = int16(v * 32767)
	}
	if slices.Max(tone.Levels(pcm, audio.Rate, voice, 200*time.Millisecond)) < loud {
		t.Errorf("the caller did not hear the agent:\n%s", output.String())
	}
	if first := pcm[:audio.Rate/4]; tone.Level(first, audio.Rate, voice) > quiet {
		t.Errorf("the caller heard the agent from the start:\n%s", output.String())
	}
}

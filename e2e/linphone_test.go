package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"centrala/media/tone"
	"centrala/media/wav"
)

// linphone is a softphone of another make: linphonec of Debian's linphone-cli,
// without a sound card. It speaks a tone out of a file and takes commands.
type linphone struct {
	t        *testing.T
	dir      string
	commands io.Writer

	mu     sync.Mutex
	output bytes.Buffer
}

// Write keeps what it prints.
func (p *linphone) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(text)
}

func (p *linphone) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// wait waits until it has printed a text n times.
func (p *linphone) wait(text string, n int) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("linphone prints %q (%d)", text, n), func() bool { return strings.Count(p.printed(), text) >= n })
}

func (p *linphone) command(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.commands, format+"\n", args...); err != nil {
		p.t.Fatal(err)
	}
}

// linphone starts a phone that is registered as an agent of the server.
func (s *server) linphone(agent, password string, hertz float64) *linphone {
	t := s.t
	t.Helper()
	program := needPeer(t, "linphonec")
	p := &linphone{t: t, dir: t.TempDir()}
	var voice strings.Builder
	if err := wav.Write(&voice, 8000, tone.Sine(hertz, toneLevel, 8000, time.Minute)); err != nil {
		t.Fatal(err)
	}
	rtp := s.site.ports(4)
	files := map[string]string{
		"tone.wav": voice.String(),
		"linphonerc": fmt.Sprintf(`[sip]
sip_port=%d
sip_tcp_port=0
sip_tls_port=0
use_ipv6=0
default_proxy=0
guess_hostname=1
[rtp]
audio_rtp_port=%d
[video]
enabled=0
[proxy_0]
reg_proxy=<sip:%v>
reg_route=<sip:%v;lr>
reg_identity=sip:%s@%s
reg_expires=600
reg_sendregister=1
[auth_info_0]
username=%s
passwd=%s
realm=%s
domain=%s
`, s.site.ports(2), rtp, s.sip, s.sip, agent, domain, agent, password, domain, domain),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{".local/share/linphone", ".config/linphone"} {
		if err := os.MkdirAll(filepath.Join(p.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-d", "6", "-c", filepath.Join(p.dir, "linphonerc"))
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	cmd.Stdout, cmd.Stderr = p, p
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.commands = stdin
	if err := start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = io.WriteString(stdin, "quit\n")
		killer := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // how it ends is of no interest
		killer.Stop()
		if t.Failed() {
			dump(t, "linphone "+agent, p.printed())
		}
	})
	p.command("soundcard use files")
	p.command("play %s", filepath.Join(p.dir, "tone.wav"))
	return p
}

// A softphone of another make registers, is called from its group, answers, holds
// and takes the caller again, and hands them over blindly; then it calls a colleague.
func TestLinphone(t *testing.T) {
	t.Parallel()
	s := prepareServer(t, newSite(t), office+"hold_music: {calm: {files: [calm.wav]}}\n")
	s.writeTone("calm.wav", calmHertz, 8000)
	s.run()
	bartek := s.softphone("bartek", "bartek-secret-1", "udp", "auto", 700)
	anna := s.linphone("anna", "anna-secret-1", 900)
	s.waitAgents("sales", "available", 1)
	before := s.footprint()
	c := s.call("+48600100200", "+48221234567", 500)
	s.waitAgents("sales", "ringing", 1)
	anna.wait("Receiving new incoming call", 1)
	anna.command("answer")
	c.waitAnswered()
	c.waitTone("the caller hears linphone", 900, 500*time.Millisecond)
	anna.command("pause")
	c.waitTone("the caller hears music", calmHertz, 500*time.Millisecond)
	c.wantOnly(300*time.Millisecond, calmHertz, 900)
	anna.command("resume")
	c.waitTone("the caller hears linphone again", 900, 500*time.Millisecond)
	anna.command("transfer sip:102@%s", domain)
	c.waitTone("the caller hears Bartek", 700, 500*time.Millisecond)
	c.wantOnly(300*time.Millisecond, 700, 900, calmHertz)
	c.wantOneStream()
	s.waitAgents("sales", "available", 1)
	bartek.hearsMore(time.Second)
	c.hangUp()
	c.waitOver()
	bartek.wait("is hung up on", "CALL_CLOSED")
	s.waitFootprint(before)

	anna.command("call sip:102@%s", domain)
	bartek.waitNth("talks", "CALL_ESTABLISHED", 2)
	s.waitAgents("support", "talking", 1)
	bartek.hearsMore(time.Second)
	anna.command("terminate")
	bartek.waitNth("is hung up on", "CALL_CLOSED", 2)
	s.waitFootprint(before)
	heard := bartek.recordings()
	wantSome(t, heard[0], 8000, 500)
	wantSome(t, heard[1], 8000, 900)
}

package e2e

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"centrala/media/tone"
	"centrala/media/wav"
)

// softphone is a baresip process. Its voice is a tone, and it records each call.
type softphone struct {
	t       *testing.T
	name    string
	dir     string
	addr    netip.AddrPort // SIP
	cmd     *exec.Cmd
	control net.Conn
	server  *server // nil: the phone is none of an agent's

	mu     sync.Mutex
	events []softphoneEvent
}

// softphoneEvent is what baresip reports, e.g. REGISTER_OK or CALL_CLOSED.
type softphoneEvent struct {
	at    time.Time
	Event bool   `json:"event"`
	Type  string `json:"type"`
	Param string `json:"param"`
	Peer  string `json:"peeruri"`
}

// softphone starts a phone that is registered as an agent of the server.
// answer is auto or manual, transport udp or tcp. Over TCP it knows µ-law only,
// over UDP A-law only: callers want A-law, so that both ways are heard.
func (s *server) softphone(agent, password, transport, answer string, hertz float64) *softphone {
	s.t.Helper()
	codec := map[string]string{"udp": "PCMA", "tcp": "PCMU"}[transport]
	p := newSoftphone(s.t, s.site, agent, hertz, fmt.Sprintf(
		`<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;outbound="sip:%v;transport=%s";answermode=%s;regint=60;audio_codecs=%s`,
		agent, domain, transport, agent, password, s.sip, transport, answer, codec))
	p.server = s
	p.wait("registered", "REGISTER_OK")
	return p
}

// speaks writes down what the phone says in its next call, which it ends when it has said that.
func (p *softphone) speaks(hertz float64, length time.Duration) {
	p.t.Helper()
	var voice strings.Builder
	second := tone.Sine(hertz, toneLevel, 8000, time.Second) // of a whole number of hertz: it has no seam
	pcm := slices.Repeat(second, int(length/time.Second)+1)
	if err := wav.Write(&voice, 8000, pcm[:int(length.Seconds()*8000)]); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "tone.wav"), []byte(voice.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// newSoftphone starts a phone with one account; settings are more lines of its
// configuration. It listens on UDP and TCP, and on the next port on TLS.
func newSoftphone(t *testing.T, s *site, name string, hertz float64, account string, settings ...string) *softphone {
	t.Helper()
	program := needPeer(t, "baresip")
	p := &softphone{t: t, name: name, dir: t.TempDir(), addr: s.local(s.ports(2))}
	control := s.local(s.ports(2))
	rtp := s.ports(16)
	p.speaks(hertz, 3*time.Minute) // longer than calls of most tests, on a machine that is busy as well
	files := map[string]string{
		"accounts": "",
		"contacts": "",
		"config": fmt.Sprintf(`poll_method epoll
sip_listen %v
net_interface 127.0.0.1
call_max_calls 4
audio_source aufile,%s/tone.wav
audio_player aufile,none
audio_alert aufile,none
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports %d-%d
jitter_buffer_delay 1-2
module_path %s
module g711.so
module srtp.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %v
snd_path %s
%s
`, p.addr, p.dir, rtp, rtp+15, modulePath(t, program), control, p.dir, strings.Join(settings, "\n")),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.run(program, control)
	// Now, so that no event of the account is missed.
	p.command("uanew", account)
	return p
}

// modulePath finds the folder of baresip's modules: Debian's is that of the machine's kind on some versions.
func modulePath(t *testing.T, program string) string {
	t.Helper()
	prefix := filepath.Dir(filepath.Dir(program))
	for _, pattern := range []string{"lib/baresip/modules", "lib/*/baresip/modules"} {
		found, err := filepath.Glob(filepath.Join(prefix, pattern, "g711.so"))
		if err == nil && len(found) > 0 {
			return filepath.Dir(found[0])
		}
	}
	t.Fatal("baresip's modules were not found")
	return ""
}

func (p *softphone) run(program string, control netip.AddrPort) {
	p.t.Helper()
	output, err := os.Create(filepath.Join(p.dir, "output"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = exec.Command(program, "-s", "-f", p.dir)
	p.cmd.Stdout, p.cmd.Stderr = output, output
	if err := start(p.cmd); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		p.end()
		_ = output.Close()
		if p.t.Failed() {
			text, _ := os.ReadFile(output.Name())
			dump(p.t, "output of phone "+p.name, string(text))
			dump(p.t, "phone "+p.name, p.story())
		}
	})
	eventually(p.t, "baresip takes commands", func() bool {
		p.control, err = net.Dial("tcp", control.String())
		return err == nil
	})
	go p.listen()
}

// end stops the phone; it takes its registration back first. A second call does nothing.
func (p *softphone) end() {
	if p.control != nil {
		_ = p.control.Close()
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	killer := time.AfterFunc(3*time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait() // how it ends is of no interest
	killer.Stop()
}

// listen reads the events, each a netstring with JSON in it.
func (p *softphone) listen() {
	r := bufio.NewReader(p.control)
	for {
		var size int
		if _, err := fmt.Fscanf(r, "%d:", &size); err != nil {
			return
		}
		text := make([]byte, size+1) // and the comma
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		e := softphoneEvent{at: time.Now()}
		if json.Unmarshal(text[:size], &e) == nil && e.Event {
			p.mu.Lock()
			p.events = append(p.events, e)
			p.mu.Unlock()
		}
	}
}

// story tells what the phone reported.
func (p *softphone) story() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, e := range p.events {
		fmt.Fprintf(&b, "%s %s %s\n", e.at.Format("15:04:05.000"), e.Type, e.Param)
	}
	return b.String()
}

// wait waits for the first event of a kind.
func (p *softphone) wait(what, kind string) softphoneEvent {
	p.t.Helper()
	return p.waitNth(what, kind, 1)
}

// count tells how many events of a kind were reported.
func (p *softphone) count(kind string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// waitNth waits until n events of a kind were reported, and gives the last of them.
func (p *softphone) waitNth(what, kind string, n int) (found softphoneEvent) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s: %s", p.name, what), func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		seen := 0
		for _, e := range p.events {
			if e.Type == kind {
				if seen++; seen == n {
					found = e
					return true
				}
			}
		}
		return false
	})
	return found
}

func (p *softphone) command(name, params string) {
	p.t.Helper()
	text, err := json.Marshal(map[string]string{"command": name, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(p.control, "%d:%s,", len(text), text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *softphone) accept() { p.t.Helper(); p.command("accept", "") }

func (p *softphone) hangUp() time.Time { p.t.Helper(); p.command("hangup", ""); return time.Now() }

// recordings gives what the phone heard in each call, in order. All its calls must be over: the phone
// reports that a call is closed before it has written down the last of it.
func (p *softphone) recordings() (calls [][]int16) {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range files {
		eventually(p.t, fmt.Sprintf("%s has written the recording of its call", p.name), func() bool { return closedWAV(name) })
		f, err := os.Open(name)
		if err != nil {
			p.t.Fatal(err)
		}
		audio, err := wav.Read(f)
		_ = f.Close()
		if err != nil && !errors.Is(err, wav.ErrEmpty) {
			p.t.Fatalf("recording of %s: %v", p.name, err)
		}
		pcm := make([]int16, len(audio.Samples))
		for i, v := range audio.Samples {
			pcm[i] = int16(v * 32767)
		}
		calls = append(calls, pcm)
	}
	return calls
}

// hearsMore waits until the phone has recorded d more of its calls.
func (p *softphone) hearsMore(d time.Duration) {
	p.t.Helper()
	before := p.recorded()
	eventually(p.t, fmt.Sprintf("%s hears %v more", p.name, d), func() bool { return p.recorded() >= before+d })
}

// recorded is how much the phone has written down of what it heard in all its calls.
func (p *softphone) recorded() (all time.Duration) {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			all += time.Duration(info.Size()) * time.Second / (8000 * 2)
		}
	}
	return all
}

// closedWAV tells whether a WAV file is finished: only then its header says how long it is.
func closedWAV(name string) bool {
	file, err := os.ReadFile(name)
	return err == nil && len(file) >= 8 && int(binary.LittleEndian.Uint32(file[4:]))+8 == len(file)
}

func lastLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"centrala/internal/journal/db/dbtest"
	"centrala/media/tone"
	"centrala/media/wav"
)

// domain is what agents register at, in all tests.
const domain = "pbx.test"

// The tones that are the hold music of the tests, in hertz.
const (
	calmHertz = 350
	jazzHertz = 620
)

// rtpPorts is how many ports a server has for voice: enough for all calls of a
// test, since no pair is used twice within half a minute.
const rtpPorts = 256

// server is the program under test, in a process of its own.
type server struct {
	t     *testing.T
	site  *site
	dir   string
	sip   netip.AddrPort // UDP and TCP
	tls   netip.AddrPort
	rtp   uint16 // the first of its ports for voice
	admin netip.AddrPort
	cmd   *exec.Cmd
	gone  chan struct{} // closed when the process has ended
	began int           // how many lines its log had when it was started last

	expected []string // what the faults that are part of the test say

	mu    sync.Mutex
	lines []logLine
}

// logLine is one line of the server's log.
type logLine struct {
	at     time.Time // when it was read
	fields map[string]any
	text   string
}

func (l logLine) field(name string) string {
	v, ok := l.fields[name]
	if !ok {
		return ""
	}
	return fmt.Sprint(v)
}

// has tells whether the line has this message and these fields, given as name and value in turn.
func (l logLine) has(message string, fields ...string) bool {
	if l.field("message") != message {
		return false
	}
	for i := 0; i+1 < len(fields); i += 2 {
		if l.field(fields[i]) != fields[i+1] {
			return false
		}
	}
	return true
}

// newServer starts a server with these queue groups (YAML). In them CARRIER
// stands for the network that the carrier calls from. Its hold music, calm and
// jazz, are tones.
func newServer(t *testing.T, s *site, queuegroups string) *server {
	t.Helper()
	v := prepareMusic(t, s, queuegroups)
	v.run()
	return v
}

// prepareMusic writes the files of a server with the hold music of newServer, which
// is not started yet.
func prepareMusic(t *testing.T, s *site, queuegroups string) *server {
	t.Helper()
	v := prepareServer(t, s, queuegroups+`
hold_music:
  calm: {files: [calm.wav]}
  jazz: {files: [jazz.wav]}
  spoken: {files: ["builtin:pl/please-wait", "builtin:default"]}
`)
	v.writeTone("calm.wav", calmHertz, 44100)
	v.writeTone("jazz.wav", jazzHertz, 8000)
	return v
}

// prepareServer writes the files of a server that is not started yet.
func prepareServer(t *testing.T, s *site, queuegroups string) *server {
	t.Helper()
	v := &server{t: t, site: s, dir: t.TempDir(), sip: s.local(s.ports(2)), tls: s.local(s.ports(2)), admin: s.local(s.ports(2))}
	v.rtp = s.ports(rtpPorts)
	v.writeFile("centrala.yaml", fmt.Sprintf(`domain: %s
region: PL
data: %s/data
listen:
  sip: [udp://%v, tcp://%v, tls://%v]
  admin: http://%v
rtp: %d-%d
log: {level: debug, format: json}
queuegroups: queuegroups.yaml
`, domain, v.dir, v.sip, v.sip, v.tls, v.admin, v.rtp, v.rtp+rtpPorts-1))
	v.writeFile("queuegroups.yaml", strings.ReplaceAll(queuegroups, "CARRIER", s.network().String()))
	t.Cleanup(func() {
		v.kill()
		for _, line := range v.faults() {
			if !slices.ContainsFunc(v.expected, func(text string) bool { return strings.Contains(line.text, text) }) {
				t.Errorf("the server reports a fault: %s", line.text)
			}
		}
		if t.Failed() {
			v.dumpLog()
		}
	})
	return v
}

// heldUp is the error of a server whose log did not answer itself for seconds, on a machine that
// stands still. It says so and goes on.
const heldUp = "event log: follow: context deadline exceeded"

// faults are the faults that the server reported: errors, a panic, a data race.
// Each fails the test at its end, unless it is expected.
func (v *server) faults() (found []logLine) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, line := range v.lines {
		if line.field("level") == "error" && line.field("error") != heldUp || line.fields == nil {
			found = append(found, line)
		}
	}
	return found
}

// expectFault says what reported faults are part of the test.
func (v *server) expectFault(texts ...string) { v.expected = texts }

func (v *server) writeFile(name, content string) {
	v.t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(content), 0o600); err != nil {
		v.t.Fatal(err)
	}
}

func (v *server) writeTone(name string, hertz float64, rate int) {
	v.t.Helper()
	var file strings.Builder
	if err := wav.Write(&file, rate, tone.Sine(hertz, toneLevel, rate, time.Second)); err != nil {
		v.t.Fatal(err)
	}
	v.writeFile(name, file.String())
}

// run starts the program and waits until it takes calls.
func (v *server) run() {
	v.t.Helper()
	if _, err := os.Stat(filepath.Join(v.dir, "data")); errors.Is(err, fs.ErrNotExist) {
		dbtest.Place(v.t, filepath.Join(v.dir, "data")) // which spares each the making of its tables
	}
	v.mu.Lock()
	v.began = len(v.lines)
	v.mu.Unlock()
	v.cmd = exec.Command(os.Getenv(serverProgram), "serve", "--config", filepath.Join(v.dir, "centrala.yaml"))
	v.cmd.Dir = v.dir
	v.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	v.gone = make(chan struct{})
	output, err := v.cmd.StderrPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := start(v.cmd); err != nil {
		v.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, gone chan struct{}) {
		v.readLog(output)
		_ = cmd.Wait() // the tests see in the log why it ended
		close(gone)
	}(v.cmd, v.gone)
	eventually(v.t, "the server is ready", func() bool {
		v.wantAlive()
		return v.says("ready")
	})
}

func (v *server) readLog(output io.Reader) {
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := logLine{at: time.Now(), text: lines.Text()}
		_ = json.Unmarshal(lines.Bytes(), &line.fields) // what is no JSON, such as a crash, is kept as text
		v.mu.Lock()
		v.lines = append(v.lines, line)
		v.mu.Unlock()
	}
}

// wantAlive fails the test if the process has ended.
func (v *server) wantAlive() {
	v.t.Helper()
	select {
	case <-v.gone:
		v.t.Fatal("the server's process has ended")
	default:
	}
}

// kill ends the process at once, as kill -9 does.
func (v *server) kill() {
	if v.cmd == nil {
		return // it was never started
	}
	_ = v.cmd.Process.Kill()
	<-v.gone
}

// stop ends the process in good order and waits for that.
func (v *server) stop() {
	v.t.Helper()
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatal(err)
	}
	select {
	case <-v.gone:
	case <-time.After(patience):
		v.t.Fatalf("the server did not end within %v", patience)
	}
	if !v.cmd.ProcessState.Success() {
		v.t.Errorf("the server ended with %v", v.cmd.ProcessState)
	}
}

// log gives the lines with this message and these fields.
func (v *server) log(message string, fields ...string) (found []logLine) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, line := range v.lines {
		if line.has(message, fields...) {
			found = append(found, line)
		}
	}
	return found
}

// says tells whether the server has logged a message since it was started last: before that it
// may have been stopped too early to say it.
func (v *server) says(message string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.ContainsFunc(v.lines[v.began:], func(line logLine) bool { return line.has(message) })
}

// waitLog waits for the first line with this message and these fields.
func (v *server) waitLog(message string, fields ...string) (found logLine) {
	v.t.Helper()
	eventually(v.t, fmt.Sprintf("the server logs %q %q", message, fields), func() bool {
		lines := v.log(message, fields...)
		if len(lines) == 0 {
			return false
		}
		found = lines[0]
		return true
	})
	return found
}

// story is what the core says of the call from a number, as "step: agent, detail".
func (v *server) story(from string) (steps []string) {
	calls := v.log("call arrived", "from", from)
	if len(calls) == 0 {
		return nil
	}
	id := calls[len(calls)-1].field("call_id")
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, line := range v.lines {
		if line.field("part") == "acd" && line.field("call_id") == id && line.field("index") != "" {
			step := line.field("message")
			for _, name := range []string{"agent", "what"} {
				if value := line.field(name); value != "" {
					step += " " + value
				}
			}
			steps = append(steps, step)
		}
	}
	return steps
}

// wantStory waits until the call from a number is over and its story is this one.
func (v *server) wantStory(from string, want ...string) {
	v.t.Helper()
	eventually(v.t, "the call of "+from+" has ended", func() bool {
		steps := v.story(from)
		return len(steps) > 0 && strings.HasPrefix(steps[len(steps)-1], "ended")
	})
	if got := v.story(from); !slices.Equal(got, want) {
		v.t.Errorf("the story of %s:\n  %s\nwant:\n  %s", from, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// footprint is what calls take and must give back.
type footprint struct{ calls, legs, endpoints, goroutines, files float64 }

// footprint is what calls take, as it is before the first: the server may be ready and not have begun with all that it does
// beside calls.
func (v *server) footprint() footprint {
	v.t.Helper()
	eventually(v.t, "the server is at work", func() bool {
		return v.says("the journal follows the log") && v.says("chats are taken up")
	})
	return v.taken()
}

// taken is what calls take now.
func (v *server) taken() footprint {
	v.t.Helper()
	m := v.metrics()
	return footprint{
		m["centrala_calls"], m["centrala_sip_legs"], m["centrala_media_endpoints"],
		m["go_goroutines"], float64(v.openFiles()),
	}
}

// openFiles counts the server's sockets and files, without those of its data directory: a
// database opens more of them when it has more to do, and keeps them.
func (v *server) openFiles() (n int) {
	v.t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", v.cmd.Process.Pid)
	names, err := os.ReadDir(dir)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, name := range names {
		// What was closed meanwhile has no target any more.
		if target, err := os.Readlink(filepath.Join(dir, name.Name())); err == nil && !strings.HasPrefix(target, v.dir) {
			n++
		}
	}
	return n
}

// waitFootprint waits until all that was taken since before is given back. A few
// goroutines and files more or less are the server's own business: the admin
// listener has connections. One that was held up for some seconds reads its log anew, and has
// the goroutines of the readers of before for a minute more.
func (v *server) waitFootprint(before footprint) {
	v.t.Helper()
	const own = 3
	var now footprint
	defer func() {
		if v.t.Failed() {
			v.t.Logf("before: %+v, now: %+v", before, now)
			dump(v.t, "goroutines", v.goroutines())
		}
	}()
	eventually(v.t, "all that calls took is given back", func() bool {
		now = v.taken()
		return now.calls == before.calls && now.legs == before.legs && now.endpoints == before.endpoints &&
			now.goroutines <= before.goroutines+own && now.files <= before.files+own
	})
}

// goroutines tells where the server's goroutines are, those first of which there are most.
func (v *server) goroutines() string {
	response, err := http.Get("http://" + v.admin.String() + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// metrics reads the figures of now, by name and labels as they are written.
func (v *server) metrics() map[string]float64 {
	v.t.Helper()
	response, err := http.Get("http://" + v.admin.String() + "/metrics")
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	figures := make(map[string]float64)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if f, err := strconv.ParseFloat(value, 64); err == nil {
			figures[name] = f
		}
	}
	return figures
}

// waitMetric waits until a figure has a value.
func (v *server) waitMetric(name string, want float64) {
	v.t.Helper()
	var last float64
	defer func() {
		if v.t.Failed() {
			v.t.Logf("%s was %v last", name, last)
		}
	}()
	eventually(v.t, fmt.Sprintf("%s is %v", name, want), func() bool {
		v.wantAlive()
		last = v.metrics()[name]
		return last == want
	})
}

// waitAgents waits until so many agents of a group have a status.
func (v *server) waitAgents(group, status string, n int) {
	v.t.Helper()
	v.waitMetric(fmt.Sprintf(`centrala_agents{group="%s",status="%s"}`, group, status), float64(n))
}

// waitWaiting waits until so many callers wait in a group.
func (v *server) waitWaiting(group string, n int) {
	v.t.Helper()
	v.waitMetric(fmt.Sprintf(`centrala_queue_waiting{group="%s"}`, group), float64(n))
}

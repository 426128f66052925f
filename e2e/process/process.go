// Package process runs the server as a child process and reads what it takes, from the
// kernel and from its own figures: what the benchmarks of the whole server have in common.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Server is the process that is measured.
type Server struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	admin string
}

// Start starts the server with a configuration of a folder, whose data folder, data, it
// empties, and waits until it is ready. Admin is the address of its admin listener, as that
// configuration has it.
func Start(dir, binary, config, admin string) (*Server, error) {
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		return nil, err
	}
	s := &Server{cmd: exec.Command(binary, "serve", "--config", filepath.Join(dir, config)), admin: admin}
	s.cmd.Stderr = &s.out
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := Until(s.ready); err != nil {
		s.Stop()
		return nil, fmt.Errorf("the server does not start: %w\n%s", err, s.out.String())
	}
	return s, nil
}

// Stop ends the process at once, and returns what it has written to its log.
func (s *Server) Stop() (log string) {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	return s.out.String()
}

// PID is the process's number.
func (s *Server) PID() int { return s.cmd.Process.Pid }

func (s *Server) ready() bool {
	res, err := http.Get("http://" + s.admin + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Metric reads one figure of /metrics, 0 if it is not there.
func (s *Server) Metric(name string) float64 { return s.Sum(name + " ") }

// Sum adds up the figures of /metrics whose names begin so.
func (s *Server) Sum(name string) (sum float64) {
	res, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body) // what was read is searched
	for line := range strings.Lines(body.String()) {
		if strings.HasPrefix(line, name) {
			f := strings.Fields(line)
			v, _ := strconv.ParseFloat(f[len(f)-1], 64)
			sum += v
		}
	}
	return sum
}

// CPU is the processor time used so far, user and system; the kernel counts in hundredths of a second.
func (s *Server) CPU() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// Peak is the largest resident memory so far, in MB.
func (s *Server) Peak() float64 { return s.Status("VmHWM") }

// Status is one of the figures of /proc/PID/status, in MB.
func (s *Server) Status(name string) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// Live is what heap and stacks hold after a collection, in bytes: what is needed, without what
// the collector has not taken back yet.
func (s *Server) Live() float64 {
	s.Profile("heap?gc=1") // it is the collection that is wanted
	return s.Metric("go_memstats_heap_alloc_bytes") + s.Metric("go_memstats_stack_inuse_bytes")
}

// Profile is the beginning of one of the profiles at /debug/pprof, all of which has been made.
func (s *Server) Profile(name string) string {
	res, err := http.Get("http://" + s.admin + "/debug/pprof/" + name)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var begins bytes.Buffer
	_, _ = io.CopyN(&begins, res.Body, 1<<10) // shorter ones are whole
	_, _ = io.Copy(io.Discard, res.Body)
	return begins.String()
}

// Goroutines is how many there are.
func (s *Server) Goroutines() (n int) {
	_, _ = fmt.Sscanf(s.Profile("goroutine?debug=1"), "goroutine profile: total %d", &n)
	return n
}

// Until waits up to a minute for a condition.
func Until(met func() bool) error {
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		if met() {
			return nil
		}
	}
	return errors.New("not within a minute")
}

// Quantile is that of a sorted list; 0 of an empty one.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// Ms is a time in milliseconds.
func Ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// Each makes a row of each number of a list with commas between, until one fails.
func Each(list string, row func(n int) error) error {
	for _, field := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		if err := row(n); err != nil {
			return err
		}
	}
	return nil
}

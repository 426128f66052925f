package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"centrala/e2e/process"
)

//go:embed refused.xml
var refusedScenario string

//go:embed cancelled.xml
var cancelledScenario string

//go:embed busy.xml
var busyScenario string

//go:embed ringing.xml
var ringingScenario string

// The phones of the soak, beside the ones that answer.
const (
	busyAddr    = "127.0.0.1:25072"
	ringingAddr = "127.0.0.1:25073"
)

// kind is a sort of call in the soak.
type kind struct {
	name, scenario, number string
	port                   int           // of its caller
	length                 time.Duration // that it lasts, or rings
	share                  int           // of ten
}

func kinds() []kind {
	return []kind{
		{"answered", "caller.xml", served, 25081, 500 * time.Millisecond, 6},
		{"cancelled while it rings", "cancelled.xml", "+48221234571", 25082, 300 * time.Millisecond, 1},
		{"busy", "refused480.xml", "+48221234572", 25083, 0, 1},
		{"waits, and gives up", "caller.xml", unserved, 25084, time.Second, 1},
		{"unknown number", "refused404.xml", "+48229999999", 25085, 0, 1},
	}
}

// soak places n calls of all kinds, rate a second, and shows every ten seconds what
// the server holds: it must not grow. In the end every call must have exactly one
// end, and nothing may be left of any.
func soak(dir, binary string, n, rate int) error {
	if err := writeSoak(dir); err != nil {
		return err
	}
	s, err := process.Start(dir, binary, tracing, adminAddr)
	if err != nil {
		return err
	}
	defer s.Stop()
	for k, phone := range []struct{ scenario, addr string }{{"phone.xml", phoneAddr}, {"busy.xml", busyAddr}, {"ringing.xml", ringingAddr}} {
		_, port, _ := strings.Cut(phone.addr, ":")
		p := sipp(dir, "-sf", phone.scenario, "-i", "127.0.0.1", "-p", port, "-mp", strconv.Itoa(26000+10*k), "-nostdin", "127.0.0.1")
		if err := p.Start(); err != nil {
			return err
		}
		defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
		if err := process.Until(func() bool { return bound(phone.addr) }); err != nil {
			return fmt.Errorf("%s does not start: %w", phone.scenario, err)
		}
	}
	before := holds(s)
	fmt.Println("seconds   calls ended   RSS MB   goroutines   descriptors   legs   endpoints")
	began := time.Now()
	fmt.Println(row(s, began))
	done := make(chan error, len(kinds()))
	for _, k := range kinds() {
		go func() { done <- k.call(dir, n*k.share/10, max(rate*k.share/10, 1)) }()
	}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var failed error
	for left := len(kinds()); left > 0; {
		select {
		case err := <-done:
			failed = errors.Join(failed, err)
			left--
		case <-tick.C:
			fmt.Println(row(s, began))
		}
	}
	if failed != nil {
		return failed
	}
	err = process.Until(func() bool {
		h := holds(s)
		return h.legs+h.endpoints == 0 && h.goroutines <= before.goroutines+5 && h.descriptors <= before.descriptors+5
	})
	fmt.Println(row(s, began))
	switch all := ended(s); {
	case err != nil:
		return fmt.Errorf("something is left: %+v, there were %+v: %w", holds(s), before, err)
	case int(all) != n:
		return fmt.Errorf("%d calls, %v ends", n, all)
	}
	fmt.Printf("%d calls, each with one end, in %s\n", n, time.Since(began).Round(time.Second))
	return nil
}

// call places n calls of the kind.
func (k kind) call(dir string, n, rate int) error {
	folder := filepath.Join(dir, strconv.Itoa(k.port)) // sipp writes beside its scenario
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "callers.csv"), []byte("SEQUENTIAL\n9\n"), 0o600); err != nil {
		return err
	}
	c := exec.Command("sipp", "-sf", filepath.Join(dir, k.scenario), "-inf", "callers.csv", "-i", "127.0.0.1", "-p", strconv.Itoa(k.port), "-s", k.number,
		"-r", strconv.Itoa(rate), "-m", strconv.Itoa(n), "-l", strconv.Itoa(2*n), "-d", strconv.FormatInt(k.length.Milliseconds(), 10), "-nostdin", sipAddr)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("calls %s: %w\n%s", k.name, err, out[max(0, len(out)-2000):])
	}
	return nil
}

// writeSoak adds what the soak needs to the files of write.
func writeSoak(dir string) error {
	file := filepath.Join(dir, "queuegroups.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var agents, busy, ringing strings.Builder
	for i := range 50 {
		fmt.Fprintf(&agents, "  b%d: {contact: \"sip:b%d@%s\"}\n  r%d: {contact: \"sip:r%d@%s\"}\n", i, i, busyAddr, i, i, ringingAddr)
		fmt.Fprintf(&busy, "b%d, ", i)
		fmt.Fprintf(&ringing, "r%d, ", i)
	}
	text := strings.Replace(string(raw), "groups:\n", agents.String()+"groups:\n", 1)
	text = strings.Replace(text, "trunks:\n", fmt.Sprintf(`  busy: {agents: [%s], distribution: all, retry: {busy: 0s}, no_answer: hangup, misses: 0}
  ringing: {agents: [%s], misses: 0, retry: {no_answer: 0s}}
trunks:
`, strings.TrimSuffix(busy.String(), ", "), strings.TrimSuffix(ringing.String(), ", ")), 1)
	text += "  \"+48221234571\": {trunk: local, group: ringing}\n  \"+48221234572\": {trunk: local, group: busy}\n"
	files := map[string]string{
		file: text, "busy.xml": busyScenario, "ringing.xml": ringingScenario, "cancelled.xml": cancelledScenario,
		"refused480.xml": strings.ReplaceAll(refusedScenario, "STATUS", "480"), "refused404.xml": strings.ReplaceAll(refusedScenario, "STATUS", "404"),
	}
	var errs []error
	for name, content := range files {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		errs = append(errs, os.WriteFile(name, []byte(content), 0o600))
	}
	return errors.Join(errs...)
}

// holding is what the server holds.
type holding struct {
	rss                     float64 // MB
	goroutines, descriptors int
	legs, endpoints         int
}

func holds(s *process.Server) (h holding) {
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.PID())); err == nil {
		pages, _ := strconv.Atoi(strings.Fields(string(raw))[1])
		h.rss = float64(pages*os.Getpagesize()) / (1 << 20)
	}
	if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID())); err == nil {
		h.descriptors = len(open)
	}
	h.goroutines = s.Goroutines()
	h.legs, h.endpoints = int(s.Metric("centrala_sip_legs")), int(s.Metric("centrala_media_endpoints"))
	return h
}

func row(s *process.Server, began time.Time) string {
	h := holds(s)
	return fmt.Sprintf("%7.0f   %11.0f   %6.0f   %10d   %11d   %4d   %9d",
		time.Since(began).Seconds(), ended(s), h.rss, h.goroutines, h.descriptors, h.legs, h.endpoints)
}

// ended is how many interactions have ended, in whatever way.
func ended(s *process.Server) float64 { return s.Sum("centrala_interactions_ended_total{") }

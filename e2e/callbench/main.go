// Command callbench measures what calls cost the whole server: signalling, log,
// core and media set-up. It starts the server as a child process, sipp as the
// carrier and as the agents' phones, all on loopback, and reads the server's
// processor time and memory from the kernel. sipp must be installed.
//
//	go run ./e2e/callbench -rates 50,200,500 -seconds 10 -waiting 1000
//
// A row of calls is one rate: each call is offered to one of 200 agents, whose
// phone answers at once, and lasts half a second. In a row of waiting callers
// nobody is there to answer and all listen to music.
//
//	go run ./e2e/callbench -soak 200000
//
// places calls of all kinds, a while long, and shows that nothing of them stays.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"centrala/e2e/process"
)

//go:embed caller.xml
var callerScenario []byte

//go:embed phone.xml
var phoneScenario []byte

// Where everything listens; nothing else may use these ports meanwhile.
const (
	sipAddr   = "127.0.0.1:25060"
	adminAddr = "127.0.0.1:25090"
	phoneAddr = "127.0.0.1:25070"
	agents    = 200
	served    = "+48221234567" // a number with agents
	unserved  = "+48221234568" // a number without
	announced = "+48221234569" // the same, whose callers are told their position
)

// The configurations of the server: as it is, and without the trace of messages.
const (
	tracing    = "centrala.yaml"
	notTracing = "untraced.yaml"
)

func main() {
	rates := flag.String("rates", "50,200,500,1000,1500", "calls a second, a row each")
	untraced := flag.String("untraced", "1000", "the same of a server that keeps no messages (trace: {calls: 0})")
	seconds := flag.Int("seconds", 10, "length of a row")
	waiting := flag.String("waiting", "1000,2000", "numbers of waiting callers, a row each; empty: none")
	told := flag.String("announced", "1000", "numbers of waiting callers who are told their position every 15 s, a row each")
	binary := flag.String("server", "bin/centrala", "the server to measure (make build)")
	calls := flag.Int("soak", 0, "instead: place so many calls of all kinds and watch that nothing grows")
	rate := flag.Int("rate", 200, "calls a second of the soak")
	flag.Parse()
	if *calls > 0 {
		if err := soakIn(*binary, *calls, *rate); err != nil {
			fmt.Fprintln(os.Stderr, "callbench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*rates, *untraced, *waiting, *told, *binary, *seconds); err != nil {
		fmt.Fprintln(os.Stderr, "callbench:", err)
		os.Exit(1)
	}
}

func run(rates, untraced, waiting, told, binary string, seconds int) error {
	dir, err := os.MkdirTemp("", "callbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		return err
	}
	fmt.Println("calls/s   offered   failed   CPU ms/call   to answer ms: p50    p95    p99   max RSS MB")
	err = errors.Join(process.Each(rates, func(rate int) error { return calls(dir, binary, tracing, rate, seconds) }),
		process.Each(untraced, func(rate int) error { return calls(dir, binary, notTracing, rate, seconds) }))
	for _, row := range []struct{ number, list string }{{unserved, waiting}, {announced, told}} {
		err = errors.Join(err, process.Each(row.list, func(n int) error { return wait(dir, binary, row.number, n, seconds) }))
	}
	return err
}

func soakIn(binary string, n, rate int) error {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return errors.Join(write(dir), soak(dir, binary, n, rate))
}

// write makes the files that server and sipp read.
func write(dir string) error {
	var groups strings.Builder
	groups.WriteString("agents:\n  nobody: {sip_password: nobody-is-there}\n")
	names := make([]string, agents)
	for i := range names {
		names[i] = fmt.Sprintf("a%d", i)
		fmt.Fprintf(&groups, "  %s: {contact: \"sip:%s@%s\"}\n", names[i], names[i], phoneAddr)
	}
	fmt.Fprintf(&groups, `groups:
  served: {agents: [%s], misses: 0}
  unserved: {agents: [nobody]}
trunks:
  local: {from: [127.0.0.1/32]}
numbers:
  "%s": {trunk: local, group: served}
  "%s": {trunk: local, group: unserved}
  "%s": {trunk: local, group: unserved, announce: {position: true, first: 1s, every: 15s}}
`, strings.Join(names, ", "), served, unserved, announced)
	server := fmt.Sprintf(`listen: {sip: ["udp://%s"], admin: "http://%s"}
data: %s
rtp: 30000-59999
log: {level: warn, format: json}
`, sipAddr, adminAddr, filepath.Join(dir, "data"))
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "queuegroups.yaml"), []byte(groups.String()), 0o600),
		os.WriteFile(filepath.Join(dir, tracing), []byte(server), 0o600),
		os.WriteFile(filepath.Join(dir, notTracing), []byte(server+"trace: {calls: 0}\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "caller.xml"), callerScenario, 0o600),
		os.WriteFile(filepath.Join(dir, "phone.xml"), phoneScenario, 0o600),
	)
}

// calls measures one rate with a configuration of the server.
func calls(dir, binary, config string, rate, seconds int) error {
	s, err := process.Start(dir, binary, config, adminAddr)
	if err != nil {
		return err
	}
	defer s.Stop()
	phone := sipp(dir, "-sf", "phone.xml", "-i", "127.0.0.1", "-p", "25070", "-mp", "26000", "-nostdin", "127.0.0.1")
	if err := phone.Start(); err != nil {
		return err
	}
	defer func() { _ = phone.Process.Kill(); _ = phone.Wait() }()
	if err := process.Until(func() bool { return bound(phoneAddr) }); err != nil {
		return fmt.Errorf("the phones do not start: %w", err)
	}
	n := rate * seconds
	before := s.CPU()
	carrier := carrier(dir, served, rate, n, 500*time.Millisecond, 9)
	output, err := carrier.CombinedOutput()
	if err != nil && carrier.ProcessState.ExitCode() != 1 { // 1: some calls failed
		return fmt.Errorf("sipp: %w\n%s", err, output)
	}
	used := s.CPU() - before
	times, err := answerTimes(dir)
	if err != nil {
		return err
	}
	note := ""
	if config == notTracing {
		note = "   no trace"
	}
	fmt.Printf("%7d   %7d   %6d   %11.3f   %17.2f %6.2f %6.2f   %10.0f%s\n", rate, n, n-len(times),
		process.Ms(used)/float64(n), process.Quantile(times, 0.50), process.Quantile(times, 0.95), process.Quantile(times, 0.99), s.Peak(), note)
	return nil
}

// wait measures callers who listen to music. All send their audio to one socket,
// which reads nothing: the kernel drops what does not fit.
func wait(dir, binary, number string, n, seconds int) error {
	s, err := process.Start(dir, binary, tracing, adminAddr)
	if err != nil {
		return err
	}
	defer s.Stop()
	idle, live := s.Peak(), s.Live()
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer sink.Close()
	carrier := carrier(dir, number, 500, n, time.Duration(seconds+n/500+10)*time.Second, sink.LocalAddr().(*net.UDPAddr).Port)
	if err := carrier.Start(); err != nil {
		return err
	}
	defer func() { _ = carrier.Process.Kill(); _ = carrier.Wait() }()
	if err := process.Until(func() bool { return s.Metric(`centrala_queue_waiting{group="unserved"}`) == float64(n) }); err != nil {
		return fmt.Errorf("%v of %d callers wait: %w", s.Metric(`centrala_queue_waiting{group="unserved"}`), n, err)
	}
	packets, before, began := s.Metric("centrala_rtp_sent_packets_total"), s.CPU(), time.Now()
	time.Sleep(time.Duration(seconds) * time.Second)
	took := time.Since(began)
	cores := (s.CPU() - before).Seconds() / took.Seconds()
	sent := s.Metric("centrala_rtp_sent_packets_total") - packets
	what := "music"
	if number == announced {
		what = "music and announcements"
	}
	fmt.Printf("%d waiting with %s: %.3f cores, %.3f per 1000; %.1f %% of the packets due sent; resident at most %.1f kB a caller above idle (%.0f MB), now %.0f MB, in use %.1f kB a caller\n",
		n, what, cores, cores*1000/float64(n), 100*sent/(float64(n)*50*took.Seconds()), (s.Peak()-idle)*1024/float64(n), idle, s.Status("VmRSS"),
		(s.Live()-live)/1000/float64(n))
	return nil
}

func sipp(dir string, args ...string) *exec.Cmd {
	c := exec.Command("sipp", args...)
	c.Dir = dir
	return c
}

// carrier places n calls to a number, each of the given length, whose audio goes to the port.
func carrier(dir, to string, rate, n int, length time.Duration, port int) *exec.Cmd {
	_ = os.WriteFile(filepath.Join(dir, "callers.csv"), fmt.Appendf(nil, "SEQUENTIAL\n%d\n", port), 0o600) // sipp tells if it is not there
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	c := exec.CommandContext(limit, "sipp", "-sf", "caller.xml", "-inf", "callers.csv", "-i", "127.0.0.1", "-p", "25071", "-s", to,
		"-r", strconv.Itoa(rate), "-m", strconv.Itoa(n), "-l", strconv.Itoa(2*n), "-d", strconv.FormatInt(length.Milliseconds(), 10),
		"-trace_rtt", "-rtt_freq", "1", "-nostdin", sipAddr)
	c.Dir = dir
	c.Cancel = func() error { cancel(); return c.Process.Kill() }
	return c
}

// answerTimes reads from the caller's INVITE to the 200, in milliseconds, sorted.
func answerTimes(dir string) ([]float64, error) {
	files, err := filepath.Glob(filepath.Join(dir, "caller_*_rtt.csv"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("sipp left no response times: %w", err)
	}
	var times []float64
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Split(line, ";"); len(f) >= 3 {
				if v, err := strconv.ParseFloat(f[1], 64); err == nil {
					times = append(times, v)
				}
			}
		}
		_ = os.Remove(file) // the next row must not read it
	}
	slices.Sort(times)
	return times, nil
}

// bound tells whether somebody holds a UDP port.
func bound(addr string) bool {
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		return true
	}
	_ = c.Close()
	return false
}

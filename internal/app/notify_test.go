package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// manager plays the service manager.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	name string
}

func newManager(t *testing.T, name string) *manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn, name}
}

// wait returns the next message with this line, passing over others.
func (m *manager) wait(line string) string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatalf("no %s: %v", line, err)
		}
		if text := string(buf[:n]); strings.Contains("\n"+text+"\n", "\n"+line+"\n") {
			return text
		}
	}
}

// A server tells its manager of start, life, reload and end, in this order, on
// sockets in the file system and on abstract ones.
func TestServe_TellsTheManager(t *testing.T) {
	for name, socket := range map[string]string{
		"file": filepath.Join(t.TempDir(), "notify"), "abstract": fmt.Sprintf("@centrala-test-%d", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "centrala.yaml")
			for file, text := range map[string]string{
				config:                                 "region: PL\ndata: data\nlisten: {sip: [\"udp://127.0.0.1:0\"], admin: \"\"}\n",
				filepath.Join(dir, "queuegroups.yaml"): "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n",
			} {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m := newManager(t, socket)
			t.Setenv("NOTIFY_SOCKET", m.name)
			t.Setenv("WATCHDOG_USEC", "40000")
			t.Setenv("WATCHDOG_PID", fmt.Sprint(os.Getpid()))
			signals := make(chan os.Signal, 2)
			ended := make(chan error, 1)
			go func() { ended <- Serve(Options{Config: config, Console: t.Output()}, signals) }()
			m.wait("READY=1")
			m.wait("WATCHDOG=1")
			before := monotonic(t)
			signals <- syscall.SIGHUP
			text := m.wait("RELOADING=1")
			var at int64
			if _, err := fmt.Sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%d", &at); err != nil || at < before || at > monotonic(t) {
				t.Errorf("%q", text)
			}
			m.wait("READY=1")
			signals <- syscall.SIGTERM
			if text := m.wait("STOPPING=1"); !strings.Contains(text, "STATUS=new calls are turned away, 0 are left") {
				t.Errorf("%q", text)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

func TestNotifier_Environment(t *testing.T) {
	m := newManager(t, filepath.Join(t.TempDir(), "notify"))
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		env  func(string) string
		want time.Duration
	}{
		"nobody":         {env("WATCHDOG_USEC", "2000000"), 0},
		"no watchdog":    {env("NOTIFY_SOCKET", m.name), 0},
		"any process's":  {env("NOTIFY_SOCKET", m.name, "WATCHDOG_USEC", "2000000"), time.Second},
		"ours":           {env("NOTIFY_SOCKET", m.name, "WATCHDOG_USEC", "2000000", "WATCHDOG_PID", "7"), time.Second},
		"another's":      {env("NOTIFY_SOCKET", m.name, "WATCHDOG_USEC", "2000000", "WATCHDOG_PID", "8"), 0},
		"not a duration": {env("NOTIFY_SOCKET", m.name, "WATCHDOG_USEC", "soon"), 0},
	} {
		n, err := newNotifier(7, c.env)
		if err != nil || n.every != c.want {
			t.Errorf("%s: %v %v", name, n.every, err)
		}
		n.close()
	}
	if _, err := newNotifier(7, env("NOTIFY_SOCKET", "/nowhere/at/all")); err == nil {
		t.Error("a socket that is not there is no mistake")
	}
}

// Whatever is wrong is told at once, each in a line.
func TestReady(t *testing.T) {
	a := newServer(t, "listen: {sip: [\"udp://127.0.0.1:0\"], admin: \"\"}\n",
		"agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n"+
			"trunks: {carrier: {host: \"127.0.0.1:9\", register: {user: a, password: b}}}\n")
	if err := a.notReady(); err == nil || !strings.Contains(err.Error(), "has not started") {
		t.Errorf("before the start: %v", err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.notReady(); err == nil || err.Error() != "no trunk is registered with its carrier" {
		t.Errorf("without a carrier: %v", err)
	}
	<-a.Drain()
	if err := a.notReady(); err == nil || err.Error() != "draining: new calls are turned away\nno trunk is registered with its carrier" {
		t.Errorf("while draining: %v", err)
	}
	other := newServer(t, "listen: {sip: [\"udp://127.0.0.1:0\"], admin: \"\"}\n", "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")
	if err := other.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := other.notReady(); err != nil {
		t.Errorf("without trunks: %v", err)
	}
}

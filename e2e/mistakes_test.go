package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// try runs a command of the program in a folder and gives what it prints and its
// exit code. One that does not end by itself gets SIGKILL and -1.
func try(t *testing.T, dir string, arg ...string) (output string, code int) {
	t.Helper()
	return tryCommand(t, dir, exec.CommandContext(t.Context(), os.Getenv(serverProgram), arg...))
}

func tryCommand(t *testing.T, dir string, cmd *exec.Cmd) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Each mistake on the command line ends at once with an exit code and words that
// say what is wrong and what to do.
func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("unknown.yaml", "domian: x\n")
	write("good.yaml", "queuegroups: groups.yaml\nlisten: {admin: \"http://127.0.0.1:1\"}\n")
	write("groups.yaml", "agents: {anna: {extension: \"101\"}}\ngroups: {sales: {agents: [anna], extension: \"600\"}}\n"+
		"trunks: {carrier: {from: [192.0.2.1]}}\nnumbers: {\"+48 22 123 45 67\": {trunk: carrier, group: sales}}\n")
	write("port.yaml", "listen: {web: 8080}\n")
	write("asks.yaml", "queuegroups: asks-groups.yaml\nlisten: {admin: \"http://127.0.0.1:1\"}\n")
	write("asks-groups.yaml", "agents: {anna: {sip_password: \"env:CENTRALA_TEST_UNSET\"}}\ngroup: {}\n")
	for name, c := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"no command":          {nil, 2, []string{`expected one of "serve"`, "Run the server."}},
		"misspelt command":    {[]string{"chek"}, 2, []string{`did you mean "check"?`}},
		"file without flag":   {[]string{"check", "good.yaml"}, 2, []string{"unexpected argument good.yaml, did you mean --config good.yaml?"}},
		"no such file":        {[]string{"serve", "--config", "none.yaml"}, 2, []string{"none.yaml:1:1: there is no such file"}},
		"a folder":            {[]string{"check", "--config", dir}, 2, []string{"is a directory"}},
		"unknown key":         {[]string{"serve", "--config", "unknown.yaml"}, 2, []string{`unknown.yaml:1:1: unknown key "domian" (did you mean domain?)`}},
		"in order":            {[]string{"check", "--config", "good.yaml"}, 0, []string{"ok: 1 agents, 1 groups"}},
		"no number":           {[]string{"route", "explain", "--config", "good.yaml"}, 2, []string{"missing flags: --to"}},
		"not a number":        {[]string{"route", "explain", "--to", "hello", "--config", "good.yaml"}, 2, []string{`usage: --to: "hello" is not a telephone number`}},
		"not a time":          {[]string{"route", "explain", "--to", "600", "--at", "noon", "--config", "good.yaml"}, 2, []string{"usage: --at:", "2026-12-24 18:30"}},
		"nobody away":         {[]string{"route", "explain", "--to", "600", "--away", "ann", "--config", "good.yaml"}, 2, []string{`there is no agent "ann"`}},
		"an extension":        {[]string{"route", "explain", "--to", "600", "--config", "good.yaml"}, 0, []string{"600 is an extension: only agents reach it", "ask for a number"}},
		"explained":           {[]string{"route", "explain", "--to", "+48 22 123 45 67", "--config", "good.yaml"}, 0, []string{"the group sales", "anna is rung"}},
		"not a URI":           {[]string{"call", "--to", "600"}, 2, []string{`"600" is not a SIP URI such as sip:`}},
		"not a caller":        {[]string{"call", "--to", "sip:1@127.0.0.1", "--from", "sip:101@127.0.0.1"}, 2, []string{`--from "sip:101@127.0.0.1" is not a caller's number`}},
		"no such agent":       {[]string{"agent", "passwd", "ania", "--config", "good.yaml"}, 2, []string{`among the users there is no "ania"`}},
		"no such owner":       {[]string{"key", "add", "board", "--right", "agents:read", "--owner", "ania", "--config", "good.yaml"}, 2, []string{`there is no user "ania"`}},
		"nobody to erase":     {[]string{"erase", "", "--config", "good.yaml"}, 2, []string{"write the number as the history shows it"}},
		"no such right":       {[]string{"key", "add", "board", "--right", "agents:raed", "--config", "good.yaml"}, 2, []string{"there is no such right; there are agents:read, "}},
		"nothing to play":     {[]string{"call", "--to", "sip:1@127.0.0.1", "--play", "none.wav"}, 2, []string{"none.wav: no such file"}},
		"nowhere to record":   {[]string{"call", "--to", "sip:1@127.0.0.1", "--record", "none/x.wav"}, 2, []string{"--record", "none/x.wav: no such file"}},
		"no unit":             {[]string{"call", "--to", "sip:1@127.0.0.1", "--for", "10"}, 2, []string{"missing unit in duration"}},
		"nobody there":        {[]string{"call", "--to", "sip:1@127.0.0.1:1", "--wait", "200ms"}, 1, []string{"nothing came back", "does a server listen"}},
		"no server to ask":    {[]string{"healthz", "--config", "good.yaml"}, 1, []string{"no server answers at http://127.0.0.1:1", "is it running"}},
		"asked with mistakes": {[]string{"healthz", "--config", "asks.yaml"}, 1, []string{"no server answers at http://127.0.0.1:1"}},
		"erase beside one":    {[]string{"erase", "+48600100200", "--config", "asks.yaml"}, 0, []string{"stands in their place"}},
		"users beside one":    {[]string{"user", "list", "--config", "asks.yaml"}, 0, []string{"USER", "Agents are not known", "asks-groups.yaml:2:1: unknown key"}},
		"agents in doubt":     {[]string{"agent", "list", "--config", "asks.yaml"}, 2, []string{"asks-groups.yaml:2:1: unknown key"}},
		"groups in doubt":     {[]string{"key", "add", "board", "--right", "agents:read", "--group", "sales", "--config", "asks.yaml"}, 2, []string{"asks-groups.yaml:2:1: unknown key"}},
		"backup beside one":   {[]string{"backup", "b.tar.gz", "--config", "asks.yaml"}, 0, []string{"may be missing", "asks-groups.yaml:2:1: unknown key", "b.tar.gz"}},
		"a port for address":  {[]string{"check", "--config", "port.yaml"}, 2, []string{`port.yaml:1:15: "8080" must begin with https:// or http:// (write https://0.0.0.0:8080)`}},
		"trace of both":       {[]string{"trace", "7", "--recent"}, 2, []string{"do not go together"}},
		"trace without admin": {[]string{"trace", "7", "--admin", "127.0.0.1:9090"}, 2, []string{"is not an address such as http://"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, code := try(t, dir, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, out)
			}
			for _, words := range c.says {
				if !strings.Contains(out, words) {
					t.Errorf("%q is missing in: %s", words, out)
				}
			}
			if strings.Contains(out, "goroutine ") {
				t.Errorf("a crash: %s", out)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "x.wav")); err == nil {
		t.Error("a recording of nothing")
	}
}

// A server that cannot start says where, and what to do about it.
func TestMistakes_OfTheStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks func(t *testing.T, s *server, data string) (cmd *exec.Cmd)
		says   []string
	}{
		"SIP port in use": {func(t *testing.T, s *server, _ string) *exec.Cmd {
			conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(s.sip))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			return nil
		}, []string{"listen on udp", "address already in use", "another program has this port"}},
		"admin port in use": {func(t *testing.T, s *server, _ string) *exec.Cmd {
			l, err := net.Listen("tcp", s.admin.String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			return nil
		}, []string{"admin listener", "address already in use", "another program has this port"}},
		"data folder in use": {func(t *testing.T, s *server, _ string) *exec.Cmd {
			s.run()
			return nil
		}, []string{"in use by another process", "end the other server"}},
		"data is a file": {func(t *testing.T, _ *server, data string) *exec.Cmd {
			if err := os.WriteFile(data, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return nil
		}, []string{"not a directory", "data: must be a folder"}},
		"not our address": {func(t *testing.T, s *server, _ string) *exec.Cmd {
			text, err := os.ReadFile(filepath.Join(s.dir, "centrala.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			s.writeFile("centrala.yaml", strings.Replace(string(text), "udp://127.0.0.1:", "udp://192.0.2.77:", 1))
			return nil
		}, []string{"192.0.2.77", "this machine does not have that address"}},
		"no permission": {func(t *testing.T, s *server, data string) *exec.Cmd {
			if os.Geteuid() != 0 {
				if err := os.Mkdir(data, 0o500); err != nil {
					t.Fatal(err)
				}
				return nil
			}
			return asNobody(t, s)
		}, []string{"permission denied", "data: must be a folder that the user who runs the server may write to"}},
		"full disk": {func(t *testing.T, _ *server, data string) *exec.Cmd {
			if os.Geteuid() != 0 {
				t.Skip("only root can make a small disk")
			}
			if err := os.Mkdir(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", data).CombinedOutput(); err != nil {
				t.Skipf("a small disk cannot be mounted here: %s", out)
			}
			t.Cleanup(func() {
				if out, err := exec.Command("umount", data).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
			return nil
		}, []string{"the disk of the folder", "is full: make room"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareServer(t, newSite(t), "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")
			cmd := c.breaks(t, s, filepath.Join(s.dir, "data"))
			if cmd == nil {
				config := filepath.Join(s.dir, "centrala.yaml")
				if name == "data folder in use" {
					text, err := os.ReadFile(config)
					if err != nil {
						t.Fatal(err)
					}
					text = []byte(strings.NewReplacer(fmt.Sprint(s.sip.Port()), "0", fmt.Sprint(s.tls.Port()), "0", fmt.Sprint(s.admin.Port()), "0").Replace(string(text)))
					config = filepath.Join(s.dir, "second.yaml")
					if err := os.WriteFile(config, text, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				cmd = exec.CommandContext(t.Context(), os.Getenv(serverProgram), "serve", "--config", config)
			}
			began := time.Now()
			out, code := tryCommand(t, s.dir, cmd)
			if code != 1 {
				t.Errorf("exit code %d after %v: %s", code, time.Since(began), out)
			}
			for _, words := range c.says {
				if !strings.Contains(out, words) {
					t.Errorf("%q is missing in: %s", words, out)
				}
			}
		})
	}
}

// asNobody is the start of a server by a user who may read its files and write nowhere.
func asNobody(t *testing.T, s *server) *exec.Cmd {
	t.Helper()
	for _, name := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"centrala.yaml", "queuegroups.yaml"} {
		if err := os.Chmod(filepath.Join(s.dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(s.dir, "centrala") // the one of the tests is in a folder of root's
	data, err := os.ReadFile(os.Getenv(serverProgram))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), "setpriv", "--reuid=nobody", "--clear-groups", program, "serve", "--config", filepath.Join(s.dir, "centrala.yaml"))
}

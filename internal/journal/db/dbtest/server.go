package dbtest

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
)

const (
	superuser = "centrala"
	// startLimit bounds the wait for a server that starts on a busy machine.
	startLimit = time.Minute
)

// Server is a PostgreSQL server of a test's own, in a temporary folder.
type Server struct {
	addr      string // 127.0.0.1 and its port
	dir       string
	bin       string
	owner     *syscall.SysProcAttr // PostgreSQL refuses to run as root
	clean     bool                 // the folder goes with the server
	databases atomic.Uint64

	process *exec.Cmd
	leash   io.Closer // the server ends when this is closed, or this process ends
}

// Start starts a server that the test may stop and start again. It ends with the
// test; tests that only need a database use Postgres.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Launch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.End)
	return s
}

// End ends the server, as Stop does, for who is no test.
func (s *Server) End() {
	if s.process == nil {
		return
	}
	_ = s.leash.Close()
	_ = s.process.Wait() // the shell's exit code says nothing
	s.process = nil
}

// Stop stops the server at once, as a crash of its machine would: nothing is
// written to the end, connections break. Stopping a stopped server does nothing.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.End()
}

// Start starts the server that Stop stopped, at the same address with the same data.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// Launch starts a new server in a folder; without one it makes a folder, which goes when the
// process ends.
func Launch(dir string) (*Server, error) {
	s := &Server{dir: dir}
	var err error
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "postgres-*"); err != nil {
			return nil, err
		}
		s.clean = true
	}
	if err := s.disown(); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--no-sync", "--no-locale",
		"--encoding", "UTF8", "--auth", "trust", "--username", superuser)
	initdb.SysProcAttr, initdb.Dir = s.owner, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.run()
}

// disown gives the folder to somebody who is not root, if we are.
func (s *Server) disown() error {
	if os.Getuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		if owner, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err1 := strconv.Atoi(owner.Uid)
	gid, err2 := strconv.Atoi(owner.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	s.owner = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	// Folders of testing.T can only be entered by their owner.
	for dir := s.dir; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			return err
		}
	}
	return os.Chown(s.dir, uid, gid)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// leashed runs the server until standard input ends, which it does when we close
// it or are gone, even by kill -9. Immediate shutdown is SIGQUIT.
const leashed = `"$@" </dev/null & read -r _; kill -QUIT $!; wait $!; [ -z "$CLEAN" ] || rm -rf "$CLEAN"`

func (s *Server) run() error {
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	logFile, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	c := exec.Command("sh", "-c", leashed, "sh", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", port,
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200")
	c.Dir = s.dir
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us alone
	if s.owner != nil {
		c.SysProcAttr.Credential = s.owner.Credential
	}
	if s.clean {
		c.Env = append(os.Environ(), "CLEAN="+s.dir)
	}
	c.Stdout, c.Stderr = logFile, logFile
	if s.leash, err = c.StdinPipe(); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	s.process = c
	return s.await()
}

// await waits until the server answers.
func (s *Server) await() error {
	d, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer d.Close()
	for deadline := time.Now().Add(startLimit); ; time.Sleep(20 * time.Millisecond) {
		if err = d.Ping(); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("postgres does not start: %w\n%s", err, text)
		}
	}
}

// binaries finds the folder of PostgreSQL's programs, the newest version first;
// Debian keeps them out of the path.
func binaries() (string, error) {
	if file, err := exec.LookPath("initdb"); err == nil {
		if file, err = filepath.EvalSymlinks(file); err == nil {
			return filepath.Dir(file), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("there is no PostgreSQL here: run scripts/install-test-deps.sh")
	}
	version := func(file string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(file)))) // 0, the oldest, if it is none
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

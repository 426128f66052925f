// Command chatbench measures what chats cost the whole server. It starts the server as a
// child process on loopback, opens thousands of chat windows by WebSocket, as browsers do, and
// a few hundred agents' consoles, and lets both sides write.
//
//	go run ./e2e/chatbench -windows 5000 -agents 250 -rates 100,400 -burst 2000
//
// For each database there is one line of what windows take that do nothing, and a row for each rate
// at which customers write, and agents: how long until the server has acknowledged a message, and
// until the other side has it. PostgreSQL is started by the command itself if it is installed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"centrala/e2e/process"
	"centrala/internal/journal/db/dbtest"
)

// Where the server listens; nothing else may use these ports meanwhile.
const (
	sipAddr   = "127.0.0.1:25160"
	adminAddr = "127.0.0.1:25190"
	webAddr   = "127.0.0.1:25180"
)

// options are what the command is asked to do.
type options struct {
	binary          string
	databases       string
	windows, agents int
	chats           int // of an agent
	rates           string
	burst           int
	seconds, idle   int
	asking          bool
}

func main() {
	var o options
	flag.StringVar(&o.binary, "server", "bin/centrala", "the server to measure (make build)")
	flag.StringVar(&o.databases, "databases", "sqlite,postgres", "on which it is measured")
	flag.IntVar(&o.windows, "windows", 5000, "chat windows that are open")
	flag.IntVar(&o.agents, "agents", 250, "agents, each with a console")
	flag.IntVar(&o.chats, "chats", 4, "chats that each of them has; so many windows write and are written to")
	flag.StringVar(&o.rates, "rates", "100,400", "messages a second, a row each")
	flag.IntVar(&o.burst, "burst", 2000, "messages at once, a row; 0: none")
	flag.IntVar(&o.seconds, "seconds", 5, "length of a row")
	flag.IntVar(&o.idle, "idle", 20, "seconds for which it is watched what windows take that do nothing")
	flag.BoolVar(&o.asking, "asking", false, "consoles ask for their chats once a second, as those whose stream is cut")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "chatbench:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if err := descriptors(uint64(2*o.windows + 20*o.agents + 1000)); err != nil {
		return err
	}
	load, _ := os.ReadFile("/proc/loadavg") // it is only told
	fmt.Printf("%d windows, %d agents with %d chats each; load average %s\n", o.windows, o.agents, o.chats, strings.Fields(string(load) + " ?")[0])
	for name := range strings.SplitSeq(o.databases, ",") {
		if err := on(o, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// on measures all rows on one database.
func on(o *options, name string) error {
	dir, err := os.MkdirTemp("", "chatbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := name
	if name == "postgres" {
		p, err := dbtest.Launch("")
		if err != nil {
			fmt.Println("postgres: left out:", err)
			return nil
		}
		defer p.End()
		if source, err = p.Create("chatbench"); err != nil {
			return err
		}
	}
	if err := write(dir, source, o); err != nil {
		return err
	}
	s, err := process.Start(dir, o.binary, "centrala.yaml", adminAddr)
	if err != nil {
		return err
	}
	defer s.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b := &bench{options: o, name: name, server: s, ctx: ctx, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * o.agents, MaxIdleConns: 3 * o.agents}}}
	return errors.Join(b.all(dir), b.fault())
}

// all makes the rows.
func (b *bench) all(dir string) error {
	if err := b.signIn(filepath.Join(dir, "data", "first-sign-in.txt")); err != nil {
		return err
	}
	if err := b.attend(); err != nil {
		return err
	}
	if err := b.idleWindows(); err != nil {
		return err
	}
	if err := b.talk(); err != nil {
		return err
	}
	fmt.Printf("%-9s  who writes   wanted/s   messages   missing   messages/s   CPU ms each   acknowledged ms: p50     p99   other side ms: p50     p99     most\n", "")
	for _, way := range []struct {
		name string
		say  func(r *row, n int, due time.Time)
	}{{"customers", b.customerSays}, {"agents", b.agentSays}} {
		err := process.Each(b.rates, func(rate int) error { return b.measure(way.name, rate, rate*b.seconds, way.say) })
		if err == nil && b.burst > 0 {
			err = b.measure(way.name, 0, b.burst, way.say)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write makes the files that the server reads.
func write(dir, database string, o *options) error {
	var agents strings.Builder
	names := make([]string, o.agents)
	for k := range names {
		names[k] = fmt.Sprintf("a%d", k)
		fmt.Fprintf(&agents, "  %s: {capacity: {chat: %d}, sip_password: nobody-is-there}\n", names[k], o.chats)
	}
	groups := fmt.Sprintf(`agents:
%sgroups: {unused: {agents: [a0]}}
channels:
  website:
    connector: widget
    agents: [%s]
    pass_after: 12h
    unanswered_after: 12h
    widget: {rating: ask}
work_time: {tracked: false}
`, agents.String(), strings.Join(names, ", "))
	settings := fmt.Sprintf(`listen: {sip: ["udp://%s"], web: "http://%s", admin: "http://%s"}
data: %s
database: %q
log: {level: warn, format: json}
`, sipAddr, webAddr, adminAddr, filepath.Join(dir, "data"), database)
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "queuegroups.yaml"), []byte(groups), 0o600),
		os.WriteFile(filepath.Join(dir, "centrala.yaml"), []byte(settings), 0o600),
	)
}

// descriptors raises the limit of open files, which the server inherits.
func descriptors(need uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= need {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: need, Max: max(need, limit.Max)}); err != nil {
		return fmt.Errorf("%d open files are needed, %d are allowed: %w", need, limit.Cur, err)
	}
	return nil
}

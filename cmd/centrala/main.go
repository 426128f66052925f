// Command centrala is the ACD server and its tools.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"centrala/internal/app"
	"centrala/internal/testcall"
)

// Exit codes (docs/guides/command-line.md): 0 done, 1 failed, 2 bad configuration or usage.
const (
	exitFailed = 1
	exitUsage  = 2
)

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Demo    demoCmd    `cmd:"" help:"Run a server on this machine that robots call and serve, to see it at work."`
	Check   checkCmd   `cmd:"" help:"Check the configuration and print every mistake."`
	Call    callCmd    `cmd:"" help:"Place a test call: play and record a WAV file and print what happens."`
	Route   routeCmd   `cmd:"" help:"Questions about where calls go."`
	Trace   traceCmd   `cmd:"" help:"Show what happened to a call: its messages, decisions and their reasons."`
	Agent   agentCmd   `cmd:"" help:"Agents: declare, password, list."`
	User    userCmd    `cmd:"" help:"People who use console and API and are no agents."`
	Key     keyCmd     `cmd:"" help:"API keys for programs."`
	Erase   eraseCmd   `cmd:"" help:"Erase a person's number from the record, chats and audit log; sums stay."`
	Backup  backupCmd  `cmd:"" help:"Write configuration and records into one file, while the server runs or not."`
	Restore restoreCmd `cmd:"" help:"Take a backup out into a folder."`
	Healthz healthzCmd `cmd:"" help:"Ask the running server whether it works; exit code 0 or 1."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	var c cli
	parser := kong.Must(&c, kong.Name("centrala"), kong.UsageOnError(),
		kong.Description("Centrala answers telephone calls, holds callers with music and distributes them among agents."),
		kong.Exit(func(code int) {
			if code != 0 {
				code = exitUsage
			}
			os.Exit(code)
		}))
	ctx, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(meant(err, os.Args[1:]))
	if err := ctx.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, app.ErrBadConfig) || errors.Is(err, app.ErrUsage) || errors.Is(err, testcall.ErrUsage) || errors.Is(err, errUsage) {
			os.Exit(exitUsage)
		}
		os.Exit(exitFailed)
	}
}

// meant adds to a refusal of the arguments that a file was most likely meant as --config.
func meant(err error, args []string) error {
	if err == nil || !strings.Contains(err.Error(), "unexpected argument") {
		return err
	}
	for _, arg := range args {
		if strings.HasSuffix(arg, ".yaml") && strings.HasSuffix(err.Error(), " "+arg) {
			return fmt.Errorf("%w, did you mean --config %s?", err, arg)
		}
	}
	return err
}

type configFlag struct {
	Config string `type:"path" placeholder:"FILE" help:"The server's configuration (centrala.yaml); without it, the embedded sample that listens on loopback only."`
}

type serveCmd struct{ configFlag }

// Run serves until told to end: SIGHUP reloads, the first SIGTERM or SIGINT
// drains, the second ends at once.
func (s *serveCmd) Run() error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	o := app.Options{Config: s.Config, Console: os.Stderr}
	if s.Config == "" || isTerminal(os.Stdout) { // the sample listens on this machine only
		o.Greeting = os.Stdout
	}
	return app.Serve(o, signals)
}

type demoCmd struct {
	Data string `type:"path" placeholder:"FOLDER" help:"Where to keep what the server writes; without it, a folder that is gone at the end."`
}

// Run serves until Ctrl-C.
func (d *demoCmd) Run() error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	return app.Demo(app.DemoOptions{Data: d.Data, Out: os.Stdout}, signals)
}

// isTerminal tells whether somebody reads what is written there, rather than a log.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type checkCmd struct{ configFlag }

// Run prints every mistake, or what was found to be in order.
func (c *checkCmd) Run() error {
	summary, err := app.Check(c.Config)
	if err == nil {
		fmt.Println(summary)
	}
	return err
}

type callCmd struct {
	To     string        `required:"" placeholder:"SIP-URI" help:"Whom to call, e.g. sip:+48221234567@127.0.0.1:5060."`
	From   string        `default:"+48221110000" help:"The caller's number."`
	Play   string        `type:"existingfile" placeholder:"FILE" help:"A WAV file to play to the other side, again and again; without it, a 440 Hz tone."`
	Record string        `type:"path" placeholder:"FILE" help:"Where to write what was heard, as a WAV file."`
	For    time.Duration `default:"30s" help:"Hang up this long after the answer."`
	Wait   time.Duration `default:"2m" help:"Give up when nobody answered for this long."`
}

// Run places the call; Ctrl-C hangs up.
func (c *callCmd) Run() error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(stop)
	return testcall.Run(testcall.Options{
		To: c.To, From: c.From, Play: c.Play, Record: c.Record, For: c.For, Wait: c.Wait, Out: os.Stdout,
	}, stop)
}

type routeCmd struct {
	Explain explainCmd `cmd:"" help:"Tell what would happen to a call at a time, and why. No call is made."`
}

type explainCmd struct {
	configFlag
	From string   `placeholder:"NUMBER" help:"The caller's number; without it, withheld."`
	To   string   `required:"" placeholder:"NUMBER" help:"The number called."`
	At   string   `placeholder:"TIME" help:"When: '2026-12-24 18:30' in the time zone of the number's hours, 18:30 today, or RFC 3339. Default: now."`
	Away []string `placeholder:"AGENT" help:"Agents to leave out; the others are taken to be at work, with a phone that rings in vain."`
}

// Run prints the call's way.
func (e *explainCmd) Run() error {
	return app.Explain(app.ExplainOptions{Config: e.Config, From: e.From, To: e.To, At: e.At, Away: e.Away}, os.Stdout)
}

type healthzCmd struct {
	configFlag
	Admin string `placeholder:"URL" help:"The admin listener of the server; by default that of its configuration."`
	Ready bool   `help:"Ask whether calls should be sent to it: it has started, does not drain, and is registered with a carrier if it has one that wants that."`
}

// Run prints ok or fails with the reason.
func (h *healthzCmd) Run() error { return app.Healthz(h.Config, h.Admin, h.Ready, os.Stdout) }

type versionCmd struct {
	JSON bool `name:"json" help:"Print it for programs."`
}

// Run prints the version.
func (v versionCmd) Run() error {
	if v.JSON {
		return json.NewEncoder(os.Stdout).Encode(app.Build())
	}
	fmt.Println("centrala", app.Version())
	return nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"centrala/acd"
	"centrala/configs"
	"centrala/internal/accounts"
	"centrala/internal/demo"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// DemoOptions of Demo. Data is the folder for what the server writes; empty: a new one for as long as
// the server runs. Out is where it is told how to look on.
type DemoOptions struct {
	Data string
	Out  io.Writer
}

// The ports of the demo, the first that are free from here on.
const (
	demoSIP   = 5060
	demoWeb   = 8080
	demoAdmin = 9090
)

// demoTries is how many ports are tried, each ten above the one before.
const demoTries = 20

// Demo runs a server with queue groups of its own that robots call and serve, on loopback only, until a
// signal comes.
func Demo(o DemoOptions, signals <-chan os.Signal) (err error) {
	ctx := context.Background()
	folder := o.Data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "centrala-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	} else if err = os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	d := &office{ctx: ctx}
	robots, err := demo.New(demo.Options{Host: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Office: d})
	if err != nil {
		return err
	}
	defer func() { bounded(robots.Stop) }()
	name := filepath.Join(folder, "centrala.log")
	log, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	a, err := newDemo(ctx, folder, robots, Options{Console: log, Greeting: o.Out})
	if err != nil {
		return err
	}
	d.a = a
	if err = a.Start(ctx); err == nil {
		err = a.tellDemo(ctx, o.Out, name)
	}
	if err != nil {
		return errors.Join(advised(err, folder), stop(a))
	}
	robots.Start(a.SIPAddrs()[0].Addr)
	select {
	case <-signals:
	case <-a.Failed():
		err = a.Err()
	}
	_, _ = io.WriteString(o.Out, "\nThe robots hang up.\n") // nobody may be there to read it
	bounded(robots.Stop)
	return errors.Join(err, stop(a))
}

// newDemo makes the server. A port that was free may be somebody else's by then: others are tried.
func newDemo(ctx context.Context, folder string, robots *demo.Robots, o Options) (a *App, err error) {
	for range 3 {
		if o.Config, err = writeDemo(folder, robots); err != nil {
			return nil, err
		}
		if a, err = New(ctx, o); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return a, err
}

// bounded does what has to do with far ends that may not answer.
func bounded(f func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	f(ctx)
}

// writeDemo writes the files of the server and returns the name of its settings.
func writeDemo(folder string, robots *demo.Robots) (config string, err error) {
	music := filepath.Join(folder, "music")
	if err := os.MkdirAll(music, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"music/calm.wav", "music/jazz.wav"} {
		if err := copySample(name, filepath.Join(folder, name)); err != nil {
			return "", err
		}
	}
	var ports [3]string
	for i, first := range []int{demoSIP, demoWeb, demoAdmin} {
		if ports[i], err = freePort(first); err != nil {
			return "", err
		}
	}
	settings := fmt.Sprintf(`# Written anew by each start of centrala demo.
domain: 127.0.0.1
data: data
listen:
  sip: [udp://%[1]s, tcp://%[1]s]
  web: http://%[2]s
  webrtc: udp://127.0.0.1:0
  admin: http://%[3]s
`, ports[0], ports[1], ports[2])
	config = filepath.Join(folder, "centrala.yaml")
	if err := os.WriteFile(filepath.Join(folder, "queuegroups.yaml"), []byte(robots.Config()), 0o600); err != nil {
		return "", err
	}
	return config, os.WriteFile(config, []byte(settings), 0o600)
}

// copySample writes one of the embedded files.
func copySample(name, to string) error {
	from, err := configs.Default().Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	data, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// freePort finds a port of the loopback that nobody uses, over UDP and TCP, and returns it with the address.
func freePort(first int) (string, error) {
	var refused error
	for i := range demoTries {
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+10*i))
		stream, err := net.Listen("tcp", at)
		if err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		datagrams, err := net.ListenPacket("udp", at)
		_ = stream.Close()
		if err == nil {
			_ = datagrams.Close()
			return at, nil
		}
		refused = errors.Join(refused, err)
	}
	return "", fmt.Errorf("none of %d ports from %d on is free:\n%w", demoTries, first, refused)
}

// tellDemo says how to look on and take part.
func (a *App) tellDemo(ctx context.Context, out io.Writer, log string) error {
	enter := "Sign in as " + demo.You + " with the password that you chose"
	u, err := a.accounts.User(ctx, demo.You)
	if err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return err
	}
	if u == nil || !u.Password || u.Once {
		password, err := a.accounts.OneTimePassword(ctx, demo.You)
		if err != nil {
			return err
		}
		enter = "Sign in as an agent by this link, which works once:\n  " + a.signInLink(demo.You, password)
	}
	_, err = fmt.Fprintf(out, `%s
Robots call now, and robots answer: see the wallboard. Calls for the group Support come to you first
as soon as your telephone is there: the one in the console, or a desk phone with user %s,
password %s, domain %v. The robots at the other end play a tune.
What the server logs is in %s. Ctrl-C ends it all.

`, enter, demo.Extension, demo.Password, a.SIPAddrs()[0].Addr, log)
	return err
}

// office is what the robots of the demo ask of the server.
type office struct {
	ctx context.Context
	a   *App
}

// Talking implements demo.Office.
func (o *office) Talking(number string) (yes bool) {
	o.a.facts.View(func(s *acd.State) {
		for v := range s.Underway(0) {
			yes = yes || v.From.Number == number && v.Phase == acd.PhaseTalking
		}
	})
	return yes
}

// Free implements demo.Office.
func (o *office) Free(agent string) (yes bool) {
	o.a.facts.View(func(s *acd.State) {
		v, _ := s.Agent(queuegroups.AgentID(agent))
		yes = v.CanTake
	})
	return yes
}

// Duty implements demo.Office.
func (o *office) Duty(agent, reason string) {
	e := &acd.DutySet{Agent: queuegroups.AgentID(agent), Duty: acd.DutyOn}
	if reason != "" {
		e.Duty, e.Reason = acd.DutyBreak, reason
	}
	o.tell(e)
}

// Outcome implements demo.Office.
func (o *office) Outcome(agent string, pick func(n int) int) {
	ctx, cancel := context.WithTimeout(o.ctx, 5*time.Second)
	defer cancel()
	list, err := journal.History(ctx, o.a.database, journal.Filter{Agent: queuegroups.AgentID(agent), Limit: 1})
	if err != nil || len(list) == 0 {
		return
	}
	e := &acd.Disposed{Interaction: list[0].ID, Agent: queuegroups.AgentID(agent), Group: list[0].LastGroup}
	o.a.facts.View(func(s *acd.State) {
		if g, ok := s.Group(e.Group); ok && len(g.Dispositions) > 0 {
			e.Code = g.Dispositions[pick(len(g.Dispositions))]
		}
	})
	if e.Code != "" {
		o.tell(e)
	}
}

// tell logs what a robot did; when the server ends, that is lost.
func (o *office) tell(e acd.Event) {
	if err := o.a.append(o.ctx, e); err != nil {
		o.a.log.Debug().Err(err).Msg("a robot was not heard")
	}
}

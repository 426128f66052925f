package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"centrala/configs"
	"centrala/holdmusic"
	"centrala/queuegroups"
)

// gcPercent trades memory for processor time: a call's SIP transactions live for
// 32 s after it, so that most of what a collection looks at is still in use
// (docs/benchmarks.md). The environment variable GOGC goes before it.
const gcPercent = 400

// Serve runs a server until the signals tell it to end: SIGHUP reloads; the
// first of any other turns new calls away and waits for the present ones, the
// second hangs them up.
func Serve(o Options, signals <-chan os.Signal) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx := context.Background()
	a, err := New(ctx, o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		stop(a)
		return advised(err, a.server.Data)
	}
	manager, err := newNotifier(os.Getpid(), os.Getenv)
	if err != nil {
		a.log.Warn().Err(err).Msg("the service manager learns nothing of this server")
	}
	defer manager.close()
	serving, ended := context.WithCancel(ctx)
	defer ended()
	go giveBack(serving)
	return serve(ctx, a, manager, signals)
}

// serve is a started server until its end.
func serve(ctx context.Context, a *App, manager *notifier, signals <-chan os.Signal) error {
	manager.ready()
	alive, quiet := manager.alive()
	defer quiet()
	var drained <-chan struct{}
	for {
		select {
		case <-alive:
			manager.tell("WATCHDOG=1")
			if drained != nil {
				manager.draining(a.board.Stats().Calls)
			}
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				manager.reloading()
				if err := a.Reload(ctx); err != nil {
					a.log.Error().Msg("reload refused, the running version stays:\n" + err.Error())
				}
				manager.ready()
			case drained == nil:
				a.log.Info().Msg("draining: new calls are turned away; signal once more to hang up")
				drained = a.Drain()
				manager.draining(a.board.Stats().Calls)
			default:
				a.log.Warn().Msg("hanging up")
				return stop(a)
			}
		case <-drained:
			a.log.Info().Msg("drained")
			return stop(a)
		case <-a.Failed():
			err := a.Err()
			a.log.Error().Err(err).Msg("the server cannot go on")
			stop(a)
			return err
		}
	}
}

func stop(a *App) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	return a.Stop(ctx)
}

// Check loads the configuration as Serve would and returns a line on what it
// declares, or ErrBadConfig with every mistake.
func Check(config string) (summary string, err error) {
	server, groups, err := load(config)
	if err != nil {
		return "", err
	}
	if _, err := loadMusic(server, groups); err != nil {
		return "", err
	}
	if err := checkCertificates(server); err != nil {
		return "", err
	}
	return fmt.Sprintf("ok: %d agents, %d groups, %d numbers, %d trunks, %d channels",
		len(groups.Agents), len(groups.Groups), len(groups.Numbers), len(groups.Trunks), len(groups.Channels)), nil
}

func load(file string) (*configs.Server, *queuegroups.Config, error) {
	server, groups, err := configs.LoadAll(file)
	if err != nil {
		return nil, nil, badConfig(err)
	}
	return server, groups, nil
}

// loadMusic reads every file of every programme.
func loadMusic(server *configs.Server, groups *queuegroups.Config) (*holdmusic.Library, error) {
	music := holdmusic.New(server.Open)
	if err := music.Load(sounds(groups)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConfig, err)
	}
	return music, nil
}

func loadGroups(server *configs.Server) (*queuegroups.Config, error) {
	groups, err := server.LoadQueueGroups()
	if err != nil {
		return nil, badConfig(err)
	}
	return groups, nil
}

// badConfig shows each mistake with its line and a caret under the place.
func badConfig(err error) error {
	var problems queuegroups.Problems
	if errors.As(err, &problems) {
		return &badFiles{problems}
	}
	return fmt.Errorf("%w: %w", ErrBadConfig, err)
}

// badFiles is ErrBadConfig with the mistakes, which it shows as people want to see them.
type badFiles struct{ problems queuegroups.Problems }

// Error implements error.
func (e *badFiles) Error() string {
	return ErrBadConfig.Error() + ":\n" + strings.TrimRight(queuegroups.FormatProblems(e.problems), "\n")
}

// Unwrap is for errors.Is and errors.As.
func (e *badFiles) Unwrap() []error { return []error{ErrBadConfig, e.problems} }

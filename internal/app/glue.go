package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/configs"
	"centrala/internal/eventlog"
	"centrala/queuegroups"
	"centrala/sip"
	"centrala/sip/registrar"
)

// timeFormat of log lines: to the millisecond, since that is the scale of a call's set-up.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func newLogger(w io.Writer, settings configs.Log) zerolog.Logger {
	if settings.Format == configs.LogConsole {
		w = zerolog.ConsoleWriter{
			Out: w, NoColor: !terminal(w),
			FormatTimestamp: func(v any) string { s, _ := v.(string); return clock(s) },
		}
	}
	level, err := zerolog.ParseLevel(settings.Level)
	if err != nil {
		level = zerolog.InfoLevel // the loader let only known levels through
	}
	return zerolog.New(w).Level(level).Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Str(zerolog.TimestampFieldName, time.Now().Format(timeFormat))
	}))
}

// clock is the time of day in a timestamp of timeFormat.
func clock(stamp string) string {
	_, t, _ := strings.Cut(stamp, "T")
	return t[:min(len(t), len("15:04:05.000"))]
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func part(l zerolog.Logger, name string) zerolog.Logger {
	return l.With().Str("part", name).Logger()
}

// logFolder is the log's in the data folder.
const logFolder = "log"

func eventLogOptions(s *configs.Server, log zerolog.Logger) eventlog.Options {
	o := eventlog.Options{Dir: filepath.Join(s.Data, logFolder), Node: nodeID(s), Log: part(log, "log")}
	if s.Engine != configs.EngineEmbedded {
		o.URL = s.Engine
	}
	return o
}

// appender gives the switchboard the log without making it wait.
type appender struct {
	log        *eventlog.Log
	histograms *histograms
}

// Append queues a fact; an error tells that the log is closed or overloaded.
func (a appender) Append(e acd.Event) error {
	a.histograms.fact(e)
	return a.log.Append(e).Err()
}

// directory is what the SIP stack has to know of the queue groups.
func directory(realm string, c *queuegroups.Config) sip.Directory {
	d := sip.Directory{Realm: realm}
	for _, a := range c.Agents {
		if a.Contact != "" && a.SIPPassword.Empty() {
			continue // calls go there and nowhere else
		}
		// Without a password no phone can register but those in browsers.
		u := sip.User{Name: string(a.ID), Password: a.SIPPassword.Value(), MaxCalls: cmp.Or(a.MaxCalls, queuegroups.DefaultMaxCalls)}
		if a.Extension != "" {
			u.Aliases = []string{a.Extension}
		}
		d.Users = append(d.Users, u)
	}
	for _, t := range c.Trunks {
		trunk := sip.Trunk{ID: string(t.ID), Host: t.Host, Transport: t.Transport, MaxCalls: t.MaxCalls, MaxRate: t.MaxRate, Check: t.Check}
		if account := t.Account(); account != nil {
			trunk.User, trunk.Password, trunk.Register = account.User, account.Password.Value(), t.Register != nil
		}
		for _, from := range t.From {
			trunk.From = append(trunk.From, netip.MustParsePrefix(from)) // the loader let only prefixes through
		}
		d.Trunks = append(d.Trunks, trunk)
	}
	return d
}

// musicFiles are the programmes to load, by name.
func musicFiles(c *queuegroups.Config) map[string][]string {
	files := make(map[string][]string, len(c.HoldMusic))
	for _, m := range c.HoldMusic {
		files[string(m.ID)] = m.Files
	}
	return files
}

// bindingStore keeps registrations in a bucket of the log, so that phones can
// be rung again right after a restart.
type bindingStore struct{ bucket *eventlog.Bucket }

func newBindingStore(log *eventlog.Log) (registrar.Store, error) {
	b, err := log.Bucket("registrations")
	if err != nil {
		return nil, fmt.Errorf("open the store of registrations: %w", err)
	}
	return bindingStore{b}, nil
}

// Save implements registrar.Store.
func (s bindingStore) Save(user string, bindings []registrar.Binding) error {
	data, err := json.Marshal(bindings)
	if err != nil {
		return err
	}
	return s.bucket.Put(user, data)
}

// Delete implements registrar.Store.
func (s bindingStore) Delete(user string) error { return s.bucket.Delete(user) }

// Load implements registrar.Store.
func (s bindingStore) Load() (map[string][]registrar.Binding, error) {
	all, err := s.bucket.All()
	if err != nil {
		return nil, err
	}
	bindings := make(map[string][]registrar.Binding, len(all))
	for key, data := range all {
		var list []registrar.Binding
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("registrations of %s: %w", key, err)
		}
		bindings[key] = list
	}
	return bindings, nil
}

// shutdownLimit bounds the end of the process after draining.
const shutdownLimit = 10 * time.Second

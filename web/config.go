package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// ErrBadConfig is in the error of what is wrong with the admin's files; their mistakes are, too, as queuegroups.Problems.
var ErrBadConfig = errors.New("bad configuration")

// Settings are the admin's files.
type Settings interface {
	// Check reads declarations as a reload would, those of the files if text is empty. ErrBadConfig is in the error of
	// those that cannot be used.
	Check(ctx context.Context, text []byte) (*queuegroups.Config, error)
	// Reload puts the files in force; after an error, as of Check, the running version stays.
	Reload(ctx context.Context, by string) ([]queuegroups.Change, error)
	// Versions tells what has been in force since the server started, the newest first.
	Versions() []Version
}

// Version is a configuration that was put in force.
type Version struct {
	Version string
	At      time.Time
	By      string
	Changes []queuegroups.Change // from the one before
}

func (s *Server) configRoutes() {
	read, write := Needs(queuegroups.RightConfigRead), Needs(queuegroups.RightConfigWrite)
	Operation(s, read, Route{
		ID: "get-config", Method: http.MethodGet, Path: "/config", Tag: "config",
		Summary: "The configuration in force", Description: "As the server understood it, without secrets. Lengths of time are nanoseconds.",
	}, s.getConfig)
	Operation(s, read, Route{
		ID: "list-config-versions", Method: http.MethodGet, Path: "/config/versions", Tag: "config",
		Summary: "What has been in force since the server started", Description: "The newest first, each with what differs from the one before; at most 100.",
	}, s.listVersions)
	Operation(s, write, Route{
		ID: "check-config", Method: http.MethodPost, Path: "/config/check", Tag: "config",
		Summary: "Look for mistakes", Description: "In the text given, or in the server's files. Nothing is put in force.",
	}, s.checkConfig)
	Operation(s, write, Route{
		ID: "reload-config", Method: http.MethodPost, Path: "/config/reload", Tag: "config",
		Summary: "Put the files in force", Description: "Calls in progress are not disturbed. With a mistake in the files the running version stays: 422.",
	}, s.reloadConfig)
}

type configOut struct {
	Body struct {
		Version string `json:"version"`
		Config  any    `json:"config"`
	}
}

func (s *Server) getConfig(context.Context, *Caller, *struct{}) (*configOut, error) {
	var config *queuegroups.Config // which is never changed
	s.core.View(func(st *acd.State) { config = st.Config() })
	data, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	out := &configOut{}
	out.Body.Version, out.Body.Config = config.Version, json.RawMessage(data)
	return out, nil
}

// ConfigChange is one thing that differs between two versions.
type ConfigChange struct {
	Kind string `json:"kind" doc:"agent, group, trunk, number, hold_music, hours, channel, role, region, work_time or presence."`
	ID   string `json:"id,omitempty"`
	Op   string `json:"op" enum:"added,removed,changed"`
}

func viewChanges(list []queuegroups.Change) []ConfigChange {
	out := []ConfigChange{}
	for _, c := range list {
		out = append(out, ConfigChange{c.Kind, c.ID, string(c.Op)})
	}
	return out
}

// ConfigVersion is a configuration that was put in force.
type ConfigVersion struct {
	Version string         `json:"version"`
	At      time.Time      `json:"at"`
	By      string         `json:"by" doc:"Who had it put in force; start: the server's start; signal: SIGHUP."`
	Changes []ConfigChange `json:"changes" nullable:"false"`
}

type versionsOut struct{ Body Page[ConfigVersion] }

func (s *Server) listVersions(context.Context, *Caller, *struct{}) (*versionsOut, error) {
	out := &versionsOut{Page[ConfigVersion]{Items: []ConfigVersion{}}}
	for _, v := range s.settings.Versions() {
		out.Body.Items = append(out.Body.Items, ConfigVersion{v.Version, v.At, v.By, viewChanges(v.Changes)})
	}
	return out, nil
}

// Mistake is one in the declarations.
type Mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty" doc:"What was probably meant."`
	Source  string `json:"source,omitempty" doc:"The line, without secrets."`
}

// CheckResult is what came of looking for mistakes.
type CheckResult struct {
	OK       bool           `json:"ok"`
	Mistakes []Mistake      `json:"mistakes" nullable:"false"`
	Version  string         `json:"version,omitempty"`
	Changes  []ConfigChange `json:"changes" nullable:"false" doc:"From what is in force."`
}

type checkIn struct {
	Body struct {
		YAML string `json:"yaml,omitempty" maxLength:"1000000" doc:"The text to look at, of queuegroups.yaml; left out: the server's files."`
	}
}

type checkOut struct{ Body CheckResult }

func (s *Server) checkConfig(ctx context.Context, _ *Caller, in *checkIn) (*checkOut, error) {
	ownAct(ctx) // nothing is changed
	config, err := s.settings.Check(ctx, []byte(in.Body.YAML))
	out := &checkOut{CheckResult{OK: err == nil, Mistakes: mistakes(err), Changes: []ConfigChange{}}}
	if err != nil && !errors.Is(err, ErrBadConfig) {
		return nil, unavailable(err)
	}
	if err == nil {
		var now *queuegroups.Config
		s.core.View(func(st *acd.State) { now = st.Config() })
		out.Body.Version, out.Body.Changes = config.Version, viewChanges(queuegroups.Diff(now, config))
	}
	return out, nil
}

// mistakes lists what an error tells of.
func mistakes(err error) []Mistake {
	list := []Mistake{}
	for _, p := range queuegroups.ProblemsOf(err) {
		list = append(list, Mistake{p.File, p.Line, p.Column, p.Message, p.Hint, p.Source})
	}
	if err != nil && len(list) == 0 {
		list = append(list, Mistake{Message: err.Error()})
	}
	return list
}

const codeBadConfig = "bad_configuration"

type reloadOut struct {
	Body struct {
		Version string         `json:"version"`
		Changes []ConfigChange `json:"changes" nullable:"false"`
	}
}

func (s *Server) reloadConfig(ctx context.Context, c *Caller, _ *struct{}) (*reloadOut, error) {
	var before string
	s.core.View(func(st *acd.State) { before = st.Config().Version })
	changes, err := s.settings.Reload(ctx, c.Name)
	if err != nil && !errors.Is(err, ErrBadConfig) {
		return nil, unavailable(err)
	}
	if err != nil {
		p := problem(http.StatusUnprocessableEntity, codeBadConfig, "the running version stays: there are mistakes")
		for _, m := range mistakes(err) {
			d := Detail{Message: m.Message}
			if m.File != "" {
				d.Location = fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Column)
			}
			p.Errors = append(p.Errors, d)
		}
		p.cause = err
		return nil, p
	}
	out := &reloadOut{}
	s.core.View(func(st *acd.State) { out.Body.Version = st.Config().Version })
	out.Body.Changes = viewChanges(changes)
	changed(ctx, "config", map[string]string{"version": before}, out.Body)
	return out, nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/web"
)

// versionsMax is how many of the configurations that were in force are remembered.
const versionsMax = 100

// versions are the configurations that have been in force since the start.
type versions struct {
	mu   sync.Mutex
	list []web.Version // the oldest first
}

func (v *versions) add(x web.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.list = append(v.list, x)
	if len(v.list) > versionsMax {
		v.list = slices.Delete(v.list, 0, 1)
	}
}

// settings are the admin's files as the web server knows them.
type settings struct{ a *App }

// Check implements web.Settings.
func (s settings) Check(_ context.Context, text []byte) (*queuegroups.Config, error) {
	var config *queuegroups.Config
	var err error
	if len(text) > 0 {
		config, err = s.a.server.CheckQueueGroups("queuegroups.yaml", text)
	} else {
		config, err = s.a.server.LoadQueueGroups()
	}
	if err == nil {
		_, err = loadMusic(s.a.server, config)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", web.ErrBadConfig, err)
	}
	return config, nil
}

// Reload implements web.Settings.
func (s settings) Reload(ctx context.Context, by string) ([]queuegroups.Change, error) {
	changes, err := s.a.reloadBy(ctx, by)
	if errors.Is(err, ErrBadConfig) {
		err = fmt.Errorf("%w: %w", web.ErrBadConfig, err)
	}
	return changes, err
}

// Versions implements web.Settings.
func (s settings) Versions() []web.Version {
	v := &s.a.versions
	v.mu.Lock()
	defer v.mu.Unlock()
	list := slices.Clone(v.list)
	slices.Reverse(list)
	return list
}

// inForce notes a configuration that was put in force.
func (a *App) inForce(by string, changes []queuegroups.Change) {
	a.versions.add(web.Version{Version: a.groups.Version, At: time.Now().UTC(), By: by, Changes: changes})
}

// started notes what differs from the configuration that was in force before the start.
func (a *App) started(before *queuegroups.Config) {
	a.inForce("start", queuegroups.Diff(before, a.groups))
}

// present is the configuration in force.
func (a *App) present() (c *queuegroups.Config) {
	a.facts.View(func(s *acd.State) { c = s.Config() })
	return c
}

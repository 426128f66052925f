package configs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"centrala/queuegroups"
	"centrala/queuegroups/strictyaml"
)

// LoadQueueGroups reads the declarations of agents, groups and numbers that the
// settings name. Mistakes come back as queuegroups.Problems, all at once.
func (s *Server) LoadQueueGroups() (*queuegroups.Config, error) {
	return s.loadQueueGroups(&strictyaml.Report{})
}

// CheckQueueGroups reads a text as if it were the declarations of the settings. Its mistakes
// come back as queuegroups.Problems, with the name given.
func (s *Server) CheckQueueGroups(name string, text []byte) (*queuegroups.Config, error) {
	return s.parse([]queuegroups.File{{Name: name, Data: text}}, &strictyaml.Report{})
}

// loadQueueGroups adds to the mistakes that were found before.
func (s *Server) loadQueueGroups(report *strictyaml.Report) (*queuegroups.Config, error) {
	if s.QueueGroups == "" || s.Region == "" {
		return nil, report.Err() // without them every number would seem wrong
	}
	files, err := s.queueGroupFiles()
	if err != nil {
		report.Add(s.groups, "", "%s: %s", s.QueueGroups, reason(err))
		return nil, report.Err()
	}
	if len(files) == 0 {
		report.Add(s.groups, "", "the folder %s holds no .yaml file", s.QueueGroups)
		return nil, report.Err()
	}
	return s.parse(files, report)
}

func (s *Server) parse(files []queuegroups.File, report *strictyaml.Report) (*queuegroups.Config, error) {
	options := queuegroups.Options{Region: s.Region, Files: files, Open: s.Open, NoEnv: s.noEnv}
	if !s.onLoopback() {
		options.Published = samplePasswords()
	}
	groups, err := queuegroups.Load(options)
	if err := report.Join(err); err != nil {
		return nil, err
	}
	return groups, nil
}

// QueueGroupsFile is the file of the declarations, where it is one that can be written: neither a
// folder nor embedded.
func (s *Server) QueueGroupsFile() (string, error) {
	name := s.QueueGroups
	if !filepath.IsAbs(name) {
		if s.folder == "" {
			return "", errors.New("the embedded sample cannot be written; name a file with --config")
		}
		name = filepath.Join(s.folder, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a folder; declare the agent in a file of it", name)
	}
	return name, nil
}

// queueGroupFiles reads the file, or those of the folder in order of their names.
func (s *Server) queueGroupFiles() ([]queuegroups.File, error) {
	name := s.QueueGroups
	if s.folder != "" && !filepath.IsAbs(name) {
		name = filepath.Join(s.folder, name)
	}
	if s.folder == "" && !filepath.IsAbs(name) {
		data, err := sample.ReadFile(name)
		return []queuegroups.File{{Name: name, Data: data}}, err
	}
	names := []string{name}
	if info, err := os.Stat(name); err != nil {
		return nil, err
	} else if info.IsDir() {
		entries, err := os.ReadDir(name) // sorted
		if err != nil {
			return nil, err
		}
		names = nil
		for _, e := range entries {
			if slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(e.Name())) && !strings.HasPrefix(e.Name(), ".") {
				names = append(names, filepath.Join(name, e.Name()))
			}
		}
	}
	files := make([]queuegroups.File, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files[i] = queuegroups.File{Name: name, Data: data}
	}
	return files, nil
}

// onLoopback tells whether only this machine can send SIP here.
func (s *Server) onLoopback() bool {
	return !slices.ContainsFunc(s.Listen.SIP, func(l SIPListener) bool { return !l.Addr.Addr().IsLoopback() })
}

// samplePasswords are those in the embedded sample, which everybody can read.
func samplePasswords() []string {
	groups, err := Default().LoadQueueGroups()
	if err != nil {
		panic("the embedded queue groups: " + err.Error()) // they are tested
	}
	var passwords []string
	for _, a := range groups.Agents {
		if !a.SIPPassword.Empty() {
			passwords = append(passwords, a.SIPPassword.Value())
		}
	}
	return passwords
}

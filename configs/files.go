package configs

import (
	"io"
	"os"
	"path/filepath"
)

// Watched gives the settings with an Open that also tells of every file that it
// opened, by its path. Embedded files are told of by nobody.
func (s *Server) Watched(opened func(path string)) *Server {
	w := *s
	w.opened = opened
	return &w
}

// OwnFiles are the paths of the files of settings and declarations themselves and of
// what the settings name, but for the embedded ones.
func (s *Server) OwnFiles() ([]string, error) {
	if s.folder == "" {
		return nil, nil
	}
	groups, err := s.queueGroupFiles()
	if err != nil {
		return nil, err
	}
	files := []string{s.file}
	for _, f := range groups {
		files = append(files, f.Name)
	}
	for _, name := range []string{s.TLS.Cert, s.TLS.Key, s.TLS.Roots} {
		if name != "" {
			files = append(files, name)
		}
	}
	return files, nil
}

// Path is where a name in the settings or the queue groups leads; empty: to an embedded file.
func (s *Server) Path(name string) string {
	switch {
	case filepath.IsAbs(name):
		return name
	case s.folder == "":
		return ""
	default:
		return filepath.Join(s.folder, name)
	}
}

// Open opens a file that the settings or the queue groups name.
func (s *Server) Open(name string) (io.ReadCloser, error) {
	path := s.Path(name)
	if path == "" {
		return sample.Open(filepath.ToSlash(filepath.Clean(name)))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if s.opened != nil {
		s.opened(path)
	}
	return f, nil
}

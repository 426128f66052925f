// Package backup packs files into one archive and takes them out again, whole or
// not at all: a compressed tar whose last entry, the manifest, has the checksum of
// every other.
//
// It does not know what the files are; which belong to a backup and where each
// goes back to is internal/app's to say.
package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ErrDamaged is in the error of an archive that is cut short, changed, or none of ours.
var ErrDamaged = errors.New("the backup cannot be used")

const (
	manifestName = "manifest.json"
	format       = 1       // of the archive; a newer one is refused
	manifestMax  = 8 << 20 // bytes
)

// File is one to be packed.
type File struct {
	Name string // in the archive: slash-separated, no part of it ..
	Path string // on disk
}

// Manifest says what an archive holds.
type Manifest struct {
	Format  int               `json:"format"`
	Program string            `json:"program"` // the version that made it
	At      time.Time         `json:"at"`
	About   map[string]string `json:"about"` // whatever who made it wants to know again
	Files   []Entry           `json:"files"`
}

// Entry is one file of the archive.
type Entry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Write writes an archive of the files. A file that changes in length meanwhile is an error.
func Write(out io.Writer, m Manifest, files []File) error {
	packed := gzip.NewWriter(out)
	archive := tar.NewWriter(packed)
	m.Format, m.Files = format, nil
	for _, f := range files {
		e, err := add(archive, f, m.At)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		m.Files = append(m.Files, e)
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(header(manifestName, int64(len(data)), m.At)); err != nil {
		return err
	}
	if _, err := archive.Write(data); err != nil {
		return err
	}
	return errors.Join(archive.Close(), packed.Close())
}

func header(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at}
}

func add(archive *tar.Writer, f File, at time.Time) (Entry, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return Entry{}, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return Entry{}, err
	}
	if !info.Mode().IsRegular() {
		return Entry{}, errors.New("is no ordinary file")
	}
	if err := archive.WriteHeader(header(f.Name, info.Size(), at)); err != nil {
		return Entry{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(archive, sum), r)
	if errors.Is(err, tar.ErrWriteTooLong) || err == nil && n != info.Size() {
		return Entry{}, errors.New("changed while it was read; try again")
	}
	return Entry{f.Name, n, hex.EncodeToString(sum.Sum(nil))}, err
}

// Unpack takes the files of an archive out into the folder, which should be empty,
// readable by nobody else, and checks that they are all there as they were packed.
// The error of an archive that is not so has ErrDamaged in it.
func Unpack(in io.Reader, dir string) (*Manifest, error) {
	packed, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no compressed archive: %w", ErrDamaged, err)
	}
	archive := tar.NewReader(packed)
	found := map[string]Entry{}
	for {
		h, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it has no manifest at its end", ErrDamaged)
		case err != nil:
			return nil, fmt.Errorf("%w: it is cut short or changed: %w", ErrDamaged, err)
		case h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name):
			return nil, fmt.Errorf("%w: it holds %q, which no backup has", ErrDamaged, h.Name)
		case h.Name == manifestName:
			return finish(archive, packed, found)
		}
		if _, twice := found[h.Name]; twice {
			return nil, fmt.Errorf("%w: it holds %q twice", ErrDamaged, h.Name)
		}
		if found[h.Name], err = extract(archive, h.Name, dir); err != nil {
			return nil, err
		}
	}
}

func extract(archive io.Reader, name, dir string) (Entry, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Entry{}, err
	}
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Entry{}, err
	}
	defer w.Close()
	sum := sha256.New()
	from := &source{r: archive}
	n, err := io.Copy(io.MultiWriter(w, sum), from)
	switch {
	case from.err != nil:
		return Entry{}, fmt.Errorf("%w: %s: it is cut short or changed: %w", ErrDamaged, name, from.err)
	case err != nil:
		return Entry{}, err
	}
	return Entry{name, n, hex.EncodeToString(sum.Sum(nil))}, w.Sync()
}

// source keeps the error of reading apart from that of writing.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// finish reads the manifest and compares what was found with it.
func finish(archive, packed io.Reader, found map[string]Entry) (*Manifest, error) {
	data, err := io.ReadAll(io.LimitReader(archive, manifestMax))
	if err == nil {
		_, err = io.Copy(io.Discard, packed) // to its end, where its checksum is looked at
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it is cut short or changed: %w", ErrDamaged, err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%w: its manifest: %w", ErrDamaged, err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("%w: it is of format %d, made by version %s; this program reads format %d", ErrDamaged, m.Format, m.Program, format)
	}
	for _, e := range m.Files {
		if found[e.Name] != e {
			return nil, fmt.Errorf("%w: %s is missing or not as it was", ErrDamaged, e.Name)
		}
		delete(found, e.Name)
	}
	for name := range found {
		return nil, fmt.Errorf("%w: it holds %q, which its manifest does not name", ErrDamaged, name)
	}
	return &m, nil
}

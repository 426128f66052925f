package holdmusic

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"centrala/media"
)

// Limits. A second of a programme takes 16 kB of memory, as long as it is
// configured; reading a file takes 48 kB a second of it for a moment, whatever its
// rate and size.
const (
	// MaxFileSize is how large a file may be, in bytes.
	MaxFileSize = 2 << 30
	// MaxFileLength is how long a file may play.
	MaxFileLength = time.Hour
	// MaxTotalLength is how long all programmes together may play.
	MaxTotalLength = 3 * time.Hour
)

// builtinPrefix marks the name of a file that is part of this program.
const builtinPrefix = "builtin:"

//go:embed builtin/default.wav prompts/*/*.wav
var embedded embed.FS

// Library holds the programmes that are configured. Its methods may be called
// from any goroutine.
type Library struct {
	open     func(name string) (io.ReadCloser, error)
	fallback *program
	maxTotal time.Duration // MaxTotalLength
	maxFile  time.Duration // MaxFileLength
	loaded   atomic.Pointer[content]
}

// content is what was last loaded. It never changes.
type content struct {
	programs map[string]*program
	voices   map[Voice]*voice
}

// New returns a library without programmes. It reads files through open.
func New(open func(name string) (io.ReadCloser, error)) *Library {
	l := &Library{open: open, maxTotal: MaxTotalLength, maxFile: MaxFileLength}
	pcm, err := l.read(builtinPrefix+"default", circular)
	if err != nil {
		panic("holdmusic: the tune that is built in cannot be read: " + err.Error())
	}
	l.fallback = newProgram(pcm)
	l.loaded.Store(&content{})
	return l
}

// Default is the programme that is built in.
func (l *Library) Default() media.Program { return l.fallback }

// Program returns the programme of this name, as last loaded; false if there is none.
func (l *Library) Program(id string) (media.Program, bool) {
	p, ok := l.loaded.Load().programs[id]
	if !ok {
		return nil, false
	}
	return p, true
}

// FileError tells what is wrong with one file of a programme.
type FileError struct {
	Program string
	File    string // empty: the programme as a whole is wrong
	Err     error
}

func (e *FileError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("hold music %s: %v", e.Program, e.Err)
	}
	return fmt.Sprintf("hold music %s: file %s: %v", e.Program, e.File, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

// Wanted is what a library is to hold.
type Wanted struct {
	Programs map[string][]string // names, and the files of each
	Voices   []Voice
	// Names are further clips that voices of replies have where their folder has
	// a file of that name: GroupName, BreakName.
	Names []string
}

// Load replaces all programmes and voices by these. Every file is read anew. If
// any is wrong, nothing changes and the error joins one *FileError or *ClipError
// for each. Who is listening to a programme that is replaced goes on hearing it
// until told otherwise.
func (l *Library) Load(w Wanted) error {
	music, wrongMusic := l.loadPrograms(w.Programs)
	spoken, wrongVoices := l.loadVoices(w.Voices, w.Names)
	if err := errors.Join(wrongMusic, wrongVoices); err != nil {
		return err
	}
	l.loaded.Store(&content{programs: music, voices: spoken})
	return nil
}

func (l *Library) loadPrograms(programs map[string][]string) (map[string]*program, error) {
	loaded := make(map[string]*program, len(programs))
	same := make(map[string]*program) // by their files: two names for one programme share it
	r := reading{library: l, done: make(map[fileKey]fileContent)}
	var problems []error
	var total time.Duration
	for _, id := range slices.Sorted(maps.Keys(programs)) {
		files := programs[id]
		key := strings.Join(files, "\x00")
		if p, ok := same[key]; ok {
			loaded[id] = p
			continue
		}
		pcm, errs := r.all(id, files)
		if len(errs) > 0 {
			problems = append(problems, errs...)
			continue
		}
		if total += playingTime(len(pcm)); total > l.maxTotal {
			problems = append(problems, &FileError{Program: id,
				Err: fmt.Errorf("all hold music together is longer than %v", l.maxTotal)})
			break
		}
		loaded[id] = newProgram(pcm)
		same[key] = loaded[id]
	}
	return loaded, errors.Join(problems...)
}

// reading is one run of Load, in which each file is read once.
type reading struct {
	library *Library
	done    map[fileKey]fileContent
}

type fileKey struct {
	name string
	ends edge
}

type fileContent struct {
	pcm []int16
	err error
}

// all reads the files of a programme one behind the other. Where something is
// wrong it goes on, to report all that is.
func (r reading) all(id string, files []string) (pcm []int16, problems []error) {
	if len(files) == 0 {
		return nil, []error{&FileError{Program: id, Err: errors.New("has no files")}}
	}
	ends := mirrored
	if len(files) == 1 {
		ends = circular
	}
	for _, name := range files {
		key := fileKey{name, ends}
		content, ok := r.done[key]
		if !ok {
			content.pcm, content.err = r.library.read(name, ends)
			r.done[key] = content
		}
		err := content.err
		if err == nil && playingTime(len(pcm)+len(content.pcm)) > r.library.maxTotal {
			err = fmt.Errorf("makes the programme longer than %v", r.library.maxTotal)
		}
		if err != nil {
			problems = append(problems, &FileError{Program: id, File: name, Err: err})
			continue
		}
		pcm = append(pcm, content.pcm...)
	}
	return pcm, problems
}

// read gives a file as it is to be played: mono, 8000 Hz, at one level.
func (l *Library) read(name string, ends edge) ([]int16, error) {
	f, err := l.openFile(name)
	if err != nil {
		return nil, err
	}
	return prepare(f, ends, l.maxFile)
}

// prepare reads and closes a file, which may play for so long.
func prepare(f io.ReadCloser, ends edge, longest time.Duration) (pcm []int16, err error) {
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := decode(f, ends, longest)
	if err != nil {
		return nil, err
	}
	evenOut(r)
	return r.quantize(), nil
}

// openFile opens a file by its name: one that is built in, or one of open's.
func (l *Library) openFile(name string) (io.ReadCloser, error) {
	short, ok := strings.CutPrefix(name, builtinPrefix)
	if !ok {
		return l.open(name)
	}
	path := "builtin/default.wav"
	if short != "default" {
		path = "prompts/" + short + ".wav"
	}
	f, err := embedded.Open(path)
	if err != nil {
		return nil, fmt.Errorf("there is no such file built in; there are: %s", strings.Join(Builtin(), ", "))
	}
	return f, nil
}

// Builtin lists the names of the files that are built in.
func Builtin() []string {
	names := []string{builtinPrefix + "default"}
	languages, err := embedded.ReadDir("prompts")
	if err != nil {
		return names // cannot be: the folder is embedded
	}
	for _, language := range languages {
		files, err := embedded.ReadDir("prompts/" + language.Name())
		if err != nil {
			continue
		}
		for _, f := range files {
			names = append(names, builtinPrefix+language.Name()+"/"+strings.TrimSuffix(f.Name(), ".wav"))
		}
	}
	return names
}

// playingTime is how long this many samples at 8000 Hz last.
func playingTime(samples int) time.Duration {
	return time.Duration(samples) * time.Second / rate
}

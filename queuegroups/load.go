package queuegroups

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"centrala/queuegroups/strictyaml"
)

// Problem is one mistake in a file, Problems are all of them.
type (
	Problem  = strictyaml.Problem
	Problems = strictyaml.Problems
)

// FormatProblems shows problems to a person: each as "file:line:column: what is
// wrong (what was meant?)", then its line with a caret under the place.
func FormatProblems(problems Problems) string { return strictyaml.Format(problems) }

// ProblemsOf returns the mistakes that an error tells of; none: it is of another kind.
func ProblemsOf(err error) Problems {
	var p Problems
	errors.As(err, &p)
	return p
}

// File is one YAML file of declarations.
type File struct {
	Name string // as people know it, for messages
	Data []byte
}

// Options is what Load reads.
type Options struct {
	Region    string                                   // ISO 3166 alpha-2 in capitals, for numbers without +
	Files     []File                                   // merged, in this order
	Open      func(name string) (io.ReadCloser, error) // files named in the YAML; nil: os.Open
	LookupEnv func(name string) (string, bool)         // for secrets as env:NAME; nil: os.LookupEnv
	NoEnv     bool                                     // a secret whose variable is not set is empty, and no mistake
	Published []string                                 // secrets that everybody knows, so that using one is a mistake
}

// Load reads and checks everything that the admin declared. The error is
// Problems: every mistake in all files and in the files that they name. Checks
// across declarations are left out while a file is not YAML at all, because
// what it declares is not known.
func Load(o Options) (*Config, error) {
	if o.Open == nil {
		o.Open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
	}
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	l := &loader{Options: o, config: &Config{Region: o.Region}}
	documents := make([]document, len(o.Files))
	readable := true
	for i, f := range o.Files {
		if !strictyaml.Decode(strictyaml.NewSource(f.Name, f.Data), &documents[i], &l.report) {
			readable = false
		}
	}
	if readable {
		l.build(documents)
	}
	if err := l.report.Err(); err != nil {
		return nil, err
	}
	version, err := l.config.hash()
	if err != nil {
		return nil, err
	}
	l.config.Version = version
	return l.config, nil
}

// hash is that of the canonical JSON of all but the version itself.
func (c *Config) hash() (string, error) {
	canonical := Config{
		Region: c.Region, Agents: c.Agents, Groups: c.Groups, Trunks: c.Trunks, Numbers: c.Numbers,
		HoldMusic: c.HoldMusic, Hours: c.Hours, Channels: c.Channels, WorkTime: c.WorkTime, Presence: c.Presence, Roles: c.Roles,
	}
	data, err := json.Marshal(&canonical)
	if err != nil {
		return "", fmt.Errorf("hash the configuration: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]), nil
}

// loader turns documents into a Config, noting what is wrong.
type loader struct {
	Options
	report strictyaml.Report
	config *Config

	agents, groups, trunks, music, hours, skills, channels, roles names
	skillsOf                                                      map[AgentID][]Skill
	withPhone                                                     map[string]bool // agents for whom a phone was written
	extensions                                                    map[string]owner
	numbers                                                       map[string]calledNumber
	dialled                                                       []text // short numbers of trunks
}

// owner is who has an extension.
type owner struct {
	what string // "agent anna"
	at   strictyaml.Pos
}

// calledNumber is a number of our own and where it leads to.
type calledNumber struct {
	at     strictyaml.Pos
	group  GroupID
	needs  []Skill
	closed strictyaml.List[actionKeys]
}

// names are those declared of one kind.
type names struct {
	kind  string
	order []string
	at    map[string]strictyaml.Pos
}

func (l *loader) build(documents []document) {
	l.skills.at, l.skillsOf = map[string]strictyaml.Pos{}, map[AgentID][]Skill{}
	l.withPhone, l.extensions, l.numbers = map[string]bool{}, map[string]owner{}, map[string]calledNumber{}
	agents := declared(l, &l.agents, "agent", documents, func(d *document) []strictyaml.Entry[agentKeys] { return d.Agents.Entries })
	groups := declared(l, &l.groups, "group", documents, func(d *document) []strictyaml.Entry[groupKeys] { return d.Groups.Entries })
	trunks := declared(l, &l.trunks, "trunk", documents, func(d *document) []strictyaml.Entry[trunkKeys] { return d.Trunks.Entries })
	music := declared(l, &l.music, "hold music", documents, func(d *document) []strictyaml.Entry[musicKeys] { return d.HoldMusic.Entries })
	hours := declared(l, &l.hours, "hours", documents, func(d *document) []strictyaml.Entry[hoursKeys] { return d.Hours.Entries })
	channels := declared(l, &l.channels, "channel", documents, func(d *document) []strictyaml.Entry[channelKeys] { return d.Channels.Entries })

	roles := declared(l, &l.roles, "role", documents, func(d *document) []strictyaml.Entry[roleKeys] { return d.Roles.Entries })
	l.noteRoles()

	l.buildWorkTime(documents)
	l.buildRoles(roles)
	l.buildAgents(agents)
	l.buildTrunks(trunks)
	for i := range documents {
		l.buildNumbers(documents[i].Numbers.Entries)
	}
	l.buildGroups(groups)
	l.taken()
	l.buildMusic(music)
	l.buildHours(hours)
	l.buildChannels(channels)
}

var validID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// declared gathers the things of one kind from all files and notes their names.
func declared[T any](l *loader, n *names, kind string, documents []document, of func(*document) []strictyaml.Entry[T]) []strictyaml.Entry[T] {
	n.kind, n.at = kind, map[string]strictyaml.Pos{}
	var all []strictyaml.Entry[T]
	for i := range documents {
		for _, e := range of(&documents[i]) {
			if first, twice := n.at[e.Key]; twice {
				l.report.Add(e.At, "", "%s %s is already declared at %s", kind, e.Key, first)
				continue
			}
			if !validID.MatchString(e.Key) {
				l.report.Add(e.At, "use letters, digits, - _ and . without spaces, at most 64", "%q cannot be the name of %s", e.Key, kind)
			}
			n.at[e.Key] = e.At
			n.order = append(n.order, e.Key)
			all = append(all, e)
		}
	}
	return all
}

// known tells whether a value names a declared thing, and reports it if not. A
// value that was not written, or wrongly, is passed over.
func (l *loader) known(n *names, v text) bool {
	if !v.Set || v.Bad {
		return false
	}
	if _, ok := n.at[v.V]; ok {
		return true
	}
	l.report.Add(v.At, strictyaml.DidYouMean(v.V, n.order), "unknown %s %q", n.kind, v.V)
	return false
}

// normalize gives the E.164 form of a number that was written; empty if none was or it is wrong.
func (l *loader) normalize(v text) string {
	if !v.Set || v.Bad {
		return ""
	}
	number, err := Normalize(v.V, l.Region)
	if err != nil {
		l.report.Add(v.At, "", "%v", err)
	}
	return number
}

// maxSecret is the largest file that a secret is read from, in bytes.
const maxSecret = 64 << 10

// secret gives the secret that a value is or refers to.
func (l *loader) secret(v text) Secret {
	if !v.Set || v.Bad {
		return Secret{}
	}
	value := v.V
	if name, ok := strings.CutPrefix(v.V, "env:"); ok {
		if value, ok = l.LookupEnv(name); !ok || value == "" && l.NoEnv {
			if !l.NoEnv {
				l.report.Add(v.At, "", "the environment variable %s is not set", name)
			}
			return Secret{}
		}
	} else if name, ok := strings.CutPrefix(v.V, "file:"); ok {
		data, err := l.read(name, maxSecret)
		if err != nil {
			l.report.Add(v.At, "", "%v", err)
			return Secret{}
		}
		value = strings.TrimRight(string(data.Data), "\r\n")
	}
	switch {
	case value == "":
		l.report.Add(v.At, "", "the secret is empty")
	case slices.Contains(l.Published, value):
		l.report.Add(v.At, "choose another", "this secret is published in the sample, so anybody could register or call with it")
	}
	return NewSecret(value)
}

// read gives a file that the YAML names. Its errors are for people.
func (l *loader) read(name string, limit int64) (File, error) {
	r, err := l.Open(name)
	if err != nil {
		return File{}, plainError(name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return File{}, plainError(name, err)
	}
	if int64(len(data)) > limit {
		return File{}, fmt.Errorf("the file %s is larger than %d bytes", name, limit)
	}
	// An opened file of the disk knows its whole path, which is better for messages.
	if n, ok := r.(interface{ Name() string }); ok && strings.HasSuffix(n.Name(), name) {
		name = n.Name()
	}
	return File{Name: name, Data: data}, nil
}

// plainError says in words why a file cannot be read.
func plainError(name string, err error) error {
	var pathError *fs.PathError
	switch {
	case name == "":
		return errors.New("the name of a file is empty")
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", name)
	case errors.As(err, &pathError):
		return fmt.Errorf("cannot read %s: %w", name, pathError.Err)
	default:
		return fmt.Errorf("cannot read %s: %w", name, err)
	}
}

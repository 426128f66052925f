package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/rs/zerolog"

	"centrala/configs"
	"centrala/internal/accounts"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// People is who may use console and API, for the command line: it works on the database itself,
// beside a server that runs or without one.
type People struct {
	*accounts.Accounts

	server   *configs.Server
	database *db.DB

	groups   *queuegroups.Config // nil: not read yet, or with mistakes
	mistakes error               // in them
}

// commandLine is who does what is done there, in the audit log.
const commandLine = "command line"

// OpenPeople opens the accounts of the configuration; empty: of the embedded sample. The queue
// groups are read only by what needs them, so that a mistake there, which no running server is
// stopped by, is in the way of nothing else.
func OpenPeople(ctx context.Context, config string) (*People, error) {
	server, err := configs.Inspect(config)
	if err != nil {
		return nil, badConfig(err)
	}
	d, err := db.Open(ctx, db.Options{Source: server.Database, Dir: server.Data, Log: zerolog.Nop()})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	p := &People{server: server, database: d}
	p.Accounts = accounts.New(accounts.Options{DB: d, Config: p.config, Log: zerolog.Nop()})
	return p, nil
}

// Groups reads the queue groups, once. The error is ErrBadConfig with every mistake.
func (p *People) Groups() (*queuegroups.Config, error) {
	if p.groups == nil && p.mistakes == nil {
		p.groups, p.mistakes = loadGroups(p.server)
	}
	return p.groups, p.mistakes
}

// Mistakes are those of the queue groups, if something had to do without them. Nobody is known
// as an agent then, but for those who have a password.
func (p *People) Mistakes() error { return p.mistakes }

// config is what accounts know of the queue groups.
func (p *People) config() *queuegroups.Config {
	if groups, err := p.Groups(); err == nil {
		return groups
	}
	return &queuegroups.Config{}
}

// Close closes the database.
func (p *People) Close() error { return p.database.Close() }

// Did notes in the audit log what was done.
func (p *People) Did(ctx context.Context, what, target string) error {
	return p.Audit(ctx, accounts.Entry{Who: commandLine, What: what, Target: target})
}

var (
	agentID    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
	agentsLine = regexp.MustCompile(`(?m)^agents:[ \t]*(#.*)?\r?\n`)
	agentsKey  = regexp.MustCompile(`(?m)^agents:`)
)

// AddAgent declares an agent in the file of the queue groups, with a password of its own making
// for their phones, which it returns. The file stays as it is but for one line, and as it was if anything is wrong.
func (p *People) AddAgent(id, name, extension, role string) (password string, err error) {
	file, err := p.server.QueueGroupsFile()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadConfig, err)
	}
	if !agentID.MatchString(id) {
		return "", accounts.ErrName
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	password = strings.ToLower(rand.Text())
	line := fmt.Sprintf("  %s: {name: %q, sip_password: %s", id, name, password)
	if extension != "" {
		line += fmt.Sprintf(", extension: %q", extension)
	}
	if role != "" {
		line += fmt.Sprintf(", role: %q", role)
	}
	line += "}\n"
	after := string(before)
	switch at := agentsLine.FindStringIndex(after); {
	case at != nil:
		after = after[:at[1]] + line + after[at[1]:]
	case agentsKey.MatchString(after):
		return "", fmt.Errorf("%s: agents are all on one line; add this one by hand", file)
	default:
		after = strings.TrimRight(after, "\n") + "\n\nagents:\n" + line
	}
	if err := replaceFile(file, []byte(after)); err != nil {
		return "", err
	}
	groups, err := loadGroups(p.server)
	if err != nil {
		return "", errors.Join(err, replaceFile(file, before))
	}
	p.groups = groups
	return password, nil
}

// replaceFile writes a file as a whole or not at all; its mode stays.
func replaceFile(name string, data []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	next := name + ".new"
	if err := os.WriteFile(next, data, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(next, name)
}

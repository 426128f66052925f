package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"centrala/configs"
	"centrala/internal/backup"
	"centrala/internal/journal/db"
)

// The folders of a backup, and what its manifest tells besides.
const (
	inConfig  = "config"  // the folder of the settings
	inData    = "data"    // the data folder
	inOutside = "outside" // files that the configuration names by paths elsewhere

	aboutSettings = "settings" // name of the settings in inConfig; empty: the embedded ones
	aboutData     = "data"     // the data folder, relative to that of the settings where it is in there
	aboutDatabase = "database" // kind
)

// restoredMark is the file, in the data folder, by which the first start after a restore knows of it.
// It is gone as soon as something of that start is recorded.
const restoredMark = "restored.txt"

// Backup writes the configuration with every file that it names and the data
// folder with SQLite's database, as it is at one moment, into one new archive,
// beside a server that runs or without one. Not in it are the event log (what goes
// on at this moment: calls, states of agents, registrations), values of env:NAME,
// and the records where they are in PostgreSQL. Mistakes in the queue groups are
// told to warnings and stop nothing: whatever they name and can be read is in it.
// The summary is for people.
func Backup(ctx context.Context, config, archive string, warnings io.Writer) (summary string, err error) {
	server, err := configs.Inspect(config)
	if err != nil {
		return "", badConfig(err)
	}
	if _, err := os.Lstat(archive); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s exists already, and a backup overwrites nothing; choose another name", ErrUsage, archive)
	}
	// What is not finished has another name, beside it, since it may be large.
	work, err := os.MkdirTemp(filepath.Dir(archive), ".centrala-backup-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	var paths []string
	watched := server.Watched(func(path string) { paths = append(paths, path) })
	groups, mistakes := loadGroups(watched)
	if mistakes == nil {
		_, mistakes = loadMusic(watched, groups)
	}
	own, err := server.OwnFiles()
	if err != nil {
		return "", errors.Join(mistakes, err)
	}
	files := configFiles(config, append(own, paths...))
	data, err := dataFiles(ctx, server, work)
	if err != nil {
		return "", err
	}
	manifest := backup.Manifest{Program: Version(), At: time.Now().UTC().Truncate(time.Second), About: map[string]string{
		aboutData: dataName(server, config), aboutDatabase: server.Database,
	}}
	if config != "" {
		manifest.About[aboutSettings] = filepath.Base(config)
	}
	note := ""
	if server.Database != configs.DatabaseSQLite {
		manifest.About[aboutDatabase] = "postgres" // the address may hold a password
		note = "; calls, chats and accounts are in PostgreSQL: back that up, too, with pg_dump"
	}
	if err := pack(filepath.Join(work, "archive"), archive, manifest, append(files, data...)); err != nil {
		return "", err
	}
	if mistakes != nil {
		fmt.Fprintf(warnings, "The backup is made, but files that the queue groups name may be missing in it as long as this is so:\n%v\n", mistakes)
	}
	return fmt.Sprintf("%d files are in %s%s", len(files)+len(data), archive, note), nil
}

// pack writes the archive under another name and gives it its own at the end.
func pack(work, archive string, m backup.Manifest, files []backup.File) error {
	out, err := os.OpenFile(work, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = backup.Write(out, m, files)
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return os.Rename(work, archive)
}

// configFiles gives each file once, with its place in the archive.
func configFiles(config string, paths []string) (files []backup.File) {
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		name, err := filepath.Rel(filepath.Dir(config), path)
		if err == nil && filepath.IsLocal(name) {
			name = inConfig + "/" + filepath.ToSlash(name)
		} else {
			if abs, err := filepath.Abs(path); err == nil {
				path = abs
			}
			name = inOutside + filepath.ToSlash(filepath.Clean(path))
		}
		files = append(files, backup.File{Name: name, Path: path})
	}
	return files
}

// dataName is the data folder as the manifest has it.
func dataName(server *configs.Server, config string) string {
	if name, err := filepath.Rel(filepath.Dir(config), server.Data); err == nil && filepath.IsLocal(name) {
		return name
	}
	if abs, err := filepath.Abs(server.Data); err == nil {
		return abs
	}
	return server.Data
}

// dataFiles is what is in the data folder, with a copy of the database in work. The
// log, which is written to all the time, and the first password are left out.
func dataFiles(ctx context.Context, server *configs.Server, work string) (files []backup.File, err error) {
	if server.Database == configs.DatabaseSQLite {
		file := filepath.Join(work, db.File)
		switch err := db.Copy(ctx, server.Data, file); {
		case errors.Is(err, fs.ErrNotExist): // the server has never run
		case err != nil:
			return nil, err
		default:
			files = append(files, backup.File{Name: inData + "/" + db.File, Path: file})
		}
	}
	err = filepath.WalkDir(server.Data, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(server.Data, path)
		switch {
		case err != nil && name == "." && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case name == logFolder:
			return fs.SkipDir
		case d.IsDir() || name == firstSignIn || name == restoredMark || strings.HasPrefix(name, db.File) || !d.Type().IsRegular():
			return nil
		}
		files = append(files, backup.File{Name: inData + "/" + filepath.ToSlash(name), Path: path})
		return nil
	})
	return files, err
}

// Restore takes a backup out into a folder: the settings into it, the data into
// the data folder that they name, and what they name elsewhere to where it was.
// Nothing that exists is overwritten: then, and where anything is wrong with the
// archive, nothing is changed. The summary tells how to start the server.
func Restore(ctx context.Context, archive, into string) (summary string, err error) {
	in, err := os.Open(archive)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUsage, err)
	}
	defer in.Close()
	if err := os.MkdirAll(into, 0o700); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(into, ".centrala-restore-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	m, err := backup.Unpack(in, work)
	if err != nil {
		return "", fmt.Errorf("%s: %w", archive, err)
	}
	data := m.About[aboutData]
	if !filepath.IsAbs(data) {
		data = filepath.Join(into, data)
	}
	targets, err := targetsOf(m, into, data)
	if err != nil {
		return "", fmt.Errorf("%s: %w", archive, err)
	}
	if err := vacant(targets, filepath.Join(data, logFolder)); err != nil {
		return "", err
	}
	if copied := filepath.Join(work, inData, db.File); exists(copied) {
		if err := db.Verify(ctx, copied); err != nil {
			return "", err
		}
	}
	if err := markRestored(data, m); err != nil {
		return "", err
	}
	for _, e := range m.Files {
		if err := move(filepath.Join(work, filepath.FromSlash(e.Name)), targets[e.Name]); err != nil {
			return "", fmt.Errorf("restore %s: %w", targets[e.Name], err)
		}
	}
	return restored(m, into), nil
}

// markRestored notes in the data folder that what is there comes from a backup.
func markRestored(data string, m *backup.Manifest) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("Restored from the backup of %s. The server removes this file when it has started.\n", m.At.Format(time.RFC3339))
	return os.WriteFile(filepath.Join(data, restoredMark), []byte(text), 0o600)
}

// restored tells what to do next.
func restored(m *backup.Manifest, into string) string {
	s := fmt.Sprintf("restored %d files from the backup of %s", len(m.Files), m.At.Format("2006-01-02 15:04 MST"))
	if m.About[aboutDatabase] != configs.DatabaseSQLite {
		s += "; calls, chats and accounts were in PostgreSQL and are restored there"
	}
	settings := m.About[aboutSettings]
	if settings == "" {
		return s + "; start with: centrala serve"
	}
	return s + "; start with: centrala serve --config " + filepath.Join(into, settings)
}

// targetsOf says where each file of the archive goes.
func targetsOf(m *backup.Manifest, into, data string) (map[string]string, error) {
	targets := map[string]string{}
	for _, e := range m.Files {
		top, rest, _ := strings.Cut(e.Name, "/")
		switch path := filepath.FromSlash(rest); top {
		case inConfig:
			targets[e.Name] = filepath.Join(into, path)
		case inData:
			targets[e.Name] = filepath.Join(data, path)
		case inOutside:
			targets[e.Name] = string(filepath.Separator) + path
		default:
			return nil, fmt.Errorf("%w: nobody knows where %q belongs", backup.ErrDamaged, e.Name)
		}
	}
	return targets, nil
}

// vacant looks whether everything can be put where it belongs. A log of other days
// does not fit the database.
func vacant(targets map[string]string, log string) error {
	var taken []string
	if exists(log) {
		taken = append(taken, log)
	}
	for _, path := range targets {
		if exists(path) {
			taken = append(taken, path)
		}
	}
	if len(taken) == 0 {
		return nil
	}
	slices.Sort(taken)
	return fmt.Errorf("%w: nothing was restored, since these exist and would be overwritten: %s; move them away or choose another folder with --into",
		ErrUsage, strings.Join(taken, ", "))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// move puts a file into its place, which may be on another disk.
func move(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if os.Rename(from, to) == nil {
		return nil
	}
	data, err := os.Open(from)
	if err != nil {
		return err
	}
	defer data.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.ReadFrom(data)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

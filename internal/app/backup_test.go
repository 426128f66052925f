package app

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/internal/backup"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
)

// backedUp is a server that runs, with a user, files of music inside and outside of its folder, and a backup of it.
func backedUp(t *testing.T) (config, archive, outside string) {
	t.Helper()
	outside = filepath.Join(t.TempDir(), "elsewhere.wav")
	config = webSite(t, "agents: {anna: {sip_password: \"file:secret\"}}\ngroups: {sales: {agents: [anna], hold_music: own}}\n"+
		"hold_music: {own: {files: [music/calm.wav, "+outside+"]}}\n")
	dir := filepath.Dir(config)
	tone, err := os.ReadFile("../../configs/music/calm.wav")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	relative := strings.Replace(string(text), filepath.Join(dir, "data"), "./data", 1)
	for name, data := range map[string][]byte{
		config: []byte(relative), filepath.Join(dir, "secret"): []byte("a phone's password\n"), outside: tone,
		filepath.Join(dir, "music", "calm.wav"): tone, filepath.Join(dir, "not-named"): []byte("x"),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := started(t, config)
	t.Cleanup(func() { stopped(t, a) })
	if err := people(t, config).AddUser(t.Context(), "chief", "director"); err != nil {
		t.Fatal(err)
	}
	recordedAll(t, a)
	archive = filepath.Join(t.TempDir(), "centrala.tar.gz")
	summary, err := Backup(t.Context(), config, archive, t.Output())
	if err != nil || !strings.Contains(summary, archive) {
		t.Fatalf("%q %v", summary, err)
	}
	return config, archive, outside
}

// recordedAll waits until the record has everything that happened, and returns the last entry.
func recordedAll(t *testing.T, a *App) (index uint64) {
	t.Helper()
	a.State(func(s *acd.State) { index = s.Index() })
	for written := uint64(0); written < index; {
		var err error
		if written, err = journal.Checkpoint(t.Context(), a.database); err != nil {
			t.Fatal(err)
		}
	}
	return index
}

// A server is backed up while it runs, and starts elsewhere from the backup with all that it had.
func TestBackup_AndRestore(t *testing.T) {
	_, archive, outside := backedUp(t)
	if info, err := os.Stat(archive); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the secrets in it: %v %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(archive), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(outside); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(t.TempDir(), "new")
	summary, err := Restore(t.Context(), archive, into)
	if err != nil || !strings.Contains(summary, filepath.Join(into, "centrala.yaml")) {
		t.Fatalf("%q %v", summary, err)
	}
	for _, name := range []string{outside, filepath.Join(into, "music", "calm.wav"), filepath.Join(into, "secret"), filepath.Join(into, "data", "centrala.db")} {
		if !exists(name) {
			t.Errorf("%s is not there", name)
		}
	}
	for _, name := range []string{filepath.Join(into, "not-named"), filepath.Join(into, "data", firstSignIn), filepath.Join(into, "data", logFolder)} {
		if exists(name) {
			t.Errorf("%s is there", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(into, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	d, err := db.Open(t.Context(), db.Options{Source: db.SQLite, Dir: filepath.Join(into, "data")})
	if err != nil {
		t.Fatal(err)
	}
	written, err := journal.Checkpoint(t.Context(), d)
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(into, "centrala.yaml")
	var logs bytes.Buffer
	b := logged(t, config, &logs)
	// The record goes on: what happens now is not taken for what it has of the log before.
	if err := b.append(t.Context(), &acd.DutySet{Agent: "anna", Duty: acd.DutyBreak}); err != nil {
		t.Error(err)
	}
	index := recordedAll(t, b)
	if written < 1 || index <= written {
		t.Errorf("entry %d, and the record went to %d before", index, written)
	}
	if u, err := b.accounts.User(t.Context(), "chief"); err != nil || u.Role != "director" {
		t.Errorf("%+v %v", u, err)
	}
	stopped(t, b)
	// What is not in the record is the restore's doing, and is told as such, this once.
	if told := logs.String(); strings.Contains(told, " ERR ") || !strings.Contains(told, "WRN the record was restored from a backup: it has a gap since then") {
		t.Error(told)
	}
	mark := filepath.Join(into, "data", restoredMark)
	if exists(mark) {
		t.Errorf("%s is still there", mark)
	}
	logs.Reset()
	if err := os.RemoveAll(filepath.Join(into, "data", logFolder)); err != nil {
		t.Fatal(err)
	}
	c := logged(t, config, &logs)
	recordedAll(t, c)
	stopped(t, c)
	if told := logs.String(); !strings.Contains(told, " ERR entries of the log were dropped") || strings.Contains(told, "backup") {
		t.Errorf("a log that is gone is no error: %s", told)
	}
}

// A start after a restore that came to nothing is not the first.
func TestRestore_StartThatFails(t *testing.T) {
	_, archive, outside := backedUp(t)
	if err := os.Remove(outside); err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	if _, err := Restore(t.Context(), archive, into); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(into, "centrala.yaml")
	if a, err := New(t.Context(), Options{Config: config, Console: io.Discard}); err != nil {
		t.Fatal(err)
	} else {
		stopped(t, a) // it opened the log, and recorded nothing
	}
	second := filepath.Join(t.TempDir(), "second.tar.gz")
	if _, err := Backup(t.Context(), config, second, t.Output()); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(second)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	m, err := backup.Unpack(in, t.TempDir())
	if err != nil || slices.ContainsFunc(m.Files, func(e backup.Entry) bool { return strings.HasSuffix(e.Name, restoredMark) }) {
		t.Errorf("%+v %v", m, err)
	}
	var logs bytes.Buffer
	b := logged(t, config, &logs)
	recordedAll(t, b)
	stopped(t, b)
	if told := logs.String(); strings.Contains(told, " ERR ") || !strings.Contains(told, "restored from a backup") {
		t.Error(told)
	}
}

// Nothing that exists is overwritten, and nothing is done by halves.
func TestBackup_OverwritesNothing(t *testing.T) {
	config, archive, outside := backedUp(t)
	if _, err := Backup(t.Context(), config, archive, t.Output()); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "exists already") {
		t.Error(err)
	}
	into := t.TempDir()
	mine := filepath.Join(into, "centrala.yaml")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Restore(t.Context(), archive, into)
	if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), mine) || !strings.Contains(err.Error(), outside) {
		t.Error(err)
	}
	if files, _ := filepath.Glob(filepath.Join(into, "*")); len(files) != 1 {
		t.Errorf("%v", files)
	}
	// A log of other days beside the restored database.
	into = t.TempDir()
	if err := errors.Join(os.Remove(outside), os.MkdirAll(filepath.Join(into, "data", logFolder), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), archive, into); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), filepath.Join(into, "data", logFolder)) {
		t.Error(err)
	}
	if _, err := Restore(t.Context(), config, t.TempDir()); !errors.Is(err, backup.ErrDamaged) {
		t.Error(err)
	}
	if _, err := Restore(t.Context(), filepath.Join(into, "none"), t.TempDir()); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}

// The records in PostgreSQL are not ours to back up, which is said; its password is not in the archive's manifest.
func TestBackup_PostgreSQL(t *testing.T) {
	config := webSite(t, "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")
	text, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, append(text, "database: postgres://someone:hush@127.0.0.1:1/none\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "b.tar.gz")
	summary, err := Backup(t.Context(), config, archive, t.Output())
	if err != nil || !strings.Contains(summary, "pg_dump") {
		t.Fatalf("%q %v", summary, err)
	}
	in, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	m, err := backup.Unpack(in, t.TempDir())
	if err != nil || strings.Contains(m.About[aboutDatabase], "hush") {
		t.Errorf("%+v %v", m, err)
	}
}

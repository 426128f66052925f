package app

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"centrala/internal/accounts"
	"centrala/queuegroups"
)

// webSite writes the files of a server with a web address and returns the name of its settings.
func webSite(t *testing.T, groups string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"centrala.yaml":    "data: " + filepath.Join(dir, "data") + "\nlisten: {sip: [\"udp://127.0.0.1:0\"], web: \"http://127.0.0.1:0\", admin: \"\"}\nqueuegroups: queuegroups.yaml\n",
		"queuegroups.yaml": groups,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "centrala.yaml")
}

func people(t *testing.T, config string) *People {
	t.Helper()
	p, err := OpenPeople(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// An agent is declared by one more line of the file; a file that would be wrong stays as it was.
func TestAddAgent(t *testing.T) {
	const before = "# who answers\nagents: # all of them\n  anna: {extension: \"101\"} # first\ngroups: {sales: {agents: [anna]}}\n"
	config := webSite(t, before)
	file := filepath.Join(filepath.Dir(config), "queuegroups.yaml")
	content := func() string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	p := people(t, config)
	for _, bad := range []struct{ id, extension, role string }{
		{"anna", "", ""}, {"ewa", "101", ""}, {"ewa", "", "queen"}, {"e: {}\n  wa", "", ""}, {"", "", ""},
	} {
		if _, err := p.AddAgent(bad.id, "Ewa", bad.extension, bad.role); err == nil || content() != before {
			t.Errorf("%+v: %v\n%s", bad, err, content())
		}
	}
	password, err := p.AddAgent("ewa", `Ewa "Ewka" Żak`, "102", "director")
	if err != nil {
		t.Fatal(err)
	}
	groups, err := p.Groups()
	if err != nil {
		t.Fatal(err)
	}
	a := groups.Agent("ewa")
	if a == nil || a.Name != `Ewa "Ewka" Żak` || a.Extension != "102" || a.Role != "director" || a.SIPPassword.Value() != password || len(password) < 20 {
		t.Errorf("%+v", a)
	}
	lines := strings.Split(content(), "\n")
	if strings.Join(append(lines[:2:2], lines[3:]...), "\n") != before {
		t.Error(content())
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := p.SetPassword(t.Context(), "ewa", "a good password", false); err != nil {
		t.Error(err)
	}
	flow := people(t, webSite(t, "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n"))
	if _, err := flow.AddAgent("ewa", "Ewa", "", ""); err == nil || !strings.Contains(err.Error(), "by hand") {
		t.Error(err)
	}
}

// A new server tells in a file how the first administrator signs in, and the file is gone once one can.
func TestFirstSignIn(t *testing.T) {
	config := webSite(t, "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")
	file := filepath.Join(filepath.Dir(config), "data", firstSignIn)
	start := func() *App { return started(t, config) }
	a := start()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	_, password, _ := strings.Cut(strings.TrimSpace(string(data)), "password: ")
	from := netip.MustParseAddr("127.0.0.1")
	_, c, err := a.accounts.SignIn(t.Context(), "admin", password, from, "")
	if err != nil {
		t.Fatal(err)
	}
	// The command line works on the same database meanwhile.
	p := people(t, config)
	if err := p.AddUser(t.Context(), "chief", "director"); err != nil {
		t.Error(err)
	}
	if err := p.Did(t.Context(), "add-user", "users/chief"); err != nil {
		t.Error(err)
	}
	if u, err := a.accounts.User(t.Context(), "chief"); err != nil || u.Role != "director" {
		t.Errorf("%+v %v", u, err)
	}
	entries, err := a.accounts.AuditLog(t.Context(), accounts.AuditQuery{})
	if err != nil || len(entries) != 1 || entries[0].Who != commandLine || entries[0].From.IsValid() {
		t.Errorf("%+v %v", entries, err)
	}
	if err := a.accounts.ChangePassword(t.Context(), "admin", c.Session, "", "a good password"); err != nil {
		t.Fatal(err)
	}
	stopped(t, a)
	a = start()
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file stays: %v", err)
	}
	stopped(t, a)
}

// Beside the server people are looked after and backups made without the server's environment.
func TestOpenPeople_WithoutTheEnvironment(t *testing.T) {
	config := webSite(t, "agents: {anna: {sip_password: \"env:CENTRALA_TEST_UNSET\"}}\ngroups: {sales: {agents: [anna]}}\n")
	if _, err := Check(config); !errors.Is(err, ErrBadConfig) {
		t.Errorf("a server would start: %v", err)
	}
	if err := people(t, config).SetPassword(t.Context(), "anna", "a good password", false); err != nil {
		t.Error(err)
	}
	archive := filepath.Join(t.TempDir(), "centrala.tar.gz")
	if _, err := Backup(t.Context(), config, archive, t.Output()); err != nil {
		t.Error(err)
	}
	if err := Explain(ExplainOptions{Config: config, To: "+48 22 123 45 67"}, io.Discard); err != nil {
		t.Error(err)
	}
}

// A mistake in the queue groups, with which a running server goes on as it was, stops only what needs
// them. A backup has of their files what can be read, and tells of the mistake.
func TestOpenPeople_MistakeInQueueGroups(t *testing.T) {
	const good = "agents: {anna: {}}\ngroups: {sales: {agents: [anna], hold_music: own}}\nhold_music: {own: {files: [own.wav]}}\n"
	config := webSite(t, good)
	dir := filepath.Dir(config)
	tone, err := os.ReadFile("../../configs/music/calm.wav")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "own.wav"), tone, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := people(t, config)
	if err := errors.Join(before.AddUser(t.Context(), "chief", "director"), before.SetPassword(t.Context(), "anna", "a good password", false)); err != nil {
		t.Fatal(err)
	}
	for name, groups := range map[string]string{
		"another agent": strings.Replace(good, "[anna]", "[ania]", 1), "not YAML": "agents: [", "no file": "", "music of another kind": strings.Replace(good, "own.wav", "centrala.yaml", 1),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "queuegroups.yaml")
			if err := os.WriteFile(file, []byte(groups), 0o600); err != nil {
				t.Fatal(err)
			}
			if groups == "" {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
			p := people(t, config)
			_, key, err := p.AddKey(t.Context(), accounts.Key{Title: "board", Rights: []queuegroups.Right{queuegroups.RightEventsRead}})
			if err == nil {
				err = p.RemoveKey(t.Context(), key.ID)
			}
			if err != nil {
				t.Error(err)
			}
			if _, err := p.Erase(t.Context(), "+48600100200"); err != nil {
				t.Error(err)
			}
			if err := p.Mistakes(); err != nil {
				t.Errorf("read without need: %v", err)
			}
			for _, name := range []string{"chief", "anna"} {
				if err := p.SetDisabled(t.Context(), name, true); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := p.Mistakes(); !errors.Is(err, ErrBadConfig) {
				t.Errorf("nobody is told: %v", err)
			}
			if _, err := p.Groups(); !errors.Is(err, ErrBadConfig) || !strings.Contains(err.Error(), ".yaml:") {
				t.Error(err)
			}
			archive := filepath.Join(t.TempDir(), "centrala.tar.gz")
			var warnings strings.Builder
			_, err = Backup(t.Context(), config, archive, &warnings)
			if groups == "" {
				if !errors.Is(err, ErrBadConfig) || !strings.Contains(err.Error(), "there is no such file") {
					t.Error(err)
				}
				return
			}
			if err != nil || !strings.Contains(warnings.String(), "queuegroups.yaml:") {
				t.Fatalf("%q %v", warnings.String(), err)
			}
			into := t.TempDir()
			if _, err := Restore(t.Context(), archive, into); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(into, "queuegroups.yaml")); err != nil || string(got) != groups {
				t.Errorf("%s %v", got, err)
			}
			if name == "another agent" && !exists(filepath.Join(into, "own.wav")) {
				t.Error("the music is not in the backup, though its name was to be read")
			}
		})
	}
}

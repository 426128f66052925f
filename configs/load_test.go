package configs

import (
	"errors"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"centrala/queuegroups"
)

func TestLoad_Design(t *testing.T) {
	got, err := Load("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Domain = "pbx.example.com"
	want.Data = filepath.Join("testdata", "data")
	want.Listen = Listen{
		SIP: []SIPListener{{"udp", netip.MustParseAddrPort("0.0.0.0:5060")}, {"tcp", netip.MustParseAddrPort("0.0.0.0:5060")}},
		Web: Web{TLS: true, Addr: netip.MustParseAddrPort("0.0.0.0:8443")}, WebRTC: netip.MustParseAddrPort("0.0.0.0:0"), Admin: netip.MustParseAddrPort("127.0.0.1:9090"),
	}
	if d := cmp.Diff(want, got, compared); d != "" {
		t.Error(d)
	}
}

func TestLoad_OtherValues(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "cert.pem"), "x")
	write(t, filepath.Join(folder, "key.pem"), "x")
	got, err := Load(write(t, filepath.Join(folder, "centrala.yaml"), `
domain: 192.0.2.1
region: DE
data: /var/lib/centrala
listen: {sip: ["tls://[2001:db8::1]:5061", "udp://127.0.0.1:0", "udp://127.0.0.1:0"], web: "http://127.0.0.1:8080", webrtc: "udp://192.0.2.7:3478", admin: ""}
advertise: 203.0.113.5
rtp: 20000-20003
tls: {mode: files, cert: cert.pem, key: key.pem, roots: cert.pem}
log: {level: debug, format: json}
trace: {calls: 0, messages: 50, megabytes: 8, keys: true}
webhooks: {allow: [10.0.0.0/8, 192.0.2.7, "fd00::/8"]}
record: {keep_days: 400}
mail: {server: "smtp://mail.example.com:587", from: "Shop <chat@shop.example>", user: chat, password: "file:cert.pem"}
connectors: {public: "https://chat.example.com/", off: [telegram, telegram]}
engine: nats://a:4222,tls://b:4222
database: postgres://user@host/centrala
queuegroups: groups
`))
	if err != nil {
		t.Fatal(err)
	}
	anyPort := SIPListener{"udp", netip.MustParseAddrPort("127.0.0.1:0")}
	want := &Server{
		Domain: "192.0.2.1", Region: "DE", Data: "/var/lib/centrala",
		Listen: Listen{
			SIP: []SIPListener{{"tls", netip.MustParseAddrPort("[2001:db8::1]:5061")}, anyPort, anyPort},
			Web: Web{Addr: netip.MustParseAddrPort("127.0.0.1:8080")}, WebRTC: netip.MustParseAddrPort("192.0.2.7:3478"),
		},
		Advertise: netip.MustParseAddr("203.0.113.5"), RTP: Ports{20000, 20003},
		TLS: TLS{TLSFiles, filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"), filepath.Join(folder, "cert.pem")},
		Log: Log{"debug", LogJSON}, Trace: Trace{0, 50, 8, true}, Record: Record{KeepDays: 400}, Engine: "nats://a:4222,tls://b:4222", Database: "postgres://user@host/centrala", QueueGroups: "groups",
		Mail:       Mail{"smtp://mail.example.com:587", "Shop <chat@shop.example>", "chat", queuegroups.NewSecret("x")},
		Connectors: Connectors{"https://chat.example.com", []string{"telegram"}},
		Webhooks:   Webhooks{[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("fd00::/8")}},
	}
	if d := cmp.Diff(want, got, compared); d != "" {
		t.Error(d)
	}
}

// TestLoadAll_Broken loads the folders testdata/broken/*/ and compares what the
// admin is shown with the file problems.txt in them.
func TestLoadAll_Broken(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*/centrala.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			_, _, err := LoadAll(file)
			var problems queuegroups.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%v; want problems", err)
			}
			got, expected := queuegroups.FormatProblems(problems), filepath.Join(folder, "problems.txt")
			if *update {
				if err := os.WriteFile(expected, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

// Whoever writes an address in another way is told what to write.
func TestLoad_MeantAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "centrala.yaml")
	for written, want := range map[string]string{
		`8080`:                           `"8080" must begin with https:// or http:// (write https://0.0.0.0:8080)`,
		`"8080"`:                         `"8080" must begin with https:// or http:// (write https://0.0.0.0:8080)`,
		`":8080"`:                        `":8080" must begin with https:// or http:// (write https://0.0.0.0:8080)`,
		`0.0.0.0:8080`:                   `"0.0.0.0:8080" must begin with https:// or http:// (write https://0.0.0.0:8080)`,
		`localhost`:                      `"localhost" must begin with https:// or http:// (write https://127.0.0.1:8443)`,
		`localhost:8080`:                 `"localhost:8080" must begin with https:// or http:// (write https://127.0.0.1:8080)`,
		`:99999`:                         `":99999" has the port 99999, and the highest is 65535 (write https://0.0.0.0:8443)`,
		`http://127.0.0.1:99999`:         `"http://127.0.0.1:99999" has the port 99999, and the highest is 65535 (write http://127.0.0.1:8443)`,
		`http://:8080`:                   `"http://:8080" is not an IP address and port (write http://0.0.0.0:8080)`,
		`http://localhost:8080/`:         `"http://localhost:8080/" is not an IP address and port (write http://127.0.0.1:8080)`,
		`https://pbx.example.com`:        `"https://pbx.example.com" is not an IP address and port (write https://0.0.0.0:8443)`,
		`https://pbx.example.com:443`:    `"https://pbx.example.com:443" is not an IP address and port (write https://0.0.0.0:443)`,
		`"https://::"`:                   `"https://::" is not an IP address and port (write https://[::]:8443)`,
		`"https://[2001:db8::1]/widget"`: `"https://[2001:db8::1]/widget" is not an IP address and port (write https://[2001:db8::1]:8443)`,
		`tcp://127.0.0.1:8080`:           `"tcp://127.0.0.1:8080" must begin with https:// or http:// (write https://127.0.0.1:8080)`,
		`://`:                            `"://" must begin with https:// or http:// (write https://0.0.0.0:8443)`,
	} {
		_, err := Load(write(t, file, "listen:\n  web: "+written+"\n"))
		if want = file + ":2:8: " + want; err == nil || err.Error() != want {
			t.Errorf("%s: %v; want %s", written, err, want)
		}
		_, wrote, _ := strings.Cut(strings.TrimSuffix(want, ")"), "(write ")
		if _, err := Load(write(t, file, "listen: {web: \""+wrote+"\"}\n")); err != nil {
			t.Errorf("%s: the advice is wrong: %v", written, err)
		}
	}
}

func TestLoad_MissingFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no.yaml")
	_, err := Load(file)
	if want := file + ":1:1: there is no such file"; err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
	if _, _, err := LoadAll(file); err == nil || err.Error() != file+":1:1: there is no such file" {
		t.Errorf("%v", err)
	}
	if _, err := Load(filepath.Dir(file)); err == nil || !strings.Contains(err.Error(), "cannot be read: ") {
		t.Errorf("a folder: %v", err)
	}
}

func TestLoadAll_Folder(t *testing.T) {
	folder := t.TempDir()
	file := write(t, filepath.Join(folder, "centrala.yaml"), "queuegroups: groups\n")
	write(t, filepath.Join(folder, "groups", "20-groups.yml"), "groups: {sales: {agents: [anna], hold_music: calm}}\n")
	write(t, filepath.Join(folder, "groups", "10-agents.yaml"), "agents: {anna: {sip_password: file:secrets/anna}}\n")
	write(t, filepath.Join(folder, "groups", "30-music.yaml"), "hold_music: {calm: {files: music/a.wav}}\n")
	write(t, filepath.Join(folder, "groups", ".hidden.yaml"), "not read: [")
	write(t, filepath.Join(folder, "groups", "README.md"), "not read: [")
	write(t, filepath.Join(folder, "secrets", "anna"), "hunter2\n")
	write(t, filepath.Join(folder, "music", "a.wav"), "RIFF\x04\x00\x00\x00WAVE")
	server, groups, err := LoadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	if a := groups.Agent("anna"); a == nil || a.SIPPassword.Value() != "hunter2" {
		t.Errorf("anna: %+v", a)
	}
	if g := groups.Group("sales"); g == nil || g.HoldMusic != "calm" {
		t.Errorf("sales: %+v", g)
	}
	// A mistake names the file by a path that leads there.
	broken := write(t, filepath.Join(folder, "groups", "40-broken.yaml"), "grups: {}\n")
	if _, err := server.LoadQueueGroups(); err == nil || err.Error() != broken+`:1:1: unknown key "grups" (did you mean groups?)` {
		t.Errorf("%v", err)
	}
}

// A server that others can reach must not have the passwords that are published.
func TestLoadQueueGroups_PublishedPasswords(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, sample); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, sampleFile)
	if _, _, err := LoadAll(file); err != nil {
		t.Fatalf("the sample on loopback: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := strings.ReplaceAll(string(text), "sip: [udp://127.0.0.1:5060,", "sip: [udp://0.0.0.0:5060,")
	_, _, err = LoadAll(write(t, filepath.Join(folder, "open.yaml"), open))
	var problems queuegroups.Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Fatalf("%v; want a problem for each agent", err)
	}
	for _, p := range problems {
		if !strings.Contains(p.Message, "published") || strings.Contains(p.Error()+p.Source, "-sample") {
			t.Errorf("%v, %s", p, p.Source)
		}
	}
}

func TestServer_Open(t *testing.T) {
	folder := t.TempDir()
	server, err := Load(write(t, filepath.Join(folder, "centrala.yaml"), ""))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := write(t, filepath.Join(t.TempDir(), "abs.txt"), "abs")
	write(t, filepath.Join(folder, "music", "x.wav"), "x")
	for _, test := range []struct {
		server     *Server
		name, want string
	}{
		{server, "music/x.wav", "x"}, {server, "./music/../music/x.wav", "x"}, {server, elsewhere, "abs"}, {Default(), elsewhere, "abs"},
		{Default(), "./holidays/pl.yaml", "# Public holidays"}, {Default(), "music/calm.wav", "RIFF"},
	} {
		r, err := test.server.Open(test.name)
		if err != nil {
			t.Error(err)
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil || !strings.HasPrefix(string(data), test.want) {
			t.Errorf("%s: %.20q, %v", test.name, data, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []*Server{server, Default()} {
		if _, err := s.Open("music/none.wav"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no such file: %v", err)
		}
	}
	if _, err := Default().Open("../configs.go"); err == nil {
		t.Error("the embedded files have an outside")
	}
}

// Whoever works beside the server needs not its environment; whoever is the server does.
func TestInspect(t *testing.T) {
	folder := t.TempDir()
	file := write(t, filepath.Join(folder, "centrala.yaml"), `
data: /var/lib/centrala
mail: {server: "smtp://mail.example.com:587", from: "Shop <chat@shop.example>", user: chat, password: "env:CENTRALA_TEST_UNSET"}
queuegroups: groups.yaml
`)
	const groups = `
agents: {anna: {sip_password: "env:CENTRALA_TEST_UNSET"}}
groups: {sales: {agents: [anna]}}
trunks: {carrier: {host: sip.example.com, register: {user: "48", password: "env:CENTRALA_TEST_UNSET"}}}
channels:
  shop: {connector: http, url: "https://shop.example/c", secret: "env:CENTRALA_TEST_UNSET", agents: [anna], bot: {url: "https://b.example", secret: "env:CENTRALA_TEST_UNSET"}}
  site: {connector: widget, secret: "env:CENTRALA_TEST_UNSET", widget: {identity: required}, agents: [anna]}
  bot: {connector: telegram, telegram: {token: "env:CENTRALA_TEST_UNSET"}, agents: [anna]}
`
	write(t, filepath.Join(folder, "groups.yaml"), groups)
	for name, value := range map[string]string{"unset": "", "empty": "set and empty"} {
		t.Run(name, func(t *testing.T) {
			if value != "" {
				t.Setenv("CENTRALA_TEST_UNSET", "")
			}
			if _, _, err := LoadAll(file); len(queuegroups.ProblemsOf(err)) != 7 {
				t.Errorf("loaded: %v", err)
			}
			if s, err := Inspect(file); err != nil || s.Data != "/var/lib/centrala" || !s.Mail.Password.Empty() {
				t.Errorf("%+v %v", s, err)
			}
			s, c, err := InspectAll(file)
			if err != nil || len(c.Channels) != 3 || !c.Agents[0].SIPPassword.Empty() {
				t.Fatalf("%v", err)
			}
			if _, err := s.LoadQueueGroups(); err != nil {
				t.Errorf("read again: %v", err)
			}
		})
	}
	write(t, filepath.Join(folder, "groups.yaml"), "agents: {anna: {nam: x}}\n")
	if _, err := Inspect(file); err != nil {
		t.Errorf("a mistake in the queue groups is none of the settings: %v", err)
	}
	if _, _, err := InspectAll(file); len(queuegroups.ProblemsOf(err)) != 1 {
		t.Errorf("a mistake is overlooked: %v", err)
	}
}

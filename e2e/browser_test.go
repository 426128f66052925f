package e2e

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var picturesFolder = flag.String("pictures", "", "write pictures of what tests see in the browser to this folder, with its whole path")

// uiFolder is where the console's source and the browser's driver are.
const uiFolder = "../web/ui"

// browser is Chromium with one page, which web/ui/drive/browser.mjs drives.
type browser struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	url string
}

// step is one thing to do in the page, or what it is to be done with.
type step struct {
	Do     string `json:"do,omitempty"`
	CSS    string `json:"css,omitempty"`
	Role   string `json:"role,omitempty"`
	Name   string `json:"name,omitempty"`
	Within *step  `json:"within,omitempty"`
	Frame  string `json:"frame,omitempty"` // CSS of the frame that it is in
	URL    string `json:"url,omitempty"`
	Text   string `json:"text,omitempty"`
	Path   string `json:"path,omitempty"`
	Value  any    `json:"value,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Number int    `json:"number,omitempty"`
}

// newBrowser starts Chromium; more goes into its environment.
func newBrowser(t *testing.T, web string, more ...string) *browser {
	t.Helper()
	needPeer(t, "chromium")
	if _, err := os.Stat(filepath.Join(uiFolder, "node_modules", "playwright-core")); err != nil {
		t.Fatal("the browser's driver is missing; run scripts/install-test-deps.sh")
	}
	command := exec.Command(needPeer(t, "node"), "drive/browser.mjs")
	command.Dir = uiFolder
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), more...)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(command); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, in: in, out: bufio.NewReader(out), url: "http://" + web + "/"}
	t.Cleanup(func() {
		_ = in.Close() // it ends then, and takes Chromium along
		done := make(chan struct{})
		go func() { _ = command.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(patience):
			_ = command.Process.Kill()
		}
	})
	return b
}

// do takes a step and returns what came of it.
func (b *browser) do(what string, q step) any {
	b.t.Helper()
	q.Do = what
	line, err := json.Marshal(q)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		b.t.Fatalf("the browser has ended: %v", err)
	}
	answer, err := b.out.ReadBytes('\n')
	if err != nil {
		b.t.Fatalf("%s: the browser has ended: %v", line, err)
	}
	var got struct {
		Value any
		Error string
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		b.t.Fatalf("%s: %v", answer, err)
	}
	if got.Error != "" {
		q.Do, q.Text, q.Path = "text", "", ""
		b.t.Fatalf("in the browser: %s: %s\nthe page says: %s", line, got.Error, b.page())
	}
	return got.Value
}

// page is all that can be read on it, for messages.
func (b *browser) page() string {
	_, _ = io.WriteString(b.in, `{"do":"run","text":"document.body.innerText"}`+"\n")
	answer, _ := b.out.ReadBytes('\n')
	return string(answer)
}

func (b *browser) open(path string) { b.t.Helper(); b.do("open", step{URL: b.url + path}) }

// picture takes one into the folder of the flag -pictures, if that is given.
func (b *browser) picture(name string) {
	b.t.Helper()
	if *picturesFolder != "" {
		b.do("picture", step{Path: filepath.Join(*picturesFolder, name+".png")})
	}
}

// brightness is how light a place of what is seen is: 0 black to 255 white.
func (b *browser) brightness(x, y int) int {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "seen.png")
	b.do("picture", step{Path: path})
	file, err := os.Open(path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer file.Close()
	seen, err := png.Decode(file)
	if err != nil {
		b.t.Fatal(err)
	}
	return int(color.GrayModel.Convert(seen.At(x, y)).(color.Gray).Y)
}

func (b *browser) see(css string)       { b.t.Helper(); b.do("see", step{CSS: css}) }
func (b *browser) gone(css string)      { b.t.Helper(); b.do("gone", step{CSS: css}) }
func (b *browser) click(css string)     { b.t.Helper(); b.do("click", step{CSS: css}) }
func (b *browser) fill(css, txt string) { b.t.Helper(); b.do("fill", step{CSS: css, Text: txt}) }
func (b *browser) press(button string) {
	b.t.Helper()
	b.do("click", step{Role: "button", Name: button})
}
func (b *browser) choose(item string) {
	b.t.Helper()
	b.do("click", step{Role: "menuitem", Name: item})
}

// seeText waits until a part of the page says this.
func (b *browser) seeText(css, want string) {
	b.t.Helper()
	want, _ = strings.CutSuffix(want, "\n")
	quoted, err := json.Marshal(want)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do("until", step{Text: fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.innerText.includes(%s))", css, quoted)})
}

// keys presses Ctrl, Shift and the key of a place on the keyboard, whatever is printed on it.
func (b *browser) keys(code string, more map[string]any) {
	b.t.Helper()
	event := map[string]any{"code": code, "key": "?", "ctrlKey": true, "shiftKey": true}
	for k, v := range more {
		event[k] = v
	}
	b.do("keydown", step{Value: event})
}

// signIn signs in by the form.
func (b *browser) signIn(name, password string) {
	b.t.Helper()
	b.fill("input[name=username]", name)
	b.fill("input[name=password]", password)
	b.click("form button.main")
}

// wantClean fails the test if the page broke its policy, threw, or shuts people out.
func (b *browser) wantClean(where string) {
	b.t.Helper()
	for _, x := range b.do("axe", step{}).([]any) {
		b.t.Errorf("%s: axe: %v", where, x)
	}
	b.wantQuiet(where)
}

// wantQuiet fails the test if the page threw or broke its policy.
func (b *browser) wantQuiet(where string) {
	b.t.Helper()
	for _, x := range b.do("complaints", step{}).([]any) {
		b.t.Errorf("%s: the page complains: %v", where, x)
	}
}

package web

import (
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func (r *rig) file(path string, header ...string) *http.Response {
	r.t.Helper()
	q := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.s.server.Handler.ServeHTTP(w, q)
	return w.Result()
}

// The page and all that it names are there, for people who are not signed in, too.
func TestConsoleFiles(t *testing.T) {
	r := newRig(t)
	p := r.file("/")
	page, err := io.ReadAll(p.Body)
	if err != nil || p.StatusCode != http.StatusOK || p.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v %v", p.StatusCode, p.Header, err)
	}
	policy := p.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Error(policy)
	}
	named := regexp.MustCompile(`(?:src|href)="(/[^"]*)"`).FindAllStringSubmatch(string(page), -1)
	if len(named) < 3 {
		t.Fatalf("the page names %d files", len(named))
	}
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
	for _, x := range named {
		if p := r.file(x[1]); p.StatusCode != http.StatusOK || p.Header.Get("Content-Type") != kinds[x[1][len(x[1])-3:]] {
			t.Errorf("%s: %d %v", x[1], p.StatusCode, p.Header)
		}
	}
	if regexp.MustCompile(`<script(?:[^>]*)>[^<]|<style|\son\w+=|style=`).Match(page) {
		t.Errorf("the policy forbids what is in the page: %s", page)
	}
	for _, path := range []string{"/assets/none.js", "/assets/", "/assets/..%2findex.html", "/desk"} {
		if p := r.file(path); p.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.StatusCode)
		}
	}
}

// Files are asked for anew each time and sent only where they have changed; compressed for those who take it.
func TestConsoleFiles_Unchanged(t *testing.T) {
	r := newRig(t)
	const script = "/assets/index.js"
	plain, packed := r.file(script), r.file(script, "Accept-Encoding", "br, gzip;q=0.8")
	text, err := io.ReadAll(plain.Body)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := io.ReadAll(z); err != nil || string(same) != string(text) || packed.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v %v", err, packed.Header)
	}
	if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Cache-Control") != "no-cache" {
		t.Error(plain.Header)
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("two forms of the file have one ETag")
	}
	for _, accept := range []string{"", "gzip"} {
		etag := r.file(script, "Accept-Encoding", accept).Header.Get("ETag")
		if p := r.file(script, "Accept-Encoding", accept, "If-None-Match", etag); p.StatusCode != http.StatusNotModified {
			t.Errorf("%q: %d", accept, p.StatusCode)
		}
		if p := r.file(script, "Accept-Encoding", accept, "If-None-Match", `"other"`); p.StatusCode != http.StatusOK {
			t.Errorf("%q: %d", accept, p.StatusCode)
		}
	}
	for accept, want := range map[string]bool{"gzip": true, "br": false, "gzip;q=0": false, "GZIP": true, "deflate, gzip": true, "gzip; q=0.000": false} {
		if takesGzip(accept) != want {
			t.Errorf("%q", accept)
		}
	}
}

// What the browser loads before the desk is shown stays small; the budget is in bytes, compressed. What is
// loaded later, as the telephone is, does not count, and is looked for so that it does not slip in.
func TestConsoleFirstPaint(t *testing.T) {
	const budget = 60_000
	r, sum, seen := newRig(t), int64(0), map[string]bool{}
	static := regexp.MustCompile(`(?:from|import)\s*"\./([\w.-]+\.js)"|(?:src|href)="/assets/([\w.-]+)"|new URL\("/assets/([\w.-]+)"`)
	for todo := []string{"/", "/assets/ru.js"}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if seen[path] {
			continue
		}
		seen[path] = true
		n, err := io.Copy(io.Discard, r.file(path, "Accept-Encoding", "gzip").Body)
		if err != nil || n == 0 {
			t.Fatalf("%s: %d bytes, %v", path, n, err)
		}
		sum += n
		text, err := io.ReadAll(r.file(path).Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range static.FindAllStringSubmatch(string(text), -1) {
			todo = append(todo, "/assets/"+m[1]+m[2]+m[3])
		}
	}
	t.Logf("first paint of the desk: %d bytes compressed, in Russian, the longest: %v", sum, slices.Sorted(maps.Keys(seen)))
	if sum > budget {
		t.Errorf("first paint of the desk takes %d bytes, more than %d", sum, budget)
	}
	for _, want := range []string{"/assets/index.js", "/assets/index.css"} {
		if !seen[want] {
			t.Errorf("%s was not found: the test measures less than there is", want)
		}
	}
	later := r.file("/assets/jssip.js")
	if later.StatusCode != http.StatusOK || seen["/assets/jssip.js"] {
		t.Errorf("the telephone: %d; it is to be loaded after the desk is shown", later.StatusCode)
	}
}

// The licences of all that the bundle has of others come along.
func TestConsoleLicences(t *testing.T) {
	text, err := io.ReadAll(newRig(t).file("/assets/licences.txt").Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"preact\n", "jssip\n", "José Luis Millán", "sdp-transform\n", "events\n", "debug\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the licences say nothing of %q", want)
		}
	}
}

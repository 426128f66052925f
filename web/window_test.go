package web

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// fakeWindow has one channel, of one site.
type fakeWindow struct{}

func (fakeWindow) Origins(channel string) ([]string, bool) {
	return []string{"https://shop.example"}, channel == "website"
}

func (fakeWindow) Serve(w http.ResponseWriter, _ *http.Request, channel, action string, from netip.Addr, secure bool) {
	_, _ = io.WriteString(w, strings.Join([]string{channel, action, from.String()}, " "))
}

func (fakeWindow) Caller(*http.Request, string, string, bool) (string, bool) { return "", false }

// Only sites of the channel's list may show its window; any page may load what makes the frame.
func TestWindow(t *testing.T) {
	r := newRig(t)
	page := r.file("/widget/website")
	policy := page.Header.Get("Content-Security-Policy")
	if page.StatusCode != 200 || !strings.HasSuffix(policy, "frame-ancestors 'self' https://shop.example") || strings.Contains(policy, "unsafe") || page.Header.Get("X-Frame-Options") != "" {
		t.Errorf("%d %v", page.StatusCode, page.Header)
	}
	if p := r.file("/widget/nowhere"); p.StatusCode != 404 || p.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%d %v", p.StatusCode, p.Header)
	}
	if p := r.file("/widget.js"); p.StatusCode != 200 || p.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("%d %v", p.StatusCode, p.Header)
	}
	if p := r.file("/assets/widget.js"); p.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("%v", p.Header)
	}
	if text, err := io.ReadAll(r.file("/widget/website/files/abc").Body); err != nil || !strings.HasPrefix(string(text), "website files/abc ") {
		t.Errorf("%s %v", text, err)
	}
}

// The window has a budget of its own, in bytes, compressed.
func TestWindowSize(t *testing.T) {
	const budget = 25_000
	r, sum := newRig(t), int64(0)
	for _, path := range []string{"/widget.js", "/widget/website", "/assets/widget.js", "/assets/widget.css"} {
		n, err := io.Copy(io.Discard, r.file(path, "Accept-Encoding", "gzip").Body)
		if err != nil || n == 0 {
			t.Fatalf("%s: %d bytes, %v", path, n, err)
		}
		sum += n
	}
	t.Logf("the window: %d bytes compressed, in all languages", sum)
	if sum > budget {
		t.Errorf("the window takes %d bytes, more than %d", sum, budget)
	}
}

package app

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Over https the web server shows the server's own certificate, and its cookies are for TLS alone.
func TestWeb_TLS(t *testing.T) {
	config := webSite(t, "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "http://127.0.0.1:0", "https://127.0.0.1:0", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	a := started(t, config)
	pem, err := os.ReadFile(filepath.Join(filepath.Dir(config), "data", "tls", "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	p, err := (&http.Client{Transport: transport}).Get("https://" + a.WebAddr().String() + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Body.Close()
	if p.StatusCode != http.StatusOK || p.ProtoMajor != 2 || p.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d HTTP/%d %v", p.StatusCode, p.ProtoMajor, p.Header)
	}
	transport.CloseIdleConnections()
	stopped(t, a)
}

// Whoever starts a server is told its console's address and, until somebody can administer, how to sign in.
func TestWeb_Greeting(t *testing.T) {
	config := webSite(t, "agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\n")
	var told strings.Builder
	a, err := New(t.Context(), Options{Config: config, Console: io.Discard, Greeting: &told})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stopped(t, a)
	file, err := os.ReadFile(filepath.Join(filepath.Dir(config), "data", firstSignIn))
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(strings.TrimSpace(string(file)), "password: ")
	console := "http://" + a.WebAddr().String() + "/"
	want := "\nConsole: " + console + "\nSign in as admin by this link, which works once:\n  " + console + "#/sign-in/admin/" + password + "\n\n"
	if told.String() != want {
		t.Errorf("%q, want %q", told.String(), want)
	}
	p, err := http.Get("http://" + a.WebAddr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Body.Close()
	if p.StatusCode != http.StatusOK || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %v", p.StatusCode, p.Header)
	}
	http.DefaultClient.CloseIdleConnections()
}

package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var update = flag.Bool("update", false, "write the table of metrics of the guide")

const metricsGuide = "../../docs/guides/metrics.md"

// The guide lists every metric as the program does: go test ./internal/app -run Guide -update
func TestMetrics_Guide(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics\n\nMade from the program's own list by `go test ./internal/app -run Guide -update`. Besides these, `/metrics` has " +
		"the usual\n`go_…` and `process_…`. Labels are bounded by the configuration: groups, trunks, and closed lists of outcomes and methods.\n" +
		"[alerts.yaml](../../packaging/alerts.yaml) has rules for Prometheus to begin with.\n\n| metric | labels | meaning |\n|---|---|---|\n")
	for _, m := range metrics() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, strings.Join(m.labels, ", "), m.help)
	}
	if *update {
		if err := os.WriteFile(metricsGuide, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(metricsGuide)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what the program's list makes: go test ./internal/app -run Guide -update", metricsGuide)
	}
}

// Every alert rule asks for metrics that are there.
func TestMetrics_Alerts(t *testing.T) {
	text, err := os.ReadFile("../../packaging/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range metrics() {
		known[m.name] = true
	}
	found := 0
	for _, word := range strings.FieldsFunc(string(text), func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if !strings.HasPrefix(word, "centrala_") {
			continue
		}
		found++
		if word = strings.TrimSuffix(strings.TrimSuffix(word, "_bucket"), "_count"); !known[word] {
			t.Errorf("%s is asked for and does not exist", word)
		}
	}
	if found < 5 {
		t.Errorf("%d metrics found in the rules", found)
	}
}

// newServer makes a server with these settings and queue groups in a folder of its own.
func newServer(t *testing.T, settings, groups string) *App {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"centrala.yaml":    "region: PL\ndata: " + filepath.Join(dir, "data") + "\nqueuegroups: queuegroups.yaml\n" + settings,
		"queuegroups.yaml": groups,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, err := New(ctx, Options{Config: filepath.Join(dir, "centrala.yaml"), Console: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// What is collected is what the list says, and Prometheus' own linter finds no fault
// with it.
func TestMetrics_Lint(t *testing.T) {
	a := newServer(t, "listen: {sip: [\"udp://127.0.0.1:0\"], admin: \"\"}\n",
		"agents: {anna: {}}\ngroups: {sales: {agents: [anna]}}\ntrunks: {carrier: {from: [192.0.2.1]}}\n")
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.messages.add(false, []byte("INVITE sip:a SIP/2.0\r\n\r\n"))
	a.messages.add(true, []byte("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newFigures(a))
	registry.MustRegister(a.histograms.collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) < 35 {
		t.Errorf("%d families", len(families))
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range families {
		if helpOf(f.GetName()) != f.GetHelp() || f.GetHelp() == "" {
			t.Errorf("%s is not in the list", f.GetName())
		}
	}
}

func TestSIPCount(t *testing.T) {
	var c sipCount
	for _, m := range []string{
		"INVITE sip:a SIP/2.0\r\n\r\n", "INVITE sip:b SIP/2.0\r\n\r\n", "ODDITY sip:b SIP/2.0\r\n\r\n",
		"SIP/2.0 486 Busy\r\nVia: x\r\nCSeq: 7 INVITE\r\n\r\n", "SIP/2.0 200 OK\r\nCSeq:7  ODDITY \r\n\r\n",
		"SIP/2.0 abc\r\nCSeq: 7 INVITE\r\n\r\n", "SIP/2.0 200 OK\r\n\r\nCSeq", "SIP/2.0 2", "SIP/2.0 999 X\r\nCSeq: 7 INVITE\r\n\r\n", "",
	} {
		c.add(true, []byte(m))
	}
	c.add(false, []byte("BYE sip:a SIP/2.0\r\n\r\n"))
	got := map[string]uint64{}
	c.each(func(n uint64, method, dir string) { got[method+" "+dir] = n },
		func(n uint64, method string, status int, dir string) {
			got[fmt.Sprintf("%s %d %s", method, status, dir)] = n
		})
	want := map[string]uint64{"INVITE out": 2, "other out": 2, "INVITE 486 out": 1, "other 200 out": 1, "BYE in": 1}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

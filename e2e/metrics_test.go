package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// The figures after two calls, one answered and one given up, and a refused reload.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newServer(t, newSite(t), oneAgent)
	if s.metrics()["centrala_config_last_reload_success_timestamp_seconds"] < float64(time.Now().Add(-time.Minute).Unix()) {
		t.Error("the start was no reading of the queue groups")
	}
	gaveUp := s.call("+48600100201", "+48221234567", 700)
	gaveUp.waitAnswered()
	s.waitMetric(`centrala_queue_waiting{group="sales"}`, 1)
	s.waitMetric(`centrala_calls_active{dir="in",trunk="carrier"}`, 1)
	eventually(t, "a wait is seen", func() bool { return s.metrics()[`centrala_queue_longest_wait_seconds{group="sales"}`] > 0.1 })
	gaveUp.hangUp()
	gaveUp.waitOver()
	s.waitMetric(`centrala_queue_wait_seconds_count{group="sales",outcome="abandoned_waiting"}`, 1)
	s.waitMetric(`centrala_queue_longest_wait_seconds{group="sales"}`, 0)

	anna := s.softphone("anna", "anna-secret-1", "udp", "auto", 900)
	c := s.call("+48600100200", "+48221234567", 500)
	c.waitAnswered()
	c.waitTone("the caller hears the agent", 900, 300*time.Millisecond)
	s.waitMetric(`centrala_calls_active{dir="out",trunk=""}`, 1)
	c.hangUp()
	c.waitOver()
	anna.wait("hangs up", "CALL_CLOSED")
	s.waitMetric("centrala_calls", 0)
	s.waitMetric("centrala_sip_legs", 0)

	m := s.metrics()
	for name, want := range map[string]float64{
		`centrala_calls_active{dir="in",trunk="carrier"}`:                              0,
		`centrala_calls_total{dir="in",outcome="answered",trunk="carrier"}`:            2, // music is an answer, too
		`centrala_calls_total{dir="out",outcome="answered",trunk=""}`:                  1,
		`centrala_queue_wait_seconds_count{group="sales",outcome="answered"}`:          1,
		`centrala_queue_wait_seconds_bucket{group="sales",outcome="answered",le="30"}`: 1,
		`centrala_handle_seconds_count{group="sales"}`:                                 1,
		`centrala_rtp_jitter_seconds_count`:                                            3,
		`centrala_rtp_lost_packets_total`:                                              0,
		`centrala_sip_requests_total{dir="in",method="INVITE"}`:                        2,
		`centrala_sip_requests_total{dir="out",method="INVITE"}`:                       1,
		`centrala_sip_requests_total{dir="out",method="BYE"}`:                          1,
		`centrala_sip_responses_total{code="200",dir="out",method="INVITE"}`:           2,
		`centrala_sip_responses_total{code="200",dir="in",method="INVITE"}`:            1,
		`centrala_sip_responses_total{code="200",dir="out",method="REGISTER"}`:         1,
		`centrala_sip_registrations{kind="user"}`:                                      1,
		`centrala_offers_total{outcome="answered"}`:                                    1,
		`centrala_trace_calls`:                                                         2,
		`centrala_config_last_reload_successful`:                                       1,
	} {
		if got, ok := m[name]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if sum := m[`centrala_handle_seconds_sum{group="sales"}`]; sum < 0.2 || sum > 30 {
		t.Errorf("talked for %v s", sum)
	}
	for name := range m {
		if strings.Contains(name, "48600") || strings.Contains(name, "48221234567") {
			t.Errorf("a number in a label: %s", name)
		}
	}

	s.expectFault("reload refused")
	s.writeFile("queuegroups.yaml", "agents: nobody")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.waitMetric("centrala_config_last_reload_successful", 0)

	response, err := http.Get("http://" + s.admin.String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	problems, err := promlint.New(response.Body).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "centrala_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

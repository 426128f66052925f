package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"centrala/internal/trace"
)

// admin is the listener for monitoring: health, figures, profiles. It is bound
// by New and answers from Start on.
type admin struct {
	listener net.Listener
	server   *http.Server
}

func newAdmin(a *App, addr netip.AddrPort) (*admin, error) {
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("admin listener: %w", err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newFigures(a),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	registry.MustRegister(a.histograms.collectors()...)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, a.facts.Healthy(), a.journal.Healthy()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, a.notReady(), a.journal.Healthy())
	})
	var recorder *trace.Recorder
	if a.trace != nil {
		recorder = a.trace.recorder
	}
	mux.Handle("GET /trace", trace.Handler(recorder))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return &admin{
		listener: l,
		server:   &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second},
	}, nil
}

// notReady tells, a line each, why calls should not be sent here; nil: they should.
// A server without a trunk that registers needs none; one with some needs one that
// is registered.
func (a *App) notReady() error {
	var why []error
	switch {
	case a.ready.Load():
	case a.draining.Load():
		why = append(why, errors.New("draining: new calls are turned away"))
	default:
		why = append(why, errors.New("the server has not started yet, or has ended"))
	}
	why = append(why, a.facts.Healthy())
	wanted, registered := 0, 0
	for _, t := range a.stack.Trunks() {
		if t.Registers {
			wanted++
		}
		if t.Registered {
			registered++
		}
	}
	if wanted > 0 && registered == 0 {
		why = append(why, errors.New("no trunk is registered with its carrier"))
	}
	return errors.Join(why...)
}

// answer tells whether calls can be taken, and what is wrong besides: without its
// database the server takes calls all the same.
func answer(w http.ResponseWriter, err, besides error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
	if besides != nil {
		fmt.Fprintln(w, "but", besides)
	}
}

func (s *admin) addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

func (s *admin) start() {
	go func() { _ = s.server.Serve(s.listener) }() // returns when stop closes the listener
}

// stop ends the listener, whether it was started or not.
func (s *admin) stop(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	_ = s.listener.Close() // Shutdown knows it only once it serves
	return err
}

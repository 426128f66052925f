package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"centrala/acd"
)

// histograms are figures of things that are over, sorted into buckets as they end.
type histograms struct {
	wait, handle *prometheus.HistogramVec
	jitter       prometheus.Histogram
	lost         prometheus.Counter
}

// The names of the histograms, for the list of metrics.
const (
	waitSeconds   = "centrala_queue_wait_seconds"
	handleSeconds = "centrala_handle_seconds"
	jitterSeconds = "centrala_rtp_jitter_seconds"
	rtpLost       = "centrala_rtp_lost_packets_total"
)

func newHistograms() *histograms {
	h := func(name string, buckets ...float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: helpOf(name), Buckets: buckets}
	}
	return &histograms{
		wait:   prometheus.NewHistogramVec(h(waitSeconds, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800), []string{"group", "outcome"}),
		handle: prometheus.NewHistogramVec(h(handleSeconds, 5, 10, 20, 30, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600), []string{"group"}),
		jitter: prometheus.NewHistogram(h(jitterSeconds, .001, .002, .005, .01, .02, .03, .05, .1, .2)),
		lost:   prometheus.NewCounter(prometheus.CounterOpts{Name: rtpLost, Help: helpOf(rtpLost)}),
	}
}

func (h *histograms) collectors() []prometheus.Collector {
	return []prometheus.Collector{h.wait, h.handle, h.jitter, h.lost}
}

// ended counts an interaction that is over.
func (h *histograms) ended(r acd.Record) {
	if r.Group == "" {
		return // it was in no queue
	}
	group := string(r.Group)
	if r.Answered.IsZero() {
		h.wait.WithLabelValues(group, string(r.End)).Observe(r.Ended.Sub(r.Arrived).Seconds())
		return
	}
	h.wait.WithLabelValues(group, string(acd.OutcomeAnswered)).Observe(r.Answered.Sub(r.Arrived).Seconds())
	h.handle.WithLabelValues(group).Observe(r.Ended.Sub(r.Answered).Seconds())
}

// fact counts what this node tells the log.
func (h *histograms) fact(e acd.Event) {
	ended, ok := e.(*acd.LegEnded)
	if !ok || ended.Media == nil || ended.Media.In.Packets == 0 {
		return
	}
	h.lost.Add(float64(ended.Media.In.Lost))
	h.jitter.Observe((time.Duration(ended.Media.In.JitterMean) * time.Microsecond).Seconds())
}

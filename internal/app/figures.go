package app

import (
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"centrala/acd"
	"centrala/sip"
)

// figures turns the parts' own counts into metrics at the moment they are asked for.
type figures struct {
	app  *App
	desc map[string]*prometheus.Desc
}

// metric is one line of the list of all metrics.
type metric struct {
	name, help string
	labels     []string
}

// metrics is the one list of what /metrics shows of ours.
func metrics() []metric {
	return []metric{
		{"centrala_build_info", "1, with the version of the program and of Go.", []string{"version", "goversion"}},
		{"centrala_config_last_reload_successful", "1 where the newest reading of the queue groups put them in force; 0: the version before it goes on.", nil},
		{"centrala_config_last_reload_success_timestamp_seconds", "When queue groups were put in force last, in seconds since 1970.", nil},
		{"centrala_calls", "Calls that have a leg on this node now.", nil},
		{"centrala_calls_active", "SIP calls now, by direction (in, out) and trunk; those of and to phones have no trunk.", []string{"dir", "trunk"}},
		{"centrala_calls_total", "SIP calls that are over, by direction, trunk and outcome: answered, which callers who hear music are, too, or why not.", []string{"dir", "trunk", "outcome"}},
		{"centrala_calls_arrived_total", "Calls from trunks and from agents that were handed to the core.", nil},
		{"centrala_calls_refused_total", "Calls from trunks and from agents refused before the core saw them.", nil},
		{"centrala_calls_denied_total", "Calls and transfers of agents to numbers outside that they may not call.", nil},
		{"centrala_redirections_total", "Phones that sent a call elsewhere (302), by what became of that: followed, refused.", []string{"result"}},
		{"centrala_interactions", "Interactions that have not ended, by group.", []string{"group"}},
		{"centrala_queue_waiting", "Interactions for which nobody is being rung, by group.", []string{"group"}},
		{"centrala_queue_longest_wait_seconds", "How long the first of these waits, by group; 0: nobody does.", []string{"group"}},
		{waitSeconds, "Waits of interactions that are over, from arrival to the answer or the end, by the last group and outcome: answered, or how it ended.", []string{"group", "outcome"}},
		{handleSeconds, "Times from the answer to the end, of interactions that are over, by the last group.", []string{"group"}},
		{"centrala_agents", "Agents by group and status.", []string{"group", "status"}},
		{"centrala_interactions_ended_total", "Interactions by how they ended.", []string{"end"}},
		{"centrala_offers_total", "Offers by outcome.", []string{"outcome"}},
		{"centrala_late_facts_total", "Facts that came too late, twice, or about things unknown.", nil},
		{"centrala_bridges_total", "Callers and agents connected.", nil},
		{"centrala_call_faults_total", "Calls ended by a fault of the program.", nil},
		{"centrala_facts_refused_total", "Facts that the log did not take.", nil},
		{"centrala_sip_legs", "SIP legs now.", nil},
		{"centrala_sip_requests_total", "SIP requests by method and direction (in, out), repeated ones included.", []string{"method", "dir"}},
		{"centrala_sip_responses_total", "SIP responses by method, status and direction, repeated ones included.", []string{"method", "code", "dir"}},
		{"centrala_sip_registrations", "Users with a phone that is registered here (user), and trunks where we are registered (trunk).", []string{"kind"}},
		{"centrala_sip_calls_challenged_total", "Calls from no trunk that were asked for a password, the first try of every phone among them.", nil},
		{"centrala_sip_calls_denied_total", "Calls from no trunk with a wrong password, and those over a user's limit.", nil},
		{"centrala_sip_watches", "Subscriptions of busy lamp fields now.", nil},
		{"centrala_trunk_calls", "Calls of a trunk now, in both directions.", []string{"trunk"}},
		{"centrala_trunk_calls_limit", "Calls that a trunk may have at once; only of trunks with such a limit.", []string{"trunk"}},
		{"centrala_trunk_calls_per_second_limit", "Calls that may begin in a second on a trunk; only of trunks with such a limit.", []string{"trunk"}},
		{"centrala_trunk_limited_total", "Calls of a trunk refused, or not made, because of a limit: calls or rate.", []string{"trunk", "limit"}},
		{"centrala_trunk_registered", "1 where the carrier has our registration; only of trunks that have an account.", []string{"trunk"}},
		{"centrala_trunk_up", "1 where the carrier answers OPTIONS; only of trunks that are asked.", []string{"trunk"}},
		{"centrala_sip_tls_handshakes_failed_total", "TLS handshakes of peers that connected and failed.", nil},
		{"centrala_media_endpoints", "Media endpoints open now.", nil},
		{"centrala_media_port_pairs_free", "RTP port pairs that are neither in use nor in quarantine.", nil},
		{"centrala_rtp_sent_packets_total", "RTP packets sent.", nil},
		{"centrala_rtp_received_packets_total", "RTP packets accepted.", nil},
		{rtpLost, "RTP packets that never came, of legs that have ended.", nil},
		{jitterSeconds, "Mean jitter of what came, of legs that have ended.", nil},
		{"centrala_rtp_discarded_packets_total", "Packets from strangers or malformed.", nil},
		{"centrala_trace_calls", "Calls that can be traced.", nil},
		{"centrala_trace_bytes", "Memory that traces take, roughly.", nil},
		{"centrala_trace_forgotten_total", "Calls that can no longer be traced because newer ones needed the room.", nil},
		{"centrala_log_applied_entries_total", "Log entries applied since the start.", nil},
		{"centrala_webhook_deliveries_total", "Attempts to send an event to a webhook, by outcome: delivered, retried, failed for the last time, or gone: the endpoint wants no more.", []string{"outcome"}},
		{"centrala_channel_up", "1 where the channel's connector works; only of channels whose other side tells.", []string{"channel"}},
		{"centrala_journal_behind_entries", "Log entries that are not in the record yet.", nil},
		{"centrala_journal_entries_total", "Log entries written to the record since the start.", nil},
		{"centrala_journal_rows_total", "Rows written to the record since the start.", nil},
		{"centrala_journal_commits_total", "Transactions of the record since the start.", nil},
		{"centrala_journal_failures_total", "Attempts to write to the record that failed since the start.", nil},
		{"centrala_journal_lost_entries_total", "Log entries that were dropped before they could be written to the record, since the start.", nil},
		{"centrala_journal_writing", "1 where this node writes the record.", nil},
		{"centrala_journal_up", "0 where the record cannot be written at present.", nil},
		{"centrala_log_leader", "1 where this node arms the deadlines.", nil},
	}
}

// helpOf is what the list says of a metric.
func helpOf(name string) string {
	for _, m := range metrics() {
		if m.name == name {
			return m.help
		}
	}
	return ""
}

func newFigures(a *App) *figures {
	f := &figures{app: a, desc: make(map[string]*prometheus.Desc)}
	for _, m := range metrics() {
		switch m.name {
		case waitSeconds, handleSeconds, jitterSeconds, rtpLost:
			continue // they collect themselves
		}
		f.desc[m.name] = prometheus.NewDesc(m.name, m.help, m.labels, nil)
	}
	return f
}

// Describe implements prometheus.Collector.
func (f *figures) Describe(out chan<- *prometheus.Desc) {
	for _, d := range f.desc {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (f *figures) Collect(out chan<- prometheus.Metric) {
	gauge := func(name string, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(f.desc[name], prometheus.GaugeValue, v, labels...)
	}
	count := func(name string, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(f.desc[name], prometheus.CounterValue, float64(v), labels...)
	}
	gauge("centrala_build_info", 1, Version(), runtime.Version())
	gauge("centrala_config_last_reload_successful", oneIf(!f.app.reloadFailed.Load()))
	gauge("centrala_config_last_reload_success_timestamp_seconds", float64(f.app.reloaded.Load()))
	b := f.app.board.Stats()
	gauge("centrala_calls", float64(b.Calls))
	count("centrala_calls_arrived_total", b.Arrived)
	count("centrala_calls_refused_total", b.Refused)
	count("centrala_calls_denied_total", b.Denied)
	count("centrala_redirections_total", b.RedirectsFollowed, "followed")
	count("centrala_redirections_total", b.RedirectsRefused, "refused")
	count("centrala_bridges_total", b.Bridges)
	count("centrala_call_faults_total", b.Panics)
	count("centrala_facts_refused_total", b.FactsRefused)

	var groups []acd.GroupView
	var counters acd.Counters
	f.app.facts.View(func(s *acd.State) { groups, counters = s.Groups(), s.Counters() })
	for _, g := range groups {
		gauge("centrala_interactions", float64(g.Interactions), string(g.ID))
		gauge("centrala_queue_waiting", float64(g.Waiting), string(g.ID))
		longest := 0.0
		if !g.Longest.IsZero() {
			longest = max(0, time.Since(g.Longest).Seconds())
		}
		gauge("centrala_queue_longest_wait_seconds", longest, string(g.ID))
		for status, n := range g.Agents {
			gauge("centrala_agents", float64(n), string(g.ID), status)
		}
	}
	for end, n := range counters.Ended {
		count("centrala_interactions_ended_total", n, string(end))
	}
	for outcome, n := range counters.Offers {
		count("centrala_offers_total", n, string(outcome))
	}
	count("centrala_late_facts_total", counters.Late+counters.Unknown)

	st := f.app.stack.Stats()
	gauge("centrala_sip_legs", float64(st.Legs))
	count("centrala_sip_tls_handshakes_failed_total", st.Handshakes)
	count("centrala_sip_calls_challenged_total", st.Challenged)
	count("centrala_sip_calls_denied_total", st.Denied)
	gauge("centrala_sip_watches", float64(st.Watches))
	f.trunks(gauge, count)
	f.sip(gauge, count)
	f.traces(gauge, count)
	m := f.app.media.Stats()
	gauge("centrala_media_endpoints", float64(m.Endpoints))
	gauge("centrala_media_port_pairs_free", float64(m.PortPairsFree))
	count("centrala_rtp_sent_packets_total", m.PacketsSent)
	count("centrala_rtp_received_packets_total", m.PacketsReceived)
	count("centrala_rtp_discarded_packets_total", m.PacketsDiscarded)

	l := f.app.facts.Stats()
	count("centrala_log_applied_entries_total", l.Applied)
	gauge("centrala_log_leader", oneIf(l.Leader))
	for outcome, n := range f.app.webhooks.Stats() {
		count("centrala_webhook_deliveries_total", n, outcome)
	}
	for channel, fault := range f.app.chats.bots.faults() {
		gauge("centrala_channel_up", oneIf(fault == ""), string(channel))
	}
	j := f.app.journal.Stats()
	gauge("centrala_journal_behind_entries", float64(j.Behind))
	count("centrala_journal_entries_total", j.Entries)
	count("centrala_journal_rows_total", j.Rows)
	count("centrala_journal_commits_total", j.Commits)
	count("centrala_journal_failures_total", j.Failures)
	count("centrala_journal_lost_entries_total", j.Lost)
	gauge("centrala_journal_writing", oneIf(j.Writing))
	gauge("centrala_journal_up", oneIf(!j.Away))
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (f *figures) trunks(gauge func(name string, v float64, labels ...string), count func(name string, v uint64, labels ...string)) {
	for _, t := range f.app.stack.Trunks() {
		gauge("centrala_trunk_calls", float64(t.Calls), t.ID)
		if t.MaxCalls > 0 {
			gauge("centrala_trunk_calls_limit", float64(t.MaxCalls), t.ID)
			count("centrala_trunk_limited_total", t.Full, t.ID, "calls")
		}
		if t.MaxRate > 0 {
			gauge("centrala_trunk_calls_per_second_limit", float64(t.MaxRate), t.ID)
			count("centrala_trunk_limited_total", t.Fast, t.ID, "rate")
		}
		if t.Registers {
			gauge("centrala_trunk_registered", oneIf(t.Registered), t.ID)
		}
		if t.Checked {
			gauge("centrala_trunk_up", oneIf(t.Up), t.ID)
		}
	}
}

// sip collects what is counted of calls, messages and registrations.
func (f *figures) sip(gauge func(name string, v float64, labels ...string), count func(name string, v uint64, labels ...string)) {
	dir := func(inbound bool) string {
		if inbound {
			return "in"
		}
		return "out"
	}
	over, active := f.app.stack.Calls()
	for kind, n := range active {
		gauge("centrala_calls_active", float64(n), dir(kind.Inbound), kind.Trunk)
	}
	trunks := 0
	for _, t := range f.app.stack.Trunks() {
		if t.Registered {
			trunks++
		}
		for _, inbound := range []bool{true, false} {
			if active[sip.CallKind{Trunk: t.ID, Inbound: inbound}] == 0 {
				gauge("centrala_calls_active", 0, dir(inbound), t.ID)
			}
		}
	}
	for kind, n := range over {
		count("centrala_calls_total", n, dir(kind.Inbound), kind.Trunk, kind.Outcome)
	}
	gauge("centrala_sip_registrations", float64(len(f.app.stack.Reachable())), "user")
	gauge("centrala_sip_registrations", float64(trunks), "trunk")
	f.app.messages.each(
		func(n uint64, method, dir string) { count("centrala_sip_requests_total", n, method, dir) },
		func(n uint64, method string, status int, dir string) {
			count("centrala_sip_responses_total", n, method, strconv.Itoa(status), dir)
		})
}

func (f *figures) traces(gauge func(name string, v float64, labels ...string), count func(name string, v uint64, labels ...string)) {
	if f.app.trace == nil {
		return
	}
	st := f.app.trace.recorder.Stats()
	gauge("centrala_trace_calls", float64(st.Calls))
	gauge("centrala_trace_bytes", float64(st.Bytes))
	count("centrala_trace_forgotten_total", st.Forgotten)
}

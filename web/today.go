package web

import (
	"context"
	"time"

	"centrala/acd"
	"centrala/internal/journal/stats"
)

const (
	// countPause is the least time between two counts of the day, and countShare how many times as long
	// as the last one took: a long day at a busy site is counted less often.
	countPause = 2 * time.Second
	countShare = 20
	// countAtLeast is how often the day is counted though nothing has happened: it may be another day.
	countAtLeast = time.Minute
	// countLimit is how long a count may take.
	countLimit = 20 * time.Second
)

// count keeps the figures of the day up to date, as long as somebody looks on.
func (b *board) count(ctx context.Context) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		changed := b.s.events.Changed()
		began := time.Now()
		figures := b.s.today(ctx)
		b.mu.Lock()
		if ctx.Err() != nil {
			b.mu.Unlock()
			return
		}
		b.figures, b.counted = figures, true
		b.mu.Unlock()
		wait.Reset(max(countPause, countShare*time.Since(began)))
		select {
		case <-wait.C:
		case <-ctx.Done():
			return
		}
		wait.Reset(countAtLeast)
		select {
		case <-changed:
		case <-wait.C:
		case <-ctx.Done():
			return
		}
	}
}

// today counts what happened in each group since the beginning of the day; nil: the record cannot be read.
func (s *Server) today(ctx context.Context) map[string]Today {
	loc, p := s.zone("")
	if p != nil {
		return nil
	}
	now := s.now()
	y, m, d := now.In(loc).Date()
	q := stats.Query{
		From: time.Date(y, m, d, 0, 0, 0, 0, loc), Till: now, Zone: loc, By: []stats.Dimension{stats.ByGroup},
		Figures: []string{"offered", "answered", "abandoned", "service_level"},
	}
	s.core.View(func(st *acd.State) {
		if config := st.Config(); config != nil {
			q.Levels = stats.Levels(config)
		}
	})
	ctx, cancel := context.WithTimeout(ctx, countLimit)
	defer cancel()
	r, err := s.record.Report(ctx, q)
	if err != nil {
		s.log.Warn().Err(err).Msg("the day's figures on wallboards cannot be counted")
		return nil
	}
	of := map[string]stats.Figure{}
	for _, f := range stats.Figures() {
		of[f.Name] = f
	}
	all := map[string]Today{}
	for k := range r.Lines {
		l := &r.Lines[k]
		value := func(name string) stats.Value { f := of[name]; return f.Of(l) }
		level := value("service_level")
		all[l.Key[0]] = Today{
			InTime: level.Part, Counted: level.Of,
			Offered: value("offered").Part, Answered: value("answered").Part, Abandoned: value("abandoned").Part,
		}
	}
	return all
}

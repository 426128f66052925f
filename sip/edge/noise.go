package edge

import (
	"context"
	"log/slog"

	"github.com/rs/zerolog"
)

// longest is how much of a text from outside goes into a log line, in bytes.
const longest = 256

// Quiet is a logger for the SIP library: warnings and errors only, at debug
// level because most of them are somebody else's mistakes, with texts cut
// short, and not more than burst lines a second.
func Quiet(log zerolog.Logger) *slog.Logger {
	const burst = 5
	sampled := log.Sample(&zerolog.BurstSampler{Burst: burst, Period: 1e9})
	return slog.New(quiet{zerolog.NewSlogHandler(sampled)})
}

type quiet struct{ next slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.next.Enabled(ctx, slog.LevelDebug)
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	short := slog.NewRecord(r.Time, slog.LevelDebug, r.Message, 0)
	r.Attrs(func(a slog.Attr) bool {
		if s := a.Value.Resolve().String(); len(s) > longest {
			a = slog.String(a.Key, s[:longest]+"…")
		}
		short.AddAttrs(a)
		return true
	})
	return q.next.Handle(ctx, short)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.next.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.next.WithGroup(name)} }

package stats

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
)

const (
	// rollEvery is how often it is looked for what can be counted ahead.
	rollEvery = time.Minute
	// settled is for how long an hour must be over. Most of what arrives late, as the
	// end of wrap-up, is there then.
	settled = 10 * time.Minute
)

// Roller counts ahead while the server runs, on the node that leads. Make it with
// NewRoller; it works from Start to Stop.
type Roller struct {
	opts RollerOptions
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
}

// RollerOptions say where.
type RollerOptions struct {
	DB     *db.DB
	Leader func() bool
	Log    zerolog.Logger
}

// NewRoller makes a roller.
func NewRoller(o RollerOptions) *Roller {
	r := &Roller{opts: o}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// Start begins.
func (r *Roller) Start() { r.done.Go(r.run) }

// Stop ends it, in the middle of an hour, too, which is counted anew later.
func (r *Roller) Stop() {
	r.stop()
	r.done.Wait()
}

func (r *Roller) run() {
	for failed := false; ; {
		var err error
		if r.opts.Leader() {
			err = r.once()
		}
		switch {
		case r.ctx.Err() != nil:
			return
		case err != nil && !failed:
			r.opts.Log.Warn().Err(err).Msg("what happened is not counted ahead at present; reports take longer")
		}
		failed = err != nil
		select {
		case <-time.After(rollEvery):
		case <-r.ctx.Done():
			return
		}
	}
}

// once counts what is over in the record, whose own time it is.
func (r *Roller) once() error {
	if err := r.opts.DB.Ping(r.ctx); err != nil {
		return err
	}
	var at int64
	err := r.opts.DB.Read().QueryRowContext(r.ctx, "select at from checkpoint where id = 1").Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stats: checkpoint: %w", err)
	}
	_, err = rollTill(r.ctx, r.opts.DB, time.UnixMicro(at).Add(-settled), true)
	return err
}

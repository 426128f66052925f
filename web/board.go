package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"centrala/acd"
	"centrala/queuegroups"
)

const (
	// boardLook is how often it is looked whether there is something new to show, while somebody watches.
	boardLook = 50 * time.Millisecond
	// boardPace is the least time between two pictures.
	boardPace = 250 * time.Millisecond
)

// board is what wallboards show: a picture of how everything stands, taken anew when the core has
// gone on, at most every boardPace and once for all who look. Nobody looking, nothing is done.
type board struct {
	s     *Server
	epoch string // of the ids of changes, which mean nothing to another process

	mu       sync.Mutex
	pic      *picture
	taken    time.Time // of this machine's clock
	scenes   map[string]*scene
	made     uint64 // scenes, ever
	watchers int
	stop     context.CancelFunc // ends what runs while somebody looks on; nil: nothing does
	turned   chan struct{}      // closed with the next picture
	figures  map[string]Today
	counted  bool // figures are others than those of the picture
}

func newBoard(s *Server) *board {
	return &board{s: s, epoch: rand.Text()[:8], scenes: map[string]*scene{}, turned: make(chan struct{})}
}

func (s *Server) boardRoutes() {
	Operation(s, Needs(queuegroups.RightAgentsRead), Route{
		ID: "get-board", Method: http.MethodGet, Path: "/board", Tag: "board", Summary: "All that a wallboard shows",
		Description: "Groups, agents and calls in the caller's reach, with who waits in which place and why. With after it is what has changed since then: " +
			"take the changes in order, each of which begins where the one before it ended; one without from replaces everything. GET /live tells changes as they happen.",
	}, s.getBoard)
	s.liveRoute()
}

// boardIn says what of a board is known.
type boardIn struct {
	After string `query:"after" maxLength:"40" doc:"The id of the last change that was taken."`
}

// BoardView is a board, or how it has changed.
type BoardView struct {
	Changes []BoardChange `json:"changes" nullable:"false"`
}

// BoardChange is how a board has changed from one moment to another.
type BoardChange struct {
	ID        string         `json:"id" doc:"Of the board as it is then."`
	From      string         `json:"from,omitempty" doc:"The id of the board that it changes. Left out: this is everything, and what was before is gone."`
	Entry     string         `json:"entry" doc:"The last entry of the core's log that is in it."`
	At        time.Time      `json:"at" doc:"The server's clock."`
	Agents    []Agent        `json:"agents" nullable:"false" doc:"Those that are new, or other than before; likewise in what follows."`
	Groups    []BoardGroup   `json:"groups" nullable:"false"`
	Lines     []BoardLine    `json:"lines" nullable:"false" doc:"Whom calls wait for."`
	Calls     []BoardCall    `json:"calls" nullable:"false"`
	Positions map[string]int `json:"positions" doc:"In the queue, by the call's id; 0: it has none any more."`
	Gone      BoardGone      `json:"gone" doc:"The ids of what is there no longer, or out of sight."`
	Size      BoardSize      `json:"size" doc:"How many there are then."`
}

// BoardGone are ids.
type BoardGone struct {
	Agents []string `json:"agents" nullable:"false"`
	Groups []string `json:"groups" nullable:"false"`
	Lines  []string `json:"lines" nullable:"false"`
	Calls  []string `json:"calls" nullable:"false"`
}

// BoardSize is how many there are of each.
type BoardSize struct {
	Agents int `json:"agents"`
	Groups int `json:"groups"`
	Lines  int `json:"lines"`
	Calls  int `json:"calls"`
}

type boardOut struct{ Body boardBody }

// boardBody is a BoardView that has been written already.
type boardBody struct{ changes [][]byte }

// MarshalJSON implements json.Marshaler.
func (b boardBody) MarshalJSON() ([]byte, error) {
	list := make([]json.RawMessage, len(b.changes))
	for k, c := range b.changes {
		list[k] = c
	}
	return json.Marshal(struct {
		Changes []json.RawMessage `json:"changes"`
	}{list})
}

// Schema implements huma.SchemaProvider.
func (boardBody) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[BoardView](), true, "")
}

func (s *Server) getBoard(_ context.Context, c *Caller, in *boardIn) (*boardOut, error) {
	list, _, err := s.board.since(s.scope(c), in.After)
	if err != nil {
		return nil, err
	}
	return &boardOut{boardBody{list}}, nil
}

// since is what changed in a scope after an id, in order, and the id of the last of it.
func (b *board) since(x scope, after string) (list [][]byte, id string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return nil, "", err
	}
	key := x.key()
	sc := b.scenes[key]
	if sc == nil {
		b.made++
		sc = &scene{scope: x, name: b.epoch + "." + number(b.made)}
		if _, err := sc.turn(b.pic); err != nil {
			return nil, "", err
		}
		b.scenes[key] = sc
		b.awake()
	}
	sc.used = time.Now()
	return sc.since(after)
}

// watch counts somebody who looks on; what it returns ends it.
func (b *board) watch() (leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers++
	b.awake()
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.watchers--
	})
}

// now is the newest picture, and a channel that is closed with the next one.
func (b *board) now() (*picture, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.refresh()
	return b.pic, b.turned, err
}

// awake has pictures taken from now on. Called under mu.
func (b *board) awake() {
	if b.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		b.stop = stop
		go b.run(ctx)
		go b.count(ctx)
	}
}

// run takes pictures as long as somebody looks on.
func (b *board) run(ctx context.Context) {
	tick := time.NewTicker(boardLook)
	defer tick.Stop()
	for {
		select {
		case <-b.s.stopping:
			b.mu.Lock()
			b.stop()
			b.mu.Unlock()
		case <-tick.C:
		}
		if ctx.Err() != nil {
			return
		}
		b.mu.Lock()
		for key, sc := range b.scenes {
			if time.Since(sc.used) > sceneIdle {
				delete(b.scenes, key)
			}
		}
		if b.watchers == 0 && len(b.scenes) == 0 {
			b.stop()
			b.stop, b.figures = nil, nil
			b.mu.Unlock()
			return
		}
		if err := b.refresh(); err != nil {
			b.s.log.Error().Err(err).Msg("wallboards stand still")
		}
		b.mu.Unlock()
	}
}

// refresh takes a picture where the core, or what is counted, has gone on, unless the last one was just taken.
// Called under mu.
func (b *board) refresh() error {
	if b.pic != nil && time.Since(b.taken) < boardPace {
		return nil
	}
	entry := uint64(0)
	b.s.core.View(func(st *acd.State) { entry = st.Index() })
	if b.pic != nil && entry == b.pic.entry && !b.counted {
		return nil
	}
	p, err := b.s.take(b.pic, b.figures)
	if err != nil {
		return err
	}
	b.pic, b.taken, b.counted = p, time.Now(), false
	for _, sc := range b.scenes {
		if _, err := sc.turn(p); err != nil {
			return err
		}
	}
	close(b.turned)
	b.turned = make(chan struct{})
	return nil
}

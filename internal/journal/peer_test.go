package journal_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"centrala/acd"
	"centrala/internal/eventlog"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// followed is the event log as the journal knows it.
type followed struct{ *eventlog.Log }

func (f followed) Follow(saved []byte) (journal.Follower, error) {
	x, err := f.Log.Follow(saved)
	if err != nil {
		return nil, err
	}
	return x, nil
}

func (f followed) Seen() (index uint64) {
	f.View(func(s *acd.State) { index = s.Index() })
	return index
}

func (f followed) Gap(err error) bool { return eventlog.Gap(err) }

// site has three agents in one group.
func site() *queuegroups.Config {
	c := &queuegroups.Config{Region: "PL"}
	g := queuegroups.Group{
		ID: "sales", Name: "Sales", Distribution: queuegroups.Evenly, Rings: 4, RingLength: 5 * time.Second, DialLimit: 10 * time.Second,
		WrapUp: 5 * time.Millisecond,
	}
	for _, id := range []queuegroups.AgentID{"anna", "bartek", "celina"} {
		c.Agents = append(c.Agents, queuegroups.Agent{ID: id, Capacity: queuegroups.Capacity{Voice: 1}})
		g.Agents = append(g.Agents, id)
	}
	c.Groups = []queuegroups.Group{g}
	c.Trunks = []queuegroups.Trunk{{ID: "carrier"}}
	c.Numbers = []queuegroups.Number{{Number: "+48221234567", Trunk: "carrier", Group: "sales"}}
	return c
}

// node is a log with a journal, and a world in which every phone answers at once.
type node struct {
	log     *eventlog.Log
	journal *journal.Journal

	mu   sync.Mutex
	legs int
	over map[acd.LegID]chan struct{} // callers' legs; closed when ended
}

// open opens a node. The database stays open when it is closed.
func open(ctx context.Context, dir string, d *db.DB, logs zerolog.Logger, tune func(*eventlog.Options)) (*node, error) {
	return openWith(ctx, dir, journal.Options{DB: d, Logs: logs}, tune)
}

func openWith(ctx context.Context, dir string, with journal.Options, tune func(*eventlog.Options)) (*node, error) {
	o := eventlog.Options{Dir: dir, Node: "n1", SnapshotEvery: 500, Log: zerolog.Nop()}
	if tune != nil {
		tune(&o)
	}
	l, err := eventlog.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	n := &node{log: l, over: map[acd.LegID]chan struct{}{}}
	with.Log, with.Node = followed{l}, "n1"
	n.journal = journal.New(with)
	if err := l.Start(n); err != nil {
		return nil, err
	}
	n.journal.Start()
	for _, e := range []acd.Event{
		&acd.LevelRaised{Level: acd.LevelMax}, &acd.ConfigApplied{Config: site()},
		&acd.NodeStarted{Node: "n1", Online: []queuegroups.AgentID{"anna", "bartek", "celina"}},
	} {
		if _, err := l.Append(e).Wait(ctx); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *node) close(ctx context.Context) error {
	n.journal.Stop(ctx)
	return n.log.Close(ctx)
}

// Applied implements eventlog.Handler: commands are done at once.
func (n *node) Applied(e acd.Entry, commands []acd.Command) {
	if ended, ok := e.Event.(*acd.LegEnded); ok {
		n.mu.Lock()
		if over := n.over[ended.Leg]; over != nil {
			close(over)
			delete(n.over, ended.Leg)
		}
		n.mu.Unlock()
	}
	for _, c := range commands {
		switch c := c.(type) {
		case *acd.Answer:
			n.log.Append(&acd.LegAnswered{Leg: c.Call})
		case *acd.Reject:
			n.log.Append(&acd.LegEnded{Leg: c.Call, Cause: acd.EndByUs})
		case *acd.Ring:
			n.log.Append(&acd.OfferRinging{Offer: c.Offer})
			if c.Offer>>16%61 == 3 { // by the entry that led to it
				n.log.Append(&acd.OfferFailed{Offer: c.Offer, Class: acd.FailDeclined, Code: 603})
				continue
			}
			n.log.Append(&acd.OfferAnswered{Offer: c.Offer, Leg: acd.LegID(fmt.Sprintf("phone-%d", c.Offer)), Node: "n1"})
		case *acd.Bridge:
			n.log.Append(&acd.Bridged{A: c.A, B: c.B})
			n.log.Append(&acd.LegEnded{Leg: c.A, Cause: acd.EndHangup, Media: &acd.MediaFigures{Codec: "PCMA", In: acd.MediaWay{Packets: 50, MOS: 440}}})
		case *acd.EndLeg:
			n.log.Append(&acd.LegEnded{Leg: c.Leg, Cause: acd.EndByUs})
		default:
		}
	}
}

// call has somebody call, talk for a moment and hang up, and returns then.
func (n *node) call(ctx context.Context, caller string) error {
	n.mu.Lock()
	n.legs++
	leg := acd.LegID(fmt.Sprintf("c%d-%d", time.Now().UnixNano(), n.legs))
	over := make(chan struct{})
	n.over[leg] = over
	n.mu.Unlock()
	if _, err := n.log.Append(&acd.CallArrived{
		Leg: leg, Node: "n1", Trunk: "carrier", From: acd.Party{Number: caller, Name: "Jan"}, To: "+48221234567",
	}).Wait(ctx); err != nil {
		return err
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

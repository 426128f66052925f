package eventlog

import "time"

// Stats are the figures of a log, for metrics.
type Stats struct {
	Appended uint64 // events taken by Append since Open
	Applied  uint64 // entries applied since Open, replayed ones too
	InFlight uint64 // events taken and not yet applied
	Window   uint64 // how many may be in flight
	Index    uint64 // of the last entry seen
	Lag      uint64 // entries in the stream that were not applied yet, when last told
	Leader   bool

	PassedOver uint64 // records in the log that did not count: doubled or out of order
	Resent     uint64 // times that records were sent again since none came back
	Panics     uint64 // of the handler

	SnapshotIndex    uint64        // of the newest snapshot; 0: none
	SnapshotAt       time.Time     // time of its last entry
	SnapshotBytes    int           // its size; 0: none was written since Open
	SnapshotDuration time.Duration // how long it took to make
}

// Stats returns the figures at this moment.
func (l *Log) Stats() Stats {
	s := Stats{
		Applied:    l.applied.Load(),
		Window:     uint64(len(l.window.slots)),
		Index:      l.seen.Load(),
		Lag:        l.behind.Load(),
		Leader:     l.Leader(),
		PassedOver: l.passed.Load(),
		Resent:     l.resent.Load(),
		Panics:     l.panics.Load(),
	}
	s.Appended, s.InFlight = l.window.counts()
	s.SnapshotIndex, s.SnapshotAt, s.SnapshotBytes, s.SnapshotDuration = l.keeper.newest()
	return s
}

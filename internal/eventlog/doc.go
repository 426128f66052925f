// Package eventlog is the replicated log that feeds the core: it stores events,
// puts them in one order, applies them to an acd.State on every node, and hands
// each entry with the commands that follow from it to a Handler.
//
// It stands on a JetStream stream, in an embedded server without any listener or
// in an external cluster; the code is the same for both. The index of an entry is
// its sequence number in the stream, its time the time at which the stream stored
// it, clamped so that it never goes back.
//
// What it adds to the stream:
//
//   - Order and exactly-once. Every process opens a session and numbers its
//     records. All nodes count along and pass over a record that is not the next
//     of its session, so a sender that is unsure what arrived sends again from the
//     first record not yet seen in the log (go-back-N). Neither a lost
//     acknowledgement nor a restart of the cluster loses, doubles or reorders
//     anything, without a window of remembered message ids.
//   - Snapshots, made by a second state that follows a little behind, so that
//     writing one never holds up the first.
//   - One timer. The leader arms it from State.NextDeadline and appends
//     DeadlinePassed; everybody else only counts along.
//   - A lease that decides who the leader is.
//   - Buckets for what changes too often to be logged: registrations.
//
// What it does not do: it decides nothing about calls, carries out no command,
// keeps no SIP message, media or chat text, and does not promise to survive the
// loss of power (the stream is flushed to disk every few seconds; that a killed
// process loses nothing is tested). It does not authenticate: the embedded server
// cannot be reached from outside, an external one must be protected by its admin.
//
// Why: one writer in total order is what makes every decision of the core
// repeatable and explainable; see docs/adr/0002-event-log-on-jetstream.md.
package eventlog

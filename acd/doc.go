// Package acd is the core: a deterministic state machine that distributes
// interactions (calls, chats) among agents.
//
// Facts come in as log entries by Apply, commands to the world go out of it;
// nothing else goes in or out. The package has no I/O, no goroutine, no clock, no
// source of chance, and nothing that it puts out depends on the order of a map.
// So every node that applies the same log has the same state, a recorded day can
// be played again, and a simulator can run millions of calls with a virtual clock.
//
// It does not know SIP, media or chat connectors; it does not arm timers (it
// keeps absolute deadlines, and the leader of the log tells when one has passed);
// and it keeps no history: a finished interaction leaves the state with its
// Record.
//
// The rules are those of DESIGN.md section 3; requirement numbers (R19, R91 …)
// stand where a line of code fulfils them.
package acd

// Package sip is Centrala's SIP user agent: it listens, registers the agents'
// phones, takes calls from trunks and rings phones. Its users see two things,
// a [Stack] and the [Leg]s of calls on it.
//
// Layers, from the network up: edge (sockets, flows, flood limits), tx (the
// transaction layer and the checks of RFC 3261 section 8.2), dialog (the pure
// state machine of one dialog), and this package, which joins them with
// auth and registrar. Media is somebody else's: a leg carries SDP as bytes.
//
// Every input of a leg (messages, timers, failures) is posted to the
// [Mailbox] of the leg's owner, so that an owner with several legs handles
// them one after another without locks.
package sip

// Package e2e tests the server as a whole with real peers: the built program in
// a process of its own, sipp as the carrier, baresip as agents' phones, and
// phones of the tests' own where a test has to answer to the millisecond. What
// the parties hear is recorded and analysed: each plays a tone of its own.
//
// Every test has its own ports, addresses, folders and server, so that tests run
// side by side. They wait for events, in what peers report and in the server's
// log, and never for time to pass. scripts/install-test-deps.sh installs the peers.
package e2e

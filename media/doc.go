// Package media carries the audio of calls: RTP endpoints with their ports and
// session descriptions, a relay between two endpoints, programmes played to any
// number of listeners, and RTCP.
//
// Each endpoint sends one RTP stream for its whole life: one SSRC, continuous
// sequence numbers and timestamps, whatever its source is (a programme, the
// other leg of a bridge, nothing). Programmes are encoded once and shared; a
// listener costs a header and one system call every 20 ms. A bridged packet is
// rewritten in the buffer it was read into and written to the other leg's
// socket by the goroutine that read it. Where one source takes the place of
// another in the midst of a sound, its first 10 ms are led on from the last
// sample, so that the change does not click.
//
// A browser's endpoint differs in how its peer is found and proven: by ICE and DTLS,
// on one port for all browsers (web.go, webport.go; docs/adr/0013-webrtc.md).
//
// How more can attach, without a change to what is above:
//   - Recording takes what a peer says from OnAudio, which has it in the order of
//     arrival with its timestamps, and what the peer hears from the two places
//     that call stream.write with audio, play and relay. A recorder copies payload
//     into a bounded ring and loses frames itself when its disk is slow.
//   - A mixer for three parties, and for listening, whispering and barging in, is a
//     Program for each who hears it: it adds up, at each tick, the frames that
//     OnAudio of the others put into their rings. Who hears whom is which rings a
//     programme adds. Two parties go back to the relay when a third has left.
//
// Where both ends of a bridge take Opus, as browsers do, it goes through as it is; what is
// played is G.711 all the same, and the switchboard tells each browser what to send (PreferOpus).
//
// The package knows G.711 and telephone-event, passes Opus on and does not mix, resample or
// record. It knows neither SIP nor queues: session descriptions come and go as
// bytes. It needs Linux: sockets are read through epoll(7), those of callers who only wait
// on the beat of their music (beat.go), and written by plain system calls, see
// socket_linux.go for the reason.
package media

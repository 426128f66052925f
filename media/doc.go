// Package media carries the audio of calls: RTP endpoints with their ports and
// session descriptions, a relay between two endpoints, programmes played to any
// number of listeners, and RTCP.
//
// Each endpoint sends one RTP stream for its whole life: one SSRC, continuous
// sequence numbers and timestamps, whatever its source is (a programme, the
// other leg of a bridge, nothing). Programmes are encoded once and shared; a
// listener costs a header and one system call every 20 ms. A bridged packet is
// rewritten in the buffer it was read into and written to the other leg's
// socket by the goroutine that read it.
//
// The package knows G.711 and telephone-event and does not mix, resample or
// record. It knows neither SIP nor queues: session descriptions come and go as
// bytes. It needs Linux: sockets are read through epoll(7) and written by plain
// system calls, see socket_linux.go for the reason.
package media

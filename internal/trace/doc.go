// Package trace remembers what was said and decided about the latest calls: SIP
// messages, facts and commands of the core, the reasons of its decisions, and what
// happened to audio. It shows a call as one ladder in order of time, and its
// messages as a capture file.
//
// A [Recorder] keeps everything in memory, within bounds, and nothing after the
// process: the record of calls is the journal's. It knows nothing of the packages
// that it is told of; the composition root tells it. Passwords, what answers a
// challenge, keys of encrypted audio and the telephone keys that people press are
// made unreadable before anything is stored.
package trace

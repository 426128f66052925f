// Package holdmusic turns sound files into programmes of hold music and prompts.
//
// A programme is a list of WAV and MP3 files that are played one after another, for
// ever. Each file (any sample rate from 1000 to 384000 Hz, of MP3 from 11025 Hz,
// mono or stereo) is made mono, brought to 8000 Hz and to one loudness, once, when
// it is loaded, piece by piece, and encoded once for each codec. Any number of callers then listen to the same
// bytes. A programme plays all the time whether or not anybody listens: who is
// put on hold hears it from where it now is, and so does everybody else.
//
// A file is named as Load's opener understands it, or is one of those that are
// built in, by a name that begins with "builtin:":
//
//	builtin:default          the tune that is heard where none is configured
//	builtin:en/please-wait   "Please wait. We will be with you shortly."
//	builtin:pl/please-wait   the same in Polish
//	builtin:ru/please-wait   the same in Russian
//
// An announcement tells one listener their position in the queue and the expected
// wait in English, Polish or Russian: a programme of their own, put together from
// the words of a voice, with the music faded out before and in after it. The built-in
// voices were spoken by espeak-ng (announcements/make.sh); own recordings take their
// place as a folder of WAV or MP3 files of the same names.
//
// A reply is what agents of ours are told: what came of a feature code, or for
// which group they are called outside. It is put together from words in the same
// way, and heard without music.
//
// The package does not send anything: media plays programmes to endpoints.
package holdmusic

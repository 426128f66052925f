// Command maketunes makes the music that Centrala ships with: its own tunes,
// composed and played by this program, free for everyone to use under the
// project's licence. It always makes the same files, to the byte.
//
//	go run ./holdmusic/cmd/maketunes    # in the repository's root
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"centrala/media/wav"
)

func main() {
	root := flag.String("root", ".", "the repository's root")
	flag.Parse()
	for name, content := range files() {
		if err := os.WriteFile(filepath.Join(*root, name), content, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "maketunes:", err)
			os.Exit(1)
		}
	}
}

// files gives the files that are made, by their path from the repository's root.
func files() map[string][]byte {
	quiet := wave(calm())
	return map[string][]byte{
		"configs/music/calm.wav":        quiet,
		"configs/music/jazz.wav":        wave(jazz()),
		"holdmusic/builtin/default.wav": quiet,
	}
}

// wave gives samples as a WAV file.
func wave(samples []int16) []byte {
	var b bytes.Buffer
	if err := wav.Write(&b, rate, samples); err != nil {
		panic(err) // cannot be: a Buffer takes everything and a tune is short
	}
	return b.Bytes()
}

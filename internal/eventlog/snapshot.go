package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"centrala/acd"
)

// A snapshot file is a line with its format and the SHA-256 of all that follows,
// then a line of JSON (snapshotHead), then what acd.State.Snapshot wrote.
const (
	snapshotMagic  = "centrala-snapshot 1 "
	snapshotPrefix = "snapshot-"
	snapshotSuffix = ".acd"
	snapshotsKept  = 2
)

// snapshotHead is what a snapshot holds beside the state.
type snapshotHead struct {
	Index    uint64    `json:"index"` // of the last entry in it
	At       time.Time `json:"at"`    // of that entry
	Sessions sessions  `json:"sessions"`
}

// snapshot is a snapshot as read from a file.
type snapshot struct {
	snapshotHead
	body []byte // as acd.State.Snapshot wrote it
}

// emptySnapshot is what a log without a snapshot begins with.
func emptySnapshot() *snapshot {
	return &snapshot{snapshotHead: snapshotHead{Sessions: sessions{}}}
}

// state returns the state that is in the snapshot.
func (s *snapshot) state() (*acd.State, error) {
	if s.body == nil {
		return acd.NewState(), nil
	}
	return acd.Restore(bytes.NewReader(s.body))
}

func snapshotName(index uint64) string {
	return fmt.Sprintf("%s%020d%s", snapshotPrefix, index, snapshotSuffix)
}

// encodeSnapshot writes the whole file into memory, for which it makes room for about so many bytes first.
func encodeSnapshot(head snapshotHead, state *acd.State, about int) ([]byte, error) {
	line, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	buf.Grow(about)
	start := len(snapshotMagic) + hex.EncodedLen(sha256.Size) + 1
	buf.Write(make([]byte, start))
	buf.Write(line)
	buf.WriteByte('\n')
	if err := state.Snapshot(&buf); err != nil {
		return nil, err
	}
	data := buf.Bytes()
	sum := sha256.Sum256(data[start:])
	n := copy(data, snapshotMagic)
	n += hex.Encode(data[n:], sum[:])
	data[n] = '\n'
	return data, nil
}

// decodeSnapshot reads a whole file; the error says what is wrong with it.
func decodeSnapshot(data []byte) (*snapshot, error) {
	rest, ok := bytes.CutPrefix(data, []byte(snapshotMagic))
	if !ok {
		return nil, errors.New("not a snapshot of a known format")
	}
	want, rest, ok := bytes.Cut(rest, []byte{'\n'})
	if !ok {
		return nil, errors.New("cut short")
	}
	sum := sha256.Sum256(rest)
	if hex.EncodeToString(sum[:]) != string(want) {
		return nil, errors.New("checksum is wrong")
	}
	line, body, ok := bytes.Cut(rest, []byte{'\n'})
	if !ok {
		return nil, errors.New("cut short")
	}
	s := emptySnapshot()
	if err := json.Unmarshal(line, &s.snapshotHead); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	s.body = body
	return s, nil
}

// snapshotFiles returns the indexes of the snapshots in a folder, newest first.
func snapshotFiles(dir string) ([]uint64, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []uint64
	for _, f := range files {
		number, ok1 := strings.CutPrefix(f.Name(), snapshotPrefix)
		number, ok2 := strings.CutSuffix(number, snapshotSuffix)
		if index, ok3 := parseUint(number); ok1 && ok2 && ok3 {
			found = append(found, index)
		}
	}
	slices.Sort(found)
	slices.Reverse(found)
	return found, nil
}

// readNewest returns the newest snapshot of the folder that is whole and the state
// in it; an empty one where there is no snapshot at all. report is told of every
// file that is not whole.
func readNewest(dir string, report func(file string, err error)) (*snapshot, *acd.State, error) {
	found, err := snapshotFiles(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, index := range found {
		file := filepath.Join(dir, snapshotName(index))
		s, state, err := readSnapshot(file)
		if err == nil {
			return s, state, nil
		}
		report(file, err)
	}
	return emptySnapshot(), acd.NewState(), nil
}

// loadSnapshot reads the snapshot of the index from the folder.
func loadSnapshot(dir string, index uint64) (*snapshot, error) {
	data, err := os.ReadFile(filepath.Join(dir, snapshotName(index)))
	if err != nil {
		return nil, err
	}
	return decodeSnapshot(data)
}

func readSnapshot(file string) (*snapshot, *acd.State, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	s, err := decodeSnapshot(data)
	if err != nil {
		return nil, nil, err
	}
	state, err := s.state()
	return s, state, err
}

// writeSnapshot puts a file into the folder so that it is there whole or not at
// all, even if the power fails, and removes all but the newest two and what
// earlier attempts left. It returns the index of the oldest kept.
func writeSnapshot(dir string, index uint64, data []byte) (oldest uint64, err error) {
	tmp, err := os.CreateTemp(dir, "tmp-*")
	if err != nil {
		return 0, err
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, snapshotName(index)))
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(tmp.Name()))
	}
	if err := syncDir(dir); err != nil {
		return 0, err
	}
	found, err := snapshotFiles(dir)
	if err != nil {
		return 0, err
	}
	for _, old := range found[min(snapshotsKept, len(found)):] {
		err = errors.Join(err, os.Remove(filepath.Join(dir, snapshotName(old))))
	}
	return found[min(snapshotsKept, len(found))-1], err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeLeftovers removes what a process that was killed while writing left behind.
func removeLeftovers(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "tmp-*"))
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

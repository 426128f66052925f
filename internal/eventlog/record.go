package eventlog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"centrala/acd"
)

// recordFormat is the first character of every record. A program that finds
// another one stops, since a newer program wrote it.
const recordFormat = '1'

// A record is what one message of the stream holds: a line that says who sent it,
// then the event as acd.EncodeEvent wrote it.
//
//	1 <node> <epoch>.<nonce> <n>\n<event>
//
// Record 0 opens a session and has no event.
type record struct {
	node  []byte
	epoch uint64
	nonce []byte
	n     uint64
	body  []byte
}

// appendRecord writes a record. prefix is what recordPrefix returned.
func appendRecord(buf []byte, prefix string, n uint64, body []byte) []byte {
	buf = append(buf, prefix...)
	buf = strconv.AppendUint(buf, n, 10)
	buf = append(buf, '\n')
	return append(buf, body...)
}

func recordPrefix(node acd.NodeID, epoch uint64, nonce string) string {
	return fmt.Sprintf("%c %s %d.%s ", recordFormat, node, epoch, nonce)
}

// parseRecord reads a record. Its slices are parts of data. The error is
// acd.ErrUnknownEvent where a newer program wrote it.
func parseRecord(data []byte) (record, error) {
	var r record
	line, body, ok := bytes.Cut(data, []byte{'\n'})
	if !ok || len(line) == 0 {
		return r, errors.New("not a record of this log")
	}
	if line[0] != recordFormat {
		return r, fmt.Errorf("record of format %q: %w", line[0], acd.ErrUnknownEvent)
	}
	rest, ok := bytes.CutPrefix(line[1:], []byte{' '})
	node, rest, ok1 := bytes.Cut(rest, []byte{' '})
	session, number, ok2 := bytes.Cut(rest, []byte{' '})
	epoch, nonce, ok3 := bytes.Cut(session, []byte{'.'})
	if !ok || !ok1 || !ok2 || !ok3 || len(node) == 0 || len(nonce) == 0 {
		return r, errors.New("not a record of this log")
	}
	var ok4, ok5 bool
	r.node, r.nonce, r.body = node, nonce, body
	r.epoch, ok4 = parseUint(epoch)
	r.n, ok5 = parseUint(number)
	if !ok4 || !ok5 {
		return r, errors.New("not a record of this log")
	}
	return r, nil
}

// parseUint reads a decimal number without allocating.
func parseUint[T string | []byte](s T) (uint64, bool) {
	if len(s) == 0 || len(s) > 20 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		d := uint64(s[i] - '0')
		if d > 9 || n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// session is the process that a node's records are taken from.
type session struct {
	Epoch uint64 `json:"epoch"`
	Nonce string `json:"nonce"`
	N     uint64 `json:"n"` // number of the last record taken
}

// sessions says which records count. It is a function of the log alone, so all
// nodes pass over the same records; snapshots carry it.
type sessions map[acd.NodeID]*session

// verdict says what becomes of a record.
type verdict uint8

const (
	passOver    verdict = iota // doubled, out of order, or of a process that is gone
	takeOpening                // opens a session
	takeEvent                  // the next of its session
)

// take counts a record and says what becomes of it. It allocates only for an opening.
func (t sessions) take(r record) verdict {
	s := t[acd.NodeID(r.node)]
	if r.n == 0 {
		if s != nil && r.epoch <= s.Epoch {
			return passOver
		}
		t[acd.NodeID(r.node)] = &session{Epoch: r.epoch, Nonce: string(r.nonce)}
		return takeOpening
	}
	if s == nil || r.epoch != s.Epoch || string(r.nonce) != s.Nonce || r.n != s.N+1 {
		return passOver
	}
	s.N++
	return takeEvent
}

func (t sessions) clone() sessions {
	c := make(sessions, len(t))
	for id, s := range t {
		dup := *s
		c[id] = &dup
	}
	return c
}

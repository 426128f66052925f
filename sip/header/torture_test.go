package header_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/header"
)

type torture struct {
	name, section, verdict, server string
	message                        []byte
}

// readTorture reads testdata/torture.txt, whose head explains the format.
func readTorture(t testing.TB) []torture {
	t.Helper()
	text, err := os.ReadFile("testdata/torture.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []torture
	for _, block := range strings.Split(string(text), "=== ")[1:] {
		if strings.HasPrefix(block, "name ") {
			continue // the explanation
		}
		head, rest, _ := strings.Cut(block, "\n")
		field := strings.Split(head, " | ")
		message, _, ok := strings.Cut(rest, "\n---\n")
		if len(field) != 4 || !ok {
			t.Fatalf("malformed block %q", head)
		}
		list = append(list, torture{field[0], field[1], field[2], field[3], wire(t, message)})
	}
	return list
}

var (
	repeated = regexp.MustCompile(`\{(\d+)\*([^}]*)\}`)
	escaped  = regexp.MustCompile(`\\x[0-9a-f]{2}`)
)

// wire makes of the readable form what goes over the network.
func wire(t testing.TB, s string) []byte {
	t.Helper()
	s = repeated.ReplaceAllStringFunc(s, func(m string) string {
		p := repeated.FindStringSubmatch(m)
		n, _ := strconv.Atoi(p[1])
		return strings.Repeat(p[2], n)
	})
	s = strings.ReplaceAll(s, "\n", "\r\n") + "\r\n"
	s = escaped.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseUint(m[2:], 16, 8)
		return string([]byte{byte(n)})
	})
	_, body, ok := strings.Cut(s, "\r\n\r\n")
	if !ok {
		t.Fatalf("no end of headers in %q", s)
	}
	return []byte(strings.Replace(s, ": @\r\n", fmt.Sprintf(": %d\r\n", len(body)), 1))
}

// verdict is what the validator says of a message: accept, drop, or a status.
func verdict(msg []byte) (string, sip.Message) {
	refuse := func(f *header.Fault) string {
		if bytes.HasPrefix(msg, []byte("SIP/")) {
			return "drop"
		}
		return strconv.Itoa(f.Code)
	}
	if f := header.Screen(msg); f != nil {
		return refuse(f), nil
	}
	m, err := header.NewParser().ParseSIP(msg)
	if err != nil {
		return "unreadable: " + err.Error(), nil
	}
	switch m := m.(type) {
	case *sip.Request:
		if f := header.Check(m); f != nil {
			return refuse(f), m
		}
		if f := header.Unsupported(m, "path", "outbound"); f != nil {
			return refuse(f), m
		}
	case *sip.Response:
		if header.CheckResponse(m) != nil {
			return "drop", m
		}
	}
	return "accept", m
}

// TestTorture: the validator treats each message of RFC 4475 as the RFC asks.
func TestTorture(t *testing.T) {
	list := readTorture(t)
	if len(list) != 49 {
		t.Errorf("%d messages, want all 49 of RFC 4475", len(list))
	}
	for _, m := range list {
		t.Run(m.name, func(t *testing.T) {
			got, parsed := verdict(m.message)
			if got != m.verdict {
				t.Errorf("RFC 4475 %s: got %s, want %s", m.section, got, m.verdict)
			}
			if parsed != nil {
				stable(t, parsed)
			}
		})
	}
}

// stable: what was parsed is written so that parsing it again gives the same.
func stable(t *testing.T, m sip.Message) {
	t.Helper()
	once := m.String()
	again, err := header.NewParser().ParseSIP([]byte(once))
	if err != nil {
		t.Fatalf("can't parse what was written: %v\n%q", err, once)
	}
	if twice := again.String(); twice != once {
		t.Errorf("not stable:\n%q\n%q", once, twice)
	}
}

package sip

import (
	"strings"
	"testing"
	"time"
)

// A key goes to the peer by INFO, as application/dtmf-relay, in the dialog.
func TestPress_GoesByINFO(t *testing.T) {
	s := start(t)
	p, l, _, _ := established(t, s)
	l.Press('#', 160*time.Millisecond)
	info := p.recv("INFO ")
	if got := field(info, "Content-Type"); got != "application/dtmf-relay" {
		t.Errorf("Content-Type %q", got)
	}
	if !strings.HasSuffix(info, "\r\n\r\nSignal=#\r\nDuration=160\r\n") {
		t.Errorf("body of\n%s", info)
	}
	if got := field(info, "CSeq"); !strings.HasSuffix(got, " INFO") {
		t.Errorf("CSeq %q", got)
	}
	p.send(p.reply(info, 200, "", "", ""))
}

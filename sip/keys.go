package sip

import (
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
)

// Press tells the peer of an answered leg by INFO that a telephone key, one of
// 0-9 * # A-D, was pressed for a while (application/dtmf-relay; RFC 6086 section 3
// knows it as the legacy use). It is for peers who take no telephone-events.
// Nobody waits for the answer.
func (l *Leg) Press(key byte, held time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != dialog.Confirmed {
		return
	}
	l.sendKey(l.dlg, maxProofs, fmt.Sprintf("Signal=%c\r\nDuration=%d\r\n", key, held.Milliseconds()))
}

// sendKey sends an INFO, again if it asks for a password.
func (l *Leg) sendKey(d *dialog.Dialog, tries int, body string) {
	req := d.Request(sip.INFO, 0)
	req.AppendHeader(sip.NewHeader("Content-Type", "application/dtmf-relay"))
	req.SetBody([]byte(body))
	for _, h := range l.tries.auth.Headers(req) {
		req.AppendHeader(h)
	}
	l.s.tx.Send(req, l.destination(d), func(res *sip.Response, _ error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if res != nil && tries > 0 && l.tries.auth.Challenged(res) {
			l.sendKey(d, tries-1, body)
		}
	})
}

package sip

import (
	"fmt"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"centrala/sip/dialog"
	"centrala/sip/header"
	"centrala/sip/tx"
)

// Replaces names a call of ours that another one is to take the place of (RFC
// 3891), with our tag as LocalTag.
type Replaces = header.Replaces

// Refer is a peer's wish that whom they talk to be put through to somebody else
// (RFC 3515). The owner of the leg gets it by LegRefer and says by Notify what
// becomes of it.
type Refer struct {
	To       Party     // whom; Host is empty for a tel URI
	By       string    // Referred-By (RFC 3892) as it came; empty: there is none
	Replaces *Replaces // the call to take the place of (RFC 5589 section 7); nil: a new call, a blind transfer

	leg   *Leg
	event string // of the NOTIFYs; empty: the peer wants none (RFC 4488)

	// Guarded by leg.mu.
	next    int  // status to report next; 0: none
	given   bool // up: nothing is known, and nothing will be told
	over    bool // the last one was asked for, or the peer wants no more
	sending bool // a NOTIFY is on its way: the next waits for its answer, so that they cannot overtake each other
	done    func()
}

// referExpires is how long the peer is told to await reports, in seconds. The
// owner's last one comes before.
const referExpires = 60

const statusUnsupportedURIScheme = 416

// ReferAccepted is the status by which LegRefer takes a wish on.
const ReferAccepted = sip.StatusAccepted

// refer takes a REFER in the dialog.
func (l *Leg) refer(r *tx.Request) {
	ref, refusal := readRefer(r.Request)
	if refusal != nil {
		r.Refuse(refusal.Code, refusal.Reason)
		return
	}
	l.mu.Lock()
	ev, up := l.ev, l.state == dialog.Confirmed || l.state == dialog.Answered
	ref.leg, ref.sending = l, true // what the owner says meanwhile comes after our answer
	if ref.event != "" && l.referred {
		ref.event += fmt.Sprintf(";id=%d", r.CSeq().SeqNo) // RFC 3515 section 2.4.6
	}
	l.referred = true
	l.mu.Unlock()
	if !up {
		r.Refuse(sip.StatusCallTransactionDoesNotExists, "Call Is Not Answered")
		return
	}
	if status := ev.LegRefer(l, ref); status/100 != 2 {
		r.Refuse(status, statusText(status, ""))
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	res := r.Response(ReferAccepted, "Accepted", l.contact())
	if ref.event == "" {
		res.AppendHeader(sip.NewHeader("Refer-Sub", "false")) // RFC 4488 section 4
	}
	if err := r.Respond(res); err != nil {
		l.log.Debug().Err(err).Msg("answer to REFER not sent")
	}
	if ref.next == 0 {
		ref.next = sip.StatusTrying // section 2.4.4: the first NOTIFY follows at once
	}
	ref.sending = false
	ref.send()
}

// readRefer reads what a REFER asks for, or says how to refuse it.
func readRefer(req *sip.Request) (*Refer, *header.Fault) {
	var targets []string
	for v := range header.Values(req, "Refer-To") {
		targets = append(targets, v)
	}
	bad := func(what string) (*Refer, *header.Fault) {
		return nil, &header.Fault{Code: sip.StatusBadRequest, Reason: "Bad Request: " + what}
	}
	if len(targets) != 1 { // section 2.4.2
		return bad("Refer-To")
	}
	name, uri, _, err := header.ParseAddress(targets[0])
	if err != nil {
		return bad("Refer-To")
	}
	switch uri.Scheme {
	case "sip", "sips", "tel":
	default:
		return nil, &header.Fault{Code: statusUnsupportedURIScheme, Reason: "Unsupported URI Scheme"}
	}
	if m, ok := uri.UriParams.Get("method"); ok && !strings.EqualFold(m, string(sip.INVITE)) {
		return nil, &header.Fault{Code: sip.StatusGlobalDecline, Reason: "Decline"} // only calls are made for others
	}
	ref := &Refer{To: Party{User: uriUser(&uri), Name: unquote(name), Host: uri.Host}, event: "refer"}
	ref.By, _ = header.Value(req, "Referred-By")
	if v, ok := header.Value(req, "Refer-Sub"); ok && strings.EqualFold(v, "false") {
		ref.event = ""
	}
	for _, h := range uri.Headers {
		if !strings.EqualFold(h.K, "Replaces") {
			continue
		}
		x, err := header.ParseReplaces(header.UnescapedUser(h.V))
		if err != nil {
			return bad("Replaces")
		}
		ref.Replaces = &x
	}
	return ref, nil
}

// Notify reports to the peer how far the wish is: 100 to 199 that it is being
// worked on, a final status how it ended, after which nothing is reported any
// more. done, which may be nil, is then called in the owner's mailbox once: when
// the peer has the report, or after 4*T1 at the latest. The leg may have ended
// before. It may only be called in the owner's mailbox.
func (f *Refer) Notify(status int, done func()) { f.notify(status, status >= 200, done) }

// GiveUp ends the reports although it is not known what became of the wish: the time
// is over for which they were promised (RFC 6665 section 4.1.3). done is as of Notify.
func (f *Refer) GiveUp(done func()) { f.notify(sip.StatusTrying, true, done) }

func (f *Refer) notify(status int, last bool, done func()) {
	l := f.leg
	l.mu.Lock()
	late := f.over || f.event == ""
	if !late {
		f.next, f.over = status, last
		f.given = last && status < 200
		f.done = done
		if f.over && done != nil {
			time.AfterFunc(4*l.s.t1, func() { l.post(f.finish) })
		}
		f.send()
	}
	f.over = f.over || last
	l.mu.Unlock()
	if late && done != nil {
		l.post(done)
	}
}

// finish calls done unless that was done.
func (f *Refer) finish() {
	f.leg.mu.Lock()
	done := f.done
	f.done = nil
	f.leg.mu.Unlock()
	if done != nil {
		done()
	}
}

// send reports the newest status unless a report is on its way. Under leg.mu.
func (f *Refer) send() {
	if f.sending || f.next == 0 || f.event == "" {
		return
	}
	l, status := f.leg, f.next
	f.next, f.sending = 0, true
	state := fmt.Sprintf("active;expires=%d", referExpires)
	switch {
	case status >= 200:
		state = "terminated;reason=noresource"
	case f.given:
		state = "terminated;reason=timeout"
	}
	req := l.dlg.Request(sip.NOTIFY, 0)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Event", f.event))
	req.AppendHeader(sip.NewHeader("Subscription-State", state))
	req.AppendHeader(sip.NewHeader("Content-Type", "message/sipfrag;version=2.0"))
	req.SetBody(fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", status, statusText(status, "")))
	l.s.tx.Send(req, l.destination(l.dlg), func(res *sip.Response, err error) {
		if err != nil || !res.IsProvisional() {
			l.post(func() { f.answered(res, err) })
		}
	})
}

// answered works on what the peer said to a NOTIFY. One who refuses it wants no
// more of them (RFC 6665 section 4.2.2).
func (f *Refer) answered(res *sip.Response, err error) {
	f.leg.mu.Lock()
	f.sending = false
	if err != nil || !res.IsSuccess() {
		f.leg.log.Debug().Err(err).Msg("the peer takes no report of its REFER")
		f.next, f.over = 0, true
	}
	f.send()
	last := f.over && !f.sending
	f.leg.mu.Unlock()
	if last {
		f.finish()
	}
}

// Referrer is whom the peer says the wish is of (RFC 3892). False: it says nothing,
// or nothing that can be read.
func (r *Refer) Referrer() (Party, bool) {
	name, uri, _, err := header.ParseAddress(r.By)
	if err != nil {
		return Party{}, false
	}
	return Party{User: uriUser(&uri), Name: unquote(name), Host: uri.Host}, true
}

package dialog

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// NewTag makes a tag of 80 random bits. RFC 3261 section 19.3 asks for 32.
func NewTag() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return tagCode.EncodeToString(b[:])
}

var tagCode = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Dialog is the state of RFC 3261 section 12: who the ends are, where requests
// go, and which sequence numbers were used.
type Dialog struct {
	CallID    string
	LocalTag  string
	RemoteTag string // empty until the peer is known

	local  sip.FromHeader // as it stands in From of our requests
	remote sip.ToHeader   // as it stands in To of our requests
	target sip.Uri
	route  []sip.Uri // frozen by the first answer or the first request

	localSeq   uint32
	remoteSeq  uint32
	remoteUsed bool
	routeFixed bool
}

// Errors of messages that cannot make or belong to a dialog.
var (
	ErrNoContact = errors.New("no Contact")
	ErrIncoming  = errors.New("not a complete request")
)

// FromInvite is the dialog that our answer with localTag makes of an incoming
// INVITE (section 12.1.1). contact is its Contact.
func FromInvite(req *sip.Request, localTag string, contact *sip.ContactHeader) (*Dialog, error) {
	from, to, id, seq := req.From(), req.To(), req.CallID(), req.CSeq()
	if from == nil || to == nil || id == nil || seq == nil {
		return nil, ErrIncoming
	}
	if contact == nil || contact.Address.Wildcard {
		return nil, ErrNoContact
	}
	tag, _ := from.Params.Get("tag") // RFC 2543 peers have none: section 12.1.1
	d := &Dialog{
		CallID: string(*id), LocalTag: localTag, RemoteTag: tag,
		local:     sip.FromHeader{DisplayName: to.DisplayName, Address: to.Address, Params: withTag(to.Params, localTag)},
		remote:    sip.ToHeader{DisplayName: from.DisplayName, Address: from.Address, Params: from.Params.Clone()},
		target:    contact.Address,
		remoteSeq: seq.SeqNo, remoteUsed: true, routeFixed: true,
	}
	for _, h := range req.Headers() { // in order: section 12.1.1
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.route = append(d.route, rr.Address)
		}
	}
	return d, nil
}

// Outgoing is the dialog-to-be of an INVITE that we send. Only the INVITE
// itself may be made from it until Answer has fixed the peer.
func Outgoing(callID, localTag string, from sip.FromHeader, to sip.ToHeader, target sip.Uri) *Dialog {
	from.Params = withTag(from.Params, localTag)
	return &Dialog{CallID: callID, LocalTag: localTag, local: from, remote: to, target: target}
}

// Answer makes the dialog of an answer to our INVITE (section 12.1.2): the
// peer's tag, the route set and the target. A 2xx decides; 18x may be followed
// by others. Without a contact (it must be in a 2xx, but is forgotten) the
// target stays what the INVITE went to.
func (d *Dialog) Answer(res *sip.Response, contact *sip.ContactHeader) error {
	to := res.To()
	if to == nil {
		return ErrIncoming
	}
	d.RemoteTag, _ = to.Params.Get("tag")
	d.remote.Params = to.Params.Clone()
	if contact != nil {
		d.target = contact.Address
	}
	if d.routeFixed {
		return nil
	}
	d.route = d.route[:0]
	for _, h := range res.Headers() { // in reverse: section 12.1.2
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.route = append(d.route, rr.Address)
		}
	}
	for i, j := 0, len(d.route)-1; i < j; i, j = i+1, j-1 {
		d.route[i], d.route[j] = d.route[j], d.route[i]
	}
	d.routeFixed = res.IsSuccess()
	return nil
}

// Fork is the dialog of another 2xx to the same INVITE.
func (d *Dialog) Fork(res *sip.Response, contact *sip.ContactHeader) (*Dialog, error) {
	f := *d
	f.route, f.routeFixed = nil, false
	err := f.Answer(res, contact)
	return &f, err
}

// Refresh takes over the remote target of a target refresh request (section 12.2).
func (d *Dialog) Refresh(contact *sip.ContactHeader) {
	if contact != nil && !contact.Address.Wildcard {
		d.target = contact.Address
	}
}

// Continue has the next request carry a number after n.
func (d *Dialog) Continue(n uint32) { d.localSeq = max(d.localSeq, n) }

// Target is where requests go when there is no route set.
func (d *Dialog) Target() sip.Uri { return d.target }

// NextHop is the URI of the element that requests are sent to first.
func (d *Dialog) NextHop() sip.Uri {
	if len(d.route) > 0 {
		return d.route[0]
	}
	return d.target
}

// Proxied tells whether requests go by a route set.
func (d *Dialog) Proxied() bool { return len(d.route) > 0 }

// Sequence checks the number of a request from the peer, other than ACK and
// CANCEL, and notes it. False: it is older than one seen before, to be
// answered with 500 (section 12.2.2).
func (d *Dialog) Sequence(n uint32) bool {
	if d.remoteUsed && n < d.remoteSeq {
		return false
	}
	d.remoteSeq, d.remoteUsed = n, true
	return true
}

// Request makes a request in the dialog (section 12.2.1.1), complete but for
// Via and Contact. ACK takes the sequence number of the INVITE that it
// acknowledges; for other methods invite is not used.
func (d *Dialog) Request(method sip.RequestMethod, invite uint32) *sip.Request {
	seq := invite
	if method != sip.ACK {
		d.localSeq++
		seq = d.localSeq
	}
	uri := d.target
	uri.Headers = nil
	route := d.route
	strict := len(route) > 0 && !route[0].UriParams.Has("lr")
	if strict { // section 12.2.1.1: the first hop takes the place of the target
		uri = route[0]
	}
	req := sip.NewRequest(method, uri)
	for i := range route {
		if i > 0 || !strict {
			req.AppendHeader(&sip.RouteHeader{Address: route[i]})
		}
	}
	if strict {
		req.AppendHeader(&sip.RouteHeader{Address: d.target})
	}
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	req.AppendHeader(&sip.FromHeader{DisplayName: d.local.DisplayName, Address: d.local.Address, Params: d.local.Params.Clone()})
	req.AppendHeader(&sip.ToHeader{DisplayName: d.remote.DisplayName, Address: d.remote.Address, Params: d.remote.Params.Clone()})
	callID := sip.CallIDHeader(d.CallID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	return req
}

// String names the dialog for logs.
func (d *Dialog) String() string { return fmt.Sprintf("%s %s/%s", d.CallID, d.LocalTag, d.RemoteTag) }

func withTag(p sip.HeaderParams, tag string) sip.HeaderParams {
	p = p.Clone()
	return p.Add("tag", tag)
}

package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	epoch  = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	us     = netip.MustParseAddrPort("192.0.2.10:5060")
	peer   = netip.MustParseAddrPort("198.51.100.7:5080")
	roomy  = Options{Calls: 100, Messages: 50, Bytes: 1 << 20}
	sample = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
)

func said(ms int, sent bool, first, callID, body string) Message {
	text := first + "\r\nVia: SIP/2.0/UDP 198.51.100.7:5080;branch=z9hG4bK1\r\nFrom: <sip:+48600100200@a>;tag=1\r\n" +
		"To: <sip:+48221234567@b>\r\nCall-ID: " + callID + "\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\n" + body
	return Message{At: epoch.Add(time.Duration(ms) * time.Millisecond), Sent: sent, Network: "udp", Local: us, Remote: peer, Data: []byte(text)}
}

func texts(t Trace) (list []string) {
	for _, e := range t.Entries {
		list = append(list, e.Text)
	}
	return list
}

// oneCall is a call whose INVITE comes before anybody knows whose it is.
func oneCall(r *Recorder) {
	r.Message(said(0, false, "INVITE sip:+48221234567@b SIP/2.0", "in", sample))
	r.Leg("c1", Party{Leg: "c1", CallID: "in", Who: "trunk carrier"})
	r.Interaction("c1", 7)
	r.Note("c1", Note{At: epoch.Add(time.Millisecond), Kind: KindFact, Index: 4, What: Text("CallArrived")})
	r.Note("c1", Note{At: epoch.Add(time.Millisecond), Kind: KindCommand, Index: 4, What: Text("Ring anna")})
	r.Note("c1", Note{At: epoch.Add(time.Millisecond), Kind: KindDecision, Index: 4, What: Text("anna is free")})
	r.Message(said(2, true, "INVITE sip:anna@c SIP/2.0", "out", sample))
	r.Leg("c1", Party{Leg: "c1.1", CallID: "out", Who: "agent anna"})
	r.Message(said(30, false, "SIP/2.0 200 OK", "out", sample))
	r.Note("c1", Note{At: epoch.Add(40 * time.Millisecond), Kind: KindMedia, Leg: "c1.1", What: Text("first packet")})
	r.Message(said(31, true, "SIP/2.0 200 OK", "in", sample))
	r.Over("c1")
}

func TestFind_ByEachID(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	want := []string{
		"INVITE sip:+48221234567@b SIP/2.0", "CallArrived", "anna is free", "Ring anna", "INVITE sip:anna@c SIP/2.0",
		"SIP/2.0 200 OK", "SIP/2.0 200 OK", "first packet",
	}
	for _, id := range []string{"7", "c1", "c1.1", "in", "out"} {
		got, ok := r.Find(id)
		if !ok || !slices.Equal(texts(got), want) {
			t.Errorf("%s: %q", id, texts(got))
		}
	}
	if _, ok := r.Find("c2"); ok {
		t.Error("a call was found that never was")
	}
	got, _ := r.Find("7")
	if e := got.Entries[0]; e.Leg != "c1" || e.SDP != "198.51.100.7:4000 RTP/AVP PCMA,telephone-event sendonly" || e.CSeq != "1 INVITE" {
		t.Errorf("%+v", e)
	}
}

// Two calls that share an interaction, as after a pickup, are one trace; what the
// core did to both is told once.
func TestFind_JoinsCallsOfOneInteraction(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	r.Message(said(50, false, "INVITE sip:**101@b SIP/2.0", "picker", ""))
	r.Leg("c2", Party{Leg: "c2", CallID: "picker", Who: "agent bartek"})
	for _, call := range []string{"c1", "c2"} {
		r.Note(call, Note{At: epoch.Add(51 * time.Millisecond), Kind: KindCommand, Index: 9, What: Text("Bridge")})
		r.Interaction(call, 7)
	}
	for _, id := range []string{"7", "c1", "c2", "picker"} {
		got, _ := r.Find(id)
		told := texts(got)
		if len(got.Calls) != 2 || len(got.Parties) != 3 || len(told) != 10 || told[9] != "Bridge" || !slices.Equal(got.Interactions, []uint64{7}) {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

func TestBounds(t *testing.T) {
	r := New(Options{Calls: 3, Messages: 4, Bytes: 1 << 20})
	for i := range 10 {
		id := fmt.Sprintf("c%d", i)
		r.Message(said(i, false, "INVITE sip:a@b SIP/2.0", id, ""))
		r.Leg(id, Party{Leg: id, CallID: id})
		if i != 0 {
			r.Over(id)
		}
	}
	if _, ok := r.Find("c0"); !ok {
		t.Error("a call that goes on made room for others that are over")
	}
	for i, want := range []bool{true, false, false, false, false, false, false, false, true, true} {
		if _, ok := r.Find(fmt.Sprintf("c%d", i)); ok != want {
			t.Errorf("call %d: %v", i, ok)
		}
	}
	for i := range 6 {
		r.Message(said(100+i, true, fmt.Sprintf("OPTIONS sip:%d SIP/2.0", i), "c9", ""))
		r.Note("c9", Note{At: epoch, Kind: KindFact, Index: uint64(i), What: Text(fmt.Sprint(i))})
	}
	got, _ := r.Find("c9")
	if told := texts(got); len(told) != 8 || got.Omitted != 5 || !slices.Contains(told, "INVITE sip:a@b SIP/2.0") ||
		!slices.Contains(told, "OPTIONS sip:5 SIP/2.0") || !slices.Contains(told, "0") || !slices.Contains(told, "5") {
		t.Errorf("%d omitted of %q: beginning and end should be there", got.Omitted, told)
	}
	if s := r.Stats(); s.Calls != 3 || s.Forgotten != 7 {
		t.Errorf("%+v", s)
	}
}

// Whatever comes, in whatever order, memory stays bounded and the account right;
// strangers cannot make calls forgotten while they take more than their share.
func TestBounds_OfMemory(t *testing.T) {
	const limit = 100_000
	r := New(Options{Calls: 1000, Messages: 20, Bytes: limit})
	oneCall(r)
	for i := range 5000 {
		r.Message(said(i, false, "INVITE sip:stranger@b SIP/2.0", fmt.Sprintf("s%d", i), strings.Repeat("x", i%700)))
		if s := r.Stats(); s.Bytes > limit {
			t.Fatalf("%+v", s)
		}
	}
	if _, ok := r.Find("c1"); !ok {
		t.Error("strangers made a call forgotten")
	}
	for i := range 5000 {
		id := fmt.Sprint("k", i)
		r.Leg(id, Party{Leg: id, CallID: id})
		r.Note(id, Note{At: epoch, Kind: KindFact, What: Text("x")})
		r.Message(said(i, false, "INVITE sip:a@b SIP/2.0", id, ""))
		r.Interaction(id, uint64(i))
		r.Over(id)
		if s := r.Stats(); s.Bytes > limit {
			t.Fatalf("%+v", s)
		}
	}
	for r.strays.Len() > 0 {
		r.forgetStray()
	}
	for len(r.calls) > 0 {
		r.forgetCall()
	}
	if r.bytes != 0 || len(r.dialogs) != 0 || len(r.byItem) != 0 || r.live.Len()+r.over.Len() != 0 {
		t.Errorf("%d bytes, %d dialogs, %d interactions left of nothing", r.bytes, len(r.dialogs), len(r.byItem))
	}
}

func TestRecent(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	register := said(60, false, "REGISTER sip:b SIP/2.0", "reg", "")
	r.Message(register)
	other := said(61, false, "INVITE sip:9 SIP/2.0", "scan", "")
	other.Remote = netip.MustParseAddrPort("203.0.113.9:5060")
	r.Message(other)
	if got := texts(r.Recent(netip.Addr{}, 10)); !slices.Equal(got, []string{"REGISTER sip:b SIP/2.0", "INVITE sip:9 SIP/2.0"}) {
		t.Errorf("%q", got)
	}
	if got := texts(r.Recent(other.Remote.Addr(), 10)); !slices.Equal(got, []string{"INVITE sip:9 SIP/2.0"}) {
		t.Errorf("%q", got)
	}
	if got := texts(r.Recent(netip.Addr{}, 1)); !slices.Equal(got, []string{"INVITE sip:9 SIP/2.0"}) {
		t.Errorf("%q", got)
	}
	if got := r.Calls(10); len(got) != 1 || got[0].Call != "c1" || !got[0].Over || got[0].From != "<sip:+48600100200@a>;tag=1" {
		t.Errorf("%+v", got)
	}
}

// What a call costs: 14 messages, most of them with SDP, and 20 notes.
func BenchmarkCall(b *testing.B) {
	r := New(Options{Calls: 1000, Messages: 200, Bytes: 64 << 20})
	messages := make([]Message, 4096)
	for i := range messages {
		messages[i] = said(0, false, "INVITE sip:+48221234567@b SIP/2.0", fmt.Sprint("call-", i), sample+strings.Repeat("a", 300))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id, m := fmt.Sprint(i), messages[i%len(messages)]
		r.Message(m)
		r.Leg(id, Party{Leg: id, CallID: fmt.Sprint("call-", i%len(messages)), Who: "trunk carrier"})
		for range 13 {
			r.Message(m)
		}
		for n := range 20 {
			r.Note(id, Note{At: epoch, Kind: KindFact, Index: uint64(n), What: Text("x")})
		}
		r.Over(id)
	}
}

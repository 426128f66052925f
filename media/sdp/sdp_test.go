package sdp_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"centrala/media/sdp"
)

var (
	pcma = sdp.Format{PT: 8, Name: "PCMA", Rate: 8000}
	pcmu = sdp.Format{PT: 0, Name: "PCMU", Rate: 8000}
)

func negotiator() *sdp.Negotiator { return secureNegotiator(sdp.SecureAccepted) }

// secureNegotiator has keys of the letter K.
func secureNegotiator(s sdp.Security) *sdp.Negotiator {
	return sdp.NewNegotiator(sdp.Local{
		Session: 4711, Addr: netip.MustParseAddr("192.0.2.1"), RTP: 10000, RTCP: 10001,
		Codecs: []sdp.Format{pcma, pcmu}, Security: s,
		Random: func(n int) []byte { return bytes.Repeat([]byte{'K'}, n) },
	})
}

func crlf(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// audio is a peer's description with the given lines after t=.
func audio(lines ...string) []byte {
	head := []string{"v=0", "o=alice 1 1 IN IP4 198.51.100.7", "s=call", "c=IN IP4 198.51.100.7", "t=0 0"}
	return crlf(append(head, lines...)...)
}

func expect(t *testing.T, got []byte, want ...string) {
	t.Helper()
	if string(got) != string(crlf(want...)) {
		t.Errorf("got\n%s\nwant\n%s", got, crlf(want...))
	}
}

func TestOffer(t *testing.T) {
	n := negotiator()
	offer := n.Offer()
	expect(t, offer,
		"v=0", "o=- 4711 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 10000 RTP/AVP 8 0 101",
		"a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
		"a=ptime:20", "a=rtcp:10001", "a=sendrecv")
	if again := n.Offer(); string(again) != string(offer) {
		t.Errorf("an offer that says the same differs:\n%s", again)
	}
}

func TestAcceptOffer(t *testing.T) {
	n := negotiator()
	answer, agreed, err := n.AcceptOffer(audio(
		"m=video 5000 RTP/AVP 96 97", "a=mid:v",
		"m=audio 4000 RTP/AVP 18 0 8 99", "c=IN IP4 198.51.100.8",
		"a=rtpmap:99 telephone-event/8000", "a=rtpmap:18 G729/8000", "a=rtcp:4007 IN IP4 198.51.100.9",
		"a=rtcp-mux", "a=mid:a", "a=ptime:30",
		"m=audio 4002 RTP/AVP 0"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, answer,
		"v=0", "o=- 4711 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=video 0 RTP/AVP 96 97", "a=mid:v",
		"m=audio 10000 RTP/AVP 0 99", "a=rtpmap:0 PCMU/8000", "a=rtpmap:99 telephone-event/8000", "a=fmtp:99 0-15",
		"a=ptime:20", "a=rtcp:10001", "a=rtcp-mux", "a=mid:a", "a=sendrecv",
		"m=audio 0 RTP/AVP 0")
	if agreed.Remote.String() != "198.51.100.8:4000" || agreed.RemoteRTCP != agreed.Remote || !agreed.Mux {
		t.Errorf("remote %v, RTCP %v", agreed.Remote, agreed.RemoteRTCP)
	}
	if agreed.Codec != pcmu || agreed.Event.PT != 99 || !agreed.Send || !agreed.Receive || len(agreed.Accept) != 2 {
		t.Errorf("%+v", agreed)
	}

	// An offer of ours keeps the layout and the payload types.
	expect(t, n.Offer(),
		"v=0", "o=- 4711 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=video 0 RTP/AVP 96 97", "a=mid:v",
		"m=audio 10000 RTP/AVP 8 0 99", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
		"a=rtpmap:99 telephone-event/8000", "a=fmtp:99 0-15",
		"a=ptime:20", "a=rtcp:10001", "a=rtcp-mux", "a=mid:a", "a=sendrecv",
		"m=audio 0 RTP/AVP 0")
}

// RFC 3264 6.1, 8.4; RFC 6337 5.3: hold, resume, and the session refresh that changes nothing.
func TestAcceptOffer_HoldAndRefresh(t *testing.T) {
	n := negotiator()
	const m = "m=audio 4000 RTP/AVP 8"
	version := 0
	last := ""
	for _, step := range []struct {
		lines        []string
		answer       string
		send, recv   bool
		newerVersion bool
	}{
		{[]string{m}, "sendrecv", true, true, true},
		{[]string{m, "a=sendrecv"}, "sendrecv", true, true, false}, // refresh: the same answer
		{[]string{m, "a=sendonly"}, "recvonly", false, true, true},
		{[]string{m, "a=sendonly"}, "recvonly", false, true, false},
		{[]string{m, "a=inactive"}, "inactive", false, false, true},
		{[]string{"a=inactive", m}, "inactive", false, false, false}, // at session level
		{[]string{m, "a=recvonly"}, "sendonly", true, false, true},
		{[]string{m, "c=IN IP4 0.0.0.0"}, "recvonly", false, true, true}, // RFC 2543 hold
		{[]string{m, "c=IN IP4 0.0.0.0", "a=inactive"}, "inactive", false, false, true},
		{[]string{m, "a=sendrecv"}, "sendrecv", true, true, true},
	} {
		answer, agreed, err := n.AcceptOffer(audio(step.lines...))
		if err != nil {
			t.Fatalf("%v: %v", step.lines, err)
		}
		if !strings.Contains(string(answer), "a="+step.answer+"\r\n") {
			t.Errorf("%v answered with\n%s, want %s", step.lines, answer, step.answer)
		}
		if agreed.Send != step.send || agreed.Receive != step.recv {
			t.Errorf("%v: send %v receive %v", step.lines, agreed.Send, agreed.Receive)
		}
		if step.newerVersion {
			version++
		} else if string(answer) != last {
			t.Errorf("%v: a refresh got another answer\n%s", step.lines, answer)
		}
		if want := fmt.Sprintf("o=- 4711 %d IN", version); !strings.Contains(string(answer), want) {
			t.Errorf("%v: want %s in\n%s", step.lines, want, answer)
		}
		last = string(answer)
	}
}

func TestAcceptOffer_Refused(t *testing.T) {
	for name, c := range map[string]struct {
		offer []byte
		want  error
	}{
		"no common codec": {audio("m=audio 4000 RTP/AVP 18 96", "a=rtpmap:96 opus/48000/2"), sdp.ErrNoCodec},
		"encrypted only":  {audio("m=audio 4000 RTP/SAVP 8"), sdp.ErrNoCodec},
		"removed":         {audio("m=audio 0 RTP/AVP 8"), sdp.ErrNoCodec},
		"wideband A-law":  {audio("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMA/16000"), sdp.ErrNoCodec},
		"stereo A-law":    {audio("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000/2"), sdp.ErrNoCodec},
		"no stream":       {audio(), sdp.ErrNoCodec},
		"other family":    {audio("m=audio 4000 RTP/AVP 8", "c=IN IP6 2001:db8::1"), sdp.ErrNoCodec},
		"empty":           {nil, sdp.ErrMalformed},
		"not SDP":         {[]byte("hello\r\n"), sdp.ErrMalformed},
		"host name":       {audio("m=audio 4000 RTP/AVP 8", "c=IN IP4 pbx.example.com"), sdp.ErrMalformed},
		"multicast":       {audio("m=audio 4000 RTP/AVP 8", "c=IN IP4 224.2.1.1/127"), sdp.ErrMalformed},
		"no address":      {crlf("v=0", "m=audio 4000 RTP/AVP 8"), sdp.ErrMalformed},
		"bad port":        {audio("m=audio 70000 RTP/AVP 8"), sdp.ErrMalformed},
		"control byte":    {audio("m=audio 4000 RTP/AVP 8", "a=mid:x\rm=evil"), sdp.ErrMalformed},
		"too long":        {audio("a=" + strings.Repeat("x", sdp.MaxSize)), sdp.ErrMalformed},
	} {
		n := negotiator()
		before := n.Offer()
		if _, _, err := n.AcceptOffer(c.offer); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if after := n.Offer(); string(after) != string(before) {
			t.Errorf("%s: a refused offer changed the session", name)
		}
	}
}

// Equipment in the field: lines out of order, bare LF, huge o= numbers, upper-case names.
func TestAcceptOffer_Lenient(t *testing.T) {
	offer := "v=0\no=- 99999999999999999999999 1 IN IP4 10.0.0.1\nt=0 0\ns=x\nb=AS:64\nk=clear:x\n" +
		"m=audio 4000 RTP/AVP 97 98\na=ptime:20\na=rtpmap:97 pcma/8000/1\nc=IN IP4 198.51.100.7\na=rtpmap:98 Telephone-Event/8000\n\n"
	_, agreed, err := negotiator().AcceptOffer([]byte(offer))
	if err != nil || agreed.Codec.PT != 97 || agreed.Event.PT != 98 || agreed.RemoteRTCP.Port() != 4001 {
		t.Fatalf("%+v %v", agreed, err)
	}
}

func TestAcceptAnswer(t *testing.T) {
	n := negotiator()
	n.Offer()
	agreed, err := n.AcceptAnswer(audio("m=audio 4000 RTP/AVP 0 8 96", "a=rtpmap:96 telephone-event/8000", "a=sendonly", "a=rtcp-mux"))
	if err != nil {
		t.Fatal(err)
	}
	if agreed.Codec != pcmu || agreed.Event.PT != 96 || agreed.Mux || agreed.Send || !agreed.Receive {
		t.Errorf("%+v", agreed)
	}
	var accepted []int
	for _, f := range agreed.Accept {
		accepted = append(accepted, int(f.PT))
	}
	if slices.Sort(accepted); !slices.Equal(accepted, []int{0, 8, 96, 101}) {
		t.Errorf("accepts %v", accepted)
	}
	for _, bad := range [][]byte{nil, audio(), audio("m=audio 0 RTP/AVP 8"), audio("m=audio 4000 RTP/AVP 18")} {
		if _, err := n.AcceptAnswer(bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

// The property: an answer to anything has the offer's streams in their order, at most one of them
// alive, names nothing that was not offered, and is the same for the same offer.
func FuzzAcceptOffer(f *testing.F) {
	f.Add(audio("m=audio 4000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000", "a=sendonly"))
	f.Add(audio("m=video 5000 RTP/AVP 96", "a=mid:v", "m=audio 4000 RTP/AVPF 97", "a=rtpmap:97 PCMA/8000", "a=rtcp:5 IN IP4 1.2.3.4"))
	f.Add([]byte("v=0\nm=audio 1 RTP/AVP 0\nc=IN IP4 0.0.0.0\nm=image 2 udptl t38\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := negotiator()
		answer, agreed, err := n.AcceptOffer(b)
		if err != nil {
			return
		}
		offered, _ := sdp.Parse(b)
		answered, err := sdp.Parse(answer)
		if err != nil {
			t.Fatalf("our answer: %v\n%s", err, answer)
		}
		if len(answered.Streams) != len(offered.Streams) {
			t.Fatalf("%d streams offered, %d answered\n%s", len(offered.Streams), len(answered.Streams), answer)
		}
		alive := 0
		for i, s := range answered.Streams {
			o := offered.Streams[i]
			if s.Kind != o.Kind || s.Proto != o.Proto || s.Mid != o.Mid {
				t.Fatalf("stream %d: %+v became %+v", i, o, s)
			}
			if s.Port == 0 {
				continue
			}
			alive++
			for _, format := range s.Formats {
				if !slices.Contains(o.Formats, format) {
					t.Fatalf("%v was not offered", format)
				}
			}
			if s.Direction.Sends() && !o.Direction.Receives() || s.Direction.Receives() && !o.Direction.Sends() {
				t.Fatalf("%v answered to %v", s.Direction, o.Direction)
			}
			if agreed.Send && !s.Direction.Sends() {
				t.Fatal("sends although it said it would not")
			}
		}
		if alive != 1 {
			t.Fatalf("%d streams alive\n%s", alive, answer)
		}
		if again, _, err := n.AcceptOffer(b); err != nil || string(again) != string(answer) {
			t.Fatalf("the same offer: %v\n%s\n%s", err, answer, again)
		}
		if _, _, err := negotiator().AcceptOffer(n.Offer()); err != nil {
			t.Fatalf("our offer: %v", err)
		}
	})
}

// A browser is answered and offered Opus beside G.711, by the payload types that it gave, in the order that is wished.
func TestOpus(t *testing.T) {
	local := sdp.Local{
		Session: 4711, Addr: netip.MustParseAddr("192.0.2.1"), RTP: 10000, RTCP: 10001, Codecs: []sdp.Format{pcma, pcmu},
		Random: func(n int) []byte { return bytes.Repeat([]byte{'K'}, n) },
		Web:    &sdp.Web{Fingerprint: strings.Repeat("00:", 31) + "00", Candidates: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:10000")}},
	}
	// formats is the list of the m= line.
	formats := func(b []byte) string {
		_, rest, _ := strings.Cut(string(b), " UDP/TLS/RTP/SAVPF ")
		list, _, _ := strings.Cut(rest, "\r\n")
		return list
	}
	browser := func(list string, lines ...string) []byte {
		return audio(append([]string{"m=audio 9 UDP/TLS/RTP/SAVPF " + list, "a=rtcp-mux", "a=ice-ufrag:peer", "a=ice-pwd:a-password-of-the-peers", "a=setup:actpass",
			"a=fingerprint:sha-256 " + strings.Repeat("11:", 31) + "11"}, lines...)...)
	}
	opus := []string{"a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/48000", "a=rtpmap:98 telephone-event/8000"}
	n := sdp.NewNegotiator(local)
	if got := formats(n.Offer()); got != "8 0 111 101 110" {
		t.Errorf("offered %s", got)
	}
	answer, agreed, err := n.AcceptOffer(browser("96 0 8 97 98", opus...))
	if got := formats(answer); err != nil || got != "0 96 98 97" || !strings.Contains(string(answer), "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 minptime=10;useinbandfec=1\r\n") {
		t.Errorf("%v\n%s", err, answer)
	}
	if agreed.Codec != pcmu || agreed.Opus.PT != 96 || agreed.OpusEvent.PT != 97 || agreed.Event.PT != 98 || len(agreed.Accept) != 4 {
		t.Errorf("%+v", agreed)
	}
	if !n.OpusFirst(true) || n.OpusFirst(true) {
		t.Error("a change is not one")
	}
	if got := formats(n.Offer()); got != "96 8 0 98 97" {
		t.Errorf("offered %s", got)
	}
	if answer, _, err = n.AcceptOffer(browser("96 0 8 97 98", opus...)); err != nil || formats(answer) != "96 0 98 97" {
		t.Errorf("%v\n%s", err, answer)
	}
	answer, agreed, err = n.AcceptOffer(browser("0 8 98", opus[2])) // it has none any more
	if err != nil || formats(answer) != "0 98" || agreed.Opus.Name != "" || agreed.OpusEvent.Name != "" {
		t.Errorf("%v %+v\n%s", err, agreed, answer)
	}
	if _, _, err = n.AcceptOffer(browser("96 97", opus...)); !errors.Is(err, sdp.ErrNoCodec) {
		t.Errorf("Opus alone: %v", err)
	}
	if agreed, err = n.AcceptAnswer(browser("96 8 98", opus...)); err != nil || agreed.Codec != pcma || agreed.Opus.PT != 96 || agreed.OpusEvent.Name != "" {
		t.Errorf("%v %+v", err, agreed)
	}
	phone := negotiator()
	if phone.OpusFirst(true) {
		t.Error("Opus to a telephone")
	}
	if answer, agreed, err = phone.AcceptOffer(audio("m=audio 4000 RTP/AVP 96 8", opus[0])); err != nil || agreed.Opus.Name != "" || !strings.Contains(string(answer), "RTP/AVP 8\r\n") {
		t.Errorf("%v\n%s", err, answer)
	}
}

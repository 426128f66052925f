package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLadder(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	r.Message(said(60, false, "OPTIONS sip:\x1b[31mred SIP/2.0", "stray", ""))
	found, _ := r.Find("7")
	var out strings.Builder
	if err := Ladder(&out, found, false); err != nil {
		t.Fatal(err)
	}
	_, ladder, _ := strings.Cut(out.String(), "first entry ")
	_, ladder, _ = strings.Cut(ladder, "\n")
	want := strings.TrimPrefix(`
    0.000     A -------> |                INVITE sip:+48221234567@b  [198.51.100.7:4000 RTP/AVP PCMA,telephone-event sendonly]
    0.001               | fact      CallArrived
    0.001               | decision  anna is free
    0.001               | command   Ring anna
    0.002               | -------> B     INVITE sip:anna@c  [198.51.100.7:4000 RTP/AVP PCMA,telephone-event sendonly]
    0.030               | <------- B     200 OK  [198.51.100.7:4000 RTP/AVP PCMA,telephone-event sendonly]
    0.031     A <------- |                200 OK  [198.51.100.7:4000 RTP/AVP PCMA,telephone-event sendonly]
    0.040               | media     B: first packet
`, "\n")
	if ladder != want {
		t.Errorf("got:\n%swant:\n%s", ladder, want)
	}
	if head := out.String(); !strings.Contains(head, "interaction 7\n") || !strings.Contains(head, "A  trunk carrier, leg c1, Call-ID in\n") {
		t.Error(head)
	}
	out.Reset()
	if err := Ladder(&out, r.Recent(netip.Addr{}, 10), true); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "\x1b") || !strings.Contains(s, "from   udp 198.51.100.7:5080") || !strings.Contains(s, "| CSeq: 1 INVITE\n") {
		t.Errorf("%q", s)
	}
}

// The list tells numbers and names, and messages of no call whom they came from, both without
// what else a header has.
func TestList_NumbersAndNames(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	r.Message(said(60, false, "REGISTER sip:b SIP/2.0", "stray", ""))
	var out strings.Builder
	if err := List(&out, r.Calls(10)); err != nil || !strings.Contains(out.String(), " trunk carrier, from +48600100200 to +48221234567, Call-ID in\n") {
		t.Errorf("%v %q", err, out.String())
	}
	out.Reset()
	if err := Ladder(&out, r.Recent(netip.Addr{}, 10), false); err != nil || !strings.HasSuffix(out.String(), "  from +48600100200@a to +48221234567@b\n") {
		t.Errorf("%v %q", err, out.String())
	}
	for address, want := range map[string][2]string{
		`<sip:+48600@a:5070;transport=udp>;tag=1`:       {"+48600", "+48600@a:5070"},
		`sip:+48600@a;tag=1`:                            {"+48600", "+48600@a"},
		`"Jan <Kowalski>; sip:x@y" <sips:jan%2Ek@a>`:    {"jan.k", "jan.k@a"},
		`Jan <sip:+48600;npdi@a;user=phone>;tag=1`:      {"+48600", "+48600@a"},
		`<tel:+48600;phone-context=x>;tag=1`:            {"+48600", "+48600"},
		`<sip:198.51.100.7:5060>;tag=1`:                 {"198.51.100.7:5060", "198.51.100.7:5060"},
		`"Anonymous" <sip:anonymous@anonymous.invalid>`: {"anonymous", "anonymous@anonymous.invalid"},
		`<sip:%1b[31mred@a>`:                            {"\ufffd[31mred", "\ufffd[31mred@a"},
		`<sip:100%@a>`:                                  {"100%", "100%@a"},
		`nonsense`:                                      {"nonsense", "nonsense"},
		``:                                              {"", ""},
	} {
		if got := [2]string{short(party(address)), withHost(party(address))}; got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}

// captured is one packet of a capture file, as its own reader sees it.
type captured struct {
	at       time.Time
	from, to netip.AddrPort
	payload  string
}

// readPcap reads what Pcap writes, by the format's description, and checks every sum.
func readPcap(t *testing.T, b []byte) (list []captured) {
	t.Helper()
	le, be := binary.LittleEndian, binary.BigEndian
	if le.Uint32(b) != 0xa1b23c4d || le.Uint16(b[4:]) != 2 || le.Uint16(b[6:]) != 4 || le.Uint32(b[20:]) != 101 {
		t.Fatalf("header % x", b[:24])
	}
	for b = b[24:]; len(b) > 0; {
		at, n := time.Unix(int64(le.Uint32(b)), int64(le.Uint32(b[4:]))).UTC(), int(le.Uint32(b[8:]))
		if int(le.Uint32(b[12:])) != n {
			t.Fatal("cut short")
		}
		p := b[16 : 16+n]
		b = b[16+n:]
		var src, dst netip.Addr
		var udp []byte
		switch p[0] >> 4 {
		case 4:
			if checksum(p[:20]) != 0 || int(be.Uint16(p[2:])) != n || p[9] != 17 {
				t.Errorf("IPv4 header % x", p[:20])
			}
			src, dst, udp = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20])), p[20:]
		case 6:
			if int(be.Uint16(p[4:])) != n-40 || p[6] != 17 {
				t.Errorf("IPv6 header % x", p[:40])
			}
			src, dst, udp = netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40])), p[40:]
		default:
			t.Fatalf("IP version %d", p[0]>>4)
		}
		pseudo := append(append(src.AsSlice(), dst.AsSlice()...), 0, 17, udp[4], udp[5])
		if checksum(append(pseudo, udp...)) != 0 || int(be.Uint16(udp[4:])) != len(udp) {
			t.Errorf("UDP header % x", udp[:8])
		}
		list = append(list, captured{at, netip.AddrPortFrom(src, be.Uint16(udp)), netip.AddrPortFrom(dst, be.Uint16(udp[2:])), string(udp[8:])})
	}
	return list
}

// six is a message between addresses of IPv6 whose display name is not UTF-8.
func six() Message {
	m := said(70, true, "BYE sip:a@b SIP/2.0", "in", "odd\xff")
	m.Network, m.Local, m.Remote = "tls", netip.MustParseAddrPort("[2001:db8::1]:5061"), netip.MustParseAddrPort("[2001:db8::2]:40000")
	return m
}

// overTheWire is a trace as the command line gets it.
func overTheWire(t *testing.T, r *Recorder, id string) Trace {
	t.Helper()
	found, _ := r.Find(id)
	data, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	var got Trace
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPcap(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	last := six()
	r.Message(last)
	var file bytes.Buffer
	if err := Pcap(&file, overTheWire(t, r, "7")); err != nil {
		t.Fatal(err)
	}
	got := readPcap(t, file.Bytes())
	if len(got) != 5 {
		t.Fatalf("%d packets", len(got))
	}
	first := said(0, false, "INVITE sip:+48221234567@b SIP/2.0", "in", sample)
	if got[0] != (captured{epoch, peer, us, string(first.Data)}) {
		t.Errorf("%+v", got[0])
	}
	if got[4] != (captured{last.At, last.Local, last.Remote, string(last.Data)}) {
		t.Errorf("%+v", got[4])
	}
}

// Wireshark reads the capture file: its own dissector finds the messages, whatever their ports.
func TestPcap_Wireshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Fatal("tshark is missing: scripts/install-test-deps.sh installs it")
	}
	r := New(roomy)
	oneCall(r)
	r.Message(six())
	name := filepath.Join(t.TempDir(), "call.pcap")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := Pcap(file, overTheWire(t, r, "7")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tshark, "-r", name, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|",
		"-e", "frame.time_epoch", "-e", "udp.srcport", "-e", "udp.checksum.status", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "sdp.media.port").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `1795255200.000000000|5080|1|INVITE||4000
1795255200.002000000|5060|1|INVITE||4000
1795255200.030000000|5080|1||200|4000
1795255200.031000000|5060|1||200|4000
1795255200.070000000|5061|1|BYE||
`
	if string(out) != want {
		t.Errorf("got:\n%swant:\n%s", out, want)
	}
}

func TestHandler(t *testing.T) {
	r := New(roomy)
	oneCall(r)
	ask := func(h http.Handler, query url.Values, remote, host string) (int, string) {
		req := httptest.NewRequest(http.MethodGet, "/trace?"+query.Encode(), nil)
		req.RemoteAddr, req.Host = remote, host
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		return rec.Code, rec.Body.String()
	}
	const local, host = "127.0.0.1:40000", "127.0.0.1:9090"
	for name, c := range map[string]struct {
		query        url.Values
		remote, host string
		code         int
		has          string
	}{
		"one":           {url.Values{"id": {"7"}}, local, host, 200, `"text":"anna is free"`},
		"list":          {url.Values{}, local, "localhost:9090", 200, `"call":"c1"`},
		"recent":        {url.Values{"recent": {"1"}}, "[::1]:4", "[::1]:9090", 200, `"entries":[]`},
		"unknown":       {url.Values{"id": {"nobody"}}, local, host, 404, "nothing is remembered"},
		"bad address":   {url.Values{"recent": {""}, "from": {"x"}}, local, host, 400, "not an IP address"},
		"bad limit":     {url.Values{"limit": {"0"}}, local, host, 400, "limit"},
		"from outside":  {url.Values{}, "192.0.2.1:40000", host, 403, "this machine only"},
		"other name":    {url.Values{}, local, "evil.example:9090", 403, "this machine only"},
		"no port there": {url.Values{}, local, "127.0.0.1", 200, "c1"},
	} {
		if code, body := ask(Handler(r), c.query, c.remote, c.host); code != c.code || !strings.Contains(body, c.has) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	if code, body := ask(Handler(nil), url.Values{}, local, host); code != 404 || !strings.Contains(body, "nothing is traced") {
		t.Errorf("%d %s", code, body)
	}
}

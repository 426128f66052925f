package e2e

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"centrala/internal/webpeer"
	"centrala/media"
	"centrala/media/tone"
)

// withWeb gives a server a web listener, and browsers' audio a port.
func (v *server) withWeb() (web netip.AddrPort) {
	v.t.Helper()
	web = v.site.local(v.site.ports(2))
	file := filepath.Join(v.dir, "centrala.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		v.t.Fatal(err)
	}
	v.writeFile("centrala.yaml", strings.Replace(string(text), "  admin:", fmt.Sprintf("  web: http://%v\n  webrtc: udp://127.0.0.1:%d\n  admin:", web, v.site.ports(2)), 1))
	return web
}

// tab is a page of the console: a session, its telephone's SIP by WebSocket and its WebRTC.
type tab struct {
	t       *testing.T
	agent   string
	web     netip.AddrPort
	cookie  string
	peer    *webpeer.Peer
	ws      *websocket.Conn
	in      chan string
	user    string
	realm   string
	ha1     string
	stop    chan struct{}
	contact string
}

// newTab signs an agent in and registers their telephone, which speaks with a tone.
func newTab(t *testing.T, v *server, web netip.AddrPort, agent string, hertz int) *tab {
	t.Helper()
	out, err := exec.Command(os.Getenv(serverProgram), "agent", "passwd", agent, "--once", "--config", filepath.Join(v.dir, "centrala.yaml")).CombinedOutput()
	found := regexp.MustCompile(`with the password (\S+) and`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := &tab{t: t, agent: agent, web: web, stop: make(chan struct{}), contact: fmt.Sprintf(`<sip:%s@x.invalid;transport=ws;ob>;+sip.instance="<urn:uuid:%s>";reg-id=1`, agent, agent)}
	p.post("/session", map[string]string{"name": agent, "password": string(found[1])}, nil)
	p.post("/session/password", map[string]string{"new": "a password of " + agent}, nil)
	t.Cleanup(func() {
		close(p.stop)
		if p.ws != nil {
			_ = p.ws.CloseNow()
		}
		if p.peer != nil {
			p.peer.Close()
		}
	})
	p.load(hertz)
	return p
}

// load is what the page does when it is loaded.
func (p *tab) load(hertz int) {
	p.t.Helper()
	var err error
	if p.peer, err = webpeer.New(webpeer.Options{}); err != nil {
		p.t.Fatal(err)
	}
	go talk(p.peer, hertz, p.stop)
	var c struct{ User, Realm, HA1 string }
	p.post("/phone/credentials", nil, &c)
	p.user, p.realm, p.ha1 = c.User, c.Realm, c.HA1
	p.connect()
}

func talk(peer *webpeer.Peer, hertz int, stop <-chan struct{}) {
	program := tone.NewProgram(hertz, -10)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for tick := uint64(0); ; tick++ {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		if name, pt, ok := peer.Codec(); ok {
			codec := media.PCMU
			if name == media.PCMA.String() {
				codec = media.PCMA
			}
			peer.Send(pt, false, media.FrameSamples, program.Frame(codec, tick))
		}
	}
}

// connect opens the WebSocket and registers by it.
func (p *tab) connect() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+p.web.String()+"/sip", &websocket.DialOptions{
		Subprotocols: []string{"sip"}, HTTPHeader: http.Header{"Origin": {"http://" + p.web.String()}, "Cookie": {p.cookie}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	in := make(chan string, 100)
	p.ws, p.in = ws, in
	go func() {
		for {
			_, b, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			in <- string(b)
		}
	}()
	register := func(seq int, proof string) {
		p.send(fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK%d%d\r\nMax-Forwards: 69\r\nTo: <sip:%s@%s>\r\nFrom: <sip:%s@%s>;tag=r\r\nCall-ID: reg-%s\r\n"+
			"CSeq: %d REGISTER\r\nContact: %s\r\nExpires: 120\r\nSupported: path, outbound\r\nUser-Agent: JsSIP 3.13.8\r\n%sContent-Length: 0\r\n\r\n",
			p.realm, time.Now().UnixNano(), seq, p.agent, p.realm, p.agent, p.realm, p.user, int(time.Now().Unix()%1e6)*10+seq, p.contact, proof))
	}
	register(1, "")
	register(2, p.proof(p.recv("SIP/2.0 401"), "REGISTER", "sip:"+p.realm))
	p.recv("SIP/2.0 200")
}

// proof answers a challenge as JsSIP does.
func (p *tab) proof(challenge, method, uri string) string {
	p.t.Helper()
	found := regexp.MustCompile(`WWW-Authenticate: Digest .*nonce="([^"]+)".*algorithm=MD5`).FindStringSubmatch(challenge)
	if found == nil {
		p.t.Fatalf("no challenge of MD5 comes first:\n%s", challenge)
	}
	hash := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	response := hash(strings.Join([]string{p.ha1, found[1], "00000001", "c", "auth", hash(method + ":" + uri)}, ":"))
	return fmt.Sprintf("Authorization: Digest algorithm=MD5, username=%q, realm=%q, nonce=%q, uri=%q, response=%q, qop=auth, cnonce=\"c\", nc=00000001\r\n",
		p.user, p.realm, found[1], uri, response)
}

func (p *tab) send(msg string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.ws.Write(ctx, websocket.MessageText, []byte(msg)); err != nil {
		p.t.Fatal(err)
	}
}

// recv returns the next message that begins so.
func (p *tab) recv(prefix string) string {
	p.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case msg := <-p.in:
			if strings.HasPrefix(msg, prefix) {
				return msg
			}
		case <-limit:
			p.t.Fatalf("no %s", prefix)
		}
	}
}

// headers are the lines that an answer repeats.
func headers(request string) (lines string) {
	for line := range strings.SplitSeq(request, "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				lines += line + "\r\n"
			}
		}
	}
	return lines
}

// reply answers a request; the dialog's tag is tab.
func (p *tab) reply(request string, code int, body string) {
	p.t.Helper()
	lines := headers(request)
	if !strings.Contains(lines, ";tag=tab") {
		lines = regexp.MustCompile(`(?m)^(To: [^\r]*)\r$`).ReplaceAllString(lines, "${1};tag=tab\r")
	}
	if body != "" {
		lines += "Content-Type: application/sdp\r\n"
	}
	p.send(fmt.Sprintf("SIP/2.0 %d OK\r\n%sContact: %s\r\nContent-Length: %d\r\n\r\n%s", code, lines, p.contact, len(body), body))
}

// pickUp answers the call that rings.
func (p *tab) pickUp() (invite string) {
	p.t.Helper()
	invite = p.recv("INVITE ")
	p.reply(invite, 180, "")
	_, offer, _ := strings.Cut(invite, "\r\n\r\n")
	answer, err := p.peer.Answer(offer)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, invite)
	}
	p.reply(invite, 200, answer)
	p.recv("ACK ")
	return invite
}

// post calls the API.
func (p *tab) post(path string, body, into any) {
	p.t.Helper()
	data := []byte("{}")
	if body != nil {
		data, _ = json.Marshal(body)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+p.web.String()+"/api/v1"+path, bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", p.cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if c := res.Cookies(); len(c) > 0 {
		p.cookie = c[0].Name + "=" + c[0].Value
	}
	if res.StatusCode >= 300 {
		p.t.Fatalf("%s: %s", path, res.Status)
	}
	if into != nil {
		if err := json.NewDecoder(res.Body).Decode(into); err != nil {
			p.t.Fatal(err)
		}
	}
}

// hears waits until the page hears a tone and not the others.
func (p *tab) hears(what string, hertz float64, others ...float64) {
	p.t.Helper()
	eventually(p.t, what, func() bool {
		got, _ := p.peer.Packets()
		var pcm []int16
		for _, x := range got[max(0, len(got)-25):] {
			codec := media.PCMU
			if x.PayloadType == media.PCMA.PayloadType() {
				codec = media.PCMA
			}
			pcm = codec.AppendDecoded(pcm, x.Payload)
		}
		if len(pcm) < 25*media.FrameSamples || tone.Level(pcm, media.SampleRate, hertz) < -20 {
			return false
		}
		for _, hz := range others {
			if tone.Level(pcm, media.SampleRate, hz) > -35 {
				return false
			}
		}
		return true
	})
}

const browserSite = `
agents:
  anna: {name: Anna Nowak, extension: "101"}
groups:
  sales: {extension: "600", agents: [anna], hold_music: calm}
trunks:
  carrier: {from: [CARRIER]}
numbers:
  "+48221234567": {trunk: carrier, group: sales}
`

// An agent in a browser takes a customer's call: both hear each other, through the whole server.
func TestBrowser_TakesACall(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := prepareServer(t, s, browserSite+"hold_music: {calm: {files: [calm.wav]}}\n")
	v.writeTone("calm.wav", calmHertz, 44100)
	web := v.withWeb()
	v.run()
	p := newTab(t, v, web, "anna", 900)
	c := callTo(t, s.carrierHost(), v.sip, "+48600100200", "+48221234567", 500)
	p.pickUp()
	c.waitAnswered()
	c.waitTone("the customer hears the browser", 900, 500*time.Millisecond)
	p.hears("the browser hears the customer", 500, calmHertz, 900)
	c.wantOnly(400*time.Millisecond, 900, 500, calmHertz)
	c.hangUp()
	p.reply(p.recv("BYE "), 200, "")
	c.waitOver()
}

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

// invites places a call with these headers more, and returns the answer to it.
func (p *tab) invites(to, more string) (ok string) {
	p.t.Helper()
	offer, err := p.peer.Offer(false)
	if err != nil {
		p.t.Fatal(err)
	}
	uri := "sip:" + to + "@" + p.realm
	request := func(method string, seq int, to, more, body string) {
		p.send(fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK%s%d\r\nMax-Forwards: 69\r\nTo: %s\r\nFrom: <sip:%s@%s>;tag=new\r\nCall-ID: call-%s\r\nCSeq: %d %s\r\nContact: %s\r\n%sContent-Length: %d\r\n\r\n%s",
			method, uri, p.user, seq, to, p.agent, p.realm, p.user, seq, method, p.contact, more, len(body), body))
	}
	more += "Content-Type: application/sdp\r\n"
	request("INVITE", 1, "<"+uri+">", more, offer)
	challenge := p.recv("SIP/2.0 401")
	request("ACK", 1, headerOf(challenge, "To"), "", "")
	request("INVITE", 2, "<"+uri+">", more+p.proof(challenge, "INVITE", uri), offer)
	ok = p.recv("SIP/2.0 200")
	_, answer, _ := strings.Cut(ok, "\r\n\r\n")
	if err := p.peer.Accept(answer); err != nil {
		p.t.Fatalf("%v\n%s", err, ok)
	}
	request("ACK", 2, headerOf(ok, "To"), "", "")
	return ok
}

func headerOf(msg, name string) string {
	found := regexp.MustCompile(`(?m)^` + name + `: ([^\r]*)`).FindStringSubmatch(msg)
	if found == nil {
		return ""
	}
	return found[1]
}

// webSite is a server with anna in a browser, and a caller who talks to her.
func webSite(t *testing.T) (v *server, p *tab, c *caller, invite string) {
	t.Helper()
	s := newSite(t)
	v = prepareServer(t, s, browserSite+"hold_music: {calm: {files: [calm.wav]}}\n")
	v.writeTone("calm.wav", calmHertz, 44100)
	web := v.withWeb()
	v.run()
	p = newTab(t, v, web, "anna", 900)
	c = callTo(t, s.carrierHost(), v.sip, "+48600100200", "+48221234567", 500)
	invite = p.pickUp()
	c.waitAnswered()
	c.waitTone("the customer hears the browser", 900, 500*time.Millisecond)
	return v, p, c, invite
}

// The WebSocket breaks in the midst of a call, and the page opens another: the call goes on.
func TestTab_WebSocketBreaks(t *testing.T) {
	t.Parallel()
	v, p, c, _ := webSite(t)
	_ = p.ws.CloseNow()
	v.waitLog("agent reachable", "online", "false")
	p.connect()
	v.waitLog("browser came back to its call")
	c.waitTone("the customer still hears the browser", 900, 500*time.Millisecond)
	p.hears("the browser still hears the customer", 500, calmHertz, 900)
	c.wantOnly(300*time.Millisecond, 900, 500, calmHertz)
	c.hangUp()
	p.reply(p.recv("BYE "), 200, "") // by the new WebSocket
	c.waitOver()
}

// The page is loaded anew in the midst of a call: the new one takes the call over.
func TestTab_PageIsLoadedAnew(t *testing.T) {
	t.Parallel()
	v, p, c, invite := webSite(t)
	_ = p.ws.CloseNow()
	p.peer.Close()
	v.waitLog("agent reachable", "online", "false")
	p.contact = strings.Replace(p.contact, "sip:anna@", "sip:anna2@", 1)
	p.load(1300)
	_, tag, _ := strings.Cut(headerOf(invite, "From"), ";tag=")
	p.invites("anna", "Replaces: "+headerOf(invite, "Call-ID")+";to-tag="+tag+";from-tag=tab\r\n")
	c.waitTone("the customer hears the new page", 1300, 500*time.Millisecond)
	p.hears("the new page hears the customer", 500, calmHertz, 1300)
	c.wantOnly(300*time.Millisecond, 1300, 500, calmHertz, 900)
	c.hangUp()
	p.recv("BYE ")
	c.waitOver()
}

// The page holds: the customer hears the music of the group; and resumes.
func TestTab_Holds(t *testing.T) {
	t.Parallel()
	_, p, c, invite := webSite(t)
	seq := 0
	reinvite := func(direction string) {
		offer, err := p.peer.Offer(false)
		if err != nil {
			t.Fatal(err)
		}
		offer = strings.Replace(offer, "a=sendrecv", "a="+direction, 1)
		seq++
		line := func(method string) string {
			return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKhold%s%d\r\nMax-Forwards: 69\r\nTo: %s\r\nFrom: %s;tag=tab\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\n",
				method, strings.Trim(headerOf(invite, "Contact"), "<>"), method, seq, headerOf(invite, "From"), headerOf(invite, "To"), headerOf(invite, "Call-ID"), seq, method, p.contact)
		}
		p.send(line("INVITE") + fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(offer), offer))
		_, answer, _ := strings.Cut(p.recv("SIP/2.0 200"), "\r\n\r\n")
		if err := p.peer.Accept(answer); err != nil {
			t.Fatalf("%v\n%s", err, answer)
		}
		p.send(line("ACK") + "Content-Length: 0\r\n\r\n")
	}
	reinvite("sendonly")
	c.waitTone("the customer hears music", calmHertz, 500*time.Millisecond)
	c.wantOnly(300*time.Millisecond, calmHertz, 900, 500)
	reinvite("sendrecv")
	c.waitTone("the customer hears the browser again", 900, 500*time.Millisecond)
	p.hears("the browser hears the customer again", 500, calmHertz, 900)
	c.wantOneStream()
	c.hangUp()
	p.reply(p.recv("BYE "), 200, "")
	c.waitOver()
}

package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// chatSite has a chat window for the site at the address that it is given.
const chatSite = `
agents:
  anna: {name: Anna Nowak, extension: "101", capacity: {chat: 3}, sip_password: anna-secret-1}
groups: {sales: {agents: [anna]}}
channels:
  website:
    connector: widget
    name: Ask us
    agents: [anna]
    secret: "0123456789abcdef0123456789abcdef"
    texts: {first: "Welcome to the shop!", ended: "Thank you, good-bye."}
    widget: {origins: ["%s"], form: [name], consent: {version: "1", text: I agree that my data are processed.}, rating: ask}
`

// wire is a way to the server that can be cut.
type wire struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	open     map[net.Conn]bool
	cut      bool
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, to: to, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); w.set(true) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *wire) carry(c net.Conn) {
	far, err := net.Dial("tcp", w.to)
	if err != nil || !w.holds(c, far) {
		_ = c.Close()
		if err == nil {
			_ = far.Close()
		}
		return
	}
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(far, c)
		_ = far.Close()
		close(done)
	}()
	_, _ = io.Copy(c, far)
	_ = c.Close()
	<-done
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
	delete(w.open, far)
}

func (w *wire) holds(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.open[c] = true
	}
	return !w.cut
}

// set cuts the wire, and all that goes through it, or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for c := range w.open {
			_ = c.Close()
		}
	}
}

// visitor is the window on a page of another site, in the browser.
type visitor struct{ *browser }

const windowFrame = "iframe[data-centrala]"

func (v visitor) in(what string, q step) any {
	v.t.Helper()
	q.Frame = windowFrame
	return v.do(what, q)
}
func (v visitor) sees(css string) { v.t.Helper(); v.in("see", step{CSS: css}) }
func (v visitor) presses(button string) {
	v.t.Helper()
	v.in("click", step{Role: "button", Name: button})
}
func (v visitor) writes(text string) {
	v.t.Helper()
	v.in("fill", step{CSS: "textarea", Text: text})
	v.presses("Send")
}

// A visitor on a page of another origin fills in the form and agrees, writes, waits, is answered by
// an agent, brings a file, is cut off while both write, has everything once and in order
// afterwards, and rates (R4, R8, R63, R64, R65, R66, R71). No other site can show the window.
func TestChatWindow(t *testing.T) {
	var script string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>A shop</title><main><h1>A shop</h1></main><script async src="%s/widget.js" data-channel="website" data-language="en"></script>`, script)
	}))
	defer site.Close()
	server, web := newConsole(t, newSite(t), fmt.Sprintf(chatSite, site.URL), "anna")
	wire := newWire(t, web)
	script = "http://" + wire.listener.Addr().String()
	anna := newDesk(t, web)
	anna.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)

	b := newBrowser(t, strings.TrimPrefix(site.URL, "http://"))
	v := visitor{b}
	b.do("size", step{Width: 1000, Height: 800})
	b.open("")
	v.presses("Open the chat")
	v.sees("h1:has-text('Ask us')")
	v.in("fill", step{CSS: "input[name=name]", Text: `Jan <b id=x>K</b>`})
	v.presses("Start the chat")
	v.sees("[role=alert]:has-text('Please agree first.')")
	v.in("click", step{CSS: "input[type=checkbox]"})
	v.presses("Start the chat")
	b.picture("chat-begin")
	v.writes("Good morning <img src=x onerror=alert(1)>, where is my order?")
	v.sees(".message.customer:not(.waiting):has-text('where is my order?')")
	v.sees(".message.system:has-text('Welcome to the shop!')")
	v.sees("header p:has-text('You are next.')")

	anna.attends("anna")
	chats := anna.waitList("/chats", 1)
	if chats[0]["customer"] != "Jan <b id=x>K</b>" || chats[0]["offered"] != true {
		t.Errorf("%v", chats[0])
	}
	at := "/interactions/" + chats[0]["interaction"].(map[string]any)["id"].(string)
	anna.do("POST", at+"/accept", nil, 200)
	v.sees("header p:has-text('You are talking to Anna Nowak')")
	anna.do("POST", at+"/notes", map[string]string{"id": "n1", "text": "a difficult one"}, 200)
	anna.do("POST", at+"/messages", map[string]string{"id": "a1", "text": "It is on its way: https://shop.example/track?id=1."}, 200)
	v.sees(".message.agent:has-text('It is on its way') a[href='https://shop.example/track?id=1'][rel~=noopener]")

	cat, bill := filepath.Join(server.dir, "cat.png"), filepath.Join(server.dir, "bill.txt")
	if err := errors.Join(os.WriteFile(cat, smallPNG, 0o600), os.WriteFile(bill, []byte("a bill"), 0o600)); err != nil {
		t.Fatal(err)
	}
	v.in("upload", step{CSS: "input[type=file]", Path: cat + "\n" + bill}) // chosen at once
	v.sees(".chosen li:has-text('cat.png')")
	v.sees(".chosen li:has-text('bill.txt')")
	v.presses("Send")
	v.sees(".message.customer:not(.waiting) img[alt='Picture cat.png']")
	v.sees(".message.customer:not(.waiting):has-text('bill.txt')")
	b.picture("chat-open")

	faces(t, server, v, anna, at, site.URL)

	wire.set(true) // both sides go on writing
	v.sees(".strip:has-text('No connection')")
	for k := range 3 {
		v.writes(fmt.Sprint("offline ", k))
		anna.do("POST", at+"/messages", map[string]string{"id": fmt.Sprint("off", k), "text": fmt.Sprint("meanwhile ", k)}, 200)
	}
	v.sees(".message.waiting:has-text('offline 2')")
	wire.set(false)
	v.sees(".message.customer:not(.waiting):has-text('offline 2')")
	v.in("gone", step{CSS: ".strip"})
	wantThread(t, v, anna, at)
	b.do("reload", step{}) // it begins anew, and is the same
	v.presses("Open the chat")
	v.sees(".message.customer:not(.waiting):has-text('offline 2')")
	wantThread(t, v, anna, at)

	anna.do("POST", at+"/close", nil, 200)
	v.sees(".message.system:has-text('Thank you, good-bye.')")
	v.sees(".rate")
	b.picture("chat-rate")
	b.do("scheme", step{Text: "dark"})
	eventually(t, "the dark page is seen around the window", func() bool { return b.brightness(580, 84) < 60 })
	b.do("scheme", step{Text: "light"})
	eventually(t, "the light page is seen around the window", func() bool { return b.brightness(580, 84) > 200 })
	v.in("click", step{CSS: "input[value='4']"})
	v.sees(".rate > input")
	v.in("until", step{Text: "(b => b.scrollTop + b.clientHeight >= b.scrollHeight - 2)(document.querySelector('.thread'))"}) // what grew hides no message
	v.in("fill", step{CSS: ".rate > input", Text: "friendly"})
	v.presses("Send rating")
	v.sees(".strip:has-text('Thank you!')")
	v.sees("button:has-text('Save the conversation')")
	eventually(t, "reports have the first answer and the visitor's rating", func() bool { // R78
		total := anna.do("GET", "/reports/channels", nil, 200)["total"].(map[string]any)["figures"].(map[string]any)
		of := func(figure string) any { return total[figure].(map[string]any)["value"] }
		return of("customer_ratings") == 1.0 && of("customer_rating_mean") == 4.0 && of("first_answers") == 1.0 && of("chats_unanswered") == 0.0
	})
	if n := v.in("count", step{CSS: "#x, .bubble img[src=x]"}); n != 0.0 {
		t.Errorf("what was written became %v elements", n)
	}
	b.do("complaints", step{}) // of the cut connection

	// Alone, on a telephone, in the dark, and for those who cannot see it.
	b.do("open", step{URL: script + "/widget/website"})
	b.see(".composer, .form")
	b.wantClean("the window alone")
	b.do("size", step{Width: 390, Height: 800})
	b.do("scheme", step{Text: "dark"})
	b.wantClean("narrow and dark")
	for _, x := range b.do("clipped", step{}).([]any) {
		t.Errorf("cut off: %v", x)
	}
	b.picture("chat-narrow")

	consoleChat(t, b, web)

	evil := httptest.NewServer(site.Config.Handler)
	defer evil.Close()
	b.do("open", step{URL: evil.URL})
	b.see(windowFrame)
	b.do("wait", step{Text: "frame-ancestors"})
	if n := v.in("count", step{CSS: ".launcher"}); n != 0.0 {
		t.Error("another site shows the window")
	}
}

// faces: the administrator declares what customers see of anna, and then that they see the channel; it
// holds at once, for what was written before too, and what is in it is shown as text (R68).
func faces(t *testing.T, server *server, v visitor, anna *desk, at, site string) {
	t.Helper()
	config := fmt.Sprintf(chatSite, site)
	declare := func(old, anew, wanted string) {
		t.Helper()
		if !strings.Contains(config, old) {
			t.Fatalf("there is no %s", old)
		}
		config = strings.Replace(config, old, anew, 1)
		server.writeFile("queuegroups.yaml", config)
		if err := server.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the window shows "+wanted, func() bool {
			v.do("reload", step{})
			v.presses("Open the chat")
			v.sees(".message.agent .who")
			return strings.Contains(fmt.Sprint(v.in("texts", step{CSS: ".message.agent .who"})), wanted)
		})
	}
	if err := os.WriteFile(filepath.Join(server.dir, "face.png"), smallPNG, 0o600); err != nil {
		t.Fatal(err)
	}
	declare(`sip_password: anna-secret-1}`, `sip_password: anna-secret-1, profile: {name: "Ania <b id=x>", title: "<svg id=x onload=alert(1)>", picture: face.png}}`, "Ania <b id=x> · <svg id=x onload=alert(1)>")
	v.sees("header p:has-text('You are talking to Ania <b id=x>')")
	v.in("until", step{Text: "document.querySelector('.message.agent .who img').naturalWidth === 1"})
	v.picture("chat-face")
	declare("    name: Ask us\n", "    name: Ask us\n    agents_shown: hidden\n", "Ask us")
	v.sees("header p:has-text('You are talking to Ask us')")
	if n := v.in("count", step{CSS: ".who img"}); n != 0.0 {
		t.Errorf("%v pictures of an agent who is hidden", n)
	}
	declare("    agents_shown: hidden\n", "", "Ania <b id=x>")
	anna.do("POST", at+"/messages", map[string]string{"id": "face", "text": "and so on"}, 200)
	v.sees(".message.agent:has-text('and so on')")
}

// wantShown compares what the window shows with what the agent's program is told: the same
// messages in the same order, each once, and no notes.
func wantShown(t *testing.T, v visitor, anna *desk, at string) {
	t.Helper()
	var want, got []string
	for _, m := range anna.list(at + "/messages?limit=200") {
		if m["kind"] == "text" {
			want = append(want, fmt.Sprint(m["seq"]))
		}
	}
	eventually(t, "the window shows all", func() bool {
		got = nil
		for _, x := range v.in("all", step{CSS: ".message[data-seq]", Text: "seq"}).([]any) {
			got = append(got, fmt.Sprint(x))
		}
		return slices.Equal(got, want)
	})
	if n := v.in("count", step{CSS: ".message.waiting"}); n != 0.0 {
		t.Errorf("%v messages still wait", n)
	}
}

// wantThread wants that too, and what was written while the wire was cut to be there in its order.
func wantThread(t *testing.T, v visitor, anna *desk, at string) {
	t.Helper()
	wantShown(t, v, anna, at)
	wantOnceInOrder(t, fmt.Sprint(v.in("texts", step{CSS: ".message.customer .bubble"})), "offline ")
}

// seesWhereToWrite is true of a desk, not scrolled, with the field to write in below the end of what was said.
const seesWhereToWrite = `(() => {
	const [thread, field] = ['.talk-thread', '.compose'].map(css => document.querySelector(css));
	const { top, bottom } = thread.getBoundingClientRect();
	const last = [...thread.querySelectorAll('.said')].at(-1).getBoundingClientRect();
	return scrollY === 0 && top >= 0 && last.bottom <= bottom + 1 && field.getBoundingClientRect().top >= bottom && field.getBoundingClientRect().bottom <= innerHeight;
})()`

// wantOnceInOrder wants what was written three times, with a number behind it from 0 on, to be there once each, in order.
func wantOnceInOrder(t *testing.T, texts, what string) {
	t.Helper()
	last := -1
	for k := range 3 {
		n := strings.Index(texts, fmt.Sprint(what, k))
		if n <= last || strings.Count(texts, fmt.Sprint(what, k)) != 1 {
			t.Errorf("out of order, or not once: %s", texts)
		}
		last = n
	}
}

// smallPNG is a picture of one pixel.
var smallPNG = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82")

// vouched is a site's word on who a visitor is, signed with the channel's secret (RFC 7519, HS256).
func vouched(sub, name, email, phone string) string {
	claims, _ := json.Marshal(map[string]any{"sub": sub, "name": name, "email": email, "phone": phone, "exp": time.Now().Add(time.Hour).Unix()})
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// consoleChat has anna serve a chat at the desk of the console, of a visitor whose window is this
// test: what is written is shown as text, and goes both ways (R2, R22, R71).
func consoleChat(t *testing.T, b *browser, web string) {
	t.Helper()
	token := ""
	window := func(method, path string, body any, into any) {
		t.Helper()
		data, raw := body.([]byte)
		if !raw {
			var err error
			if data, err = json.Marshal(body); err != nil {
				t.Fatal(err)
			}
		}
		q, err := http.NewRequest(method, "http://"+web+"/widget/website/"+path, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Origin", "http://"+web)
		q.Header.Set("Authorization", "Bearer "+token)
		p, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Body.Close()
		if err := json.NewDecoder(p.Body).Decode(into); err != nil || p.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %v", method, path, p.StatusCode, err)
		}
	}
	var session struct{ Token string }
	window("POST", "session", map[string]string{"identity": vouched(`4711 <i id=x>`, `Ewa <i id=x>M</i>`, `"<svg id=x onload=alert(3)>"@example.com`, `<b id=x>+48`)}, &session)
	token = session.Token
	var kept struct{ Type string }
	writes := func(id, text string) {
		t.Helper()
		window("POST", "frames", map[string]any{"type": "message", "id": id, "text": text, "consent": "1", "form": map[string]string{"name": "Ewa <i id=x>M</i>"}}, &kept)
	}
	gets := func(want string) {
		t.Helper()
		eventually(t, "the visitor gets "+want, func() bool {
			var page struct{ Frames []json.RawMessage }
			window("GET", "poll?since=0", nil, &page)
			return strings.Contains(fmt.Sprintf("%s", page.Frames), want)
		})
	}
	writes("e1", "Do you ship to Gdańsk? <img id=x src=x>")
	b.do("scheme", step{Text: "light"})
	b.do("size", step{Width: 1280, Height: 900})
	b.do("open", step{URL: "http://" + web + "/#/desk"})
	b.signIn("anna", consolePassword)
	b.seeText(".chat-row", "Offered to you")
	b.seeText(".talk-thread", "Do you ship to Gdańsk? <img id=x src=x>")
	b.seeText(".talk-head", `Ewa <i id=x>M</i>`)
	b.seeText(".talk-head", `"<svg id=x onload=alert(3)>"@example.com · <b id=x>+48`)
	b.wantClean("a chat is offered")
	b.do("click", step{Role: "button", Name: "Accept", Within: &step{CSS: ".talk"}})
	b.fill(".compose textarea", "We do, in two days.")
	b.do("click", step{Role: "button", Name: "Send", Within: &step{CSS: ".compose"}})
	b.see(".said.agent:not(.unsent):has-text('We do, in two days.')")
	gets("We do, in two days.")
	b.see(".state button:has-text('Break after these chats')")
	b.press("Save as an answer") // R70
	b.fill("dialog input", "Delivery")
	b.do("click", step{Role: "button", Name: "Save", Within: &step{CSS: "dialog"}})
	b.gone("dialog")
	b.press("Answers") // R69
	b.see("dialog section[aria-label='Delivery']")
	b.wantClean("canned answers")
	b.picture("chat-canned")
	b.press("We do, in two days.")
	b.do("until", step{Text: "document.querySelector('.compose textarea').value === 'We do, in two days.'"})
	b.press("Note")
	b.fill(".compose textarea", "sounds like a reseller")
	b.press("Save the note")
	b.see(".said.note:not(.unsent):has-text('sounds like a reseller')")
	file, err := filepath.Abs(filepath.Join("..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	b.do("upload", step{CSS: ".compose input[type=file]", Path: file})
	b.see(".said-file:has-text('LICENSE')")
	var drawing struct{ Handle string }
	window("POST", "files?name="+url.QueryEscape(`<img id=x src=x onerror=alert(4)>.png`), []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(5)"/>`), &drawing)
	window("POST", "frames", map[string]any{"type": "message", "id": "e3", "files": []string{drawing.Handle}, "consent": "1"}, &kept)
	b.see(".said.customer .said-file:has-text('.png') span") // not a picture, whatever its name says
	writes("e2", "Thank you!")
	b.see(".said.customer:has-text('Thank you!')")
	gets("Thank you!")
	b.do("cut", step{Value: true}) // both go on writing; nothing is lost, nothing comes twice, the order stays
	for k := range 3 {
		b.fill(".compose textarea", fmt.Sprint("while cut off ", k))
		b.do("click", step{Role: "button", Name: "Send", Within: &step{CSS: ".compose"}})
	}
	b.see(".said.agent.unsent:has-text('while cut off 2')")
	writes("cut", "Are you there?")
	b.do("cut", step{Value: false})
	b.see(".said.agent:not(.unsent):has-text('while cut off 2')")
	b.see(".said.customer:has-text('Are you there?')")
	wantOnceInOrder(t, fmt.Sprint(b.do("texts", step{CSS: ".talk-thread .said.agent"})), "while cut off ")
	gets("while cut off 2")
	var had struct{ Frames []json.RawMessage }
	window("GET", "poll?since=0", nil, &had)
	wantOnceInOrder(t, fmt.Sprintf("%s", had.Frames), "while cut off ")
	b.do("complaints", step{}) // of the cut connection
	b.fill(".talk-search", "GDAŃSK")
	b.see("[role=region] .said.customer:has-text('Do you ship to Gdańsk?')")
	b.gone(".said.customer:has-text('Thank you!')")
	b.wantClean("a search")
	b.fill(".talk-search", "")
	b.see(".said.customer:has-text('Thank you!')")
	b.picture("chat-desk")
	b.wantClean("a chat")
	for _, width := range []int{390, 1280} {
		b.do("size", step{Width: width, Height: 800})
		b.do("until", step{Text: seesWhereToWrite})
	}
	b.do("scheme", step{Text: "dark"})
	b.do("size", step{Width: 390, Height: 900})
	for _, x := range b.do("clipped", step{}).([]any) {
		t.Errorf("the chat is cut off: %v", x)
	}
	b.wantClean("a chat, narrow and dark")
	b.picture("chat-desk-narrow")
	b.do("click", step{Role: "button", Name: "Close", Within: &step{CSS: ".talk-head"}})
	b.seeText(".chats", "No chats.")
	b.seeText(".my-day", "Customers’ rating") // of the chat before (R78)
	b.picture("chat-my-day")
	gets(`"phase":"closed"`)
	var all struct{ Frames []json.RawMessage }
	window("GET", "poll?since=0", nil, &all)
	if text := fmt.Sprintf("%s", all.Frames); strings.Contains(text, "reseller") {
		t.Errorf("the visitor has %s", text)
	}
	if n := b.do("count", step{CSS: "#x"}); n != 0.0 {
		t.Errorf("what was written became %v elements", n)
	}
	b.wantQuiet("the end")
}

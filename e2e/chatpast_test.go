package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"centrala/chat/partner"
)

// thirdParty is a shop's own program, which takes messages as long as its answer is 200.
type thirdParty struct {
	t      *testing.T
	c      *partner.Connector
	in     *httptest.Server
	mu     sync.Mutex
	answer int
	got    []string
}

func newThirdParty(t *testing.T) *thirdParty {
	t.Helper()
	c, err := partner.New(partner.Options{Secret: chatSecret})
	if err != nil {
		t.Fatal(err)
	}
	x := &thirdParty{t: t, c: c, answer: http.StatusOK}
	x.in = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct{ Message struct{ Text, Name string } }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		w.WriteHeader(x.answer)
		if x.answer == http.StatusOK {
			x.got = append(x.got, e.Message.Name+": "+e.Message.Text)
		}
	}))
	t.Cleanup(x.in.Close)
	return x
}

func (x *thirdParty) answers(status int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = status
}

func (x *thirdParty) has(text string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Contains(x.got, text)
}

// writes brings a customer's message to the server.
func (x *thirdParty) writes(web, customer, id, text string) {
	x.t.Helper()
	body := fmt.Appendf(nil, `{"type":"message","customer":{"id":%q,"name":"Ola Zych"},"message":{"id":%q,"text":%q}}`, customer, id, text)
	req, err := http.NewRequest(http.MethodPost, "http://"+web+"/connectors/shop/events", bytes.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	x.c.Sign(req.Header, id, body)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		x.t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		x.t.Fatalf("%d %s", res.StatusCode, answer)
	}
}

// undelivered: what does not get to the customer of a third party is marked, with why, and sent again by a click; what
// only waits is marked until it has arrived.
func (s *shop) undelivered(web string, shop *thirdParty) {
	s.t.Helper()
	shop.writes(web, "ola", "o1", "Is it you?")
	s.do("tab", step{Number: 1})
	s.do("open", step{URL: "http://" + web + "/#/desk"})
	s.see(".talk-head:has-text('Ola Zych')")
	s.do("click", step{Role: "button", Name: "Accept", Within: &step{CSS: ".talk"}})
	says := func(text string) {
		s.fill(".compose textarea", text)
		s.do("click", step{Role: "button", Name: "Send", Within: &step{CSS: ".compose"}})
	}
	shop.answers(http.StatusBadRequest)
	says("It is me.")
	s.see(".said:has-text('It is me.') .said-trouble:has-text('Did not reach the customer: answered 400 Bad Request')")
	s.see(".talk-trouble:has-text('Not every message has reached the customer.')")
	s.see(".chat-row .said-trouble")
	s.picture("chat-undelivered")
	s.wantClean("a message that did not arrive")
	shop.answers(http.StatusOK)
	s.press("Send again")
	eventually(s.t, "the message arrives", func() bool { return shop.has("Bartek Lis: It is me.") })
	s.do("complaints", step{})
	shop.answers(http.StatusServiceUnavailable)
	says("Do you hear me?")
	s.see(".said:has-text('Do you hear me?') .said-trouble.late")
	s.see(".talk-trouble:has-text('The channel cannot be reached.')")
	shop.answers(http.StatusOK)
	eventually(s.t, "the message arrives after all", func() bool { return shop.has("Bartek Lis: Do you hear me?") })
	s.gone(".said-trouble.late")
	s.do("click", step{Role: "button", Name: "Close", Within: &step{CSS: ".talk-head"}})
	s.seeText(".chats", "No chats.")
	s.do("tab", step{Number: 0})
}

// remembered: the chat that became a call is one story. What was written, what was thought of it, who joined and why it
// went where it went are on its page, which leads to the call, and the call's page back.
func (s *shop) remembered(web string) {
	s.t.Helper()
	s.anna.do("POST", s.at+"/attachments?id=bill&name=bill.txt", "a bill", 200)
	s.anna.do("POST", s.at+"/close", nil, 200)
	id := strings.TrimPrefix(s.at, "/interactions/")
	eventually(s.t, "the chat is in the record with its end", func() bool {
		x := s.bartek.do("GET", "/history/"+id, nil, 200)
		return x["ended"] != nil && len(x["steps"].([]any)) > 0
	})
	s.do("tab", step{Number: 1})
	s.do("open", step{URL: "http://" + web + "/#/history/" + id})
	s.see("[aria-labelledby=written] .said.agent:has-text('Bartek Lis'):has-text('I may help, too')")
	s.see("[aria-labelledby=written] .said.note:has-text('be kind to them')")
	s.see("[aria-labelledby=written] a.said-file[download='bill.txt'][href^='/api/v1/history/" + id + "/attachments/']")
	s.see("[aria-labelledby=ratings] li:has-text('Bartek Lis') .stars[aria-label='5 of 5']")
	s.seeText("[aria-labelledby=story]", "Bartek Lis joined the chat")
	s.see("[data-contact]:has-text('The chat became this call')")
	s.wantClean("a chat in the record")
	s.picture("chat-past")
	s.ratesAfterwards(id)
	s.click("[data-contact] a")
	s.see("[data-contact]:has-text('Began in this chat')")
	s.wantClean("the call that it became")
	s.click("[data-contact] a")
	s.see("[aria-labelledby=written] .said.note:has-text('be kind to them')")
	s.do("size", step{Width: 390, Height: 900})
	s.do("scheme", step{Text: "dark"})
	for _, x := range s.do("clipped", step{}).([]any) {
		s.t.Errorf("a chat in the record is cut off: %v", x)
	}
	s.wantClean("a chat in the record, narrow and dark")
	s.picture("chat-past-narrow")
	s.do("scheme", step{Text: "light"})
	s.do("size", step{Width: 1280, Height: 900})
	if n := s.do("count", step{CSS: "#x"}); n != 0.0 {
		s.t.Errorf("what was written became %v elements", n)
	}
}

// ratesAfterwards: bartek thinks again, by keys, of a chat that is over, and the reports with him (R73). anna, who had it,
// does not rate it.
func (s *shop) ratesAfterwards(id string) {
	s.t.Helper()
	reported := func(mean float64) {
		s.t.Helper()
		eventually(s.t, fmt.Sprintf("the reports have the supervisor's one rating, %v", mean), func() bool {
			total := s.bartek.do("GET", "/reports/channels", nil, 200)["total"].(map[string]any)["figures"].(map[string]any)
			of := func(figure string) any { return total[figure].(map[string]any)["value"] }
			return of("supervisor_ratings") == 1.0 && of("supervisor_rating_mean") == mean
		})
	}
	reported(5)
	s.anna.do("POST", s.at+"/rating", map[string]any{"score": 5}, 403)
	s.seeText("[aria-labelledby=ratings] legend", "How was it served?")
	s.do("run", step{Text: "document.querySelector('[aria-labelledby=ratings] input:checked').focus()"})
	s.do("press", step{Text: "ArrowLeft"})
	s.see("[aria-labelledby=ratings] input[value='4']:checked")
	s.do("press", step{Text: "Tab"})
	s.see("[aria-labelledby=ratings] .watch-rate input:not([type]):focus")
	s.fill("[aria-labelledby=ratings] .watch-rate input:not([type])", "kind after all")
	s.wantClean("a chat in the record is being rated")
	s.picture("chat-past-rate")
	s.do("press", step{Text: "Enter"})
	s.see("[aria-labelledby=ratings] li:has-text('Bartek Lis'):has-text('kind after all') .stars[aria-label='4 of 5']")
	s.seeText("[aria-labelledby=ratings] [role=status]", "The rating is saved.")
	if n := s.do("count", step{CSS: "[aria-labelledby=ratings] li"}); n != 1.0 {
		s.t.Errorf("there are %v ratings", n)
	}
	s.wantClean("a chat in the record is rated")
	reported(4)
	if list := s.bartek.list("/audit?who=bartek&what=rate-chat"); len(list) != 2 || list[0]["target"] != "interactions/"+id+"/rating" {
		s.t.Errorf("the audit log has %v", list)
	}
}

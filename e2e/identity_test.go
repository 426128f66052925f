package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A site that vouches for its visitors, and just now cannot: the visitor can write all the same, unnamed.
func TestChat_SiteCannotTellWhoItIs(t *testing.T) {
	t.Parallel()
	var script string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/chat-token" { // there is no answer
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>A shop</title><main><h1>A shop</h1></main><script>centrala = {identity: () => fetch('/chat-token').then(r => r.text())}</script>
			<script async src="%s/widget.js" data-channel="website" data-language="en"></script>`, script)
	}))
	defer site.Close()
	_, web := newConsole(t, newSite(t), fmt.Sprintf(chatSite, site.URL), "anna")
	script = "http://" + web
	b := newBrowser(t, strings.TrimPrefix(site.URL, "http://"))
	v := visitor{b}
	b.open("")
	v.presses("Open the chat")
	v.sees("h1:has-text('Ask us')")
	v.in("fill", step{CSS: "input[name=name]", Text: "Jan"})
	v.in("click", step{CSS: "input[type=checkbox]"})
	v.presses("Start the chat")
	v.writes("Where is my order?")
	v.sees(".message.customer:not(.waiting):has-text('Where is my order?')")
	b.do("complaints", step{}) // of the site's own server
}

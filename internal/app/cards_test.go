package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/chat"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

// A whole server, R60 and R58: bartek hands a chat over to anna, who is responsible for
// the customer then, or not, as the channel says; the next chat goes to who is.
func TestR60_TransferChangesTheResponsible(t *testing.T) {
	for option, next := range map[string]string{"true": "anna", "false": "bartek"} {
		t.Run(option, func(t *testing.T) {
			x := newShop(t)
			a, err := New(t.Context(), Options{Console: io.Discard, Config: webSite(t, `
agents: {celina: {}, bartek: {}, anna: {}}
groups: {sales: {agents: [anna]}}
channels:
  shop:
    connector: http
    url: "`+x.serve.URL+`"
    secret: "`+shopSecret+`"
    agents: [bartek, celina]
    distribution: in_order
    check_availability: false
    preferred: {agent: responsible, wait: 5m}
    transfer_responsible: `+option+`
    texts: {nobody: ""}
`)})
			if err == nil {
				err = a.Start(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			key, _, err := a.accounts.AddKey(t.Context(), accounts.Key{Title: "desk", Owner: "bartek", Rights: []queuegroups.Right{queuegroups.RightInteractionsWrite}})
			if err != nil {
				t.Fatal(err)
			}
			other, _, err := a.accounts.AddKey(t.Context(), accounts.Key{Title: "desk", Owner: "anna", Rights: []queuegroups.Right{queuegroups.RightInteractionsWrite}})
			if err != nil {
				t.Fatal(err)
			}
			do := func(key, path, body string) {
				t.Helper()
				req, err := http.NewRequest(http.MethodPost, "http://"+a.WebAddr().String()+"/api/v1/interactions/"+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+key)
				req.Header.Set("Content-Type", "application/json")
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if answer, _ := io.ReadAll(res.Body); res.StatusCode/100 != 2 {
					t.Fatalf("%s: %d %s", path, res.StatusCode, answer)
				}
			}
			offered := func(want string) (id string) {
				t.Helper()
				eventually(t, "it is offered to "+want, func() (is bool) {
					a.State(func(s *acd.State) {
						for v := range s.Underway(0) {
							if len(v.Offers) > 0 {
								is = string(v.Offers[0].Agent) == want
								text, _ := json.Marshal(v.ID)
								id = string(text)
							}
						}
					})
					return is
				})
				return id
			}
			x.brings(a, "m1", "hello")
			id := offered("bartek")
			do(key, id+"/accept", "")
			do(key, id+"/transfer", `{"to":{"agent":"anna"}}`)
			do(other, offered("anna")+"/accept", "")
			responsible := func() (agent string) {
				if s, err := a.chats.OpenOf(t.Context(), "shop", "jan"); err == nil {
					agent = s.Responsible
				}
				return agent
			}
			eventually(t, next+" is responsible", func() bool { return responsible() == next })
			do(other, id+"/close", "")
			eventually(t, "it is over", func() bool { _, err := a.chats.OpenOf(t.Context(), "shop", "jan"); return err != nil })
			x.brings(a, "m2", "me again")
			offered(next)
			stopped(t, a)
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

// A whole server that ends between the log's word that an agent took a chat and the note of who is
// responsible for its customer: the next one makes up for it, and once only (R60).
func TestR60_TakenAsTheServerEnded(t *testing.T) {
	x := newShop(t)
	config := webSite(t, `
agents: {anna: {}, bartek: {}}
groups: {sales: {agents: [anna]}}
channels:
  shop: {connector: http, url: "`+x.serve.URL+`", secret: "`+shopSecret+`", agents: [bartek], check_availability: false, transfer_responsible: true, texts: {nobody: ""}}
`)
	var a *App
	start := func() {
		var err error
		if a, err = New(t.Context(), Options{Console: io.Discard, Config: config}); err == nil {
			err = a.Start(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	stop := func() {
		stopped(t, a)
	}
	has := func() (s chat.Session) {
		s, _ = a.chats.OpenOf(t.Context(), "shop", "jan") // while the server is not there it is not looked
		return s
	}
	start()
	x.brings(a, "m1", "hello")
	taken := &acd.OfferAnswered{Node: "n1"}
	eventually(t, "it is offered", func() bool {
		a.State(func(s *acd.State) {
			for v := range s.Underway(0) {
				if len(v.Offers) > 0 {
					taken.Offer, taken.Leg = v.Offers[0].ID, v.Leg+".x"
				}
			}
		})
		return taken.Offer != 0
	})
	if err := a.append(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	if now := has(); now.Responsible != "" {
		t.Fatalf("%+v", now)
	}
	stop()
	start()
	eventually(t, "bartek is responsible", func() bool { return has().Responsible == "bartek" })
	// Somebody else is since then, by another chat: a third start leaves that as it is.
	now := has()
	if now.Taken == 0 {
		t.Errorf("%+v", now)
	}
	if err := a.chats.Store.Accepted(t.Context(), now.ID, []chat.Take{{Index: now.Taken + 1000, Agent: "anna", Anew: true}}); err != nil {
		t.Fatal(err)
	}
	stop()
	start()
	a.chats.Taken(now.ID)
	lane := make(chan struct{})
	a.chats.Hub.Accepted(now.ID, func(chat.Session) []chat.Take { close(lane); return nil }) // after what was to be done before
	<-lane
	if now := has(); now.Responsible != "anna" {
		t.Errorf("%+v", now)
	}
	stop()
	http.DefaultClient.CloseIdleConnections()
}

package web

import (
	"net/http"
	"slices"
	"testing"

	"centrala/acd"
	"centrala/internal/accounts"
)

// Whose rights reach the channel joins a chat that an agent has, writes in it and leaves again; the
// agent goes on having it. Nobody else does, and nobody joins their own chat or one that nobody has (P4, P16, R76).
func TestJoinChat(t *testing.T) {
	r, id := newChatRig(t)
	at := "/interactions/" + id
	say := map[string]string{"id": "m1", "text": "I help"}
	r.want(r.as("director", http.MethodPost, at+"/join", nil), 409, codeWrongPhase) // it is only offered
	r.want(r.as("anna", http.MethodPost, at+"/accept", nil), 200, "")
	r.want(r.as("anna", http.MethodPost, at+"/join", nil), 403, codeForbidden)
	r.want(r.as("celina", http.MethodPost, at+"/join", nil), 404, codeNotFound)
	r.want(r.as("support", http.MethodPost, at+"/join", nil), 404, codeNotFound)
	r.want(r.as("boss", http.MethodPost, at+"/messages", say), 403, codeNotYours)
	r.want(r.as("boss", http.MethodPost, at+"/typing", nil), 403, codeNotYours)
	r.want(r.as("boss", http.MethodPost, at+"/join/end", nil), 409, codeNotYours)
	for range 2 { // once more does no harm
		p := r.as("boss", http.MethodPost, at+"/join", nil)
		r.want(p, 200, "")
		if got := decode[After](t, p).Interaction; got.Agent != "anna" || !slices.Equal(got.Beside, []string{"boss"}) {
			t.Errorf("%+v", got)
		}
	}
	p := r.as("boss", http.MethodPost, at+"/messages", say)
	r.want(p, 200, "")
	if m := decode[Message](t, p); m.Agent != "boss" || m.Author != "agent" {
		t.Errorf("%+v", m)
	}
	if list := r.mine("anna"); len(list) != 1 || !slices.Equal(list[0].Interaction.Beside, []string{"boss"}) {
		t.Errorf("%+v", list)
	}
	r.want(r.as("boss", http.MethodPost, at+"/typing", nil), 204, "")
	if list := r.mine("anna"); len(list) != 1 || list[0].Typing || !slices.Equal(list[0].Beside, []string{"boss"}) {
		t.Errorf("who types beside her: %+v", list)
	}
	r.want(r.as("anna", http.MethodPost, at+"/typing", nil), 204, "")
	if list := r.mine("anna"); len(list) != 1 || list[0].Beside != nil {
		t.Errorf("she types: %+v", list)
	}
	if r.chats.leg != "chat-1" { // by which hub and core tell them from the agent
		t.Errorf("said by the leg %q", r.chats.leg)
	}
	r.want(r.as("boss", http.MethodPost, at+"/attachments?id=f1&name=x.txt", "a file"), 200, "")
	r.want(r.as("boss", http.MethodPost, at+"/join/end", nil), 200, "")
	r.want(r.as("boss", http.MethodPost, at+"/messages", say), 403, codeNotYours)
	r.want(r.as("anna", http.MethodPost, at+"/messages", map[string]string{"id": "m2", "text": "good"}), 200, "")
	if r.chats.leg == "chat-1" {
		t.Error("the agent writes as if she had joined")
	}
	var told []*acd.ChatJoined
	for _, e := range r.core.facts {
		if x, ok := e.(*acd.ChatJoined); ok {
			told = append(told, x)
		}
	}
	if len(told) != 2 || told[0].By != "boss" || told[0].Left || !told[1].Left {
		t.Errorf("told %+v", told)
	}
	for _, what := range []string{"join-chat", "part-from-chat", "send-message"} {
		if !slices.ContainsFunc(r.accounts.audited(), func(e accounts.Entry) bool { return e.Who == "boss" && e.What == what }) {
			t.Errorf("%s is not in the audit log", what)
		}
	}
}

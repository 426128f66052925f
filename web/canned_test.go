package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"centrala/chat"
)

// R69, R70: agents of the channel save answers in groups and have them all; they remove their
// own, supervisors all of them; others see none.
func TestR69_Canned(t *testing.T) {
	r, _ := newChatRig(t)
	const path = "/channels/website/canned"
	list := func(who string) (out []Canned) {
		t.Helper()
		p := r.as(who, http.MethodGet, path, nil)
		r.want(p, 200, "")
		return decode[struct{ Items []Canned }](t, p).Items
	}
	r.want(r.as("anna", http.MethodPost, path, map[string]string{"group": " Delivery ", "text": " Two <b>days</b>. "}), 200, "")
	r.want(r.as("bartek", http.MethodPost, path, map[string]string{"text": "Hello!"}), 200, "")
	if got := list("bartek"); len(got) != 2 || got[0].Group != "Delivery" || got[0].Text != "Two <b>days</b>." || got[0].By != "anna" || got[1].By != "bartek" {
		t.Errorf("%+v", got)
	}
	r.want(r.as("celina", http.MethodGet, path, nil), 404, codeNotFound)
	r.want(r.as("celina", http.MethodPost, path, map[string]string{"text": "x"}), 404, codeNotFound)
	r.want(r.as("anna", http.MethodGet, "/channels/nowhere/canned", nil), 404, codeNotFound)
	for _, bad := range []map[string]string{{"text": ""}, {"text": "  "}, {"text": "x", "group": "a\nb"}, {"group": "x"}} {
		r.want(r.as("anna", http.MethodPost, path, bad), 422, codeInvalid)
	}
	r.want(r.as("bartek", http.MethodDelete, path+"/1", nil), 403, codeForbidden)
	r.want(r.as("bartek", http.MethodDelete, path+"/9", nil), 404, codeNotFound)
	r.want(r.as("bartek", http.MethodDelete, path+"/2", nil), 204, "")
	r.want(r.as("boss", http.MethodDelete, path+"/1", nil), 204, "")
	if got := list("anna"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	for range 3 {
		r.want(r.as("anna", http.MethodPost, path, map[string]string{"text": "x"}), 200, "")
	}
	r.want(r.as("anna", http.MethodPost, path, map[string]string{"text": "x"}), 409, codeFull)
}

// R73: a supervisor rates a chat in reach; its agent does not, nor a colleague.
func TestR73_SupervisorRates(t *testing.T) {
	r, id := newChatRig(t)
	at := "/interactions/" + id
	r.want(r.as("anna", http.MethodPost, at+"/accept", nil), 200, "")
	rating := map[string]any{"score": 4, "comment": "friendly"}
	r.want(r.as("anna", http.MethodPost, at+"/rating", rating), 403, codeForbidden)
	r.want(r.as("celina", http.MethodPost, at+"/rating", rating), 404, codeNotFound)
	r.want(r.as("boss", http.MethodPost, at+"/rating", map[string]any{"score": 6}), 422, codeInvalid)
	r.want(r.as("boss", http.MethodPost, at+"/rating", rating), 204, "")
	if got := fmt.Sprintf("%+v", r.chats.ratings); len(r.chats.ratings) != 1 || r.chats.ratings[0].Who != "user:boss" || r.chats.ratings[0].Score != 4 || r.chats.ratings[0].Session != "chat-1" {
		t.Error(got)
	}
}

// What contains a text is found in the whole conversation, in whatever letters, the newest of it;
// by nobody who may not see the chat.
func TestChats_Search(t *testing.T) {
	r, id := newChatRig(t)
	for k := range 450 {
		r.chats.list = append(r.chats.list, chat.Message{Conversation: 1, Seq: int64(k + 2), Author: chat.ByAgent, Kind: chat.KindText, Text: fmt.Sprint("line ", k), Status: chat.StatusSent})
	}
	r.chats.list[3].Text = "Łódź, the first"
	r.chats.list[300].Text = "to ŁÓDŹ"
	r.chats.list[449].Attachments = []chat.Attachment{{ID: "f", Name: "łódź.png", Type: "image/png"}}
	at := "/interactions/" + id + "/messages?"
	find := func(query string) (seqs []int64) {
		t.Helper()
		p := r.as("anna", http.MethodGet, at+query, nil)
		r.want(p, 200, "")
		for _, m := range decode[Messages](t, p).Items {
			seqs = append(seqs, m.Seq)
		}
		return seqs
	}
	if got := find("text=" + url.QueryEscape("łódź")); !slices.Equal(got, []int64{4, 301, 450}) {
		t.Error(got)
	}
	if got := find("limit=2&text=" + url.QueryEscape("łódź")); !slices.Equal(got, []int64{301, 450}) {
		t.Error(got)
	}
	if got := find("text=nowhere"); len(got) != 0 {
		t.Error(got)
	}
	r.want(r.as("anna", http.MethodGet, at+"text=x&after=1", nil), 422, codeInvalid)
	r.want(r.as("celina", http.MethodGet, at+"text=x", nil), 404, codeNotFound)
}

package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"centrala/chat"
	"centrala/queuegroups"
)

// R9: a channel that is not declared any more is archived; all its dialogs are deleted by an
// administrator alone, who is told first how many and says its name again, and that is in the
// audit log. No single chat can be deleted, by nobody.
func TestR9_Channels(t *testing.T) {
	r, _ := newChatRig(t)
	r.chats.kept = []chat.Dialogs{{Channel: "old", Conversations: 12, Messages: 340, Open: 1}, {Channel: "website", Conversations: 1, Messages: 2}}
	list := func(who string) (ids string) {
		p := r.as(who, http.MethodGet, "/channels", nil)
		r.want(p, 200, "")
		for _, x := range decode[Page[Channel]](t, p).Items {
			if ids += x.ID + " "; x.Archived {
				ids += "archived "
			}
		}
		return ids
	}
	if got := list("boss"); !strings.Contains(got, "website ") || strings.Contains(got, "website archived") || !strings.Contains(got, "old archived") {
		t.Errorf("channels: %q", got)
	}
	r.want(r.as("anna", http.MethodDelete, "/channels/old?confirm=old", nil), 403, codeForbidden)
	r.want(r.as("director", http.MethodDelete, "/channels/old?confirm=old", nil), 403, codeForbidden)
	r.want(r.as("boss", http.MethodDelete, "/channels/nothing?confirm=nothing", nil), 404, codeNotFound)
	r.want(r.as("boss", http.MethodDelete, "/channels/website?confirm=website", nil), 409, codeDeclared)
	r.want(r.as("boss", http.MethodDelete, "/channels/old?confirm=old", nil), 409, codeGoingOn)
	r.chats.kept[0].Open = 0
	for _, confirm := range []string{"", "?confirm=Old"} {
		p := r.as("boss", http.MethodDelete, "/channels/old"+confirm, nil)
		r.want(p, 409, codeUnconfirmed)
		if said := decode[Problem](t, p).Detail; !strings.Contains(said, "12 conversations with 340 messages") {
			t.Errorf("said %q", said)
		}
	}
	if len(r.chats.kept) != 2 {
		t.Fatal("it was deleted without a word")
	}
	r.want(r.as("boss", http.MethodDelete, "/channels/old?confirm=old", nil), 200, "")
	if got := list("boss"); strings.Contains(got, "old") {
		t.Errorf("after that: %q", got)
	}
	audited := false
	for _, e := range r.accounts.audited() {
		audited = audited || e.Who == "boss" && e.What == "delete-channel" && strings.Contains(string(e.Before), "340")
	}
	if !audited {
		t.Errorf("not in the audit log: %+v", r.accounts.audited())
	}
	for path, methods := range r.document().Paths {
		if _, is := methods["delete"]; is && (strings.Contains(path, "conversation") || strings.Contains(path, "messages") || strings.HasPrefix(path, "/interactions")) {
			t.Errorf("a chat can be deleted: %s", path)
		}
	}
}

// What keeps a channel from working is told to whoever lists the channels, and on the wallboard.
func TestFaults(t *testing.T) {
	r, _ := newChatRig(t)
	for _, fault := range []string{"the bot's token is refused", ""} {
		r.chats.faults = nil
		if fault != "" {
			r.chats.faults = map[queuegroups.ChannelID]string{"website": fault}
		}
		p := r.as("boss", http.MethodGet, "/channels", nil)
		r.want(p, 200, "")
		if list := decode[Page[Channel]](t, p).Items; list[0].ID != "website" || list[0].Fault != fault {
			t.Errorf("%+v", list)
		}
		shown, err := r.s.take(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range shown.groups {
			var got BoardGroup
			if err := json.Unmarshal(g.body, &got); err != nil {
				t.Fatal(err)
			}
			if want := map[bool]string{true: fault}[got.Channel == "website"]; got.Fault != want {
				t.Errorf("%s: %q, want %q", got.ID, got.Fault, want)
			}
		}
	}
}

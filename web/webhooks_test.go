package web

import (
	"strings"
	"testing"
)

func TestWebhooks(t *testing.T) {
	r := newRig(t)
	p := r.as("boss", "POST", "/webhooks", map[string]any{"title": "crm", "url": "https://crm.example.com/hook", "types": []string{"call.*"}, "groups": []string{"sales"}})
	made := decode[struct {
		Webhook
		Secret string `json:"secret"`
	}](t, p)
	if p.status != 201 || !strings.HasPrefix(made.Secret, "whsec_") || !made.Enabled || made.ID == "" {
		t.Fatalf("%d %s", p.status, p.body)
	}
	path := "/webhooks/" + made.ID
	for _, look := range []string{"/webhooks", path} {
		if p := r.as("boss", "GET", look, nil); p.status != 200 || !strings.Contains(p.body, "crm.example.com") || strings.Contains(p.body, made.Secret) {
			t.Errorf("%s: %d %s", look, p.status, p.body)
		}
	}
	w := decode[Webhook](t, r.as("boss", "PATCH", path, map[string]any{"enabled": false, "title": "CRM"}))
	if w.Enabled || w.Title != "CRM" || w.URL != made.URL || len(w.Types) != 1 || w.Why != "by boss" {
		t.Errorf("%+v", w)
	}
	if w := decode[Webhook](t, r.as("boss", "PATCH", path, map[string]any{"enabled": true, "types": []string{}})); !w.Enabled || len(w.Types) != 0 {
		t.Errorf("%+v", w)
	}
	if p := r.as("boss", "POST", path+"/secret", nil); p.status != 200 || strings.Contains(p.body, made.Secret) || !strings.Contains(p.body, "whsec_") {
		t.Errorf("%d %s", p.status, p.body)
	}
	if p := r.as("boss", "GET", path+"/deliveries?state=failed", nil); p.status != 200 || !strings.Contains(p.body, `"items":[]`) {
		t.Errorf("%d %s", p.status, p.body)
	}
	r.want(r.as("boss", "POST", path+"/deliveries/5/replay", nil), 404, codeNotFound)
	for _, body := range []string{
		`{"title":"x","url":"https://127.0.0.1/"}`, `{"title":"x","url":"https://[::ffff:10.0.0.1]/"}`, `{"title":"x","url":"ftp://example.com"}`, `{"title":"x","url":""}`,
		`{"title":"","url":"https://example.com"}`, `{"title":"x","url":"https://example.com","types":["call.nothing"]}`,
		`{"title":"x","url":"https://example.com","groups":["nobody"]}`, `{"title":"x","url":"https://example.com/` + strings.Repeat("x", 2000) + `"}`, `{"title":"x"}`, `[]`,
	} {
		r.want(r.as("boss", "POST", "/webhooks", body), 422, codeInvalid)
	}
	for _, body := range []string{`{"url":"https://169.254.169.254/latest"}`, `{"types":["x"]}`, `{"enabled":1}`} {
		r.want(r.as("boss", "PATCH", path, body), 422, codeInvalid)
	}
	r.want(r.as("boss", "POST", "/webhooks", strings.Repeat(" ", MaxBody+1)), 413, codeTooLarge)
	r.want(r.as("boss", "GET", path+"/deliveries?cursor=eA", nil), 400, codeBadCursor)
	for _, who := range []string{"director", "anna"} { // a setting
		r.want(r.as(who, "GET", path, nil), 403, codeForbidden)
		r.want(r.as(who, "DELETE", path, nil), 403, codeForbidden)
	}
	narrow := *r.accounts.sessions["support"]
	narrow.Role.Rights = builtin(t, "administrator").Rights
	r.accounts.sessions["support"] = &narrow
	r.want(r.as("support", "GET", "/webhooks", nil), 403, codeForbidden) // whatever the rights, they reach one group
	r.want(r.as("support", "POST", "/webhooks", map[string]any{"title": "x", "url": "https://example.com"}), 403, codeForbidden)
	if p := r.as("boss", "DELETE", path, nil); p.status != 204 {
		t.Errorf("%d %s", p.status, p.body)
	}
	r.want(r.as("boss", "GET", path, nil), 404, codeNotFound)
	var did []string
	for _, e := range r.accounts.audited() {
		did = append(did, e.What)
		if e.Target != "webhooks/"+made.ID && e.What != "rotate-webhook-secret" || strings.Contains(string(e.After), "whsec_") {
			t.Errorf("%+v", e)
		}
	}
	if got := strings.Join(did, " "); got != "add-webhook change-webhook change-webhook rotate-webhook-secret remove-webhook" {
		t.Errorf("in the audit log: %s", got)
	}
}

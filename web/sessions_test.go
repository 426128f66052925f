package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"centrala/queuegroups"
)

const password = "a good password"

// signedIn signs in, and returns the cookie's value.
func (r *rig) signedIn(name, password string, change ...func(*http.Request)) (token string, m Me) {
	r.t.Helper()
	p := r.as("", "POST", "/session", map[string]string{"name": name, "password": password}, change...)
	r.want(p, 200, "")
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		token = c.Value
	}
	return token, decode[Me](r.t, p)
}

func (r *rig) setPassword(name string) {
	r.t.Helper()
	if err := r.accounts.SetPassword(r.t.Context(), name, password, false); err != nil {
		r.t.Fatal(err)
	}
}

func TestSession(t *testing.T) {
	r := newRig(t)
	r.setPassword("anna")
	wrong := r.as("", "POST", "/session", map[string]string{"name": "anna", "password": "wrong wrong"})
	r.want(wrong, 401, codeRefused)
	unknown := r.as("", "POST", "/session", map[string]string{"name": "nobody", "password": "wrong wrong"})
	r.want(unknown, 401, codeRefused)
	strip := func(p reply) string {
		return strings.ReplaceAll(p.body, p.header.Get(requestIDHeader), "")
	}
	if strip(wrong) != strip(unknown) {
		t.Errorf("%s\n%s", wrong.body, unknown.body)
	}
	token, m := r.signedIn("anna", password)
	if m.User != "anna" || m.Agent != "anna" || m.Role != "manager" || m.Reach != "own" || m.ChoosePassword || len(m.Rights) == 0 {
		t.Errorf("%+v", m)
	}
	if m.Phone != "desk" {
		t.Errorf("anna, who has the password of a telephone, may talk at %q", m.Phone)
	}
	if got := decode[Me](t, r.as(token, "GET", "/session", nil)); got.Session != m.Session {
		t.Errorf("%+v", got)
	}
	r.want(r.as(token, "POST", "/agents/anna/dnd", `{"on":true}`), 200, "")
	other, _ := r.signedIn("anna", password)
	if n := len(decode[Page[Session]](t, r.as(other, "GET", "/sessions", nil)).Items); n != 2 {
		t.Errorf("%d sessions", n)
	}
	// Nobody ends somebody else's session in this way.
	r.setPassword("celina")
	celina, hers := r.signedIn("celina", password)
	if hers.Phone != "browser" {
		t.Errorf("celina, who has no other telephone, may talk at %q", hers.Phone)
	}
	r.want(r.as(celina, "DELETE", "/sessions/"+m.Session, nil), 404, codeNotFound)
	r.want(r.as("boss", "DELETE", "/sessions/"+m.Session, nil), 404, codeNotFound)
	r.want(r.as(token, "GET", "/session", nil), 200, "")
	r.want(r.as(other, "DELETE", "/sessions/"+m.Session, nil), 204, "")
	r.want(r.as(token, "GET", "/session", nil), 401, codeNotSignedIn)
	r.want(r.as(other, "POST", "/session/password", map[string]string{"old": "wrong wrong", "new": password + "2"}), 403, codeRefused)
	r.want(r.as(other, "POST", "/session/password", map[string]string{"old": password, "new": "short"}), 422, codeWeakPassword)
	r.want(r.as(other, "POST", "/session/password", map[string]string{"old": password, "new": password + "2"}), 204, "")
	p := r.as(other, "DELETE", "/session", nil)
	r.want(p, 204, "")
	if c := p.header.Get("Set-Cookie"); !strings.Contains(c, "Max-Age=0") {
		t.Errorf("the cookie stays: %q", c)
	}
	r.want(r.as(other, "GET", "/session", nil), 401, codeNotSignedIn)
	if n := len(r.accounts.audited()); n != 0 {
		t.Errorf("%d audit entries for what people did to themselves", n)
	}
}

// The cookie is kept from scripts and from other sites, and over TLS from everything else.
func TestSession_Cookie(t *testing.T) {
	r := newRig(t)
	r.setPassword("anna")
	cookie := func(change ...func(*http.Request)) string {
		return r.as("", "POST", "/session", map[string]string{"name": "anna", "password": password}, change...).header.Get("Set-Cookie")
	}
	if c := cookie(); !strings.HasPrefix(c, "centrala=") || !strings.Contains(c, "; Path=/; HttpOnly; SameSite=Lax") {
		t.Error(c)
	}
	c := cookie(func(q *http.Request) {
		q.Header.Set("X-Forwarded-For", "192.0.2.1")
		q.Header.Set("X-Forwarded-Proto", "https")
	})
	if !strings.HasPrefix(c, "__Host-centrala=") || !strings.Contains(c, "; Path=/; HttpOnly; Secure; SameSite=Lax") {
		t.Error(c)
	}
}

func TestSession_Guessing(t *testing.T) {
	r := newRig(t)
	var p reply
	for range 20 {
		p = r.as("", "POST", "/session", map[string]string{"name": "anna", "password": "wrong wrong"})
		if p.status != 401 {
			break
		}
	}
	r.want(p, 429, codeTooMany)
	if p.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// A password for one sign-in lets one do nothing but choose another.
func TestSession_ChoosePassword(t *testing.T) {
	r := newRig(t)
	p := r.as("boss", "POST", "/users/anna/password", nil)
	r.want(p, 200, "")
	once := decode[struct{ Password string }](t, p).Password
	token, m := r.signedIn("anna", once)
	if !m.ChoosePassword {
		t.Errorf("%+v", m)
	}
	r.want(r.as(token, "GET", "/agents", nil), 403, codeChoosePassword)
	r.want(r.as(token, "GET", "/session", nil), 200, "")
	r.want(r.as("", "POST", "/session", map[string]string{"name": "anna", "password": once}), 401, codeRefused)
	r.want(r.as(token, "POST", "/session/password", map[string]string{"new": password}), 204, "")
	r.want(r.as(token, "GET", "/agents", nil), 200, "")
	entries := r.accounts.audited()
	if len(entries) != 1 || entries[0].What != "reset-password" || entries[0].Target != "users/anna" || strings.Contains(string(entries[0].After), once) {
		t.Errorf("%+v", entries)
	}
}

func TestUsers(t *testing.T) {
	r := newRig(t)
	r.want(r.as("boss", "POST", "/users", map[string]string{"name": "chief", "role": "king"}), 422, codeInvalid)
	r.want(r.as("boss", "POST", "/users", map[string]string{"name": "anna", "role": "director"}), 409, codeExists)
	p := r.as("boss", "POST", "/users", map[string]string{"name": "chief", "role": "director"})
	r.want(p, 201, "")
	if u := decode[User](t, p); u.Role != "director" || u.Password || u.Agent {
		t.Errorf("%+v", u)
	}
	if list := decode[Page[User]](t, r.as("boss", "GET", "/users", nil)).Items; len(list) != 4 || list[0].Name != "anna" || !list[0].Agent || list[0].Role != "manager" {
		t.Errorf("%+v", list)
	}
	r.want(r.as("boss", "PATCH", "/users/anna", map[string]string{"role": "director"}), 409, codeAgent)
	if u := decode[User](t, r.as("boss", "PATCH", "/users/chief", map[string]any{"role": "manager", "disabled": true})); u.Role != "manager" || !u.Disabled {
		t.Errorf("%+v", u)
	}
	r.want(r.as("boss", "GET", "/users/nobody", nil), 404, codeNotFound)
	r.want(r.as("boss", "GET", "/users/chief/sessions", nil), 200, "")
	r.want(r.as("boss", "DELETE", "/users/chief/sessions", nil), 204, "")
	r.want(r.as("boss", "DELETE", "/users/chief", nil), 204, "")
	r.want(r.as("boss", "DELETE", "/users/chief", nil), 404, codeNotFound)
	var did []string
	for _, e := range decode[Page[AuditEntry]](t, r.as("boss", "GET", "/audit", nil)).Items {
		did = append(did, e.Who+" "+e.What+" "+e.Target+" "+e.From)
	}
	want := "boss remove-user users/chief 127.0.0.1, boss end-user-sessions users/chief/sessions 127.0.0.1, boss change-user users/chief 127.0.0.1, boss add-user users/chief 127.0.0.1"
	if got := strings.Join(did, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	first := decode[Page[AuditEntry]](t, r.as("boss", "GET", "/audit?limit=3&who=boss", nil))
	second := decode[Page[AuditEntry]](t, r.as("boss", "GET", "/audit?limit=3&who=boss&cursor="+first.Next, nil))
	if len(first.Items) != 3 || len(second.Items) != 1 || second.Items[0].What != "add-user" || second.Next != "" {
		t.Errorf("%+v %+v", first, second)
	}
	if c := first.Items[2]; c.Before.(map[string]any)["role"] != "director" || c.After.(map[string]any)["role"] != "manager" {
		t.Errorf("%+v", c)
	}
}

// Who may keep users gives nobody more than they have themself, and commands nobody who has more.
func TestUsers_NobodyGivesMoreThanTheyHave(t *testing.T) {
	r := newRig(t)
	clerk := *r.accounts.sessions["boss"]
	clerk.Name, clerk.Role = "clerk", clerk.Role.Narrowed([]queuegroups.Right{"users:read", "users:write", "agents:read"}, nil)
	r.accounts.sessions["clerk"] = &clerk
	if err := r.accounts.AddUser(t.Context(), "owner", "administrator"); err != nil {
		t.Fatal(err)
	}
	r.want(r.as("clerk", "POST", "/users", map[string]string{"name": "me2", "role": "administrator"}), 403, codeForbidden)
	r.want(r.as("clerk", "POST", "/users/owner/password", nil), 403, codeForbidden)
	r.want(r.as("clerk", "PATCH", "/users/owner", map[string]any{"disabled": true}), 403, codeForbidden)
	r.want(r.as("clerk", "DELETE", "/users/owner", nil), 403, codeForbidden)
	r.want(r.as("clerk", "POST", "/keys", map[string]any{"title": "x", "rights": []string{"config:write"}, "owner": "owner"}), 403, codeForbidden)
}

func TestKeys(t *testing.T) {
	r := newRig(t)
	if err := r.accounts.AddUser(t.Context(), "boss", "administrator"); err != nil {
		t.Fatal(err)
	}
	r.want(r.as("boss", "POST", "/keys", map[string]any{"title": "x", "rights": []string{"all"}}), 422, codeInvalid)
	r.want(r.as("boss", "POST", "/keys", map[string]any{"title": "x", "rights": []string{"agents:read"}, "groups": []string{"sals"}}), 422, codeInvalid)
	r.want(r.as("boss", "POST", "/keys", map[string]any{"title": "x", "rights": []string{"agents:read"}, "expires": time.Unix(0, 0)}), 422, codeInvalid)
	p := r.as("boss", "POST", "/keys", map[string]any{"title": "wallboard", "rights": []string{"agents:read"}, "groups": []string{"support"}})
	r.want(p, 201, "")
	k := decode[struct{ ID, Secret, Owner string }](t, p)
	if k.Owner != "boss" {
		t.Errorf("%+v", k)
	}
	list := decode[Page[Agent]](t, r.as("key:"+k.Secret, "GET", "/agents", nil)).Items
	if len(list) != 1 || list[0].ID != "celina" {
		t.Errorf("%+v", list)
	}
	r.want(r.as("key:"+k.Secret, "GET", "/agents/anna", nil), 404, codeNotFound)
	r.want(r.as("key:"+k.Secret, "GET", "/interactions", nil), 403, codeForbidden)
	r.want(r.as("key:"+k.Secret, "GET", "/session", nil), 403, codeForbidden)
	if p := r.as("boss", "GET", "/keys", nil); strings.Contains(p.body, k.Secret[len(k.Secret)-40:]) || !strings.Contains(p.body, "wallboard") {
		t.Error(p.body)
	}
	for _, e := range r.accounts.audited() {
		if strings.Contains(string(e.After), k.Secret[len(k.Secret)-40:]) {
			t.Errorf("the secret is in the audit log: %s", e.After)
		}
	}
	r.want(r.as("boss", "DELETE", "/keys/"+k.ID, nil), 204, "")
	r.want(r.as("key:"+k.Secret, "GET", "/agents", nil), 401, codeNotSignedIn)
}

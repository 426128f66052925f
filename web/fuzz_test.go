package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Whatever is sent to whatever operation, the answer is never a fault of the server's, and every
// refusal is a problem with a code.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		"", "{", "null", "[]", `"x"`, "{}", `{"duty":1}`, `{"duty":"break","reason":"lunch","next":true}`, `{"to":{"agent":"\u0000"}}`, `{"to":null}`,
		`{"name":"x","role":"director"}`, `{"title":"x","rights":["agents:read"],"expires":"9999-12-31T23:59:59Z"}`, `{"yaml":"agents: {"}`,
		`{"name":"anna","password":"\ud800"}`, `{"seconds":1e99}`, `{"on":true,"on":false}`, strings.Repeat("[", 10_000), "\xff\xfe",
	} {
		f.Add(uint8(0), "anna", "", body, "application/json", "")
	}
	f.Add(uint8(3), "a/b", "limit=-1&cursor=AAAA", "", "", "k")
	f.Add(uint8(7), "%00", "from=9999-99-99T00:00:00Z", "{}", "text/plain", strings.Repeat("k", 300))
	f.Add(uint8(9), "18446744073709551616", "a[b]=c&limit=9223372036854775807", "{}", "application/json; charset=x", "\x01")
	f.Add(uint8(200), "..", "cursor=MQ", "{}", "multipart/form-data; boundary=x", "k")

	r := newRig(f)
	type target struct{ method, path string }
	var targets []target
	for path, methods := range r.document().Paths {
		for method := range methods {
			targets = append(targets, target{strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(targets, func(a, b target) int { return strings.Compare(a.method+a.path, b.method+b.path) })
	f.Fuzz(func(t *testing.T, n uint8, value, query, body, contentType, key string) {
		r.t = t
		for _, x := range []target{targets[int(n)%len(targets)], {"POST", "/session"}, {"POST", "/agents/{agent}/duty"}} {
			p := r.as("boss", x.method, "/agents", body, func(q *http.Request) {
				q.URL.Path = Prefix + pathParameter.ReplaceAllString(x.path, strings.ReplaceAll(value, "$", ""))
				q.URL.RawQuery = query
				q.Header.Set("Content-Type", contentType)
				if key != "" {
					q.Header.Set("Idempotency-Key", key)
				}
			})
			switch {
			case p.status >= 500:
				t.Errorf("%s %s %.100q: %d %.300s", x.method, x.path, body, p.status, p.body)
			case p.status >= 400 && p.code() == "":
				t.Errorf("%s %s %.100q: %d is no problem: %.300s", x.method, x.path, body, p.status, p.body)
			}
		}
	})
}

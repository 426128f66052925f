package queuegroups

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// identitySecretMin is the shortest secret that a site may sign with, in bytes: as long as
// what HS256 makes of it (RFC 7518 section 3.2).
const identitySecretMin = 32

// colorForm is how a colour is written, which the window also reckons with.
var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// widget takes what connector widget needs, and nothing else takes.
func (l *loader) widget(c *Channel, k channelKeys, what string) {
	w := k.Widget
	if c.Connector != ConnectorWidget {
		if w.At != k.At && k.Connector.Set && !k.Connector.Bad { // at the channel's own place it is left out
			l.report.Add(w.At, "", "widget is for connector widget, and %s has %s", what, c.Connector)
		}
		return
	}
	c.Secret = l.secret(k.Secret)
	if n := len(c.Secret.Value()); n > 0 && n < identitySecretMin && !k.Secret.Bad {
		l.report.Add(k.Secret.At, "make one by: openssl rand -base64 32", "the secret of %s has less than %d characters", what, identitySecretMin)
	}
	c.Widget = &Widget{
		Language: w.Language.V, Color: w.Color.V, IdentityNeeded: w.Identity.V == "required", AttachmentBytes: int64(w.Attachments.V) << 20,
		Rating: w.Rating.V == "ask" || w.Rating.V == "closes", RatingCloses: w.Rating.V == "closes",
		Consent: Consent{Version: w.Consent.Version.V, Text: w.Consent.Text.V, Link: w.Consent.Link.V},
	}
	if v := w.Color; v.V != "" && !v.Bad && !colorForm.MatchString(v.V) {
		l.report.Add(v.At, "write \"#1d5c68\", in quotes", "%q is not a colour", v.V)
	}
	if v := w.Consent.Link; v.V != "" && !v.Bad && !isAddress(v.V) {
		l.report.Add(v.At, "write https://shop.example/privacy", "%q is not the address of a page", v.V)
	}
	if c.Widget.IdentityNeeded && !k.Secret.Set {
		l.report.Add(w.Identity.At, "write secret: env:NAME", "identity required needs a secret that the site signs with, and %s has none", what)
	}
	if number := l.normalize(w.Call); number != "" {
		n, ours := l.numbers[number]
		k := slices.IndexFunc(l.config.Groups, func(g Group) bool { return g.ID == n.group })
		switch {
		case !ours:
			l.report.Add(w.Call.At, "declare it under numbers", "%s is no number of ours", number)
		case k >= 0 && l.config.Groups[k].Preferred.Agent != PreferResponsible: // who has the chat is that
			l.report.Add(w.Call.At, "write preferred: {agent: responsible} in the group", "%s leads to group %s, which does not ask the agent of the chat first", number, n.group)
		}
		c.Widget.Call = number
	}
	for _, v := range w.Origins.Items {
		if v.Bad {
			continue
		}
		origin, ok := originOf(v.V)
		if !ok {
			l.report.Add(v.At, "write https://shop.example", "%q is not the origin of a site", v.V)
			continue
		}
		c.Widget.Origins = append(c.Widget.Origins, origin)
	}
	for _, v := range w.Form.Items {
		if !v.Bad && !slices.Contains(c.Widget.Form, v.V) {
			c.Widget.Form = append(c.Widget.Form, v.V)
		}
	}
}

// isAddress: it is one on the web.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// originOf reads an origin: scheme, host and port, as browsers write it (RFC 6454 section 6.2).
func originOf(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Path != "" && u.Path != "/" || strings.ContainsAny(u.Host, "*;, '\"") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	for scheme, port := range map[string]string{"https": ":443", "http": ":80"} {
		if u.Scheme == scheme {
			host = strings.TrimSuffix(host, port)
		}
	}
	return u.Scheme + "://" + host, true
}

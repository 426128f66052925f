package queuegroups

import (
	"net/url"
	"regexp"
	"slices"
)

// tokenForm is how BotFather writes a token: the bot's number, a colon, and a key.
var tokenForm = regexp.MustCompile(`^[0-9]{1,16}:[A-Za-z0-9_-]{20,100}$`)

// telegram takes what connector telegram needs, and nothing else takes.
func (l *loader) telegram(c *Channel, k channelKeys, what string) {
	t := k.Telegram
	given := t.At != k.At // at the channel's own place it is left out
	switch {
	case k.Connector.Bad || !k.Connector.Set:
		return
	case c.Connector != ConnectorTelegram:
		if given {
			l.report.Add(t.At, "", "telegram is for connector telegram, and %s has %s", what, c.Connector)
		}
		return
	case !given:
		l.report.Add(k.Connector.At, "write telegram: {token: env:NAME}", "connector telegram needs a bot, and %s has none", what)
		return
	}
	c.Telegram = &Telegram{Token: l.secret(t.Token), Rating: t.Rating.V, Share: t.Share.V}
	if t.Share.V != "" && c.Texts.First == "" {
		l.report.Add(t.Share.At, "write texts: {first: Welcome!}", "the button of share_contact stands below texts.first, and %s has no such text", what)
	}
	if !t.Token.Bad && !c.Telegram.Token.Empty() && !tokenForm.MatchString(c.Telegram.Token.Value()) {
		l.report.Add(t.Token.At, "as BotFather gives it: 123456789:AA…", "the token of %s is no bot's token", what)
	}
	same := func(x Channel) bool { return x.Telegram != nil && x.Telegram.Token.Equal(c.Telegram.Token) }
	if n := slices.IndexFunc(l.config.Channels, same); n >= 0 && !t.Token.Bad && !c.Telegram.Token.Empty() {
		l.report.Add(t.Token.At, "each channel needs a bot of its own", "the bot of %s is that of channel %s", what, l.config.Channels[n].ID)
	}
	for _, a := range []struct {
		text
		to    *string
		ports []string
	}{{t.Webhook, &c.Telegram.Webhook, []string{"", "443", "80", "88", "8443"}}, {t.Server, &c.Telegram.Server, nil}} {
		l.base(a.text, a.to, a.ports)
	}
}

// base reads the address of a server: scheme, host and port, and one of the ports, if there are any.
func (l *loader) base(v text, to *string, ports []string) {
	if !v.Set || v.Bad {
		return
	}
	u, err := url.Parse(v.V)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		l.report.Add(v.At, "write https://chat.example.com", "%q is not the address of a server", v.V)
	case len(ports) > 0 && !slices.Contains(ports, u.Port()):
		l.report.Add(v.At, "", "Telegram reaches the ports 443, 80, 88 and 8443, not %s", u.Port())
	default:
		*to = u.Scheme + "://" + u.Host
	}
}

package queuegroups

import (
	"encoding/base64"
	"net/url"
	"strings"

	"centrala/queuegroups/strictyaml"
)

// menuFirst is the menu that a chat begins with.
const menuFirst = "start"

// bot takes what a channel says of its bot (R74).
func (l *loader) bot(c *Channel, k channelKeys, what string) {
	b := k.Bot
	if b.At == k.At { // at the channel's own place it is left out
		return
	}
	c.Bot = &Bot{URL: b.URL.V, Timeout: b.Timeout.V}
	menus := len(b.Menus.Entries) > 0
	switch {
	case b.URL.Set && menus:
		l.report.Add(b.URL.At, "", "a bot has a url or menus, and that of %s has both", what)
	case !b.URL.Set && !menus:
		l.report.Add(b.At, "write url: https://…, or menus: {start: …}", "a bot needs a url or menus, and that of %s has neither", what)
	case !b.URL.Set && b.Secret.Set:
		l.report.Add(b.Secret.At, "", "secret is for a bot with a url, and that of %s has menus", what)
	case b.URL.Set:
		l.botHook(c.Bot, b, what)
	}
	l.menus(c.Bot, b, what)
}

func (l *loader) botHook(to *Bot, b botKeys, what string) {
	if u, err := url.Parse(b.URL.V); !b.URL.Bad && (!isAddress(b.URL.V) || err != nil || u.User != nil || u.Fragment != "") {
		l.report.Add(b.URL.At, "", "%q is no address that a program can be asked at", b.URL.V)
	}
	if !b.Secret.Set {
		l.report.Add(b.URL.At, "write secret: env:NAME", "a bot with a url needs a secret, and that of %s has none", what)
		return
	}
	to.Secret = l.secret(b.Secret)
	if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(to.Secret.Value(), "whsec_")); !b.Secret.Bad && !to.Secret.Empty() &&
		(err != nil || !secretForm.MatchString(to.Secret.Value()) || len(key) < 24 || len(key) > 64) {
		l.report.Add(b.Secret.At, "make one by: echo whsec_$(openssl rand -base64 32)", "the secret of the bot of %s is not whsec_ and 24 to 64 bytes in base64", what)
	}
}

func (l *loader) menus(to *Bot, b botKeys, what string) {
	var names []string
	known := map[string]bool{}
	for _, e := range b.Menus.Entries {
		names, known[e.Key] = append(names, e.Key), true
	}
	if len(names) > 0 && !known[menuFirst] {
		l.report.Add(b.Menus.Entries[0].At, "", "the bot of %s has no menu %s, which is the first", what, menuFirst)
	}
	for _, e := range b.Menus.Entries {
		m := BotMenu{ID: e.Key, Text: e.Value.Text.V}
		for _, k := range e.Value.Choices.Items {
			x := BotChoice{Label: k.Label.V, Text: k.Text.V, Menu: k.Menu.V, HandOver: k.HandOver.V, Close: k.Close.V}
			switch {
			case x.Close && (k.Menu.Set || k.HandOver.Set), k.Menu.Set && k.HandOver.Set:
				l.report.Add(k.At, "", "a choice has one of menu, hand_over and close")
			case k.Menu.Set && !k.Menu.Bad && !known[x.Menu]:
				l.report.Add(k.Menu.At, strictyaml.DidYouMean(x.Menu, names), "the bot of %s has no menu %q", what, x.Menu)
			case k.HandOver.Set && !k.HandOver.Bad:
				l.handOver(k.HandOver)
			}
			m.Choices = append(m.Choices, x)
		}
		to.Menus = append(to.Menus, m)
	}
}

// handOver checks to whom a bot hands over.
func (l *loader) handOver(v text) {
	kind, id, _ := strings.Cut(v.V, ":")
	switch {
	case v.V == BotQueue:
	case kind == "channel":
		if _, ok := l.channels.at[id]; !ok {
			l.report.Add(v.At, strictyaml.DidYouMean(id, l.channels.order), "unknown channel %q", id)
		}
	case kind == "agent":
		if _, ok := l.agents.at[id]; !ok {
			l.report.Add(v.At, strictyaml.DidYouMean(id, l.agents.order), "unknown agent %q", id)
		}
	default:
		l.report.Add(v.At, "", "hand_over is queue, channel: and an id, or agent: and an id, not %q", v.V)
	}
}

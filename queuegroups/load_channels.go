package queuegroups

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"

	"centrala/queuegroups/strictyaml"
)

func (l *loader) buildChannels(entries []strictyaml.Entry[channelKeys]) {
	for _, e := range entries {
		k, what := e.Value, "channel "+e.Key
		c := Channel{
			ID: ChannelID(e.Key), Connector: k.Connector.V, Name: k.Name.V,
			Distribution: Distribution(k.Distribution.V), PassAfter: k.PassAfter.V, UnansweredAfter: k.UnansweredAfter.V,
			NoAnswer: ChatAction{Kind: ChatActionKind(k.NoAnswer.Action.V), Text: k.NoAnswer.Text.V},
		}
		l.chatRules(&c, k, what, e.At)
		if c.Name == "" {
			c.Name = e.Key
		}
		if l.known(&l.hours, k.Hours) {
			c.Hours = HoursID(k.Hours.V)
		}
		c.Texts = DefaultTexts()
		for text, v := range map[*string]text{
			&c.Texts.First: k.Texts.First, &c.Texts.Nobody: k.Texts.Nobody, &c.Texts.Closed: k.Texts.Closed, &c.Texts.Ended: k.Texts.Ended,
			&c.Texts.AutoClosed: k.Texts.AutoClosed, &c.Texts.Full: k.Texts.Full,
		} {
			if v.Set {
				*text = v.V
			}
		}
		l.faces(&c, k, what)
		l.thirdParty(&c, k, what)
		l.widget(&c, k, what)
		l.telegram(&c, k, what)
		l.bot(&c, k, what)
		action := k.NoAnswer
		switch {
		case action.Action.Bad || action.Text.Bad:
		case c.NoAnswer.Kind == ChatRequeue && c.Distribution != Evenly && !k.Distribution.Bad: // R49
			l.report.Add(action.Action.At, "", "requeue goes only with distribution evenly, and %s has %s", what, c.Distribution)
		case c.NoAnswer.Kind == ChatText && c.NoAnswer.Text == "":
			l.report.Add(action.Action.At, "write {action: text, text: \"…\"}", "the action text needs a text")
		case c.NoAnswer.Kind != ChatText && action.Text.Set:
			l.report.Add(action.Text.At, "", "the action %s takes no text", c.NoAnswer.Kind)
		}
		l.config.Channels = append(l.config.Channels, c)
	}
}

// secretForm is how a secret of Standard Webhooks is written: 24 to 64 bytes in base64.
var secretForm = regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{32,86}={0,2}$`)

// thirdParty takes what connector http needs, and nothing else takes (R7).
func (l *loader) thirdParty(c *Channel, k channelKeys, what string) {
	if c.Connector != ConnectorHTTP {
		for _, v := range []struct {
			text
			name string
		}{{k.URL, "url"}, {k.Secret, "secret"}} {
			if v.Set && !k.Connector.Bad && (v.name != "secret" || c.Connector != ConnectorWidget) {
				l.report.Add(v.At, "", "%s is for connector http, and %s has %s", v.name, what, c.Connector)
			}
		}
		return
	}
	if !k.URL.Set {
		l.report.Add(k.Connector.At, "write url: https://…", "connector http needs a url, and %s has none", what)
	} else if u, err := url.Parse(k.URL.V); !k.URL.Bad && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "") {
		l.report.Add(k.URL.At, "", "%q is no address that messages can be sent to", k.URL.V)
	}
	c.URL = k.URL.V
	if !k.Secret.Set {
		l.report.Add(k.Connector.At, "write secret: env:NAME", "connector http needs a secret, and %s has none", what)
		return
	}
	c.Secret = l.secret(k.Secret)
	if key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Secret.Value(), "whsec_")); !k.Secret.Bad && !c.Secret.Empty() &&
		(err != nil || !secretForm.MatchString(c.Secret.Value()) || len(key) < 24 || len(key) > 64) {
		l.report.Add(k.Secret.At, "make one by: echo whsec_$(openssl rand -base64 32)", "the secret of %s is not whsec_ and 24 to 64 bytes in base64", what)
	}
}

// chatRules takes what a channel says of its agents and limits.
func (l *loader) chatRules(c *Channel, k channelKeys, what string, at strictyaml.Pos) {
	c.Agents, c.Tiers = l.lists(k.Agents, k.Tiers, what)
	c.AnyPresence, c.AnyDuty, c.Monitor, c.NoPickup = !k.Availability.V, !k.WorkTime.V, k.Monitor.V, !k.Pickup.V
	c.AutoExpire, c.AutoClose, c.CloseDelay, c.WrapUp, c.Priority = k.AutoExpire.V, k.AutoClose.V, k.CloseDelay.V, k.WrapUp.V, k.Priority.V
	c.Limit, c.MaxWaiting, c.Preferred, c.ServiceLevel = k.Limit.V, k.MaxWaiting.V, k.Preferred.value(), k.ServiceLevel.value()
	c.TransferResponsible = k.Transfers.V
	for _, v := range k.Exclude.Items {
		c.Exclude = append(c.Exclude, ChatExclusion(v.V))
	}
	if c.Limit > 0 && c.Distribution == All && !k.Distribution.Bad { // R46
		l.report.Add(k.Limit.At, "", "limit has no effect with distribution all, which %s has", what)
	}
	c.Needs = l.needed(k.Needs)
	c.Relax = l.relaxations(k.Relax, join(c.Needs, nil), what)
	if len(c.Needs) > 0 {
		at = k.Needs.At
	}
	l.servable([]demand{{c.Needs, at, what}}, c.Relax, c.Agents, c.Tiers)
}

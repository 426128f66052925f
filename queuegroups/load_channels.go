package queuegroups

import "centrala/queuegroups/strictyaml"

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
		if !k.Connector.Bad && k.Connector.Set && !validID.MatchString(c.Connector) {
			l.report.Add(k.Connector.At, "", "%q cannot be the name of a connector", c.Connector)
		}
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

// chatRules takes what a channel says of its agents and limits.
func (l *loader) chatRules(c *Channel, k channelKeys, what string, at strictyaml.Pos) {
	c.Agents, c.Tiers = l.lists(k.Agents, k.Tiers, what)
	c.AnyPresence, c.AnyDuty, c.Monitor = !k.Availability.V, !k.WorkTime.V, k.Monitor.V
	c.AutoExpire, c.CloseDelay, c.WrapUp, c.Priority = k.AutoExpire.V, k.CloseDelay.V, k.WrapUp.V, k.Priority.V
	c.Limit, c.Preferred, c.ServiceLevel = k.Limit.V, k.Preferred.value(), k.ServiceLevel.value()
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

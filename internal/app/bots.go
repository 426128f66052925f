package app

import (
	"strings"
	"time"

	"centrala/chat"
	"centrala/chat/bot"
	"centrala/queuegroups"
)

// botExpire is how long a customer may be silent with a bot whose channel is not
// declared any more, or says nothing of it (R30).
const botExpire = 7 * 24 * time.Hour

// newBot makes the bot of a channel; nil: it has none.
func (c *chats) newBot(d *queuegroups.Channel) (chat.Bot, error) {
	switch {
	case d.Bot == nil:
		return nil, nil
	case d.Bot.URL != "":
		h, err := bot.NewHook(bot.HookOptions{URL: d.Bot.URL, Secret: d.Bot.Secret.Value(), Client: c.asking, Timeout: d.Bot.Timeout})
		if err != nil {
			return nil, err
		}
		return h, nil
	}
	m := bot.Menu{Menus: map[string]bot.Page{}}
	for _, x := range d.Bot.Menus {
		p := bot.Page{Text: x.Text}
		for _, k := range x.Choices {
			choice := bot.Choice{Label: k.Label, Text: k.Text, Menu: k.Menu, HandOver: k.HandOver != "", Close: k.Close}
			if k.HandOver != queuegroups.BotQueue {
				choice.To = k.HandOver
			}
			p.Choices = append(p.Choices, choice)
		}
		m.Menus[x.ID] = p
	}
	return m, nil
}

func (c *chats) botOf(name string) chat.Bot { return (*c.channels.Load())[name].bot }

// target reads to whom a bot hands a chat over: channel:ID or agent:ID, if they are declared.
func (c *chats) target(to string) (channel, agent string, ok bool) {
	kind, id, _ := strings.Cut(to, ":")
	switch kind {
	case "channel":
		if _, ok := (*c.channels.Load())[id]; ok {
			return id, "", true
		}
	case "agent":
		if c.agents.Load() != nil && (*c.agents.Load())[id] {
			return "", id, true
		}
	case queuegroups.BotQueue:
		return "", "", true
	}
	return "", "", false
}

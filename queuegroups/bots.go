package queuegroups

import "time"

// Bot answers customers before agents do (R74): a program that is asked, or menus.
type Bot struct {
	URL     string        `json:"url,omitempty"` // empty: menus
	Secret  Secret        `json:"-"`             // that requests to it are signed with
	Timeout time.Duration `json:"timeout,omitempty"`
	Menus   []BotMenu     `json:"menus,omitempty"`
}

// BotMenu is a text with numbered choices.
type BotMenu struct {
	ID      string      `json:"id"`
	Text    string      `json:"text"`
	Choices []BotChoice `json:"choices"`
}

// BotChoice is what a customer may choose. With neither of the last three the same menu follows.
type BotChoice struct {
	Label    string `json:"label"`
	Text     string `json:"text,omitempty"`      // said first
	Menu     string `json:"menu,omitempty"`      // that follows
	HandOver string `json:"hand_over,omitempty"` // queue, channel:ID or agent:ID
	Close    bool   `json:"close,omitempty"`
}

// BotQueue is the queue of a bot's own channel, as BotChoice.HandOver names it.
const BotQueue = "queue"

// Telegram is the bot to which customers write.
type Telegram struct {
	Token   Secret `json:"-"`                 // as BotFather gives it
	Webhook string `json:"webhook,omitempty"` // this server's public address; empty: updates are asked for
	Rating  string `json:"rating,omitempty"`  // what customers are asked when a chat is closed (R71); empty: nothing
	Share   string `json:"share,omitempty"`   // the label of the button by which customers share their number; empty: there is none
	Server  string `json:"server,omitempty"`  // of the Bot API; empty: Telegram's own
}

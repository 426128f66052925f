// Package telegram is the connector for bots of Telegram: customers write to the bot
// in a private chat, and are answered there. Updates are asked for by long poll, or
// come by a webhook; https://core.telegram.org/bots/api is the contract, and
// docs/guides/telegram.md says what an admin does.
//
// The Bot API has no way to send a message again without harm: a message of which
// nobody knows whether it arrived is not sent again.
package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"centrala/chat"
)

// DefaultURL is Telegram's own server of the Bot API.
const DefaultURL = "https://api.telegram.org"

// downloadMax is the largest file that a bot may fetch, in bytes.
const downloadMax = 20 << 20

// Options are what a Connector needs. Those after Open may be left out.
type Options struct {
	Channel string
	Token   string // of the bot, as BotFather gives it
	URL     string // of the Bot API's server
	Webhook string // the address that Telegram posts updates to; empty: they are asked for
	Client  *http.Client
	Store   Positions
	// Receive keeps an update; it has been kept when it returns nil. Wrong tells
	// whether its error is the update's own fault.
	Receive func(ctx context.Context, channel, event string, body []byte) error
	Wrong   func(error) bool
	Open    func(ctx context.Context, attachment string) (io.ReadCloser, error)

	Log     zerolog.Logger
	PerChat time.Duration // between messages to one chat; 0: a second
	Calm    time.Duration // without a word of another program that asks for updates, after which it counts as gone; 0: 80 s
	Look    time.Duration // how often is looked whether the webhook is set; 0: 10 minutes
}

// Positions keep up to where updates have been taken.
type Positions interface {
	Position(ctx context.Context, channel, source string) (position int64, at time.Time, err error)
	SetPosition(ctx context.Context, channel, source string, position int64) error
}

// Connector serves one channel.
type Connector struct {
	channel, token, base, webhook string

	bot     string // the part of the token that tells whose it is
	client  *http.Client
	store   Positions
	receive func(ctx context.Context, channel, event string, body []byte) error
	wrong   func(error) bool
	open    func(ctx context.Context, attachment string) (io.ReadCloser, error)
	log     zerolog.Logger
	pace    *pace
	calm    time.Duration
	look    time.Duration
	fault   atomic.Pointer[string]
}

// New makes a connector; Run has updates come in.
func New(o Options) *Connector {
	bot, _, _ := strings.Cut(o.Token, ":")
	return &Connector{
		channel: o.Channel, token: o.Token, base: strings.TrimRight(cmp.Or(o.URL, DefaultURL), "/"), webhook: o.Webhook, bot: bot,
		client: o.Client, store: o.Store, receive: o.Receive, wrong: o.Wrong, open: o.Open, log: o.Log, look: cmp.Or(o.Look, hookLook), pace: newPace(cmp.Or(o.PerChat, time.Second)), calm: cmp.Or(o.Calm, calmAfter),
	}
}

// Fault tells what keeps the channel from working; empty: nothing.
func (c *Connector) Fault() string {
	if f := c.fault.Load(); f != nil {
		return *f
	}
	return ""
}

// broken notes what keeps the channel from working, and tells it once.
func (c *Connector) broken(reason string) {
	old := c.fault.Swap(&reason)
	switch was := old != nil && *old != ""; {
	case reason != "" && (old == nil || *old != reason):
		c.log.Error().Str("channel", c.channel).Str("reason", reason).Msg("the channel is broken")
	case reason == "" && was:
		c.log.Info().Str("channel", c.channel).Msg("the channel works again")
	}
}

type wireUser struct {
	ID        int64  `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
}

type wireChat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

type wireFile struct {
	ID    string `json:"file_id"`
	Name  string `json:"file_name"`
	Size  int64  `json:"file_size"`
	Emoji string `json:"emoji"`
}

type wireMessage struct {
	ID       int64      `json:"message_id"`
	Date     int64      `json:"date"`
	EditDate int64      `json:"edit_date"`
	Chat     wireChat   `json:"chat"`
	From     *wireUser  `json:"from"`
	Text     string     `json:"text"`
	Caption  string     `json:"caption"`
	Photo    []wireFile `json:"photo"` // sizes of one, the largest last

	Document  *wireFile `json:"document"`
	Audio     *wireFile `json:"audio"`
	Voice     *wireFile `json:"voice"`
	Video     *wireFile `json:"video"`
	VideoNote *wireFile `json:"video_note"`
	Sticker   *wireFile `json:"sticker"`
	Location  *struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
	} `json:"location"`
	Contact *struct {
		Phone     string `json:"phone_number"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
		UserID    int64  `json:"user_id"`
	} `json:"contact"`
}

// wirePress tells that somebody pressed a button below a message of ours.
type wirePress struct {
	ID      string       `json:"id"`
	From    *wireUser    `json:"from"`
	Message *wireMessage `json:"message"`
	Data    string       `json:"data"`
}

type wireUpdate struct {
	ID      int64        `json:"update_id"`
	Message *wireMessage `json:"message"`
	Edited  *wireMessage `json:"edited_message"`
	Pressed *wirePress   `json:"callback_query"`
	Member  *struct {
		Date int64    `json:"date"`
		Chat wireChat `json:"chat"`
		New  struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

// wanted are the kinds of updates that are asked for.
func wanted() []string {
	return []string{"message", "edited_message", "my_chat_member", "callback_query"}
}

// date is when what an update tells of happened, in seconds since 1970.
func (u *wireUpdate) date() int64 {
	switch {
	case u.Message != nil:
		return u.Message.Date
	case u.Edited != nil:
		return u.Edited.EditDate
	case u.Member != nil:
		return u.Member.Date
	}
	return 0
}

// event is the key by which an update is kept once. Ids of updates begin anywhere
// after a quiet week, so that the time belongs to it.
func (c *Connector) event(u *wireUpdate) string {
	if u.Pressed != nil {
		return c.bot + ".press." + u.Pressed.ID
	}
	return fmt.Sprintf("%s.%d.%d", c.bot, u.ID, u.date())
}

// Read implements chat.Connector. What does not come from a private chat is nothing.
func (c *Connector) Read(body []byte) (h chat.Happening, err error) {
	var u wireUpdate
	if err := json.Unmarshal(body, &u); err != nil {
		return h, fmt.Errorf("no JSON of an update: %w", err)
	}
	m, edited := u.Message, false
	if m == nil && u.Edited != nil {
		m, edited = u.Edited, true
	}
	switch {
	case m != nil && m.Chat.Type == "private" && m.From != nil:
		h.Customer = number(m.Chat.ID)
		h.Message = c.incoming(m)
		if edited { // what was answered already stays as it was read
			h.Message.Corrects = h.Message.External
			h.Message.External += ".u" + number(u.ID)
			h.Message.Text, h.Message.Remote = "✎ "+h.Message.Text, nil
			h.Message.At = time.Unix(m.EditDate, 0)
		}
		return h, h.Message.Check()
	case u.Pressed != nil && u.Pressed.From != nil && u.Pressed.Message != nil && u.Pressed.Message.Chat.Type == "private":
		return c.pressed(u.Pressed)
	case u.Member != nil && u.Member.Chat.Type == "private":
		h.Customer = number(u.Member.Chat.ID)
		blocked := u.Member.New.Status == "kicked"
		h.Blocked = &blocked
	}
	return h, nil
}

// pressed is what a button says: the customer's rating, or what they would have written.
func (c *Connector) pressed(p *wirePress) (h chat.Happening, err error) {
	h.Customer = number(p.Message.Chat.ID)
	if r, ok := chat.ReadRating(p.Data); ok {
		h.Rated = &r
		return h, nil
	}
	h.Message = &chat.Incoming{Channel: "it", Customer: h.Customer, Name: name(p.From), External: c.bot + ".press." + p.ID, Text: plain(p.Data)}
	return h, h.Message.Check()
}

// incoming makes a customer's message of one of Telegram's.
func (c *Connector) incoming(m *wireMessage) *chat.Incoming {
	in := &chat.Incoming{
		Channel: "it", Customer: number(m.Chat.ID), Name: name(m.From),
		External: fmt.Sprintf("%s.%d.%d", c.bot, m.Chat.ID, m.ID), Text: plain(cmp.Or(m.Text, m.Caption)), At: time.Unix(m.Date, 0),
	}
	if n := len(m.Photo); n > 0 {
		in.Remote = append(in.Remote, chat.Remote{ID: m.Photo[n-1].ID, Name: "photo-" + number(m.ID) + ".jpg", Size: m.Photo[n-1].Size})
	}
	for _, f := range []struct {
		file *wireFile
		name string
	}{{m.Document, "document"}, {m.Audio, "audio.mp3"}, {m.Voice, "voice.ogg"}, {m.Video, "video.mp4"}, {m.VideoNote, "video.mp4"}} {
		if f.file != nil && f.file.ID != "" {
			in.Remote = append(in.Remote, chat.Remote{ID: f.file.ID, Name: cmp.Or(plain(f.file.Name), f.name), Size: f.file.Size})
		}
	}
	switch {
	case m.Location != nil:
		in.Text = fmt.Sprintf("Location: %.6f, %.6f", m.Location.Latitude, m.Location.Longitude)
	case m.Contact != nil:
		in.Text = plain(fmt.Sprintf("Contact: %s, %s", strings.TrimSpace(m.Contact.FirstName+" "+m.Contact.LastName), m.Contact.Phone))
		if m.Contact.UserID == m.From.ID {
			// The program puts the number in by itself: nobody shares another one as their own.
			in.Details.Phone = cut("+"+strings.TrimPrefix(plain(m.Contact.Phone), "+"), chat.IDMax)
			in.Vouched, in.Verified = in.Details, true
		}
	case m.Sticker != nil:
		in.Text = cmp.Or(plain(m.Sticker.Emoji), "[sticker]")
	}
	if strings.TrimSpace(in.Text) == "" && len(in.Remote) == 0 {
		in.Text = "[a message of a kind that cannot be shown here]"
	}
	return in
}

func name(u *wireUser) string {
	full := strings.TrimSpace(plain(u.FirstName + " " + u.LastName))
	return cut(cmp.Or(full, plain(u.Username)), chat.IDMax)
}

// plain is a text without what a database does not take.
func plain(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// cut shortens a text to so many bytes, at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Key implements chat.Connector: the Bot API does not know a message that it is sent again.
func (c *Connector) Key(chat.Outgoing) string { return "" }

// margin is the time that must be left for a message after it has waited for its turn.
const margin = 15 * time.Second

// Send implements chat.Connector. A long text goes in several messages, and each
// attachment in one; what has arrived of them is told with the error.
func (c *Connector) Send(ctx context.Context, o chat.Outgoing) ([]string, error) {
	ids := []string{}
	texts := split(o.Message.Text)
	if o.Buttons != nil { // they say what is numbered at the end of the text
		texts = split(strings.TrimSuffix(o.Message.Text, chat.Numbered(labels(o.Buttons))))
	}
	for k := o.Parts; k < len(texts)+len(o.Message.Attachments); k++ {
		partly := func(e chat.SendError) ([]string, error) {
			e.Parts, e.IDs = k, ids
			return nil, &e
		}
		if wait := c.pace.turn(o.Customer, time.Now(), deadline(ctx)); wait < 0 {
			return partly(chat.SendError{Reason: "messages wait for their turn"})
		} else if wait > 0 {
			select {
			case <-ctx.Done():
				return partly(chat.SendError{Reason: ctx.Err().Error()})
			case <-time.After(wait):
			}
		}
		var sent struct {
			ID int64 `json:"message_id"`
		}
		var err error
		if k < len(texts) {
			params := map[string]any{"chat_id": o.Customer, "text": texts[k]}
			if o.Buttons != nil && k == len(texts)-1 {
				params["reply_markup"] = markup(o.Buttons)
			}
			err = c.call(ctx, "sendMessage", params, &sent)
		} else {
			err = c.document(ctx, o.Customer, o.Message.Attachments[k-len(texts)], &sent)
		}
		if err != nil {
			return partly(c.verdict(err))
		}
		ids = append(ids, fmt.Sprintf("%s.%s.%d", c.bot, o.Customer, sent.ID))
	}
	return ids, nil
}

func deadline(ctx context.Context) time.Time {
	if d, ok := ctx.Deadline(); ok {
		return d.Add(-margin)
	}
	return time.Now().Add(time.Hour)
}

// verdict says what becomes of a message that was not sent.
func (c *Connector) verdict(err error) chat.SendError {
	var no *apiError
	var gone *brokenError
	switch {
	case errors.As(err, &no) && no.Code == http.StatusTooManyRequests:
		return chat.SendError{Reason: err.Error(), After: max(no.After, time.Second)}
	case errors.As(err, &no) && no.Code == http.StatusForbidden:
		return chat.SendError{Reason: err.Error(), Permanent: true, Blocked: true}
	case errors.As(err, &no) && (no.Code == http.StatusUnauthorized || no.Code == http.StatusNotFound):
		c.broken("Telegram does not know the bot: is the token right? (" + no.Text + ")")
		return chat.SendError{Reason: err.Error()} // until the admin has put it right
	case errors.As(err, &no) && no.Code/100 == 5:
		return chat.SendError{Reason: err.Error() + ": nobody knows whether it arrived", Permanent: true}
	case errors.As(err, &gone) && gone.maybe:
		return chat.SendError{Reason: err.Error() + ": nobody knows whether it arrived", Permanent: true}
	case errors.As(err, &gone):
		return chat.SendError{Reason: err.Error()}
	}
	return chat.SendError{Reason: err.Error(), Permanent: true}
}

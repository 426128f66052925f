package widget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"centrala/chat"
)

// words are those of a transcript in a language.
type words struct{ language, title, customer, team, file string }

// wordsOf are those in a language of the window's; English where it is none.
func wordsOf(language string) words {
	switch language {
	case "pl":
		return words{"pl", "Zapis rozmowy", "Ty", "Zespół", "plik"}
	case "ru":
		return words{"ru", "Запись разговора", "Вы", "Команда", "файл"}
	}
	return words{"en", "Transcript", "You", "Team", "file"}
}

// transcript sends the visitor the whole of their conversation as a text, to be kept, in the
// channel's language or, where it has none, the one that the window speaks (R10). The times are
// those of the zone that the query names.
func (a *ask) transcript() {
	v, no := a.bearer()
	if no == nil {
		no = a.limits.signs.take(v.Customer)
	}
	if no == nil {
		no = a.limits.addressed.take(network(a.from))
	}
	if no != nil {
		a.refuse(no)
		return
	}
	query := a.r.URL.Query()
	zone, err := time.LoadLocation(query.Get("zone"))
	if err != nil {
		zone = time.UTC
	}
	x, err := a.store.ConversationOf(a.r.Context(), a.name, v.Customer)
	if errors.Is(err, chat.ErrNotFound) {
		a.refuse(refused(codeNothing))
		return
	}
	if err != nil {
		a.refuse(a.away(err))
		return
	}
	text, err := a.transcriptOf(a.r.Context(), a.name, a.channel, x.ID, x.Seq, wordsOf(cmp.Or(a.channel.Language, query.Get("language"))), zone)
	if err != nil {
		a.refuse(a.away(err))
		return
	}
	h := a.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "chat.txt"}))
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(a.w, text) // whoever is gone does not want it any more
}

// transcriptOf is the text of a conversation up to a message, as its customer sees it.
func (s *Server) transcriptOf(ctx context.Context, channel string, c *Channel, conversation, upTo int64, w words, zone *time.Location) (string, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s – %s\n", c.Name, w.title)
	day := ""
	for seq := int64(0); seq < upTo; {
		page, err := s.store.After(ctx, conversation, seq, int(min(firstPage, upTo-seq)))
		if err != nil {
			return "", err
		}
		if len(page) == 0 {
			break
		}
		seq = page[len(page)-1].Seq
		for _, m := range s.shown(channel, page) {
			at := m.At.In(zone)
			if d := at.Format("2006-01-02 (MST)"); d != day {
				day = d
				fmt.Fprintf(&text, "\n%s\n", d)
			}
			fmt.Fprintf(&text, "%s  %s: %s\n", at.Format("15:04"), author(c, &m, w), indented(&m, w))
		}
	}
	return text.String(), nil
}

// author is who wrote a message, as the customer sees it (R68).
func author(c *Channel, m *shownMessage, w words) string {
	switch m.By {
	case chat.ByCustomer:
		return w.customer
	case chat.ByAgent:
		return cmp.Or(m.Name, w.team)
	case chat.BySystem:
	}
	return c.Name
}

// indented is the text of a message with its files. Its further lines are set apart, so that
// none can look like a message of somebody else's.
func indented(m *shownMessage, w words) string {
	lines := strings.FieldsFunc(m.Text, func(r rune) bool { return strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", r) })
	for _, f := range m.Files {
		lines = append(lines, fmt.Sprintf("[%s: %s]", w.file, f.Name))
	}
	return strings.Join(lines, "\n       ")
}

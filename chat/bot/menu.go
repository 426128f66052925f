// Package bot has the bots that may get a session before the queue does (R74): a menu
// that the admin writes, and a program of somebody else's that is asked by signed
// requests.
package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"centrala/chat"
)

// Start is the menu that a session begins with.
const Start = "start"

// missesMax is how often in a row a customer may write what is no choice, before the
// session goes to the queue.
const missesMax = 3

// Menu is a set of menus. The zero Menu hands every session over.
type Menu struct {
	Menus map[string]Page
}

// Page is one menu: a text, and choices that are numbered from 1.
type Page struct {
	Text    string
	Choices []Choice
}

// Choice is what a customer may choose, by its number or its label, and what comes of
// it. First the text is said, if there is one; then the session is handed over or
// closed, or a menu follows: the one named, else the same again.
type Choice struct {
	Label    string
	Text     string
	Menu     string
	HandOver bool
	To       string // see chat.Reply
	Close    bool
}

// Answer implements chat.Bot. It depends on nothing but what is asked: the same asked
// again has the same answer.
func (m Menu) Answer(_ context.Context, a chat.Asked) (chat.Reply, error) {
	name, misses := Start, 0
	if a.State != "" {
		var count string
		name, count, _ = strings.Cut(a.State, " ")
		misses, _ = strconv.Atoi(count)
	}
	page, ok := m.Menus[name]
	if !ok { // declared otherwise meanwhile
		return chat.Reply{HandOver: true}, nil
	}
	if a.State == "" {
		return chat.Reply{Texts: []string{page.show()}, Choices: page.labels(), State: name + " 0"}, nil
	}
	c := page.chosen(a.Message.Text)
	if c == nil {
		if misses++; misses >= missesMax {
			return chat.Reply{HandOver: true}, nil
		}
		return chat.Reply{Texts: []string{page.show()}, Choices: page.labels(), State: fmt.Sprintf("%s %d", name, misses)}, nil
	}
	r := chat.Reply{HandOver: c.HandOver, To: c.To, Close: c.Close}
	if c.Text != "" {
		r.Texts = append(r.Texts, c.Text)
	}
	if r.HandOver || r.Close {
		return r, nil
	}
	if c.Menu != "" {
		name = c.Menu
	}
	if next, ok := m.Menus[name]; ok {
		r.Texts, r.Choices, r.State = append(r.Texts, next.show()), next.labels(), name+" 0"
		return r, nil
	}
	return chat.Reply{HandOver: true}, nil
}

func (p *Page) show() string { return p.Text + chat.Numbered(p.labels()) }

func (p *Page) labels() (list []string) {
	for _, c := range p.Choices {
		list = append(list, c.Label)
	}
	return list
}

// chosen finds what a customer chose; nil: nothing that is there.
func (p *Page) chosen(text string) *Choice {
	text = strings.TrimSpace(text)
	for k := range p.Choices { // first: it is what a button says, and may be a number
		if strings.EqualFold(text, p.Choices[k].Label) {
			return &p.Choices[k]
		}
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(text, ".")); err == nil && n >= 1 && n <= len(p.Choices) {
		return &p.Choices[n-1]
	}
	return nil
}

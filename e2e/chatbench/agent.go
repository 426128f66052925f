package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"centrala/e2e/process"
)

// prefix is where the API is.
const prefix = "/api/v1"

// agent is an agent with a console open: it reads its stream, and its chats as they change.
type agent struct {
	b       *bench
	id      string
	headers http.Header
	says    chan saying

	mu    sync.Mutex
	seen  map[string]int64 // the last message read, by interaction
	taken map[string]bool  // what was accepted: lists of before may still be on their way
	chats []string         // that the agent has
}

// saying is a message to be written.
type saying struct {
	n    int
	text string
}

// chatList is what the API tells of an agent's chats.
type chatList struct {
	Items []struct {
		Interaction struct{ ID string }
		Offered     bool
		Seq         int64
	}
}

// ask asks the server for something; into may be nil.
func (b *bench) ask(method, path string, headers http.Header, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(b.ctx, method, "http://"+webAddr+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	q.Header = headers.Clone()
	q.Header.Set("Content-Type", "application/json")
	p, err := b.http.Do(q)
	if err != nil {
		return err
	}
	defer p.Body.Close()
	answer, err := io.ReadAll(p.Body)
	switch {
	case err != nil:
		return err
	case p.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %s", method, path, p.Status, answer)
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

// signIn signs the first administrator in, by the file that the server wrote.
func (b *bench) signIn(file string) error {
	var name, once string
	if err := process.Until(func() bool { // it is there a moment after the server is ready
		first, err := os.ReadFile(file)
		if err == nil {
			_, err = fmt.Sscanf(string(first), "name: %s\npassword: %s\n", &name, &once)
		}
		return err == nil
	}); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	body, err := json.Marshal(map[string]string{"name": name, "password": once})
	if err != nil {
		return err
	}
	p, err := b.http.Post("http://"+webAddr+prefix+"/session", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer p.Body.Close()
	if len(p.Cookies()) == 0 {
		return fmt.Errorf("sign-in: %s", p.Status)
	}
	b.admin = p.Cookies()[0].Name + "=" + p.Cookies()[0].Value
	return b.ask(http.MethodPost, prefix+"/session/password", http.Header{"Cookie": {b.admin}}, map[string]string{"new": "a-password-of-the-bench"}, nil)
}

// attend has all agents open their consoles. They call with a key each, which costs the server less
// than signing in does.
func (b *bench) attend() error {
	b.agents = make([]*agent, b.options.agents)
	return many(len(b.agents), 8, func(k int) error {
		a := &agent{b: b, id: fmt.Sprintf("a%d", k), seen: map[string]int64{}, taken: map[string]bool{}, says: make(chan saying, 10_000)}
		var key struct{ Secret string }
		if err := b.ask(http.MethodPost, prefix+"/keys", http.Header{"Cookie": {b.admin}}, map[string]any{
			"title": "bench", "owner": a.id, "rights": []string{"agents:read", "agents:write", "interactions:read", "interactions:write"},
		}, &key); err != nil {
			return err
		}
		a.headers = http.Header{"Authorization": {"Bearer " + key.Secret}}
		b.agents[k] = a
		if err := a.alive(); err != nil {
			return err
		}
		begun := make(chan error, 1)
		go a.follow(begun)
		go a.stays()
		go a.writes()
		return <-begun
	})
}

// alive tells that the agent uses the console.
func (a *agent) alive() error {
	return a.b.ask(http.MethodPost, prefix+"/agents/"+a.id+"/client", a.headers, map[string]string{"id": "w1", "kind": "browser", "state": "used"}, nil)
}

// stays does so as often as the console.
func (a *agent) stays() {
	for t := time.NewTicker(25 * time.Second); ; {
		select {
		case <-a.b.ctx.Done():
			return
		case <-t.C:
			a.b.wrong(a.alive())
		}
	}
}

// follow reads the console's stream, which tells of the agent's chats as they change; consoles whose stream
// is cut look at them once a second.
func (a *agent) follow(begun chan<- error) {
	q, err := http.NewRequestWithContext(a.b.ctx, http.MethodGet, "http://"+webAddr+prefix+"/live?desk=true", nil)
	if err != nil {
		begun <- err
		return
	}
	q.Header = a.headers.Clone()
	p, err := a.b.http.Do(q)
	if err == nil && p.StatusCode != http.StatusOK {
		err = fmt.Errorf("the stream: %s", p.Status)
	}
	begun <- err
	if err != nil {
		return
	}
	if a.b.asking {
		go a.looks()
	}
	defer p.Body.Close()
	of := []byte(nil)
	for r := bufio.NewReader(p.Body); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			a.b.wrong(fmt.Errorf("the stream ended: %w", err))
			return
		}
		if what, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			of = what
		}
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && string(of) == "chats\n" && !a.b.asking {
			var list chatList
			if err = json.Unmarshal(data, &list); err == nil {
				err = a.take(&list)
			}
			a.b.wrong(err)
		}
	}
}

// looks asks for the agent's chats once a second.
func (a *agent) looks() {
	for t := time.NewTicker(time.Second); ; {
		select {
		case <-a.b.ctx.Done():
			return
		case <-t.C:
			var list chatList
			err := a.b.ask(http.MethodGet, prefix+"/chats?limit=500", a.headers, nil, &list)
			if err == nil {
				err = a.take(&list)
			}
			a.b.wrong(err)
		}
	}
}

// take accepts what is offered, and reads what is new.
func (a *agent) take(list *chatList) error {
	has := make([]string, 0, len(list.Items))
	for _, c := range list.Items {
		id := c.Interaction.ID
		if c.Offered && !a.taken[id] {
			a.taken[id] = true
			if err := a.b.ask(http.MethodPost, prefix+"/interactions/"+id+"/accept", a.headers, nil, nil); err != nil {
				return err
			}
		}
		has = append(has, id)
		for a.seen[id] < c.Seq {
			var page struct {
				Items []struct {
					Seq          int64
					Author, Text string
				}
			}
			if err := a.b.ask(http.MethodGet, fmt.Sprintf("%s/interactions/%s/messages?limit=200&after=%d", prefix, id, a.seen[id]), a.headers, nil, &page); err != nil {
				return err
			}
			if len(page.Items) == 0 {
				break
			}
			for _, m := range page.Items {
				a.seen[id] = m.Seq
				if m.Author == "customer" {
					a.b.see(m.Text)
				}
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.chats = has
	return nil
}

// agentSays has the nth message of a row written: an agent writes one after another, to all chats in turn.
func (b *bench) agentSays(r *row, n int, _ time.Time) {
	b.agents[n%len(b.agents)].says <- saying{n / len(b.agents), r.text(n)}
}

// writes writes what the agent is to say.
func (a *agent) writes() {
	for {
		select {
		case <-a.b.ctx.Done():
			return
		case x := <-a.says:
			a.mu.Lock()
			id := ""
			if len(a.chats) > 0 {
				id = a.chats[x.n%len(a.chats)]
			}
			a.mu.Unlock()
			if id == "" {
				a.b.wrong(fmt.Errorf("%s has no chat", a.id))
				continue
			}
			err := a.b.ask(http.MethodPost, prefix+"/interactions/"+id+"/messages", a.headers, map[string]string{"id": x.text, "text": x.text}, nil)
			a.b.wrong(err)
			if err == nil {
				a.b.ack(x.text)
			}
		}
	}
}

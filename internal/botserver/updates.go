package botserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// getUpdates returns updates that are not confirmed. Those before the offset are
// confirmed by it and vanish; of two who ask at once the first is turned away.
func (s *Server) getUpdates(r *http.Request, p map[string]string) (any, *refusal) {
	offset, _ := strconv.ParseInt(p["offset"], 10, 64)
	limit, err := strconv.Atoi(p["limit"])
	if err != nil || limit < 1 || limit > limitMax {
		limit = limitMax
	}
	seconds, _ := strconv.Atoi(p["timeout"])
	var allowed []string
	if text := p["allowed_updates"]; text != "" && json.Unmarshal([]byte(text), &allowed) != nil {
		return nil, bad("can't parse allowed_updates")
	}
	mine := make(chan struct{})
	s.mu.Lock()
	if s.hook != "" {
		s.mu.Unlock()
		return nil, &refusal{code: http.StatusConflict, text: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if s.poll != nil {
		close(s.poll)
	}
	s.poll = mine
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		if s.poll == mine {
			s.poll = nil
		}
		s.mu.Unlock()
	}()
	timeout := time.After(time.Duration(seconds) * time.Second)
	for over := seconds == 0; ; {
		s.mu.Lock()
		s.confirm(offset)
		list, more := s.page(limit, allowed), s.more
		s.mu.Unlock()
		if len(list) > 0 || over {
			return list, nil
		}
		select {
		case <-more:
		case <-timeout:
			over = true
		case <-mine:
			return nil, &refusal{code: http.StatusConflict, text: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		case <-r.Context().Done():
			return list, nil
		}
	}
}

// confirm forgets the updates before an offset; a negative one counts from the end.
func (s *Server) confirm(offset int64) {
	switch {
	case offset > 0:
		s.updates = slices.DeleteFunc(s.updates, func(u update) bool { return u.id < offset })
	case offset < 0 && int64(len(s.updates)) > -offset:
		s.updates = s.updates[int64(len(s.updates))+offset:]
	}
}

func (s *Server) page(limit int, allowed []string) []map[string]any {
	list := []map[string]any{}
	for _, u := range s.updates {
		for kind := range u.body {
			if kind != "update_id" && (len(allowed) == 0 || slices.Contains(allowed, kind)) && len(list) < limit {
				list = append(list, u.body)
			}
		}
	}
	return list
}

// Deliver posts the updates that are not confirmed to the webhook, in order, with
// the secret given: as its own does if that is empty. What is answered with 2xx is
// confirmed; it stops at the first that is not, and returns its status.
func (s *Server) Deliver(secret string) (status int, err error) {
	for {
		s.mu.Lock()
		hook, own := s.hook, s.secret
		var first *update
		if len(s.updates) > 0 {
			first = &s.updates[0]
		}
		s.mu.Unlock()
		switch {
		case hook == "":
			return 0, errors.New("no webhook is set")
		case first == nil:
			return http.StatusOK, nil
		}
		if secret != "" {
			own = secret
		}
		if status, err = post(hook, own, first.body); err != nil || status/100 != 2 {
			return status, err
		}
		s.mu.Lock()
		s.confirm(first.id + 1)
		s.mu.Unlock()
	}
}

func post(hook, secret string, body any) (int, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(http.MethodPost, hook, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// Package botserver is the Bot API of Telegram for tests, as far as a help desk uses
// it: what it accepts, what it refuses and with which words follows
// https://core.telegram.org/bots/api and the answers of its open-source server. It
// knows nothing of ours.
package botserver

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Limits of the Bot API.
const (
	textMax     = 4096     // UTF-16 code units
	captionMax  = 1024     // likewise
	documentMax = 50 << 20 // bytes that a bot may send
	downloadMax = 20 << 20 // bytes that a bot may fetch
	limitMax    = 100      // updates at a time
	keyMax      = 64       // bytes of a button's data
)

// Sent is what a bot sent to a chat.
type Sent struct {
	Method string
	Chat   int64
	ID     int64 // of the message
	Text   string
	Keys   [][]Key // buttons below it
	Asks   string  // the label of the button that shares the user's contact; empty: there is none
	File   string  // its name
	Data   []byte  // of the file
}

// Key is a button of a message.
type Key struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
}

// Fault is what the next call of a method gets in place of its answer.
type Fault struct {
	Status     int    // HTTP status and error_code
	Text       string // description
	RetryAfter int    // seconds; 0: not said
	Cut        bool   // the method is carried out, and the connection broken instead of an answer
}

type update struct {
	id   int64
	body map[string]any
}

type file struct {
	path string
	size int64 // that the server tells
	data []byte
}

// Server is a Bot API with one bot.
type Server struct {
	Token string
	http  *httptest.Server

	mu      sync.Mutex
	next    int64 // update's id
	updates []update
	more    chan struct{} // closed when an update comes
	poll    chan struct{} // of the getUpdates that waits; closed when another one comes
	message int64
	sent    []Sent
	news    chan struct{} // closed when something is sent
	blocked map[int64]bool
	chats   map[int64]bool
	files   map[string]file
	faults  map[string][]Fault
	calls   map[string]int
	hook    string
	pressed map[string]bool // callback queries that were not answered yet
	hookErr string          // what went wrong with the last post
	hookAt  int64           // when, in seconds since 1970
	secret  string
	seen    []string // paths of files that were asked for
}

// New starts one; the caller ends it with Close.
func New(token string) *Server {
	s := &Server{
		Token: token, next: 1000, more: make(chan struct{}), news: make(chan struct{}), blocked: map[int64]bool{},
		chats: map[int64]bool{}, files: map[string]file{}, faults: map[string][]Fault{}, calls: map[string]int{}, pressed: map[string]bool{},
	}
	s.http = httptest.NewServer(s)
	return s
}

// URL is where it is.
func (s *Server) URL() string { return s.http.URL }

// Close ends it.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Write has a user write to the bot, and returns the message's id in the chat. More
// are further fields of the message.
func (s *Server) Write(user int64, name, text string, more map[string]any) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.message++
	m := message(user, name, s.message)
	if text != "" {
		m["text"] = text
	}
	maps.Copy(m, more)
	s.chats[user] = true
	s.add(map[string]any{"message": m})
	return s.message
}

// Edit has a user change a message.
func (s *Server) Edit(user int64, name, text string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := message(user, name, id)
	m["text"], m["edit_date"] = text, time.Now().Unix()
	s.add(map[string]any{"edited_message": m})
}

// Press has a user press a button with the data given, below a message of the bot's.
func (s *Server) Press(user int64, name, data string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	query := fmt.Sprint("q", s.next)
	s.pressed[query] = true
	m := message(user, name, id)
	m["from"] = map[string]any{"id": 42, "is_bot": true, "first_name": "Desk"}
	s.add(map[string]any{"callback_query": map[string]any{
		"id": query, "from": map[string]any{"id": user, "is_bot": false, "first_name": name}, "message": m, "chat_instance": "1", "data": data,
	}})
}

// Unanswered is how many buttons were pressed that the bot has not answered.
func (s *Server) Unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pressed)
}

// Block has a user block the bot, or not any more.
func (s *Server) Block(user int64, name string, blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked[user] = blocked
	status := map[bool]string{true: "kicked", false: "member"}
	m := message(user, name, 0)
	s.add(map[string]any{"my_chat_member": map[string]any{
		"chat": m["chat"], "from": m["from"], "date": time.Now().Unix(),
		"old_chat_member": map[string]any{"status": status[!blocked]}, "new_chat_member": map[string]any{"status": status[blocked]},
	}})
}

// Update has any update come in.
func (s *Server) Update(body map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(body)
}

func message(user int64, name string, id int64) map[string]any {
	from := map[string]any{"id": user, "is_bot": false, "first_name": name, "language_code": "pl"}
	return map[string]any{
		"message_id": id, "date": time.Now().Unix(), "from": from,
		"chat": map[string]any{"id": user, "type": "private", "first_name": name},
	}
}

func (s *Server) add(body map[string]any) {
	s.next++
	body["update_id"] = s.next
	s.updates = append(s.updates, update{s.next, body})
	close(s.more)
	s.more = make(chan struct{})
}

// File puts a file there that a message can name by its file_id.
func (s *Server) File(id, path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = file{path, int64(len(data)), data}
}

// Fail has the next calls of a method fail, one after another.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

// Sent returns what was sent, once there are n messages of it, or what there is
// when the time is over.
func (s *Server) Sent(n int, limit time.Duration) []Sent {
	timeout := time.After(limit)
	for {
		s.mu.Lock()
		sent, news := slices.Clone(s.sent), s.news
		s.mu.Unlock()
		if len(sent) >= n {
			return sent
		}
		select {
		case <-news:
		case <-timeout:
			return sent
		}
	}
}

// Pending is how many updates are not confirmed.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates)
}

// Calls is how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Paths are those of the files that were asked for.
func (s *Server) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Hook is the webhook that is set, and its secret.
func (s *Server) Hook() (url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook, s.secret
}

// Rehook is what another program does that sets the webhook; a failure is what getWebhookInfo
// tells of the last post to it.
func (s *Server) Rehook(url, failure string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook, s.hookErr, s.hookAt = url, failure, time.Now().Unix()
}

// refusal is an answer with ok false.
type refusal struct {
	code       int
	text       string
	retryAfter int
}

func bad(format string, args ...any) *refusal {
	return &refusal{code: http.StatusBadRequest, text: "Bad Request: " + fmt.Sprintf(format, args...)}
}

// ServeHTTP implements http.Handler: /bot<token>/method and /file/bot<token>/path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"+s.Token+"/"); ok {
		s.download(w, path)
		return
	}
	token, method, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	switch {
	case !ok || !strings.HasPrefix(r.URL.Path, "/bot") || !strings.Contains(token, ":"):
		answer(w, nil, &refusal{code: http.StatusNotFound, text: "Not Found"})
		return
	case token != s.Token:
		answer(w, nil, &refusal{code: http.StatusUnauthorized, text: "Unauthorized"})
		return
	}
	p, data, err := parameters(r)
	if err != nil {
		answer(w, nil, bad("%v", err))
		return
	}
	s.mu.Lock()
	s.calls[method]++
	var fault *Fault
	if list := s.faults[method]; len(list) > 0 {
		fault, s.faults[method] = &list[0], list[1:]
	}
	s.mu.Unlock()
	if fault != nil && !fault.Cut {
		answer(w, nil, &refusal{fault.Status, fault.Text, fault.RetryAfter})
		return
	}
	result, no := s.call(r, method, p, data)
	if fault != nil { // it is done, and nobody is told
		panic(http.ErrAbortHandler)
	}
	answer(w, result, no)
}

func (s *Server) call(r *http.Request, method string, p map[string]string, data []byte) (any, *refusal) {
	switch strings.ToLower(method) {
	case "getme":
		return map[string]any{"id": 42, "is_bot": true, "first_name": "Desk", "username": "desk_bot"}, nil
	case "getupdates":
		return s.getUpdates(r, p)
	case "setwebhook":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hook, s.secret = p["url"], p["secret_token"]
		return true, nil
	case "getwebhookinfo":
		s.mu.Lock()
		defer s.mu.Unlock()
		info := map[string]any{"url": s.hook, "has_custom_certificate": false, "pending_update_count": len(s.updates)}
		if s.hookErr != "" {
			info["last_error_message"], info["last_error_date"] = s.hookErr, s.hookAt
		}
		return info, nil
	case "deletewebhook":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hook = ""
		return true, nil
	case "sendmessage":
		text := p["text"]
		switch n := len(utf16.Encode([]rune(text))); {
		case strings.TrimSpace(text) == "":
			return nil, bad("message text is empty")
		case n > textMax:
			return nil, bad("message is too long")
		}
		var markup struct {
			Keys  [][]Key `json:"inline_keyboard"`
			Board [][]struct {
				Text  string `json:"text"`
				Share bool   `json:"request_contact"`
			} `json:"keyboard"`
		}
		if m := p["reply_markup"]; m != "" && json.Unmarshal([]byte(m), &markup) != nil {
			return nil, bad("can't parse reply keyboard markup JSON object")
		}
		for _, row := range markup.Keys {
			for _, k := range row {
				if k.Text == "" || len(k.Data) == 0 || len(k.Data) > keyMax {
					return nil, bad("BUTTON_DATA_INVALID")
				}
			}
		}
		m := Sent{Method: "sendMessage", Text: text, Keys: markup.Keys}
		if b := markup.Board; len(b) > 0 && len(b[0]) > 0 && b[0][0].Share {
			m.Asks = b[0][0].Text
		}
		return s.send(m, p)
	case "answercallbackquery":
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.pressed[p["callback_query_id"]] {
			return nil, bad("query is too old and response timeout expired or query ID is invalid")
		}
		delete(s.pressed, p["callback_query_id"])
		return true, nil
	case "senddocument":
		switch {
		case len(data) == 0:
			return nil, bad("there is no document in the request")
		case len(data) > documentMax:
			return nil, &refusal{code: http.StatusRequestEntityTooLarge, text: "Request Entity Too Large"}
		case len(utf16.Encode([]rune(p["caption"]))) > captionMax:
			return nil, bad("message caption is too long")
		}
		return s.send(Sent{Method: "sendDocument", Text: p["caption"], File: p["document"], Data: data}, p)
	case "getfile":
		return s.getFile(p["file_id"])
	}
	return nil, &refusal{code: http.StatusNotFound, text: "Not Found"}
}

func (s *Server) send(m Sent, p map[string]string) (any, *refusal) {
	chat, err := strconv.ParseInt(p["chat_id"], 10, 64)
	if err != nil {
		return nil, bad("chat_id is empty")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.chats[chat]:
		return nil, bad("chat not found")
	case s.blocked[chat]:
		return nil, &refusal{code: http.StatusForbidden, text: "Forbidden: bot was blocked by the user"}
	}
	s.message++
	m.Chat, m.ID = chat, s.message
	s.sent = append(s.sent, m)
	close(s.news)
	s.news = make(chan struct{})
	return map[string]any{"message_id": m.ID, "date": time.Now().Unix(), "chat": map[string]any{"id": chat, "type": "private"}, "text": m.Text}, nil
}

func (s *Server) getFile(id string) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[id]
	switch {
	case !ok:
		return nil, bad("wrong file_id or the file is temporarily unavailable")
	case f.size > downloadMax:
		return nil, bad("file is too big")
	}
	return map[string]any{"file_id": id, "file_unique_id": "u" + id, "file_size": f.size, "file_path": f.path}, nil
}

func (s *Server) download(w http.ResponseWriter, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, path)
	for _, f := range s.files {
		if f.path == path {
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(f.data) // the client is gone
			return
		}
	}
	answer(w, nil, &refusal{code: http.StatusNotFound, text: "Not Found"})
}

// parameters are those of a call, in any of the ways that the Bot API takes them.
func parameters(r *http.Request) (p map[string]string, data []byte, err error) {
	p = map[string]string{}
	switch kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind {
	case "application/json":
		var body map[string]json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return nil, nil, fmt.Errorf("can't parse JSON object")
		}
		for k, v := range body {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			p[k] = text
		}
		return p, nil, nil
	case "multipart/form-data":
		if err := r.ParseMultipartForm(documentMax); err != nil {
			return nil, nil, err
		}
		for k, list := range r.MultipartForm.File {
			f, err := list[0].Open()
			if err != nil {
				return nil, nil, err
			}
			p[k] = list[0].Filename
			if data, err = io.ReadAll(f); err != nil {
				return nil, nil, err
			}
			_ = f.Close() // it is in memory, or a file that goes with the request
		}
	default:
		if err := r.ParseForm(); err != nil {
			return nil, nil, err
		}
	}
	for k, v := range r.Form {
		p[k] = v[0]
	}
	return p, data, nil
}

func answer(w http.ResponseWriter, result any, no *refusal) {
	w.Header().Set("Content-Type", "application/json")
	body := map[string]any{"ok": true, "result": result}
	if no != nil {
		body = map[string]any{"ok": false, "error_code": no.code, "description": no.text}
		if no.retryAfter > 0 {
			body["parameters"] = map[string]any{"retry_after": no.retryAfter}
		}
		w.WriteHeader(no.code)
	}
	_ = json.NewEncoder(w).Encode(body) // the client is gone
}

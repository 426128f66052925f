package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"centrala/chat"
)

// answerMax is how much of an answer is read, in bytes: a hundred updates are far less.
const answerMax = 8 << 20

// NewClient makes the client for all connectors. It follows no redirection: a
// request carries the bot's token. The environment's proxy is used.
func NewClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// apiError is an answer that says no.
type apiError struct {
	Code  int
	Text  string
	After time.Duration // leave it alone so long
}

// Error implements error.
func (e *apiError) Error() string { return fmt.Sprintf("Telegram answered %d %s", e.Code, e.Text) }

// brokenError is a request without an answer that says anything.
type brokenError struct {
	reason string
	maybe  bool // it may have been carried out all the same
}

// Error implements error.
func (e *brokenError) Error() string { return e.reason }

// wireAnswer is what every method answers.
type wireAnswer struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

// call calls a method with JSON. The error is an *apiError or a *brokenError, neither
// of which has the token in its text.
func (c *Connector) call(ctx context.Context, method string, params, result any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return &brokenError{reason: err.Error()}
	}
	return c.post(ctx, method, "application/json", bytes.NewReader(body), result)
}

// document sends a file, as it comes.
func (c *Connector) document(ctx context.Context, to string, a chat.Attachment, result any) error {
	r, err := c.open(ctx, a.ID)
	if err != nil {
		return &brokenError{reason: fmt.Sprintf("the attachment %s cannot be read: %v", a.Name, err)}
	}
	defer r.Close()
	body, w := io.Pipe()
	form := multipart.NewWriter(w)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := form.WriteField("chat_id", to)
		if err == nil {
			var part io.Writer
			if part, err = form.CreateFormFile("document", a.Name); err == nil {
				_, err = io.Copy(part, r)
			}
		}
		_ = w.CloseWithError(errors.Join(err, form.Close())) // it never fails
	}()
	err = c.post(ctx, "sendDocument", form.FormDataContentType(), body, result)
	_ = body.Close() // it never fails, and ends what is still being written
	<-done
	return err
}

func (c *Connector) post(ctx context.Context, method, kind string, body io.Reader, result any) error {
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/bot"+c.token+"/"+method, body)
	if err != nil {
		return &brokenError{reason: c.clean(err)}
	}
	req.Header.Set("Content-Type", kind)
	res, err := c.client.Do(req)
	if err != nil {
		return &brokenError{reason: c.clean(err), maybe: wrote.Load()}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, answerMax))
	if err != nil {
		return &brokenError{reason: c.clean(err), maybe: true}
	}
	var a wireAnswer
	if err := json.Unmarshal(text, &a); err != nil || !a.OK && a.Code == 0 {
		return &brokenError{reason: "answered " + res.Status, maybe: true}
	}
	if !a.OK {
		return &apiError{Code: a.Code, Text: strings.ReplaceAll(a.Description, c.token, "[token]"), After: time.Duration(min(max(a.Parameters.RetryAfter, 0), 24*3600)) * time.Second}
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(a.Result, result); err != nil {
		return &brokenError{reason: method + " answered what cannot be read", maybe: true}
	}
	return nil
}

// clean is the text of an error without the address, which has the token in it.
func (c *Connector) clean(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return strings.ReplaceAll(err.Error(), c.token, "[token]")
}

// Fetch implements chat.Fetcher. It asks nothing but the Bot API's own server, whatever
// an update says.
func (c *Connector) Fetch(ctx context.Context, f chat.Remote) (io.ReadCloser, error) {
	if f.Size > downloadMax {
		return nil, chat.ErrTooBig
	}
	var found struct {
		Path string `json:"file_path"`
		Size int64  `json:"file_size"`
	}
	var no *apiError
	switch err := c.call(ctx, "getFile", map[string]string{"file_id": f.ID}, &found); {
	case errors.As(err, &no) && no.Code == http.StatusBadRequest && strings.Contains(no.Text, "too big"):
		return nil, chat.ErrTooBig
	case errors.As(err, &no) && no.Code == http.StatusBadRequest:
		return nil, fmt.Errorf("%w: %w", chat.ErrNotFound, err)
	case err != nil:
		return nil, err
	case found.Size > downloadMax:
		return nil, chat.ErrTooBig
	case !plainPath(found.Path):
		return nil, fmt.Errorf("%w: the file has no path", chat.ErrNotFound)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/file/bot"+c.token+"/"+(&url.URL{Path: found.Path}).EscapedPath(), nil)
	if err != nil {
		return nil, errors.New(c.clean(err))
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, errors.New(c.clean(err))
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		if res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests {
			return nil, fmt.Errorf("%w: answered %s", chat.ErrNotFound, res.Status)
		}
		return nil, errors.New("answered " + res.Status)
	}
	return res.Body, nil
}

// plainPath: it is a path below the bot's own files, and leads nowhere else.
func plainPath(p string) bool {
	if p == "" || strings.HasPrefix(p, "/") || strings.ContainsAny(p, `\?#`) {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

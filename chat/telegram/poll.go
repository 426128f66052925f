package telegram

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// How updates are asked for.
const (
	pollFor  = 50 * time.Second // a request waits so long for an update
	callFor  = 20 * time.Second // beyond that, for an answer
	batchMax = 100
	pauseMin = 250 * time.Millisecond // after a failure, doubled with each
	pauseMax = 30 * time.Second
	// staleAfter is when a position counts no more: after a quiet week the ids of
	// updates begin anew, and one far ahead would have Telegram forget what is new.
	staleAfter = 5 * 24 * time.Hour
	// calmAfter is how long no other program must have asked for a bot's updates, for it to count as
	// gone: longer than it may wait between two tries.
	calmAfter = pauseMax + pollFor
)

// source is the name under which the position is kept: another bot has its own.
func (c *Connector) source() string { return "telegram " + c.bot }

// Run has updates come in until the context ends. Whatever is wrong is tried again.
func (c *Connector) Run(ctx context.Context) {
	step := c.poll
	if c.webhook != "" {
		step = c.hook
	}
	pause := pauseMin
	var conflict time.Time // when another program last asked, too
	well := func() {
		if time.Since(conflict) < c.calm {
			return // the other one may ask again: of two, each ends the other's request
		}
		c.broken("")
		pause = pauseMin
	}
	for ctx.Err() == nil {
		err := step(ctx, well)
		if ctx.Err() != nil {
			return
		}
		wait := pause
		pause = min(2*pause, pauseMax)
		var no *apiError
		switch {
		case !errors.As(err, &no):
			c.log.Warn().Str("channel", c.channel).Str("reason", err.Error()).Dur("again_in_ms", wait).Msg("Telegram cannot be reached")
		case no.Code == http.StatusUnauthorized, no.Code == http.StatusNotFound:
			c.broken("Telegram does not know the bot: is the token right? (" + no.Text + ")")
			wait = pauseMax
		case no.Code == http.StatusConflict && strings.Contains(no.Text, "webhook"):
			// What waits stays there. Failing that, it is tried in the next round.
			if err := c.quickly(ctx, "deleteWebhook", map[string]any{"drop_pending_updates": false}, nil); err == nil {
				wait = 0
			} else {
				c.broken("a webhook is set and cannot be removed: " + err.Error())
			}
		case no.Code == http.StatusConflict:
			conflict = time.Now()
			c.broken("another program, perhaps a second server, asks for the bot's updates, too, and each gets some of them: " + no.Text)
		default:
			c.broken(no.Error())
			wait = max(wait, no.After)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// poll takes updates until something goes wrong, and tells each time that all is well. What has been kept is confirmed by the
// next request, and not before: whatever happens in between, it comes again and is known.
func (c *Connector) poll(ctx context.Context, well func()) error {
	next, at, err := c.store.Position(ctx, c.channel, c.source())
	if err != nil {
		return err
	}
	for wait := time.Duration(0); ; wait = pollFor { // the first answer at once tells whether all is well
		if time.Since(at) > staleAfter {
			next = 0
		}
		params := map[string]any{"timeout": int(wait / time.Second), "limit": batchMax, "allowed_updates": wanted()}
		if next > 0 {
			params["offset"] = next
		}
		var list []json.RawMessage
		limited, cancel := context.WithTimeout(ctx, wait+callFor)
		err := c.call(limited, "getUpdates", params, &list)
		cancel()
		if err != nil {
			return err
		}
		last, err := c.take(ctx, list)
		if err == nil && len(list) > 0 && last < max(next, 1) {
			return &brokenError{reason: "answered with updates that are over, or that have no number"}
		}
		well()
		if last > 0 && last >= next {
			next, at = last+1, time.Now()
			err = errors.Join(err, c.store.SetPosition(ctx, c.channel, c.source(), next))
		}
		if err != nil {
			return err
		}
	}
}

// take keeps updates, in order, and returns the id of the last that need not come again.
func (c *Connector) take(ctx context.Context, list []json.RawMessage) (last int64, err error) {
	for _, body := range list {
		var u wireUpdate
		if err := json.Unmarshal(body, &u); err != nil {
			c.log.Warn().Err(err).Str("channel", c.channel).Msg("an update cannot be read")
			var id struct {
				ID int64 `json:"update_id"`
			}
			if json.Unmarshal(body, &id) == nil {
				last = max(last, id.ID)
			}
			continue
		}
		switch err := c.receive(ctx, c.channel, c.event(&u), body); {
		case err != nil && c.wrong(err):
			c.log.Warn().Err(err).Str("channel", c.channel).Int64("update", u.ID).Msg("nothing came of an update")
		case err != nil:
			return last, err
		case u.Pressed != nil:
			c.quiet(ctx, u.Pressed.ID)
		}
		last = max(last, u.ID)
	}
	return last, nil
}

// quickly calls a method that has nothing to wait for.
func (c *Connector) quickly(ctx context.Context, method string, params, result any) error {
	limited, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	return c.call(limited, method, params, result)
}

// hookLook is how often is looked whether Telegram still posts updates here.
const hookLook = 10 * time.Minute

// hook has Telegram post updates, one after another, and looks from time to time whether it
// does: where it posts them elsewhere, it returns, and is to be called again (R6).
func (c *Connector) hook(ctx context.Context, well func()) error {
	err := c.quickly(ctx, "setWebhook", map[string]any{
		"url": c.webhook, "secret_token": c.Secret(), "max_connections": 1, "allowed_updates": wanted(),
	}, nil)
	if err != nil {
		return err
	}
	well()
	for since := time.Now(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.look):
		}
		var now struct {
			URL     string `json:"url"`
			Error   string `json:"last_error_message"`
			ErrorAt int64  `json:"last_error_date"` // seconds since 1970
		}
		if err := c.quickly(ctx, "getWebhookInfo", struct{}{}, &now); err != nil {
			return err
		}
		switch {
		case now.URL != c.webhook:
			return &brokenError{reason: "updates are posted to another address, which is put right"}
		case now.Error != "" && now.ErrorAt >= since.Unix():
			c.broken("Telegram cannot post updates to " + c.webhook + ": " + now.Error)
		default:
			c.broken("")
		}
		since = time.Now()
	}
}

// HeaderSecret is the header of the webhook's requests that tells they are Telegram's.
const HeaderSecret = "X-Telegram-Bot-Api-Secret-Token"

// Secret is what the header says. It is made of the token, which it does not betray.
func (c *Connector) Secret() string {
	h := hmac.New(sha256.New, []byte(c.token))
	h.Write([]byte("webhook of " + c.channel))
	return hex.EncodeToString(h.Sum(nil))
}

// updateMax is the largest update, in bytes.
const updateMax = 1 << 20

// ServeHTTP takes the webhook's requests: 200 once the update is kept. What will never
// be anything is answered so too, or it would come again and hold up all others.
func (c *Connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.webhook == "" || !hmac.Equal([]byte(r.Header.Get(HeaderSecret)), []byte(c.Secret())) {
		c.log.Warn().Str("channel", c.channel).Str("from", r.RemoteAddr).Msg("an update does not come from Telegram")
		http.Error(w, "the secret token is missing or wrong", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, updateMax))
	var large *http.MaxBytesError
	if err != nil && !errors.As(err, &large) {
		http.Error(w, "the body did not come whole", http.StatusBadRequest)
		return
	}
	if large != nil {
		c.log.Warn().Str("channel", c.channel).Msg("an update is too large")
		return
	}
	if _, err := c.take(r.Context(), []json.RawMessage{body}); err != nil {
		c.log.Error().Err(err).Str("channel", c.channel).Msg("an update could not be kept")
		http.Error(w, "it could not be kept: send it again", http.StatusServiceUnavailable)
	}
}

var _ http.Handler = (*Connector)(nil)

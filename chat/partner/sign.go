package partner

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"centrala/chat"
)

// The headers of Standard Webhooks 1.0.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Tolerance is how far a timestamp may be from the present.
const Tolerance = 5 * time.Minute

// What can be wrong with a signature or a secret.
var (
	ErrSigned = errors.New("the signature, its id or its time is missing or wrong")
	ErrSecret = errors.New("a secret is whsec_ and 24 to 64 bytes in base64")
)

// Key is the key that is written as a secret: whsec_ and 24 to 64 bytes in base64.
func Key(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, ErrSecret
	}
	return key, nil
}

func (c *Connector) signature(id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, c.key)
	for _, part := range []string{id, ".", timestamp, "."} {
		h.Write([]byte(part))
	}
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Sign puts the signature of a body under the id into the headers.
func (c *Connector) Sign(h http.Header, id string, body []byte) {
	timestamp := strconv.FormatInt(c.now().Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, timestamp)
	h.Set(HeaderSignature, c.signature(id, timestamp, body))
}

// Verify looks at the signature of a body as it came, and returns the sender's id
// of it. Of several signatures one must be right: secrets are changed one side
// after the other. The error is ErrSigned.
func (c *Connector) Verify(h http.Header, body []byte) (id string, err error) {
	id = h.Get(HeaderID)
	timestamp := h.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || chat.CheckID(id) != nil {
		return "", ErrSigned
	}
	if age := c.now().Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return "", ErrSigned
	}
	want := []byte(c.signature(id, timestamp, body))
	for _, got := range strings.Fields(h.Get(HeaderSignature)) {
		if hmac.Equal([]byte(got), want) {
			return id, nil
		}
	}
	return "", ErrSigned
}

package chat

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// safeTypes are those that a browser is told of: it runs nothing of them.
var safeTypes = []string{
	"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "application/zip",
	"audio/mpeg", "audio/wave", "application/ogg", "video/mp4", "video/webm",
}

// SafeType is the type that others are told: what might be run is bytes to them.
func (a *Attachment) SafeType() string {
	kind, _, _ := strings.Cut(a.Type, ";")
	if slices.Contains(safeTypes, kind) {
		return kind
	}
	return "application/octet-stream"
}

// Send answers a request with an attachment, to be kept and not to be shown: pictures are
// shown where an element of a page asks for them, and nothing else of ours is.
func (a *Attachment) Send(w http.ResponseWriter, r *http.Request, content io.ReadSeeker) {
	h := w.Header()
	kind := a.SafeType()
	if kind == "text/plain" {
		kind += "; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600, immutable") // an id is of one file for ever
	http.ServeContent(w, r, "", time.Time{}, content)
}

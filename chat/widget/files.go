package widget

import (
	"bytes"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"centrala/chat"
)

// forbidden are ends of names of files that are not taken: what a browser or a desktop would run.
var forbidden = []string{
	".svg", ".svgz", ".html", ".htm", ".xhtml", ".xht", ".mht", ".mhtml", ".xml", ".xsl", ".js", ".mjs", ".wasm", ".swf", ".jar", ".hta", ".exe", ".dll",
	".msi", ".scr", ".com", ".bat", ".cmd", ".ps1", ".vbs", ".wsf", ".lnk", ".reg", ".sh", ".apk", ".app", ".dmg", ".iso", ".url", ".desktop",
}

// uploadFor is how long a visitor may take to bring a file.
const uploadFor = 2 * time.Minute

// fileGiven is what a visitor may name a file by that they have brought.
type fileGiven struct {
	Handle string `json:"handle"`
	shownFile
}

// upload keeps a file, whose name the query tells, until a message names it.
func (a *ask) upload() {
	v, no := a.rationed()
	name := a.r.URL.Query().Get("name")
	switch {
	case no != nil:
	case a.channel.FileMax == 0 || slices.Contains(forbidden, strings.ToLower(path.Ext(strings.TrimRight(name, ". ")))):
		no = refused(codeFile)
	case a.r.ContentLength > a.channel.FileMax:
		no = refused(codeTooBig)
	}
	if no != nil {
		a.refuse(no)
		return
	}
	_ = http.NewResponseController(a.w).SetReadDeadline(time.Now().Add(uploadFor)) // not every connection has deadlines
	x, err := a.store.Attach(http.MaxBytesReader(a.w, a.r.Body, a.channel.FileMax), name)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), errors.Is(err, chat.ErrTooBig):
		no = refused(codeTooBig)
	case errors.Is(err, chat.ErrEmpty):
		no = refused(codeFile)
	case err != nil && a.r.Context().Err() != nil:
		return // the visitor is gone
	case err != nil:
		no = a.away(err)
	case strings.HasPrefix(x.Type, "text/html"), strings.HasPrefix(x.Type, "text/xml"):
		no = refused(codeFile) // what nobody names is swept away
	}
	if no != nil {
		a.refuse(no)
		return
	}
	handle, err := a.sign(a.r.Context(), "file", &file{Channel: a.name, Customer: v.Customer, Expires: a.now().Add(fileFor).Unix(), Attachment: x})
	if err != nil {
		a.refuse(a.away(err))
		return
	}
	a.answer(&fileGiven{handle, shownFile{x.ID, x.Name, x.SafeType(), x.Size}})
}

// download sends an attachment of the visitor's own conversation.
func (a *ask) download(id string) {
	v, no := a.bearer()
	if no != nil {
		a.refuse(no)
		return
	}
	x, conversation, f, err := a.store.Attachment(a.r.Context(), id)
	if errors.Is(err, chat.ErrNotFound) {
		a.refuse(refused(codeNothing))
		return
	}
	if err != nil {
		a.refuse(a.away(err))
		return
	}
	defer f.Close()
	mine, err := a.store.ConversationOf(a.r.Context(), a.name, v.Customer)
	switch {
	case errors.Is(err, chat.ErrNotFound) || err == nil && mine.ID != conversation:
		a.refuse(refused(codeNothing))
	case err != nil:
		a.refuse(a.away(err))
	default:
		x.Send(a.w, a.r, f)
	}
}

// sendFace sends a picture of an agent: to whoever knows its id, which nobody guesses.
func (a *ask) sendFace(id string) {
	kind, data, ok := a.picture(a.name, id)
	if !ok {
		a.refuse(refused(codeNothing))
		return
	}
	x := chat.Attachment{Name: "face", Type: kind}
	x.Send(a.w, a.r, bytes.NewReader(data))
}

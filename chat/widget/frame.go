package widget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/netip"
	"strings"
	"unicode/utf8"

	"centrala/chat"
)

// frame is what a window tells.
type frame struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"` // of a message: the visitor's own, and no other message's
	Text    string         `json:"text"`
	Files   []string       `json:"files"` // handles
	Form    form           `json:"form"`
	Consent string         `json:"consent"` // the version agreed to
	Seq     int64          `json:"seq"`
	Session chat.SessionID `json:"session"`
	Score   int            `json:"score"`
	Comment string         `json:"comment"`
	Token   string         `json:"token"` // of hello
	Zone    string         `json:"zone"`  // of the times in a letter
	Speaks  string         `json:"language"`
	Since   int64          `json:"since"`
}

// form is what was asked for before the first message.
type form struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

// keptFrame tells that what the window told is kept for good, or done.
type keptFrame struct {
	Type string `json:"type"` // kept
	ID   string `json:"id,omitempty"`
}

// refusedFrame tells that it is not.
type refusedFrame struct {
	Type  string `json:"type"` // refused
	ID    string `json:"id,omitempty"`
	Code  string `json:"code"`
	Retry int    `json:"retry,omitempty"` // in so many seconds
}

// Limits of what a frame holds, in bytes.
const (
	idMax      = 64
	commentMax = 2000
	frameMax   = 64 << 10
)

// take does what a frame asks for. It returns an answer, which may be nil, or why it is refused.
func (s *Server) take(ctx context.Context, v *visitor, c *Channel, from netip.Addr, f *frame) (any, *refusal) {
	turns := s.limits.signs
	if f.Type == "message" || f.Type == "rate" || f.Type == "close" || f.Type == "mail" {
		turns = s.limits.messages
	}
	if no := turns.take(v.Customer); no != nil {
		return nil, no
	}
	if no := s.limits.addressed.take(network(from)); no != nil {
		return nil, no
	}
	if c.Identified && !v.verified() { // it may have been asked for since the token was made
		return nil, refused(codeIdentity)
	}
	switch f.Type {
	case "message":
		return s.message(ctx, v, c, from, f)
	case "typing", "read", "rate", "close", "mail":
		x, err := s.store.ConversationOf(ctx, v.Channel, v.Customer)
		switch {
		case errors.Is(err, chat.ErrNotFound):
			return nil, refused(codeBad)
		case err != nil:
			return nil, s.away(err)
		}
		if f.Type == "mail" {
			return s.mail(ctx, v, c, from, &x, f)
		}
		return s.about(ctx, v, c, &x, f)
	}
	return nil, refused(codeBad)
}

// about does what a frame asks for that is about a conversation.
func (s *Server) about(ctx context.Context, v *visitor, c *Channel, x *chat.Conversation, f *frame) (any, *refusal) {
	switch f.Type {
	case "typing":
		s.hub.Typing(x.ID, chat.ByCustomer, "")
		return nil, nil
	case "read":
		if err := s.store.Read(ctx, x.ID, chat.ByCustomer, f.Seq); err != nil {
			return nil, s.away(err)
		}
		s.hub.Touch(x.ID)
		return nil, nil
	}
	last, err := s.store.LastSession(ctx, x.ID)
	if err != nil {
		return nil, s.away(err)
	}
	if f.Session != "" && f.Session != last.ID {
		return nil, refused(codeNotRatable)
	}
	if f.Type == "close" {
		// One that was closed is open again with another message (R66), and can be closed again.
		return s.receive(ctx, v, fmt.Sprintf("%s closed %d", last.ID, x.Seq), &event{Customer: v.Customer, Closed: true}, f.ID)
	}
	now, ok := s.stands(last.ID)
	open := last.Closed.IsZero() && (!ok || now.Phase != PhaseClosing)
	if !c.Rating || open || f.Score < 1 || f.Score > 5 || len(f.Comment) > commentMax || !utf8.ValidString(f.Comment) || strings.ContainsRune(f.Comment, 0) {
		return nil, refused(codeNotRatable)
	}
	if err := s.store.Rate(ctx, chat.Rating{Session: last.ID, Who: string(chat.ByCustomer), Score: f.Score, Comment: f.Comment}); err != nil {
		return nil, s.away(err)
	}
	if c.RatingCloses && last.Closed.IsZero() {
		s.hub.End(last.ID)
	}
	s.hub.Touch(x.ID)
	return &keptFrame{"kept", f.ID}, nil
}

// message keeps what a visitor wrote.
func (s *Server) message(ctx context.Context, v *visitor, c *Channel, from netip.Addr, f *frame) (any, *refusal) {
	if f.ID == "" || len(f.ID) > idMax || !plain(f.ID) || len(f.Files) > chat.AttachmentsMax {
		return nil, refused(codeBad)
	}
	e := &event{
		Customer: v.Customer, Verified: v.verified(), Name: v.Name, Details: chat.Details{Email: v.Email, Phone: v.Phone}, ID: f.ID, Text: f.Text, At: s.now(),
	}
	for _, handle := range f.Files {
		var x file
		switch err := s.open(ctx, "file", handle, &x); {
		case errors.Is(err, errToken) || err == nil && (x.Channel != v.Channel || x.Customer != v.Customer || x.Expires < s.now().Unix()):
			return nil, refused(codeFile)
		case err != nil:
			return nil, s.away(err)
		}
		e.Files = append(e.Files, x.Attachment)
	}
	if no := s.admitted(ctx, v, c, f, e); no != nil {
		return nil, no
	}
	if e.Consent != "" {
		e.Address = from.String()
	}
	return s.receive(ctx, v, f.ID, e, f.ID)
}

// admitted looks whether the visitor has agreed to what is to be agreed to, and filled in what
// is asked for, and takes both up.
func (s *Server) admitted(ctx context.Context, v *visitor, c *Channel, f *frame, e *event) *refusal {
	x, err := s.store.ConversationOf(ctx, v.Channel, v.Customer)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		return s.away(err)
	}
	if c.Consent.Version != "" {
		agreed, err := s.agreed(ctx, x.ID, c.Consent.Version)
		switch {
		case err != nil:
			return s.away(err)
		case f.Consent == c.Consent.Version:
			e.Consent = f.Consent
		case !agreed:
			return refused(codeConsent)
		}
	}
	for _, text := range []string{f.Form.Name, f.Form.Email, f.Form.Phone} {
		if len(text) > chat.IDMax || !plain(text) {
			return refused(codeForm)
		}
	}
	if !v.verified() { // what the site vouches for is not for the visitor to change
		e.Name, e.Details = strings.TrimSpace(f.Form.Name), chat.Details{Email: strings.TrimSpace(f.Form.Email), Phone: strings.TrimSpace(f.Form.Phone)}
	}
	if e.Details.Email != "" {
		if _, err := mail.ParseAddress(e.Details.Email); err != nil {
			return refused(codeForm)
		}
	}
	details := x.Contact.Details.Merge(e.Details)
	for _, asked := range c.Form {
		switch {
		case asked == "name" && x.Contact.Name == "" && e.Name == "", asked == "email" && details.Email == "", asked == "phone" && details.Phone == "":
			return refused(codeForm)
		}
	}
	return nil
}

// agreed tells whether the customer of a conversation agreed to a version of the text.
func (s *Server) agreed(ctx context.Context, conversation int64, version string) (bool, error) {
	if conversation == 0 {
		return false, nil
	}
	list, err := s.store.Consents(ctx, conversation)
	for _, x := range list {
		if x.Version == version {
			return true, nil
		}
	}
	return false, err
}

// receive has an event kept, under an id that is the visitor's alone.
func (s *Server) receive(ctx context.Context, v *visitor, id string, e *event, told string) (any, *refusal) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, refused(codeBad)
	}
	switch err := s.hub.Receive(ctx, v.Channel, v.Customer+" "+id, body); {
	case err == nil:
		return &keptFrame{"kept", told}, nil
	case s.wrong(err):
		return nil, refused(codeBad)
	default:
		return nil, s.away(err)
	}
}

// frame answers a request with one frame in it.
func (a *ask) frame() {
	v, no := a.bearer()
	if no != nil {
		a.refuse(no)
		return
	}
	var f frame
	if err := json.NewDecoder(http.MaxBytesReader(a.w, a.r.Body, frameMax)).Decode(&f); err != nil {
		a.refuse(refused(codeBad))
		return
	}
	answer, no := a.take(a.r.Context(), v, a.channel, a.from, &f)
	switch {
	case no != nil:
		a.refuse(no)
	case answer == nil:
		a.answer(&keptFrame{"kept", f.ID})
	default:
		a.answer(answer)
	}
}

// bearer finds out whose request it is.
func (a *ask) bearer() (*visitor, *refusal) {
	token, ok := strings.CutPrefix(a.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil, refused(codeToken)
	}
	return a.known(a.r.Context(), a.name, token, a.from)
}

// rationed finds out whose request it is, of those that a visitor may make a few times only, and
// only one for whom the site vouches where the channel wants that.
func (a *ask) rationed() (*visitor, *refusal) {
	v, no := a.bearer()
	if no == nil {
		no = a.limits.files.take(v.Customer)
	}
	if no == nil {
		no = a.limits.addressed.take(network(a.from))
	}
	if no == nil && a.channel.Identified && !v.verified() {
		no = refused(codeIdentity)
	}
	return v, no
}

// known finds out whose a token of a channel is. Whoever shows many that are nobody's is not listened to for a while.
func (s *Server) known(ctx context.Context, channel, token string, address netip.Addr) (*visitor, *refusal) {
	from := network(address)
	if no := s.limits.bad.empty(from); no != nil {
		return nil, no
	}
	v, err := s.visitor(ctx, channel, token)
	switch {
	case errors.Is(err, errToken):
		if no := s.limits.bad.take(from); no != nil {
			return nil, no
		}
		return nil, refused(codeToken)
	case err != nil:
		return nil, s.away(err)
	}
	return v, nil
}

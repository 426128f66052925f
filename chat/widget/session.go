package widget

import (
	"encoding/json"
	"errors"
	"net/http"

	"centrala/chat"
)

// sessionAsked is what a window begins with.
type sessionAsked struct {
	Token    string `json:"token"`    // that it had
	Identity string `json:"identity"` // the site's word on who the visitor is
}

// sessionGiven is what it needs to go on.
type sessionGiven struct {
	Token    string   `json:"token"`
	Verified bool     `json:"verified"`
	Name     string   `json:"name"` // of the channel
	Origins  []string `json:"origins"`
	Language string   `json:"language,omitempty"`
	Color    string   `json:"color,omitempty"`
	Form     []string `json:"form"` // what is still to be asked for
	Consent  *Text    `json:"consent,omitempty"`
	FileMax  int64    `json:"file_max"`
	Begun    bool     `json:"begun"`          // there are messages
	Call     bool     `json:"call,omitempty"` // the visitor may call who talks to an agent
}

// session gives a visitor a token, and tells how the window is to be.
func (a *ask) session() {
	var in sessionAsked
	if err := json.NewDecoder(http.MaxBytesReader(a.w, a.r.Body, frameMax)).Decode(&in); err != nil {
		a.refuse(refused(codeBad))
		return
	}
	v, no := a.arrives(&in)
	if no != nil {
		a.refuse(no)
		return
	}
	token, err := a.sign(a.r.Context(), "visitor", v)
	if err != nil {
		a.refuse(a.away(err))
		return
	}
	c := a.channel
	out := &sessionGiven{
		Token: token, Verified: v.verified(), Name: c.Name, Origins: c.Origins, Language: c.Language, Color: c.Color, FileMax: c.FileMax, Call: c.Calls, Form: []string{},
	}
	x, err := a.store.ConversationOf(a.r.Context(), a.name, v.Customer)
	if err != nil && !errors.Is(err, chat.ErrNotFound) {
		a.refuse(a.away(err))
		return
	}
	out.Begun = x.Seq > 0
	has := map[string]bool{
		"name": x.Contact.Name != "" || v.Name != "", "email": x.Contact.Details.Email != "" || v.Email != "", "phone": x.Contact.Details.Phone != "" || v.Phone != "",
	}
	for _, asked := range c.Form {
		if !has[asked] {
			out.Form = append(out.Form, asked)
		}
	}
	if c.Consent.Version != "" {
		agreed, err := a.agreed(a.r.Context(), x.ID, c.Consent.Version)
		if err != nil {
			a.refuse(a.away(err))
			return
		}
		if !agreed {
			out.Consent = &c.Consent
		}
	}
	a.answer(out)
}

// arrives finds out who has a window before them: whom the site vouches for, who was here
// before, or somebody new.
func (a *ask) arrives(in *sessionAsked) (*visitor, *refusal) {
	var before *visitor
	if in.Token != "" {
		v, no := a.known(a.r.Context(), a.name, in.Token, a.from)
		if no != nil && no.code != codeToken {
			return nil, no
		}
		before = v
	}
	if before == nil || in.Identity != "" {
		if no := a.limits.sessions.take(network(a.from)); no != nil {
			return nil, no
		}
	}
	if in.Identity != "" {
		c, err := a.identity(a.channel, in.Identity)
		if !errors.Is(err, errExpired) || a.channel.Identified {
			return a.vouched(c, err, before)
		}
		// A page that was open for long, perhaps: the visitor goes on as who they are without the site's word.
		if before != nil && before.verified() && before.Customer != isCustomer+c.Subject {
			before = nil
		}
	}
	switch {
	case a.channel.Identified && (before == nil || !before.verified()):
		return nil, refused(codeIdentity)
	case before != nil && before.verified():
		return before, nil
	case before != nil:
		before.Expires = a.now().Add(visitorFor).Unix()
		return before, nil
	}
	return &visitor{Channel: a.name, Customer: newVisitor(), Expires: a.now().Add(visitorFor).Unix()}, nil
}

// vouched is a visitor for whom the site vouches, by claims which are wrong where there is an error. What they wrote
// before they signed in at the site is theirs as well. Where the customer has a conversation of before, a chat that
// goes on stays the one that the visitor sees until it ends: somebody may be about to answer in it.
func (a *ask) vouched(c claims, wrong error, before *visitor) (*visitor, *refusal) {
	if wrong != nil {
		if no := a.limits.bad.take(network(a.from)); no != nil {
			return nil, no
		}
		return nil, refused(codeIdentity)
	}
	v := &visitor{Channel: a.name, Customer: isCustomer + c.Subject, Name: c.Name, Email: c.Email, Phone: c.Phone, Expires: a.now().Add(identityFor).Unix()}
	if before != nil && !before.verified() {
		if err := a.store.Identify(a.r.Context(), a.name, before.Customer, v.Customer); err != nil {
			return nil, a.away(err)
		}
		switch on, err := a.goesOn(before); {
		case err != nil:
			return nil, a.away(err)
		case on:
			before.Expires = a.now().Add(visitorFor).Unix()
			return before, nil
		}
	}
	return v, nil
}

// goesOn tells whether a visitor has a chat that is not over, and may see it without the site's word.
func (a *ask) goesOn(v *visitor) (bool, error) {
	if a.channel.Identified {
		return false, nil
	}
	x, err := a.store.ConversationOf(a.r.Context(), a.name, v.Customer)
	var last chat.Session
	if err == nil {
		last, err = a.store.LastSession(a.r.Context(), x.ID)
	}
	if errors.Is(err, chat.ErrNotFound) {
		return false, nil
	}
	return err == nil && last.Closed.IsZero(), err
}

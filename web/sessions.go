package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

func (s *Server) sessionRoutes() {
	Operation(s, Anybody(), Route{
		ID: "sign-in", Method: http.MethodPost, Path: "/session", Tag: "session", Summary: "Sign in",
		Description: "Sets the cookie of a session. A password that served for one sign-in must be changed before anything else is done.",
	}, s.signIn)
	Operation(s, SignedIn(), Route{
		ID: "get-session", Method: http.MethodGet, Path: "/session", Tag: "session", Summary: "Who is signed in, and what they may do",
	}, s.getSession)
	Operation(s, SignedIn(), Route{
		ID: "sign-out", Method: http.MethodDelete, Path: "/session", Tag: "session", Summary: "Sign out",
	}, s.signOut)
	Operation(s, SignedIn(), Route{
		ID: "change-password", Method: http.MethodPost, Path: "/session/password", Tag: "session",
		Summary: "Change the own password", Description: "The user's other sessions end.",
	}, s.changePassword)
	Operation(s, SignedIn(), Route{
		ID: "list-sessions", Method: http.MethodGet, Path: "/sessions", Tag: "session", Summary: "The own sessions",
	}, s.listSessions)
	Operation(s, SignedIn(), Route{
		ID: "end-session", Method: http.MethodDelete, Path: "/sessions/{session}", Tag: "session", Summary: "End one of the own sessions",
	}, s.endSession)
}

// Codes of problems with accounts.
const (
	codeRefused      = "wrong_name_or_password"
	codeExists       = "exists"
	codeAgent        = "is_an_agent"
	codeWeakPassword = "weak_password"
)

// asProblem tells what accounts refuse.
func asProblem(err error) *Problem {
	var again *accounts.TooManyError
	switch {
	case errors.As(err, &again):
		return tooMany(again.After)
	case errors.Is(err, accounts.ErrBusy):
		return tooMany(time.Second)
	case errors.Is(err, accounts.ErrRefused):
		return problem(http.StatusUnauthorized, codeRefused, "name or password is wrong")
	case errors.Is(err, accounts.ErrNotFound):
		return problem(http.StatusNotFound, codeNotFound, "there is no such thing")
	case errors.Is(err, accounts.ErrExists):
		return conflict(codeExists, "%v", err)
	case errors.Is(err, accounts.ErrAgent):
		return conflict(codeAgent, "%v", err)
	case errors.Is(err, accounts.ErrPassword):
		return problem(http.StatusUnprocessableEntity, codeWeakPassword, "%v", err)
	case errors.Is(err, accounts.ErrName), errors.Is(err, accounts.ErrRole), errors.Is(err, accounts.ErrRight):
		return problem(http.StatusUnprocessableEntity, codeInvalid, "%v", err)
	}
	return unavailable(err)
}

// cookieName is that of the session's cookie. The prefix __Host- has browsers send it over
// TLS alone, to this very host (RFC 6265bis 4.1.3.2).
func cookieName(secure bool) string {
	if secure {
		return "__Host-centrala"
	}
	return "centrala"
}

// cookie carries a session; an empty token ends it.
func (r *request) cookie(token string) *http.Cookie {
	c := &http.Cookie{Name: cookieName(r.secure), Value: token, Path: "/", HttpOnly: true, Secure: r.secure, SameSite: http.SameSiteLaxMode}
	if token == "" {
		c.MaxAge = -1
	}
	return c
}

// Me is who is signed in.
type Me struct {
	User           string   `json:"user"`
	Agent          string   `json:"agent,omitempty" doc:"The agent that the user is."`
	Session        string   `json:"session" doc:"The id of the session."`
	Role           string   `json:"role"`
	Rights         []string `json:"rights" nullable:"false"`
	Reach          string   `json:"reach" enum:"all,groups,own" doc:"How far the rights reach: everything, some groups, the agent's own."`
	Groups         []string `json:"groups" nullable:"false" doc:"Those, with reach groups."`
	ChoosePassword bool     `json:"choose_password" doc:"A password must be chosen before anything else."`
	Phone          string   `json:"phone,omitempty" enum:"browser,desk,fixed" doc:"Where the agent may talk. browser: in a browser alone; desk: there, and at a telephone with a password; fixed: at a fixed address. Left out: the user is no agent."`
}

func (s *Server) me(c *accounts.Caller) Me {
	m := Me{
		User: c.Name, Agent: string(c.Agent), Session: c.Session, Role: c.Role.ID, Rights: texts(c.Role.Rights), Reach: string(c.Role.Reach),
		Groups: texts(c.Role.Groups), ChoosePassword: c.Once,
	}
	s.core.View(func(st *acd.State) {
		agent := st.Config().Agent(c.Agent)
		switch {
		case c.Agent == "" || agent == nil:
		case agent.Contact != "":
			m.Phone = "fixed"
		case s.phones.OnDesk(c.Agent):
			m.Phone = "desk"
		default:
			m.Phone = "browser"
		}
	})
	return m
}

type signInIn struct {
	UserAgent string `header:"User-Agent"`
	Body      struct {
		Name     string `json:"name" maxLength:"64"`
		Password string `json:"password" maxLength:"800"`
	}
}

type signInOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

func (s *Server) signIn(ctx context.Context, _ *Caller, in *signInIn) (*signInOut, error) {
	r := requestOf(ctx)
	token, c, err := s.accounts.SignIn(ctx, in.Body.Name, in.Body.Password, r.from, in.UserAgent)
	if err != nil {
		return nil, asProblem(err)
	}
	ownAct(ctx)
	return &signInOut{*r.cookie(token), s.me(c)}, nil
}

type meOut struct{ Body Me }

func (s *Server) getSession(_ context.Context, c *Caller, _ *struct{}) (*meOut, error) {
	return &meOut{s.me(&c.Caller)}, nil
}

type signOutOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) signOut(ctx context.Context, c *Caller, _ *struct{}) (*signOutOut, error) {
	ownAct(ctx)
	if err := s.accounts.SignOut(ctx, c.Name, c.Session); err != nil && !errors.Is(err, accounts.ErrNotFound) {
		return nil, asProblem(err)
	}
	return &signOutOut{*requestOf(ctx).cookie("")}, nil
}

type passwordIn struct {
	Body struct {
		Old string `json:"old,omitempty" maxLength:"800" doc:"The present one; not asked for after a sign-in with a password that served once."`
		New string `json:"new" maxLength:"800" doc:"10 to 200 characters."`
	}
}

type nothingOut struct{}

func (s *Server) changePassword(ctx context.Context, c *Caller, in *passwordIn) (*nothingOut, error) {
	ownAct(ctx)
	err := s.accounts.ChangePassword(ctx, c.Name, c.Session, in.Body.Old, in.Body.New)
	switch {
	case errors.Is(err, accounts.ErrRefused):
		return nil, problem(http.StatusForbidden, codeRefused, "the old password is wrong") // 401 would tell that the session is over
	case err != nil:
		return nil, asProblem(err)
	}
	return &nothingOut{}, nil
}

// Session is a sign-in that lasts.
type Session struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen" doc:"To the minute."`
	Address string    `json:"address"`
	Program string    `json:"program" doc:"The browser, as it calls itself."`
}

type sessionsOut struct{ Body Page[Session] }

func (s *Server) sessionsOf(ctx context.Context, user string) (*sessionsOut, error) {
	list, err := s.accounts.Sessions(ctx, user)
	if err != nil {
		return nil, asProblem(err)
	}
	out := &sessionsOut{Page[Session]{Items: []Session{}}}
	for _, x := range list {
		out.Body.Items = append(out.Body.Items, Session{x.ID, x.Created, x.Seen, x.Address, x.Program})
	}
	return out, nil
}

func (s *Server) listSessions(ctx context.Context, c *Caller, _ *struct{}) (*sessionsOut, error) {
	return s.sessionsOf(ctx, c.Name)
}

type sessionIn struct {
	Session string `path:"session" maxLength:"40"`
}

func (s *Server) endSession(ctx context.Context, c *Caller, in *sessionIn) (*nothingOut, error) {
	ownAct(ctx)
	if err := s.accounts.SignOut(ctx, c.Name, in.Session); err != nil {
		return nil, asProblem(err)
	}
	return &nothingOut{}, nil
}

// mayGive tells whether the caller may give somebody a role: nobody gives away more than they have.
func (c *Caller) mayGive(r *queuegroups.Role) *Problem {
	if r != nil && !c.Role.Covers(r) {
		return forbidden("that is more than you may do yourself")
	}
	return nil
}

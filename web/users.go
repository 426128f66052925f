package web

import (
	"context"
	"net/http"
	"time"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

func (s *Server) userRoutes() {
	read, write := Needs(queuegroups.RightUsersRead), Needs(queuegroups.RightUsersWrite)
	Operation(s, read, Route{ID: "list-roles", Method: http.MethodGet, Path: "/roles", Tag: "users", Summary: "Roles and what they may do"}, s.listRoles)
	Operation(s, read, Route{
		ID: "list-users", Method: http.MethodGet, Path: "/users", Tag: "users", Summary: "Who can sign in, and agents who could",
	}, s.listUsers)
	Operation(s, read, Route{ID: "get-user", Method: http.MethodGet, Path: "/users/{user}", Tag: "users", Summary: "One user"}, s.getUser)
	Operation(s, write, Route{
		ID: "add-user", Method: http.MethodPost, Path: "/users", Tag: "users", Status: http.StatusCreated,
		Summary: "Add a user who is no agent", Description: "Agents are declared in the configuration.",
	}, s.addUser)
	Operation(s, write, Route{
		ID: "change-user", Method: http.MethodPatch, Path: "/users/{user}", Tag: "users", Summary: "Give a user another role, keep them out or let them in",
	}, s.changeUser)
	Operation(s, write, Route{
		ID: "remove-user", Method: http.MethodDelete, Path: "/users/{user}", Tag: "users", Summary: "Remove a user with their sessions and keys",
	}, s.removeUser)
	Operation(s, write, Route{
		ID: "reset-password", Method: http.MethodPost, Path: "/users/{user}/password", Tag: "users",
		Summary: "Give a user a password for one sign-in", Description: "Their sessions end. It is told this once.",
	}, s.resetPassword)
	Operation(s, read, Route{
		ID: "list-user-sessions", Method: http.MethodGet, Path: "/users/{user}/sessions", Tag: "users", Summary: "A user's sessions",
	}, s.userSessions)
	Operation(s, write, Route{
		ID: "end-user-sessions", Method: http.MethodDelete, Path: "/users/{user}/sessions", Tag: "users", Summary: "End a user's sessions",
	}, s.endUserSessions)
}

// Role is what somebody may do.
type Role struct {
	ID     string   `json:"id"`
	Rights []string `json:"rights" nullable:"false"`
	Reach  string   `json:"reach" enum:"all,groups,own"`
	Groups []string `json:"groups" nullable:"false"`
}

type rolesOut struct{ Body Page[Role] }

// role finds a role of the configuration in force; nil: there is none.
func (s *Server) role(id string) (r *queuegroups.Role) {
	s.core.View(func(st *acd.State) { r = st.Config().Role(id) })
	return r
}

func (s *Server) listRoles(context.Context, *Caller, *struct{}) (*rolesOut, error) {
	list := queuegroups.BuiltinRoles()
	s.core.View(func(st *acd.State) { list = append(list, st.Config().Roles...) })
	out := &rolesOut{}
	for _, r := range list {
		out.Body.Items = append(out.Body.Items, Role{r.ID, texts(r.Rights), string(r.Reach), texts(r.Groups)})
	}
	return out, nil
}

// User is somebody who can sign in, or an agent who could.
type User struct {
	Name            string    `json:"name"`
	Agent           bool      `json:"agent" doc:"The agent of that name; their role is the configuration's."`
	Role            string    `json:"role" doc:"Empty: an agent who is no longer declared."`
	Password        bool      `json:"password" doc:"They have one."`
	Once            bool      `json:"once" doc:"It serves for one sign-in."`
	Disabled        bool      `json:"disabled" doc:"Kept out."`
	Created         time.Time `json:"created,omitzero"`
	PasswordChanged time.Time `json:"password_changed,omitzero"`
}

func viewUser(u *accounts.User) User {
	return User{u.Name, u.Agent, u.Role, u.Password, u.Once, u.Disabled, u.Created, u.Changed}
}

// UserPath names a user in the path.
type UserPath struct {
	User string `path:"user" maxLength:"64"`
}

type userOut struct{ Body User }

func (s *Server) listUsers(ctx context.Context, _ *Caller, in *PageIn) (*PageOut[User], error) {
	position, bad := in.position()
	if bad != nil {
		return nil, bad
	}
	users, err := s.accounts.Users(ctx)
	if err != nil {
		return nil, asProblem(err)
	}
	list := make([]User, len(users))
	for i := range users {
		list[i] = viewUser(&users[i])
	}
	return &PageOut[User]{cut(list, in, func(u User) string { return u.Name }, func(u User) bool { return u.Name > position })}, nil
}

func (s *Server) user(ctx context.Context, name string) (*User, *Problem) {
	u, err := s.accounts.User(ctx, name)
	if err != nil {
		return nil, asProblem(err)
	}
	v := viewUser(u)
	return &v, nil
}

func (s *Server) getUser(ctx context.Context, _ *Caller, in *UserPath) (*userOut, error) {
	u, p := s.user(ctx, in.User)
	if p != nil {
		return nil, p
	}
	return &userOut{*u}, nil
}

type addUserIn struct {
	Body struct {
		Name string `json:"name" maxLength:"64"`
		Role string `json:"role" maxLength:"64" example:"director"`
	}
}

func (s *Server) addUser(ctx context.Context, c *Caller, in *addUserIn) (*userOut, error) {
	if p := c.mayGive(s.role(in.Body.Role)); p != nil {
		return nil, p
	}
	if err := s.accounts.AddUser(ctx, in.Body.Name, in.Body.Role); err != nil {
		return nil, asProblem(err)
	}
	u, p := s.user(ctx, in.Body.Name)
	if p != nil {
		return nil, p
	}
	changed(ctx, "users/"+u.Name, nil, u)
	return &userOut{*u}, nil
}

// above finds a user whom the caller may command: one who may do no more than they.
func (s *Server) above(ctx context.Context, c *Caller, name string) (*User, *Problem) {
	u, p := s.user(ctx, name)
	if p != nil {
		return nil, p
	}
	return u, c.mayGive(s.role(u.Role))
}

type changeUserIn struct {
	UserPath
	Body struct {
		Role     string `json:"role,omitempty" maxLength:"64" doc:"Left out: it stays."`
		Disabled *bool  `json:"disabled,omitempty" doc:"Keep them out; their sessions end. Left out: it stays."`
	}
}

func (s *Server) changeUser(ctx context.Context, c *Caller, in *changeUserIn) (*userOut, error) {
	before, p := s.above(ctx, c, in.User)
	if p != nil {
		return nil, p
	}
	if in.Body.Role != "" {
		if p := c.mayGive(s.role(in.Body.Role)); p != nil {
			return nil, p
		}
		if err := s.accounts.SetRole(ctx, in.User, in.Body.Role); err != nil {
			return nil, asProblem(err)
		}
	}
	if in.Body.Disabled != nil {
		if err := s.accounts.SetDisabled(ctx, in.User, *in.Body.Disabled); err != nil {
			return nil, asProblem(err)
		}
	}
	after, p := s.user(ctx, in.User)
	if p != nil {
		return nil, p
	}
	changed(ctx, "users/"+in.User, before, after)
	return &userOut{*after}, nil
}

func (s *Server) removeUser(ctx context.Context, c *Caller, in *UserPath) (*nothingOut, error) {
	before, p := s.above(ctx, c, in.User)
	if p != nil {
		return nil, p
	}
	if err := s.accounts.RemoveUser(ctx, in.User); err != nil {
		return nil, asProblem(err)
	}
	changed(ctx, "users/"+in.User, before, nil)
	return &nothingOut{}, nil
}

type resetOut struct {
	Body struct {
		Password string `json:"password"`
	}
}

func (s *Server) resetPassword(ctx context.Context, c *Caller, in *UserPath) (*resetOut, error) {
	if _, p := s.above(ctx, c, in.User); p != nil {
		return nil, p
	}
	password, err := s.accounts.OneTimePassword(ctx, in.User)
	if err != nil {
		return nil, asProblem(err)
	}
	changed(ctx, "users/"+in.User, nil, nil)
	out := &resetOut{}
	out.Body.Password = password
	return out, nil
}

func (s *Server) userSessions(ctx context.Context, _ *Caller, in *UserPath) (*sessionsOut, error) {
	if _, p := s.user(ctx, in.User); p != nil {
		return nil, p
	}
	return s.sessionsOf(ctx, in.User)
}

func (s *Server) endUserSessions(ctx context.Context, c *Caller, in *UserPath) (*nothingOut, error) {
	if _, p := s.above(ctx, c, in.User); p != nil {
		return nil, p
	}
	if err := s.accounts.SignOutAll(ctx, in.User); err != nil {
		return nil, asProblem(err)
	}
	return &nothingOut{}, nil
}

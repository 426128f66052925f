package web

import (
	"context"
	"net/http"
	"time"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/queuegroups"
)

func (s *Server) keyRoutes() {
	read, write := Needs(queuegroups.RightUsersRead), Needs(queuegroups.RightUsersWrite)
	Operation(s, read, Route{ID: "list-keys", Method: http.MethodGet, Path: "/keys", Tag: "keys", Summary: "API keys"}, s.listKeys)
	Operation(s, write, Route{
		ID: "add-key", Method: http.MethodPost, Path: "/keys", Tag: "keys", Status: http.StatusCreated,
		Summary: "Make an API key", Description: "It is told this once. A key may do no more than its owner, and no longer than they may.",
	}, s.addKey)
	Operation(s, write, Route{ID: "remove-key", Method: http.MethodDelete, Path: "/keys/{key}", Tag: "keys", Summary: "Revoke an API key"}, s.removeKey)
}

// Key is an API key, without what is secret of it.
type Key struct {
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Owner   string    `json:"owner,omitempty" doc:"The user whose rights bound those of the key; left out: an administrator's."`
	Rights  []string  `json:"rights" nullable:"false"`
	Groups  []string  `json:"groups" nullable:"false" doc:"That the rights reach; none: as far as the owner's."`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Used    time.Time `json:"used,omitzero" doc:"To the minute."`
}

func viewKey(k *accounts.Key) Key {
	return Key{k.ID, k.Title, k.Owner, texts(k.Rights), texts(k.Groups), k.Created, k.Expires, k.Used}
}

func (s *Server) listKeys(ctx context.Context, _ *Caller, in *PageIn) (*PageOut[Key], error) {
	keys, err := s.accounts.Keys(ctx)
	if err != nil {
		return nil, asProblem(err)
	}
	list := make([]Key, len(keys))
	for i := range keys {
		list[i] = viewKey(&keys[i])
	}
	return pageOf(list, in, func(k Key) string { return k.ID })
}

type addKeyIn struct {
	Body struct {
		Title   string    `json:"title" minLength:"1" maxLength:"100" doc:"What it is for."`
		Owner   string    `json:"owner,omitempty" maxLength:"64" doc:"A user or agent. Left out: who makes it; a key made by a key has the same owner's bounds."`
		Rights  []string  `json:"rights" minItems:"1" maxItems:"50" nullable:"false" example:"[\"agents:read\"]"`
		Groups  []string  `json:"groups,omitempty" maxItems:"200" nullable:"false" doc:"That the rights reach. Left out: as far as the owner's."`
		Expires time.Time `json:"expires,omitzero" doc:"Left out: never."`
	}
}

type addKeyOut struct {
	Body struct {
		Key
		Secret string `json:"secret" doc:"What goes into Authorization: Bearer."`
	}
}

func (s *Server) addKey(ctx context.Context, c *Caller, in *addKeyIn) (*addKeyOut, error) {
	k := accounts.Key{Title: in.Body.Title, Owner: in.Body.Owner, Expires: in.Body.Expires}
	for _, r := range in.Body.Rights {
		k.Rights = append(k.Rights, queuegroups.Right(r))
	}
	var unknown string
	s.core.View(func(st *acd.State) {
		for _, g := range in.Body.Groups {
			if _, ok := st.Group(queuegroups.GroupID(g)); !ok {
				unknown = g
			}
			k.Groups = append(k.Groups, queuegroups.GroupID(g))
		}
	})
	switch {
	case unknown != "":
		return nil, invalid("body.groups", "there is no group %q", unknown)
	case !k.Expires.IsZero() && !k.Expires.After(s.now()):
		return nil, invalid("body.expires", "that is over")
	case k.Owner == "" && c.Session != "":
		k.Owner = c.Name
	}
	if p := s.mayOwn(ctx, c, &k); p != nil {
		return nil, p
	}
	secret, made, err := s.accounts.AddKey(ctx, k)
	if err != nil {
		return nil, asProblem(err)
	}
	out := &addKeyOut{}
	out.Body.Key, out.Body.Secret = viewKey(&made), secret
	changed(ctx, "keys/"+made.ID, nil, out.Body.Key)
	return out, nil
}

// mayOwn tells whether the caller may make the key: it does no more than they.
func (s *Server) mayOwn(ctx context.Context, c *Caller, k *accounts.Key) *Problem {
	owner := s.role(queuegroups.RoleAdministrator)
	if k.Owner != "" {
		u, p := s.user(ctx, k.Owner)
		if p != nil {
			return p
		}
		if owner = s.role(u.Role); owner == nil {
			return invalid("body.owner", "%s has no role", k.Owner)
		}
	}
	narrowed := owner.Narrowed(k.Rights, k.Groups)
	return c.mayGive(&narrowed)
}

type keyIn struct {
	Key string `path:"key" maxLength:"40"`
}

func (s *Server) removeKey(ctx context.Context, _ *Caller, in *keyIn) (*nothingOut, error) {
	if err := s.accounts.RemoveKey(ctx, in.Key); err != nil {
		return nil, asProblem(err)
	}
	return &nothingOut{}, nil
}

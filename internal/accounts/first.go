package accounts

import (
	"context"
	"errors"
	"fmt"

	"centrala/queuegroups"
)

// firstUser is who can sign in to a new server.
const firstUser = "admin"

// First gives a new server its first administrator, unless somebody who may administer has a
// password already, and returns a name and a password that serves for one sign-in. Empty: there is no need.
func (a *Accounts) First(ctx context.Context) (name, password string, err error) {
	users, err := a.Users(ctx)
	if err != nil {
		return "", "", err
	}
	for i := range users {
		u := &users[i]
		if r := a.role(u); u.usable(a.now()) && r != nil && r.Has(queuegroups.RightUsersWrite) && r.Reach == queuegroups.ReachAll {
			return "", "", nil
		}
	}
	name = firstUser
	if a.config().Agent(firstUser) != nil {
		name = "administrator"
	}
	if err := a.AddUser(ctx, name, queuegroups.RoleAdministrator); err != nil && !errors.Is(err, ErrExists) {
		return "", "", fmt.Errorf("make the first administrator: %w", err)
	}
	password, err = a.OneTimePassword(ctx, name)
	if err != nil {
		return "", "", fmt.Errorf("make the first administrator: %w", err)
	}
	return name, password, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"centrala/internal/accounts"
	"centrala/internal/app"
	"centrala/queuegroups"
)

// with opens the accounts, does something and notes it in the audit log, unless what is empty. Where
// it had to do without the queue groups, it says so.
func (c *configFlag) with(what, target string, f func(context.Context, *app.People) error) error {
	ctx := context.Background()
	p, err := app.OpenPeople(ctx, c.Config)
	if err != nil {
		return err
	}
	err = f(ctx, p)
	if err == nil && what != "" {
		err = p.Did(ctx, what, target)
	}
	if m := p.Mistakes(); m != nil && !errors.Is(err, m) {
		fmt.Fprintf(os.Stderr, "Agents are not known as long as this is so:\n%v\n", m)
	}
	return errors.Join(explained(err, target), p.Close())
}

// withGroups is with for what makes no sense without the queue groups.
func (c *configFlag) withGroups(what, target string, f func(context.Context, *app.People, *queuegroups.Config) error) error {
	return c.with(what, target, func(ctx context.Context, p *app.People) error {
		groups, err := p.Groups()
		if err != nil {
			return err
		}
		return f(ctx, p, groups)
	})
}

// explained has what was asked for wrongly end as such, and names what is not there.
func explained(err error, target string) error {
	if kind, name, ok := strings.Cut(target, "/"); ok && errors.Is(err, accounts.ErrNotFound) {
		return fmt.Errorf("%w: among the %s there is no %q", errUsage, kind, name)
	}
	for _, usage := range []error{
		accounts.ErrName, accounts.ErrRole, accounts.ErrPassword, accounts.ErrAgent, accounts.ErrRight, accounts.ErrExists, accounts.ErrNotFound,
	} {
		if errors.Is(err, usage) {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	return err
}

var errUsage = errors.New("not done")

func table(head string, rows func(line func(...any))) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(func(cells ...any) {
		for i, c := range cells {
			if t, ok := c.(time.Time); ok {
				cells[i] = "never"
				if !t.IsZero() {
					cells[i] = t.Local().Format("2006-01-02 15:04")
				}
			}
		}
		fmt.Fprintf(w, strings.TrimSuffix(strings.Repeat("%v\t", len(cells)), "\t")+"\n", cells...)
	})
	return w.Flush()
}

// invite gives a password for one sign-in and prints it.
func invite(ctx context.Context, p *app.People, name string) error {
	password, err := p.OneTimePassword(ctx, name)
	if err == nil {
		fmt.Printf("%s signs in once with the password %s and then chooses another.\n", name, password)
	}
	return err
}

// setPassword asks for a password, or makes one for a single sign-in.
func setPassword(ctx context.Context, p *app.People, name string, once bool) error {
	if _, err := p.User(ctx, name); err != nil {
		return err
	}
	if once {
		return invite(ctx, p, name)
	}
	password, err := askPassword("New password of " + name)
	if err != nil {
		return err
	}
	return p.SetPassword(ctx, name, password, false)
}

type agentCmd struct {
	Add    agentAddCmd    `cmd:"" help:"Declare an agent in the file of the queue groups."`
	Passwd agentPasswdCmd `cmd:"" help:"Set the password by which an agent signs in to console and API."`
	List   agentListCmd   `cmd:"" help:"List agents, and who of them can sign in."`
}

type agentAddCmd struct {
	configFlag
	ID        string `arg:"" placeholder:"AGENT" help:"The id: letters, digits, - and _."`
	Name      string `placeholder:"NAME" help:"The name that colleagues see; without it, the id."`
	Extension string `placeholder:"DIGITS" help:"The digits that colleagues dial."`
	Role      string `placeholder:"ROLE" help:"What they may see and change; without it, manager."`
}

// Run declares the agent and prints what their phones register with.
func (a *agentAddCmd) Run() error {
	return a.withGroups("add-agent", "agents/"+a.ID, func(_ context.Context, p *app.People, _ *queuegroups.Config) error {
		name := a.Name
		if name == "" {
			name = a.ID
		}
		password, err := p.AddAgent(a.ID, name, a.Extension, a.Role)
		if err == nil {
			fmt.Printf("Phones of %s register with the password %s\nName them in a group, and have the server reload: kill -HUP, or POST /api/v1/config/reload.\n", a.ID, password)
		}
		return err
	})
}

type agentPasswdCmd struct {
	configFlag
	Agent string `arg:"" help:"The agent."`
	Once  bool   `help:"Print a password that serves for one sign-in, instead of asking for one."`
}

// Run sets it, from the terminal or the standard input.
func (a *agentPasswdCmd) Run() error {
	return a.withGroups("reset-password", "users/"+a.Agent, func(ctx context.Context, p *app.People, _ *queuegroups.Config) error {
		return setPassword(ctx, p, a.Agent, a.Once)
	})
}

type agentListCmd struct{ configFlag }

// Run prints a line for each agent.
func (a *agentListCmd) Run() error {
	return a.withGroups("", "", func(ctx context.Context, p *app.People, groups *queuegroups.Config) error {
		return table("AGENT\tNAME\tEXTENSION\tROLE\tSIGNS IN", func(line func(...any)) {
			for _, agent := range groups.Agents {
				var can string
				if u, err := p.User(ctx, string(agent.ID)); err != nil {
					can = err.Error()
				} else {
					can = state(u)
				}
				line(agent.ID, agent.Name, agent.Extension, agent.Role, can)
			}
		})
	})
}

func state(u *accounts.User) string {
	switch {
	case u.Disabled:
		return "kept out"
	case !u.Password:
		return "no password"
	case u.Once:
		return "once"
	}
	return "yes"
}

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Add somebody who is no agent, with a password for one sign-in."`
	Passwd  userPasswdCmd  `cmd:"" help:"Set a user's password."`
	Role    userRoleCmd    `cmd:"" help:"Give a user another role."`
	Disable userDisableCmd `cmd:"" help:"Keep a user out; their sessions end."`
	Enable  userEnableCmd  `cmd:"" help:"Let a user in again."`
	Remove  userRemoveCmd  `cmd:"" help:"Remove a user with their sessions and keys."`
	List    userListCmd    `cmd:"" help:"List who can sign in."`
}

type userAddCmd struct {
	configFlag
	Name string `arg:"" help:"Letters, digits, dots, - and _."`
	Role string `required:"" placeholder:"ROLE" help:"administrator, director, manager or one of the configuration."`
}

// Run adds the user and prints the password.
func (u *userAddCmd) Run() error {
	return u.withGroups("add-user", "users/"+u.Name, func(ctx context.Context, p *app.People, _ *queuegroups.Config) error {
		if err := p.AddUser(ctx, u.Name, u.Role); err != nil {
			return err
		}
		return invite(ctx, p, u.Name)
	})
}

type userPasswdCmd struct {
	configFlag
	Name string `arg:"" help:"The user or agent."`
	Once bool   `help:"Print a password that serves for one sign-in, instead of asking for one."`
}

// Run sets it.
func (u *userPasswdCmd) Run() error {
	return u.with("reset-password", "users/"+u.Name, func(ctx context.Context, p *app.People) error { return setPassword(ctx, p, u.Name, u.Once) })
}

type userRoleCmd struct {
	configFlag
	Name string `arg:"" help:"The user."`
	Role string `arg:"" help:"The role."`
}

// Run gives it.
func (u *userRoleCmd) Run() error {
	return u.withGroups("change-user", "users/"+u.Name, func(ctx context.Context, p *app.People, _ *queuegroups.Config) error {
		return p.SetRole(ctx, u.Name, u.Role)
	})
}

type userNameArg struct {
	configFlag
	Name string `arg:"" help:"The user or agent."`
}

type userDisableCmd struct{ userNameArg }

// Run keeps the user out.
func (u *userDisableCmd) Run() error {
	return u.with("change-user", "users/"+u.Name, func(ctx context.Context, p *app.People) error { return p.SetDisabled(ctx, u.Name, true) })
}

type userEnableCmd struct{ userNameArg }

// Run lets the user in.
func (u *userEnableCmd) Run() error {
	return u.with("change-user", "users/"+u.Name, func(ctx context.Context, p *app.People) error { return p.SetDisabled(ctx, u.Name, false) })
}

type userRemoveCmd struct{ userNameArg }

// Run removes the user.
func (u *userRemoveCmd) Run() error {
	return u.with("remove-user", "users/"+u.Name, func(ctx context.Context, p *app.People) error { return p.RemoveUser(ctx, u.Name) })
}

type userListCmd struct{ configFlag }

// Run prints a line for each user.
func (u *userListCmd) Run() error {
	return u.with("", "", func(ctx context.Context, p *app.People) error {
		users, err := p.Users(ctx)
		if err != nil {
			return err
		}
		return table("USER\tAGENT\tROLE\tSIGNS IN\tPASSWORD SET", func(line func(...any)) {
			for i := range users {
				line(users[i].Name, users[i].Agent, users[i].Role, state(&users[i]), users[i].Changed)
			}
		})
	})
}

type keyCmd struct {
	Add    keyAddCmd    `cmd:"" help:"Make an API key and print it, this once."`
	List   keyListCmd   `cmd:"" help:"List API keys."`
	Revoke keyRevokeCmd `cmd:"" help:"Revoke an API key."`
}

type keyAddCmd struct {
	configFlag
	Title  string        `arg:"" help:"What it is for."`
	Right  []string      `required:"" placeholder:"RIGHT" help:"What it may do, as in agents:read; repeatable."`
	Group  []string      `placeholder:"GROUP" help:"The groups that it reaches; repeatable. Without it, all."`
	Owner  string        `placeholder:"USER" help:"The user or agent whose rights bound those of the key; without it, an administrator's."`
	Expire time.Duration `placeholder:"TIME" help:"After which it ends, as in 720h; without it, never."`
}

// Run makes it.
func (k *keyAddCmd) Run() error {
	return k.with("add-key", "keys/"+k.Title, func(ctx context.Context, p *app.People) error {
		key := accounts.Key{Title: k.Title, Owner: k.Owner}
		if k.Expire > 0 {
			key.Expires = time.Now().Add(k.Expire)
		}
		for _, r := range k.Right {
			key.Rights = append(key.Rights, queuegroups.Right(r))
		}
		for _, g := range k.Group {
			groups, err := p.Groups()
			if err != nil {
				return err
			}
			if groups.Group(queuegroups.GroupID(g)) == nil && groups.Channel(queuegroups.ChannelID(strings.TrimPrefix(g, "channel:"))) == nil {
				return fmt.Errorf("%w: there is no group %q", errUsage, g)
			}
			key.Groups = append(key.Groups, queuegroups.GroupID(g))
		}
		secret, made, err := p.AddKey(ctx, key)
		if errors.Is(err, accounts.ErrNotFound) {
			return fmt.Errorf("%w: there is no user %q", errUsage, k.Owner)
		}
		if err == nil {
			fmt.Printf("%s\nThis is the key, told this once; its id is %s.\n", secret, made.ID)
		}
		return err
	})
}

type keyListCmd struct{ configFlag }

// Run prints a line for each key.
func (k *keyListCmd) Run() error {
	return k.with("", "", func(ctx context.Context, p *app.People) error {
		keys, err := p.Keys(ctx)
		if err != nil {
			return err
		}
		return table("KEY\tTITLE\tOWNER\tRIGHTS\tGROUPS\tENDS\tUSED", func(line func(...any)) {
			for _, key := range keys {
				line(key.ID, key.Title, key.Owner, key.Rights, key.Groups, key.Expires, key.Used)
			}
		})
	})
}

type keyRevokeCmd struct {
	configFlag
	Key string `arg:"" help:"The key's id, as in the list."`
}

// Run revokes it; it is refused at once.
func (k *keyRevokeCmd) Run() error {
	return k.with("remove-key", "keys/"+k.Key, func(ctx context.Context, p *app.People) error { return p.RemoveKey(ctx, k.Key) })
}

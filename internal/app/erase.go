package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"

	"centrala/chat/store"
	"centrala/internal/accounts"
	"centrala/internal/journal"
	"centrala/internal/journal/db"
	"centrala/web"
)

// erase erases a person from the record, chats and the audit log, by all names that they have there if they are
// known by one.
func erase(ctx context.Context, d *db.DB, chats *store.Store, people *accounts.Accounts, number string) (e web.Erased, err error) {
	e.Pseudonym = journal.Pseudonym()
	names, err := chats.Names(ctx, number)
	if err != nil {
		return e, err
	}
	for _, name := range names {
		if err := eraseName(ctx, d, chats, people, name, &e); err != nil {
			return e, err
		}
	}
	if e.GoingOn > 0 || len(names) == 1 { // to be found by each of them again
		return e, nil
	}
	return e, chats.Unname(ctx, names)
}

// eraseName erases what is there by one name, and adds it up.
func eraseName(ctx context.Context, d *db.DB, chats *store.Store, people *accounts.Accounts, name string, e *web.Erased) error {
	found, err := journal.Erase(ctx, d, name, e.Pseudonym)
	e.Interactions, e.Notes, e.Events, e.GoingOn = e.Interactions+found.Interactions, e.Notes+found.Notes, e.Events+found.Events, e.GoingOn+found.GoingOn
	if err != nil {
		return err
	}
	conversations, open, err := chats.Erase(ctx, name, e.Pseudonym)
	e.Conversations, e.GoingOn = e.Conversations+conversations, e.GoingOn+open
	if err != nil {
		return err
	}
	if journal.Short(name) { // it stands within other things there, and no customer of a channel does
		return nil
	}
	return people.Erase(ctx, name, e.Pseudonym)
}

// attachmentsOf is where files of chats are, below the data folder.
func attachmentsOf(data string) string { return filepath.Join(data, attachmentsIn) }

// Erase erases a person beside a server that runs or without one. A server that runs may have the latest
// events in memory until it is started again.
func (p *People) Erase(ctx context.Context, number string) (web.Erased, error) {
	if number == "" {
		return web.Erased{}, fmt.Errorf("%w: whom? write the number as the history shows it", ErrUsage)
	}
	chats := store.New(store.Options{DB: p.database, Dir: attachmentsOf(p.server.Data), Log: zerolog.Nop()})
	return erase(ctx, p.database, chats, p.Accounts, number)
}

// Erase implements web.Record.
func (r record) Erase(ctx context.Context, number string) (web.Erased, error) {
	return erase(ctx, r.d, r.chats, r.people, number)
}

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"centrala/chat"
	"centrala/internal/journal/db"
)

// card is what is known of a contact.
type card struct {
	id          int64
	name        string
	details     string
	responsible string
}

const cardQuery = "select id, name, details, responsible from chat_contacts where id = $1"

func scanCard(r row) (c card, err error) {
	err = r.Scan(&c.id, &c.name, &c.details, &c.responsible)
	return c, missing(err)
}

// recognise notes what somebody vouches for of the contact of a conversation. Whoever is
// known by the same elsewhere is the same customer, and has one card (R57), unless a
// channel tells the two apart: people may share a telephone.
func recognise(ctx context.Context, tx db.Tx, conversation int64, vouched chat.Details) error {
	for _, m := range vouched.Marks() {
		var contact, owner int64
		err := tx.QueryRowContext(ctx, "select i.contact from chat_conversations c join chat_identities i on i.id = c.identity where c.id = $1", conversation).Scan(&contact)
		if err != nil {
			return err
		}
		// Of two at once the second waits here until the first is done.
		err = tx.QueryRowContext(ctx, `insert into chat_vouched (kind, value, contact) values ($1, $2, $3)
			on conflict (kind, value) do update set value = excluded.value returning contact`, m.Kind, m.Value, contact).Scan(&owner)
		if err != nil {
			return err
		}
		if owner == contact {
			continue
		}
		var apart int
		err = tx.QueryRowContext(ctx, `select count(*) from chat_identities a join chat_identities b on b.channel = a.channel
			where a.contact = $1 and b.contact = $2 and a.verified = 1 and b.verified = 1`, contact, owner).Scan(&apart)
		switch {
		case err != nil:
			return err
		case apart > 0: // it is whose word is the newest
			_, err = tx.ExecContext(ctx, "update chat_vouched set contact = $1 where kind = $2 and value = $3", contact, m.Kind, m.Value)
		default:
			err = mergeCards(ctx, tx, min(owner, contact), max(owner, contact))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mergeCards makes one card of two: the older one stays, and what it does not know is taken from the other.
func mergeCards(ctx context.Context, tx db.Tx, into, from int64) error {
	a, err := scanCard(tx.QueryRowContext(ctx, cardQuery, into))
	if err != nil {
		return err
	}
	b, err := scanCard(tx.QueryRowContext(ctx, cardQuery, from))
	if err != nil {
		return err
	}
	details, err := both(a.details, b.details)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		change string
		args   []any
	}{
		{"update chat_contacts set name = $1, details = $2, responsible = $3 where id = $4", []any{cmp.Or(a.name, b.name), details, cmp.Or(a.responsible, b.responsible), into}},
		{"update chat_identities set contact = $1 where contact = $2", []any{into, from}},
		{"update chat_vouched set contact = $1 where contact = $2", []any{into, from}},
		{"delete from chat_contacts where id = $1", []any{from}},
	} {
		if _, err := tx.ExecContext(ctx, x.change, x.args...); err != nil {
			return err
		}
	}
	return nil
}

// both are the details of two cards of one customer; what the first says counts.
func both(first, second string) (string, error) {
	var a, b chat.Details
	if err := errors.Join(unmarshal(first, &a), unmarshal(second, &b)); err != nil {
		return "", err
	}
	return marshal(b.Merge(a)), nil
}

// Known are the names by which the customer of a session, or, where it is none, of a
// telephone number, is known: their identities in all channels and their telephones
// (R57); none: nobody vouched for any. The error is the database's.
func (s *Store) Known(ctx context.Context, session chat.SessionID, number string) ([]string, error) {
	contact := "select contact from chat_vouched where kind = 'phone' and value = $1"
	who := number
	if chat.IsSession(string(session)) {
		contact = `select i.contact from chat_sessions s join chat_conversations c on c.id = s.conversation
			join chat_identities i on i.id = c.identity where s.id = $1`
		who = string(session)
	}
	names, err := list(ctx, s.db.Read(), func(r row) (name string, err error) { return name, r.Scan(&name) },
		"select external from chat_identities where contact in ("+contact+`) union
		select value from chat_vouched where kind = 'phone' and contact in (`+contact+") order by 1 limit 100", who)
	if err != nil {
		return nil, fmt.Errorf("names of a customer: %w", err)
	}
	return names, nil
}

// Accepted notes that agents took a session, one after another. Who took the customer's
// first is responsible for them, and stays so, unless somebody is anew (R60). What was
// noted before changes nothing. The error is the database's.
func (s *Store) Accepted(ctx context.Context, id chat.SessionID, takes []chat.Take) error {
	err := s.write(ctx, func(tx db.Tx) error {
		for _, t := range takes {
			r, err := tx.ExecContext(ctx, "update chat_sessions set taken = $1 where id = $2 and taken < $1", int64(t.Index), string(id))
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if _, err := tx.ExecContext(ctx, `update chat_contacts set responsible = $1 where (responsible = '' or $2 = 1) and id in (
				select i.contact from chat_sessions s join chat_conversations c on c.id = s.conversation
				join chat_identities i on i.id = c.identity where s.id = $3)`, t.Agent, db.Flag(t.Anew), string(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note who is responsible: %w", err)
	}
	return nil
}

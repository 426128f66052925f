package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"centrala/internal/journal/db"
)

// erased is how the names begin that stand for people who were erased.
const erased = "erased-"

// numberMin is the least length of a number, in characters. A shorter one is an extension, and
// stands within other numbers, or else it is how a channel's partner names a customer: it is
// erased as a whole, and from chats alone.
const numberMin = 5

// Short tells whether it is too short for a number.
func Short(number string) bool { return utf8.RuneCountInString(number) < numberMin }

// chatsOf finds the chats of a customer.
const chatsOf = "select id, ended is null from interactions where caller = $1 and caller <> '' and channel <> '' order by id"

// Erased is what became of one person's data.
type Erased struct {
	Interactions int // in which the person was
	Notes        int // which are gone
	Events       int // in which their number stood
	GoingOn      int // interactions that have not ended, and are left as they are
}

// Pseudonym makes up a name that stands for a person from now on: who it was
// cannot be told from it, and how often they called still can.
func Pseudonym() string { return erased + strings.ToLower(rand.Text()[:12]) }

// foundOf finds the interactions that a person was in. The indexes by which it does have no empty numbers.
const foundOf = `select id, ended is null from interactions where id in (
	select id from interactions where caller = $1 union select id from interactions where number = $1 and direction = 'out'
	union select id from interactions where by_number = $1 and by_number <> '' union select interaction from offers where number = $1 and number <> ''
	union select interaction from talks where number = $1 and number <> '' union select interaction from legs where number = $1 and number <> ''
	union select interaction from transfers where target = $1) order by id`

// Erase puts a pseudonym in place of a number, or of a customer's identity in a
// channel, wherever the record has it: in interactions and what belongs to them, in their
// stories and events. Names of callers, and notes about the talks, are deleted.
// Nothing else changes, so that sums stay. It is done in transactions of some hundred interactions,
// and may be done again after an error. The error is the database's.
func Erase(ctx context.Context, d *db.DB, number, pseudonym string) (e Erased, err error) {
	var list []int64
	query := foundOf
	if Short(number) {
		query = chatsOf
	}
	rows, err := d.Read().QueryContext(ctx, query, number)
	if err != nil {
		return e, fmt.Errorf("journal: erase: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var open bool
		if err := rows.Scan(&id, &open); err != nil {
			return e, fmt.Errorf("journal: erase: %w", err)
		}
		if open {
			e.GoingOn++
			continue
		}
		list = append(list, id)
	}
	if err := rows.Err(); err != nil {
		return e, fmt.Errorf("journal: erase: %w", err)
	}
	for some := range slices.Chunk(list, trimMax) {
		var notes, told int
		if err := d.Write(ctx, func(tx *sql.Tx) (err error) {
			notes, told, err = erase(ctx, tx, some, number, pseudonym)
			return err
		}); err != nil {
			return e, fmt.Errorf("journal: erase: %w", err)
		}
		e.Interactions, e.Notes, e.Events = e.Interactions+len(some), e.Notes+notes, e.Events+told
	}
	return e, nil
}

// erase does it in some interactions.
func erase(ctx context.Context, tx *sql.Tx, some []int64, number, pseudonym string) (notes, told int, err error) {
	if err := Lock(ctx, tx); err != nil { // or what is counted just now would keep the number
		return 0, 0, err
	}
	args, places := []any{pseudonym, number}, make([]string, len(some))
	for k, id := range some {
		args, places[k] = append(args, id), fmt.Sprintf("$%d", k+3)
	}
	in := " in (" + strings.Join(places, ", ") + ")"
	changes := []string{
		"update interactions set caller = $1, caller_name = '' where caller = $2 and id",
		"update interactions set number = $1 where number = $2 and direction = 'out' and id",
		"update interactions set by_number = $1 where by_number = $2 and id",
		"update offers set number = $1 where number = $2 and interaction",
		"update talks set number = $1 where number = $2 and interaction",
		"update legs set number = $1 where number = $2 and interaction",
		"update transfers set target = $1 where target = $2 and interaction",
		"update offers set why = replace(why, $2, $1) where interaction",
		"update transfers set why = replace(why, $2, $1) where interaction",
		"update decisions set steps = replace(steps, $2, $1) where interaction",
	}
	if Short(number) { // an agent may be called so
		changes = changes[:1]
	}
	for _, change := range changes {
		if _, err := tx.ExecContext(ctx, change+in, args...); err != nil {
			return 0, 0, err
		}
	}
	ids, places := args[2:], places[:0]
	for k := range ids {
		places = append(places, fmt.Sprintf("$%d", k+1))
	}
	in = " in (" + strings.Join(places, ", ") + ")"
	if _, err := tx.ExecContext(ctx, "update talks set note = null where interaction"+in, ids...); err != nil {
		return 0, 0, err
	}
	// What was counted ahead has numbers called in it, and is counted again.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("delete from rollups where exists (select 1 from interactions where id%s and at > arrived - %d and at < ended + %[2]d)",
		in, (48*time.Hour).Microseconds()), ids...); err != nil {
		return 0, 0, err
	}
	if notes, err = deleted(tx.ExecContext(ctx, "delete from notes where interaction"+in, ids...)); err != nil {
		return 0, 0, err
	}
	told, err = eraseEvents(ctx, tx, in, ids, number, pseudonym)
	return notes, told, err
}

// eraseEvents does it in what was told of the interactions, which webhooks may still have to send.
func eraseEvents(ctx context.Context, tx *sql.Tx, in string, ids []any, number, pseudonym string) (n int, err error) {
	rows, err := tx.QueryContext(ctx, "select id, data from events where interaction"+in, ids...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	changed := map[int64]string{}
	for rows.Next() {
		var id int64
		var data string
		if err := rows.Scan(&id, &data); err != nil {
			return 0, err
		}
		if after := eraseJSON(data, number, pseudonym); after != data {
			changed[id] = after
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if err := rows.Close(); err != nil {
		return 0, err
	}
	for id, data := range changed {
		if _, err := tx.ExecContext(ctx, "update events set data = $1 where id = $2", data, id); err != nil {
			return 0, err
		}
	}
	return len(changed), nil
}

// eraseJSON puts the pseudonym in place of the number in all texts, and leaves out the
// name of a caller with that number; of a short one only where it is the caller.
func eraseJSON(data, number, pseudonym string) string {
	if !strings.Contains(data, number) {
		return data
	}
	replace := func(text string) string { return strings.ReplaceAll(text, number, pseudonym) }
	if Short(number) {
		replace = func(text string) string { return text }
	}
	var v any
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return replace(data) // somebody else wrote it
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			return replace(v)
		case []any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case map[string]any:
			if v["from"] == number {
				v["from"] = pseudonym
				delete(v, "from_name")
			}
			for k := range v {
				v[k] = walk(v[k])
			}
		}
		return v
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(walk(v)) != nil {
		return replace(data) // cannot be: it was JSON
	}
	return strings.TrimSuffix(out.String(), "\n")
}

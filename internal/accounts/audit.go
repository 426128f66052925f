package accounts

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"centrala/internal/journal/db"
	"centrala/queuegroups"
)

// Entry is one administrative act, in the audit log. Entries are never changed.
type Entry struct {
	ID      int64
	At      time.Time
	Who     string
	Agent   queuegroups.AgentID
	From    netip.Addr
	What    string          // the operation, as in reload-config
	Target  string          // what it was done to, as in agents/anna
	Request string          // the id of the request; empty: the command line
	Before  json.RawMessage // empty: nothing to tell
	After   json.RawMessage
}

// Audit keeps an entry; it is committed when Audit returns. ID is given by the log.
func (a *Accounts) Audit(ctx context.Context, e Entry) error {
	if e.At.IsZero() {
		e.At = a.now()
	}
	address := ""
	if e.From.IsValid() {
		address = e.From.String()
	}
	return a.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into audit (at, who, agent, address, what, target, request, before, after)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			db.Micros(e.At), e.Who, string(e.Agent), address, e.What, e.Target, e.Request, string(e.Before), string(e.After))
		return err
	})
}

// AuditQuery chooses entries. The zero value chooses all.
type AuditQuery struct {
	Who, What  string
	From, Till time.Time // from, and before
	Below      int64     // only ids below; 0: all
	Limit      int       // at most; 0: 100
}

// AuditLog returns the entries chosen, the newest first.
func (a *Accounts) AuditLog(ctx context.Context, q AuditQuery) ([]Entry, error) {
	statement := "select id, at, who, agent, address, what, target, request, before, after from audit where 1 = 1"
	var args []any
	add := func(condition string, value any) {
		args = append(args, value)
		statement += fmt.Sprintf(" and %s $%d", condition, len(args))
	}
	if q.Who != "" {
		add("who =", q.Who)
	}
	if q.What != "" {
		add("what =", q.What)
	}
	if !q.From.IsZero() {
		add("at >=", db.Micros(q.From))
	}
	if !q.Till.IsZero() {
		add("at <", db.Micros(q.Till))
	}
	if q.Below > 0 {
		add("id <", q.Below)
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	args = append(args, q.Limit)
	rows, err := a.db.Read().QueryContext(ctx, statement+fmt.Sprintf(" order by id desc limit $%d", len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer rows.Close()
	list := []Entry{}
	for rows.Next() {
		var e Entry
		var at int64
		var agent, address, before, after string
		if err := rows.Scan(&e.ID, &at, &e.Who, &agent, &address, &e.What, &e.Target, &e.Request, &before, &after); err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		e.At, e.Agent, e.Before, e.After = db.Instant(at), queuegroups.AgentID(agent), json.RawMessage(before), json.RawMessage(after)
		if address != "" {
			if e.From, err = netip.ParseAddr(address); err != nil {
				return nil, fmt.Errorf("read the audit log: %w", err)
			}
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

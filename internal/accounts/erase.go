package accounts

import (
	"context"
	"database/sql"
	"fmt"
)

// Erase puts a pseudonym in place of a person's number in what the audit log says was done to whom.
func (a *Accounts) Erase(ctx context.Context, number, pseudonym string) error {
	err := a.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `update audit set target = replace(target, $1, $2), before = replace(before, $1, $2), after = replace(after, $1, $2)
			where target like '%' || $1 || '%' or before like '%' || $1 || '%' or after like '%' || $1 || '%'`, number, pseudonym)
		return err
	})
	if err != nil {
		return fmt.Errorf("erase from the audit log: %w", err)
	}
	return nil
}

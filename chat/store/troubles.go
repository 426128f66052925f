package store

import (
	"context"
	"fmt"

	"centrala/chat"
)

// troublesMost is how many messages are told of that did not get to a customer.
const troublesMost = 20

// Troubles are the newest messages of a conversation, from one of them on, that did not
// get to the customer: those that never will, and those that have been tried in vain so
// far. The error is the database's.
func (s *Store) Troubles(ctx context.Context, conversation, from int64) ([]chat.Trouble, error) {
	scan := func(r row) (x chat.Trouble, err error) {
		failed := 0
		err = r.Scan(&x.Seq, &failed, &x.Reason)
		x.Failed = failed == 1
		return x, err
	}
	found, err := list(ctx, s.read, scan, `select seq, 1, reason from chat_messages where conversation = $1 and seq >= $2 and status = 'failed'
		union all select seq, 0, '' from chat_outbox where conversation = $1 and seq >= $2 and state in ('waiting', 'trying') and attempts > case state when 'waiting' then 0 else 1 end
		order by 1 desc limit $3`, conversation, from, troublesMost)
	if err != nil {
		return nil, fmt.Errorf("what did not arrive: %w", err)
	}
	return found, nil
}

// MessagesOf are the messages of a session after the one numbered, in order, at most
// limit of them; more tells that others follow. The error is chat.ErrNotFound or the database's.
func (s *Store) MessagesOf(ctx context.Context, id chat.SessionID, seq int64, limit int) (found []chat.Message, more bool, err error) {
	x, err := s.Session(ctx, id)
	if err != nil {
		return nil, false, err
	}
	page, err := s.After(ctx, x.Conversation, max(seq, x.First-1), limit)
	if err != nil {
		return nil, false, err
	}
	for _, m := range page {
		if m.Session == id {
			found = append(found, m)
		}
	}
	return found, len(page) == min(limit, PageMax) && page[len(page)-1].Session == id, nil
}

package web

import (
	"context"

	"centrala/chat"
)

// ChatCards are what is known of customers beside what they wrote.
type ChatCards interface {
	// Known are the names by which the customer of a session, or of a telephone number
	// where it is none, is known in any channel (R57).
	Known(ctx context.Context, session chat.SessionID, number string) ([]string, error)
	// Taken tells that an agent took a chat, as the core knows: they may be responsible
	// for its customer then (R60). It does not wait.
	Taken(session chat.SessionID)
}

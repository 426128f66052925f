package web

import (
	"context"
	"slices"
	"strings"

	"centrala/chat"
)

// Limits of a search in a conversation: how many messages it looks at, from the newest on, and
// how many at a time.
const (
	searchedMost = 20_000
	searchedPage = 200
)

// containing finds the newest messages of a conversation that contain a text, in whatever letters, in
// order: what was written, notes, and names of files. Case is folded as Unicode has it, which not
// every database does.
func (s *Server) containing(ctx context.Context, conversation int64, text string, limit int) (found []chat.Message, err error) {
	wanted := strings.ToLower(text)
	x, err := s.chats.Conversation(ctx, conversation)
	if err != nil {
		return nil, err
	}
	for before, looked := x.Seq+1, 0; before > 1 && looked < searchedMost; {
		page, err := s.chats.Before(ctx, conversation, before, searchedPage)
		if err != nil || len(page) == 0 {
			return found, err
		}
		looked += len(page)
		before = page[0].Seq
		for _, m := range slices.Backward(page) {
			named := slices.ContainsFunc(m.Attachments, func(a chat.Attachment) bool { return strings.Contains(strings.ToLower(a.Name), wanted) })
			if !named && !strings.Contains(strings.ToLower(m.Text), wanted) {
				continue
			}
			if found = append(found, m); len(found) == limit {
				slices.Reverse(found)
				return found, nil
			}
		}
	}
	slices.Reverse(found)
	return found, nil
}

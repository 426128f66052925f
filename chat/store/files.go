package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"centrala/chat"
)

// Attach keeps a file, to be named in a message. Its type is found out by its
// bytes, whatever its sender says. The error is chat.ErrTooBig, chat.ErrEmpty, or
// the reader's or the disk's.
func (s *Store) Attach(r io.Reader, name string) (a chat.Attachment, err error) {
	a = chat.Attachment{ID: newID(), Name: fileName(name)}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return a, fmt.Errorf("keep an attachment: %w", err)
	}
	f, err := os.CreateTemp(s.dir, ".new-*")
	if err != nil {
		return a, fmt.Errorf("keep an attachment: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if a.Size, err = io.Copy(f, io.LimitReader(r, chat.AttachmentMax+1)); err != nil {
		return a, fmt.Errorf("keep an attachment: %w", err)
	}
	switch {
	case a.Size > chat.AttachmentMax:
		return a, chat.ErrTooBig
	case a.Size == 0:
		return a, chat.ErrEmpty
	}
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return a, fmt.Errorf("keep an attachment: %w", err)
	}
	a.Type = http.DetectContentType(head[:n])
	if err := f.Sync(); err != nil {
		return a, fmt.Errorf("keep an attachment: %w", err)
	}
	if err := os.Rename(f.Name(), filepath.Join(s.dir, a.ID)); err != nil {
		return a, fmt.Errorf("keep an attachment: %w", err)
	}
	return a, f.Close()
}

// Attachment finds one and opens its file. The conversation is that of its
// message. The error is chat.ErrNotFound, or the database's or the disk's.
func (s *Store) Attachment(ctx context.Context, id string) (a chat.Attachment, conversation int64, f *os.File, err error) {
	err = s.read.QueryRowContext(ctx, "select id, name, type, size, conversation from chat_attachments where id = $1", id).
		Scan(&a.ID, &a.Name, &a.Type, &a.Size, &conversation)
	if err != nil {
		return a, 0, nil, missing(err)
	}
	f, err = os.Open(filepath.Join(s.dir, a.ID)) // an id that was found is one of ours
	if errors.Is(err, os.ErrNotExist) {
		err = chat.ErrNotFound
	}
	return a, conversation, f, err
}

// AttachmentOf is an attachment of one of a session's messages. The error is chat.ErrNotFound,
// or the database's or the disk's.
func (s *Store) AttachmentOf(ctx context.Context, session chat.SessionID, id string) (a chat.Attachment, f *os.File, err error) {
	var of string
	err = s.read.QueryRowContext(ctx, "select m.session from chat_attachments a join chat_messages m on m.conversation = a.conversation and m.seq = a.seq where a.id = $1", id).Scan(&of)
	switch {
	case err != nil:
		return a, nil, missing(err)
	case of != string(session):
		return a, nil, chat.ErrNotFound
	}
	a, _, f, err = s.Attachment(ctx, id)
	return a, f, err
}

// Sweep removes files that are older than the age given and that no message has.
func (s *Store) Sweep(ctx context.Context, age time.Duration) error {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep attachments: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || s.now().Sub(info.ModTime()) < age {
			continue // gone meanwhile, or perhaps still to be named
		}
		var n int
		if err := s.read.QueryRowContext(ctx, "select count(*) from chat_attachments where id = $1", e.Name()).Scan(&n); err != nil {
			return fmt.Errorf("sweep attachments: %w", err)
		}
		if n > 0 {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
			s.log.Warn().Err(err).Msg("an attachment that nobody has stays")
		}
	}
	return nil
}

// fileName is a sender's name of a file, without folders and what cannot be shown.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`"<>:|?*`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	for len(name) > chat.IDMax {
		runes := []rune(name)
		name = string(runes[len(runes)-len(runes)*3/4:]) // the end has what kind it is
	}
	if name == "" || name == "/" {
		return "file"
	}
	return name
}

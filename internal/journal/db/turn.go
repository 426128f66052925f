package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// turnPause is how long a process waits before it asks again whether it is its turn.
const turnPause = 20 * time.Millisecond

// folderTurn has processes bring SQLite's tables up to date one after another: a server that is
// started and a command beside it, say. It holds the data folder, which nobody else holds,
// and leaves nothing behind.
type folderTurn struct {
	dir  string
	held *os.File
}

// SessionLock implements lock.SessionLocker: it waits for its turn.
func (f *folderTurn) SessionLock(ctx context.Context, _ *sql.Conn) error {
	folder, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	for {
		err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			f.held = folder
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return errors.Join(fmt.Errorf("hold the folder %s: %w", f.dir, err), folder.Close())
		}
		select {
		case <-time.After(turnPause):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), folder.Close())
		}
	}
}

// SessionUnlock implements lock.SessionLocker.
func (f *folderTurn) SessionUnlock(context.Context, *sql.Conn) error { return f.held.Close() }

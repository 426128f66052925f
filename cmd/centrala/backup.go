package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"centrala/internal/app"
)

type backupCmd struct {
	configFlag
	Archive string `arg:"" type:"path" help:"The file to write, such as centrala-2026-11-21.tar.gz; it must not exist."`
}

// Run writes the backup; Ctrl-C leaves nothing behind.
func (c *backupCmd) Run() error {
	return told(func(ctx context.Context) (string, error) { return app.Backup(ctx, c.Config, c.Archive, os.Stderr) })
}

type restoreCmd struct {
	Archive string `arg:"" type:"path" help:"The backup."`
	Into    string `type:"path" required:"" placeholder:"FOLDER" help:"Where the configuration goes; nothing there is overwritten."`
}

// Run restores the backup.
func (c *restoreCmd) Run() error {
	return told(func(ctx context.Context) (string, error) { return app.Restore(ctx, c.Archive, c.Into) })
}

// told prints what was done. The first Ctrl-C or SIGTERM ends the work.
func told(work func(context.Context) (string, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	summary, err := work(ctx)
	if err == nil {
		fmt.Println(summary)
	}
	return err
}

package app

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// eventually waits for what must come to be; a busy machine may take its time.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// started makes the server of a configuration and starts it. Whoever has it stops it.
func started(t *testing.T, config string) *App {
	t.Helper()
	return logged(t, config, io.Discard)
}

// logged is started with what it logs, which can be read when it has stopped.
func logged(t *testing.T, config string, to io.Writer) *App {
	t.Helper()
	a, err := New(t.Context(), Options{Config: config, Console: zerolog.SyncWriter(to)})
	if err == nil {
		err = a.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stopped stops it. The test may be over.
func stopped(t *testing.T, a *App) {
	t.Helper()
	if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

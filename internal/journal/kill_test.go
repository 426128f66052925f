package journal_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"centrala/internal/eventlog"
	"centrala/internal/journal/db"
	"centrala/internal/journal/db/dbtest"
)

// kills is how often the process is killed on each database:
//
//	go test ./internal/journal -run Kill9 -kills 100 -timeout 30m
var kills = flag.Int("kills", 5, "how often the process is killed on each database")

func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_CHILD"); dir != "" {
		err := child(dir, db.Options{Source: os.Getenv("JOURNAL_TEST_SOURCE"), Dir: os.Getenv("JOURNAL_TEST_DIR"), Log: zerolog.Nop()})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// child is a process with a log, a journal and callers, until it is killed. It
// tells of every call that is over.
func child(dir string, o db.Options) error {
	ctx := context.Background()
	d, err := db.Open(ctx, o)
	if err != nil {
		return err
	}
	n, err := open(ctx, dir, d, zerolog.Nop(), func(o *eventlog.Options) { o.LeaseTTL = 300 * time.Millisecond })
	if err != nil {
		return err
	}
	for range 6 {
		go func() {
			for {
				if n.call(ctx, "+48601234567") == nil {
					fmt.Println("over")
				}
			}
		}()
	}
	<-n.log.Done()
	return n.log.Err()
}

// kill -9 at any moment under load: no interaction is missing in the record, none
// is there twice, and every row is as a fresh reading of the log makes it.
func TestJournal_SurvivesKill9(t *testing.T) {
	dbtest.EachSource(t, func(t *testing.T, o db.Options) {
		dir := t.TempDir()
		over := 0
		for range *kills {
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), "JOURNAL_TEST_CHILD="+dir, "JOURNAL_TEST_SOURCE="+o.Source, "JOURNAL_TEST_DIR="+o.Dir)
			c.Stderr = os.Stderr
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			lines, seen, last := bufio.NewScanner(out), 0, 1+rand.IntN(300)
			for lines.Scan() {
				over++
				if seen++; seen == last {
					if err := c.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := c.Wait(); err == nil || seen < last {
				t.Fatalf("the process ended by itself: %v", err)
			}
		}
		got := compare(t, dir, dbtest.Open(t, o))
		if n := len(got["interactions"]); n < over {
			t.Errorf("%d interactions in the record, %d calls were over", n, over)
		}
		t.Logf("%d kills, %d calls over, %d interactions, %d events", *kills, over, len(got["interactions"]), len(got["events"]))
	})
}

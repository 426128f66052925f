// Package dbtest gives tests the databases that the server runs on: SQLite in a
// temporary folder, and a PostgreSQL that it starts by itself on a free port of
// 127.0.0.1 and that ends with the test's process, however that ends.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
)

// shared is the PostgreSQL server that the tests of a process share; each test
// has a database of its own in it.
var shared = sync.OnceValues(func() (*Server, error) { return start("") })

// Each runs a test on an empty SQLite and on an empty PostgreSQL, both with the
// tables up to date.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachSource(t, func(t *testing.T, o db.Options) { f(t, Open(t, o)) })
}

// EachSource runs a test with the options of an empty SQLite and of an empty
// PostgreSQL, for tests that open it themselves.
func EachSource(t *testing.T, f func(t *testing.T, o db.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite returns the options of an empty SQLite.
func SQLite(t testing.TB) db.Options {
	return db.Options{Source: db.SQLite, Dir: t.TempDir(), Log: zerolog.Nop()}
}

// Postgres returns the options of an empty database of the shared PostgreSQL. It
// is dropped when the test ends.
func Postgres(t testing.TB) db.Options {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return db.Options{Source: s.Database(t), Log: zerolog.Nop()}
}

// Open opens a database until the test ends.
func Open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Database makes an empty database in the server and returns its address. It is
// dropped when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	admin, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := fmt.Sprintf("%s_%d", strings.ToLower(strings.Map(letter, t.Name())), s.databases.Add(1))
	if len(name) > 60 {
		name = name[len(name)-60:] // PostgreSQL cuts at 63
	}
	if _, err := admin.Exec(`create database "` + name + `"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin, err := sql.Open("pgx", s.url("postgres"))
		if err != nil {
			t.Error(err)
			return
		}
		defer admin.Close()
		if _, err := admin.ExecContext(context.Background(), `drop database "`+name+`" with (force)`); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

// letter keeps what needs no quotes in a name.
func letter(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return r
	default:
		return '_'
	}
}

func (s *Server) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User(superuser), Host: s.addr, Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

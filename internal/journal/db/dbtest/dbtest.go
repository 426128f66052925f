// Package dbtest gives tests the databases that the server runs on: SQLite in a
// temporary folder, and a PostgreSQL that it starts by itself on a free port of
// 127.0.0.1 and that ends with the test's process, however that ends.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"centrala/internal/journal/db"
)

// shared is the PostgreSQL server that the tests of a process share; each test
// has a database of its own in it, a copy of one that has its tables already.
var shared = sync.OnceValues(func() (*Server, error) {
	s, err := Launch("")
	if err != nil {
		return nil, err
	}
	address, err := s.Create(template)
	if err != nil {
		return nil, err
	}
	return s, makeTables(db.Options{Source: address})
})

// template is the database in the shared PostgreSQL that the others are copies of.
const template = "with_tables"

// sqliteFile is SQLite's file with the tables up to date. Making them takes most of
// a second with the race detector, copying them none.
var sqliteFile = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "sqlite-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := makeTables(db.Options{Source: db.SQLite, Dir: dir}); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, db.File))
})

func makeTables(o db.Options) error {
	o.Log = zerolog.Nop()
	d, err := db.Open(context.Background(), o)
	if err != nil {
		return err
	}
	return d.Close()
}

// Each runs a test on a SQLite and on a PostgreSQL of its own, both with the
// tables up to date and nothing in them.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachSource(t, func(t *testing.T, o db.Options) { f(t, Open(t, o)) })
}

// EachSource is Each for tests that open the database themselves.
func EachSource(t *testing.T, f func(t *testing.T, o db.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// SQLite returns the options of a SQLite of the test's own, with the tables up to
// date and nothing in them.
func SQLite(t testing.TB) db.Options {
	t.Helper()
	o := db.Options{Source: db.SQLite, Dir: t.TempDir(), Log: zerolog.Nop()}
	Place(t, o.Dir)
	return o
}

// Place puts SQLite's file, with the tables up to date and nothing in them, into the
// data folder of a server that is to be started; the folder is made if need be.
func Place(t testing.TB, dir string) {
	t.Helper()
	data, err := sqliteFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, db.File), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Postgres returns the options of a database of the shared PostgreSQL, with the
// tables up to date and nothing in them. It is dropped when the test ends.
func Postgres(t testing.TB) db.Options {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return db.Options{Source: s.database(t, template), Log: zerolog.Nop()}
}

// BarePostgres is Postgres without any table.
func BarePostgres(t testing.TB) db.Options {
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
	return s.database(t, bare)
}

func (s *Server) database(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("%s_%d", strings.ToLower(strings.Map(letter, t.Name())), s.databases.Add(1))
	if len(name) > 60 {
		name = name[len(name)-60:] // PostgreSQL cuts at 63
	}
	address, err := s.create(name, from)
	if err != nil {
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
	return address
}

// Create makes an empty database of a name in the server and returns its address.
func (s *Server) Create(name string) (address string, err error) { return s.create(name, bare) }

// bare is PostgreSQL's own template for databases without tables.
const bare = "template0"

func (s *Server) create(name, from string) (address string, err error) {
	admin, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return "", err
	}
	defer admin.Close()
	if _, err := admin.Exec(`create database "` + name + `" template ` + from); err != nil {
		return "", err
	}
	return s.url(name), nil
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

package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func packed(t testing.TB) ([]byte, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	texts := map[string]string{"config/centrala.yaml": "domain: x", "data/centrala.db": string(bytes.Repeat([]byte("row "), 20_000)), "empty": ""}
	var files []File
	for _, name := range []string{"config/centrala.yaml", "data/centrala.db", "empty"} {
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, []byte(texts[name]), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, File{name, path})
	}
	var out bytes.Buffer
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	if err := Write(&out, Manifest{Program: "1.2", At: at, About: map[string]string{"data": "data"}}, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), texts
}

func TestUnpack_GivesWhatWasPacked(t *testing.T) {
	archive, texts := packed(t)
	dir := t.TempDir()
	m, err := Unpack(bytes.NewReader(archive), dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Program != "1.2" || m.About["data"] != "data" || len(m.Files) != len(texts) {
		t.Errorf("%+v", m)
	}
	for name, want := range texts {
		path := filepath.Join(dir, name)
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v %v", name, info.Mode(), err)
		}
	}
}

func inflated(archive []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil
	}
	data, _ := io.ReadAll(z)
	return data
}

// A backup that was cut anywhere, or in which any one byte is another, is refused.
func TestUnpack_Damaged(t *testing.T) {
	archive, _ := packed(t)
	whole := inflated(archive)
	for n := range archive {
		if _, err := Unpack(bytes.NewReader(archive[:n]), t.TempDir()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut after %d of %d bytes: %v", n, len(archive), err)
		}
	}
	for n := 10; n < len(archive); n++ { // before it is the head of gzip, whose name and time nobody checks
		changed := bytes.Clone(archive)
		changed[n] ^= 0x20
		if bytes.Equal(inflated(changed), whole) {
			continue // the same said in other bits
		}
		if _, err := Unpack(bytes.NewReader(changed), t.TempDir()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d changed: %v", n, err)
		}
	}
}

// What no backup of ours holds is not written anywhere.
func TestUnpack_Strange(t *testing.T) {
	for name, h := range map[string]tar.Header{
		"leads out":  {Name: "../x", Typeflag: tar.TypeReg},
		"absolute":   {Name: "/tmp/x", Typeflag: tar.TypeReg},
		"link":       {Name: "x", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink},
		"not listed": {Name: "x", Typeflag: tar.TypeReg},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			z := gzip.NewWriter(&out)
			a := tar.NewWriter(z)
			manifest := []byte(`{"format":1,"files":[]}`)
			for _, err := range []error{
				a.WriteHeader(&h), a.WriteHeader(header(manifestName, int64(len(manifest)), time.Time{})),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			_, _ = a.Write(manifest)
			if err := errors.Join(a.Close(), z.Close()); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "in")
			if _, err := Unpack(&out, dir); !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*")); len(left) > 1 || len(left) == 1 && left[0] != dir {
				t.Error(left)
			}
		})
	}
}

func TestUnpack_NewerFormat(t *testing.T) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	a := tar.NewWriter(z)
	manifest := []byte(`{"format":2,"program":"9.9","files":[]}`)
	if err := a.WriteHeader(header(manifestName, int64(len(manifest)), time.Time{})); err != nil {
		t.Fatal(err)
	}
	_, _ = a.Write(manifest)
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Unpack(&out, t.TempDir()); err == nil || !strings.Contains(err.Error(), "9.9") {
		t.Error(err)
	}
}

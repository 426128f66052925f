package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// The console as `make ui` builds it from web/ui. It is committed, so that building the server
// needs no node (docs/adr/0014-console.md).
//
//go:embed dist
var consoleFiles embed.FS

// consolePolicy lets the console's page load its own files, talk to its own server, and nothing else:
// no code or style in the page itself, none from elsewhere.
const consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// minCompressed is the size, in bytes, from which a file is compressed: below, it does not pay.
const minCompressed = 1 << 10

// file is one of the console's files, as it is sent.
type file struct {
	kind           string // media type
	plain, packed  []byte // packed: by gzip; nil: it would not be smaller
	etag, packedAs string
}

// loadConsole reads the embedded files, by their path. It compresses them, which takes some milliseconds.
func loadConsole() map[string]*file {
	files := map[string]*file{}
	err := fs.WalkDir(consoleFiles, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := consoleFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		tag := hex.EncodeToString(sum[:12])
		f := &file{kind: mediaType(name), plain: data, etag: `"` + tag + `"`, packedAs: `"` + tag + `-gzip"`}
		if packed := compressed(data); len(data) >= minCompressed && len(packed) < len(data) {
			f.packed = packed
		}
		files["/"+strings.TrimPrefix(name, "dist/")] = f
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("web: the embedded console: %v", err)) // it is part of the program
	}
	return files
}

func compressed(data []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a valid one
	}
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

// mediaType goes by the name's end. What machines have in /etc/mime.types does not matter.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "text/html; charset=utf-8"
}

func (s *Server) consoleRoutes() {
	load := sync.OnceValue(loadConsole)
	serve := func(name func(*http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			requestOf(r.Context()).route = "console"
			f := load()[name(r)]
			if f == nil {
				s.refuse(w, r, problem(http.StatusNotFound, codeNotFound, "there is nothing at this address"))
				return
			}
			f.serve(w, r)
		}
	}
	s.windowRoutes(load)
	s.mux.HandleFunc("GET /{$}", serve(func(*http.Request) string { return "/index.html" }))
	s.mux.HandleFunc("GET /assets/{file}", serve(func(r *http.Request) string { return "/assets/" + r.PathValue("file") }))
}

// serve sends the file, or that the client has it already. The names never change, so clients ask each time.
func (f *file) serve(w http.ResponseWriter, r *http.Request) { f.send(w, r, consolePolicy) }

// send is serve with a policy of the page's own.
func (f *file) send(w http.ResponseWriter, r *http.Request, policy string) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.etag)
	data := f.plain
	if f.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if takesGzip(r.Header.Get("Accept-Encoding")) {
			data = f.packed
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", f.packedAs)
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// takesGzip reads an Accept-Encoding (RFC 9110 12.5.3) as far as browsers write it.
func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}

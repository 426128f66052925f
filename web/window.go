package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Window serves the chat windows that websites show (docs/guides/widget.md).
type Window interface {
	// Origins are the sites that may show the window of a channel; false: it has none.
	Origins(channel string) ([]string, bool)
	// Serve answers a request of a window; action is the part of its address behind the channel's.
	Serve(w http.ResponseWriter, r *http.Request, channel, action string, from netip.Addr, secure bool)
	// Caller tells by which session a WebSocket that shows a ticket speaks SIP; false: none.
	Caller(r *http.Request, channel, ticket string, secure bool) (session string, ok bool)
}

// windowPolicy is the console's policy for the page in the frame, which shows pictures that it
// has fetched itself, and is shown by the sites that follow.
const windowPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

func (s *Server) windowRoutes(files func() map[string]*file) {
	// What a site puts into its page: it makes the frame, and is all of ours that runs there.
	s.mux.HandleFunc("GET /widget.js", func(w http.ResponseWriter, r *http.Request) {
		requestOf(r.Context()).route = "widget"
		loader := files()["/widget.js"]
		if loader == nil {
			s.refuse(w, r, noWindow())
			return
		}
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		loader.serve(w, r)
	})
	s.mux.HandleFunc("GET /widget/{channel}", func(w http.ResponseWriter, r *http.Request) {
		requestOf(r.Context()).route = "widget"
		origins, ok := s.window.Origins(r.PathValue("channel"))
		page := files()["/widget.html"]
		if !ok || page == nil {
			s.refuse(w, r, noWindow())
			return
		}
		w.Header().Del("X-Frame-Options") // which knows no list of sites; browsers go by the policy
		page.send(w, r, strings.Join(append([]string{windowPolicy}, origins...), " "))
	})
	s.mux.HandleFunc("GET /widget/{channel}/sip/{ticket}", s.serveVisitor)
	s.mux.HandleFunc("/widget/{channel}/{action...}", func(w http.ResponseWriter, r *http.Request) {
		q := requestOf(r.Context())
		q.route = "widget"
		s.window.Serve(w, r, r.PathValue("channel"), r.PathValue("action"), q.from, q.secure)
	})
}

// noWindow is for channels without one, and for a server built without the console's files.
func noWindow() *Problem {
	return problem(http.StatusNotFound, codeNotFound, "there is nothing at this address")
}

package trace

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// listed is how many entries and calls are listed unless asked for otherwise.
const listed = 200

// Handler answers for a Recorder: GET with ?id= gives one trace, with ?recent= and
// maybe &from=ADDRESS the messages of no call, and without either the list of
// calls; &limit= bounds lists. It answers this machine alone, whatever address the
// listener has, since traces tell who called whom.
func Handler(r *Recorder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !here(req) {
			http.Error(w, "traces are shown on this machine only", http.StatusForbidden)
			return
		}
		if r == nil {
			http.Error(w, "nothing is traced: the settings say trace: {calls: 0}", http.StatusNotFound)
			return
		}
		q := req.URL.Query()
		limit := listed
		if text := q.Get("limit"); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				http.Error(w, "limit is not a number above 0", http.StatusBadRequest)
				return
			}
			limit = n
		}
		var answer any
		switch {
		case q.Get("id") != "":
			t, ok := r.Find(q.Get("id"))
			if !ok {
				http.Error(w, "nothing is remembered of "+strconv.Quote(q.Get("id"))+
					": it is no interaction, leg or SIP Call-ID, or newer calls needed the room", http.StatusNotFound)
				return
			}
			answer = t
		case q.Has("recent"):
			var from netip.Addr
			if text := q.Get("from"); text != "" {
				a, err := netip.ParseAddr(text)
				if err != nil {
					http.Error(w, strconv.Quote(text)+" is not an IP address", http.StatusBadRequest)
					return
				}
				from = a.Unmap()
			}
			answer = r.Recent(from, limit)
		default:
			answer = r.Calls(limit)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the client is gone
	})
}

// here tells whether a request comes from this machine, and not by way of a page
// in a browser that gave our address a name of its own (DNS rebinding).
func here(req *http.Request) bool {
	remote, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil || !remote.Addr().Unmap().IsLoopback() {
		return false
	}
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil {
		host = req.Host
	}
	_, err = netip.ParseAddr(host)
	return err == nil || host == "localhost"
}

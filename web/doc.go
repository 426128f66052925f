// Package web is the HTTP server of listen.web: the API under /api/v1 with its
// OpenAPI description, and room for the console's files. It knows the core's read
// models; everything else it needs, it asks for by the interfaces that it declares.
//
// # A new route
//
// Routes are in files by noun (agents.go, interactions.go, …), each with a function
// that registers them:
//
//	func (s *Server) thingRoutes() {
//		Operation(s, Needs(queuegroups.RightThingsRead), Route{
//			ID: "list-things", Method: http.MethodGet, Path: "/things", Tag: "things", Summary: "All things",
//		}, s.listThings)
//	}
//
//	func (s *Server) listThings(ctx context.Context, c *Caller, in *listIn) (*PageOut[Thing], error)
//
// which New calls in routes. What is asked of the caller is an argument of Operation: Needs
// for a right, SignedIn for anybody with a session, Anybody for those without. There is no
// route without one, and the sweep test takes its list from the OpenAPI document, so that a
// new route is tried with every kind of caller who must not use it.
//
// The right says what may be done. How far it reaches is the handler's to look at: by
// c.look(state) within Core.View, or c.inReach(group). What a caller may not see is
// answered as what is not there (404); what they may see but not do, by 403.
//
// Around each handler, in this order: an id for the request, a log line, panics become a
// 500, cross-site requests are refused, who calls is found out, the right is looked at, the body is
// read (at most MaxBody), an Idempotency-Key that was seen before is answered as it was, the
// input is checked by what the tags of its type say, and, for anything but GET, an
// entry is made in the audit log, unless the caller acted on themself alone (ownAct). Errors
// are *Problem, made by the functions of problem.go; codes are for ever.
//
// Lists come in pages: take PageIn in, give PageOut out, by cut. Streams take the response
// writer by humago.Unwrap and must end when s.Stopping is closed; they extend the write
// deadline by http.ResponseController.
//
// JSON is our own: times are RFC 3339 in UTC, lengths of time are seconds.
package web

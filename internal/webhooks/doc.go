// Package webhooks sends events to others by HTTP, as Standard Webhooks 1.0.0 has it.
//
// Each endpoint follows the table of events by a cursor of its own. What is to be sent is
// written down in the same transaction that moves the cursor, and is tried until it was delivered
// or given up, so that nothing is lost when the process is killed; what was under way then is sent again,
// with the same id. Nothing is promised about the order.
//
// An endpoint is an address that somebody wrote down, so it may be any: connections go to public
// addresses alone and to those that the server's settings allow, which is looked at when the
// connection is made, by the address itself, whatever a name or a redirect says.
package webhooks

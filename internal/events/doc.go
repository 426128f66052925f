// Package events keeps what is told to others as it happens: the closed list of the
// types of events with what each says, and the hub, by which the stream of the API and the
// webhooks read the table events.
//
// The journal writes the table, one writer at a time and in order of the log, so that an id is
// never followed by a smaller one. Whoever knows the id of the last event that they have seen
// misses nothing: Hub.After goes on behind it, and says ErrGone when it cannot.
//
// What it does not do: it knows neither who may see an event nor how it travels.
package events

package sip

import (
	"encoding/xml"
	"strconv"
	"strings"

	"centrala/sip/header"
)

// This file writes the documents that NOTIFYs of the dialog event package carry
// (RFC 4235 section 4).

// Lamps says what the busy lamp fields of phones show: the calls of whom they
// watch (RFC 4235). Its methods are called from any goroutine, several at once.
type Lamps interface {
	// Lamp finds whom a user watches who subscribes to target, the user part of a
	// URI. name is what Calls and Stack.LampChanged know it by. Not ok: there is
	// nobody to be watched by that name, or not by that user.
	Lamp(user, target string) (name string, ok bool)
	// Calls lists the calls there are now, as far as the user may see them. Not
	// ok: there is nobody by that name any more.
	Calls(user, name string) (calls []LampCall, ok bool)
}

// LampCall is a call as whoever watches its end may see it.
type LampCall struct {
	ID       string // of the dialog element; the same as long as the call
	Up       bool   // confirmed, or not to be taken by anybody else; otherwise early: it rings
	Outgoing bool   // whom one watches has called
	With     Party  // the far end; zero: the watcher may not know it
	Pickup   string // a token that names the early call to Leg.Pickup if the watcher takes it; empty: they may not
}

// mostLampCalls is how many calls a document tells of, so that it fits into a datagram.
const mostLampCalls = 8

// lampCalls are the dialog elements of a document about entity, the URI that was
// subscribed to. Where there is no call, one that is over says so: many phones
// keep a lamp lit until they read of an end.
func lampCalls(entity, domain string, calls []LampCall) string {
	var b strings.Builder
	if len(calls) == 0 {
		return "<dialog id=\"none\"><state>terminated</state></dialog>\n"
	}
	for i := range calls[:min(len(calls), mostLampCalls)] {
		lampCall(&b, &calls[i], entity, domain)
	}
	return b.String()
}

func lampCall(b *strings.Builder, c *LampCall, entity, domain string) {
	attr := func(name, value string) {
		b.WriteString(" " + name + "=\"")
		_ = xml.EscapeText(b, []byte(value)) // a Builder takes everything
		b.WriteString("\"")
	}
	b.WriteString("<dialog")
	attr("id", c.ID)
	if c.Pickup != "" { // section 4.1.2; whom one watches is the local side
		r := pickupName(c.Pickup, domain)
		attr("call-id", r.CallID)
		attr("local-tag", r.RemoteTag)
		attr("remote-tag", r.LocalTag)
	}
	direction, state := "recipient", "early"
	if c.Outgoing {
		direction = "initiator"
	}
	if c.Up {
		state = "confirmed"
	}
	attr("direction", direction)
	b.WriteString("><state>" + state + "</state>")
	if c.With != (Party{}) || c.Pickup != "" {
		b.WriteString("<remote>")
		if c.With != (Party{}) {
			b.WriteString("<identity")
			if c.With.Name != "" {
				attr("display", c.With.Name)
			}
			b.WriteString(">")
			_ = xml.EscapeText(b, []byte(partyURI(c.With, domain)))
			b.WriteString("</identity>")
		}
		if c.Pickup != "" { // where the INVITE that takes the call goes
			b.WriteString("<target")
			attr("uri", entity)
			b.WriteString("/>")
		}
		b.WriteString("</remote>")
	}
	b.WriteString("</dialog>\n")
}

// partyURI is the URI of somebody as we show them to our users.
func partyURI(p Party, domain string) string {
	host := p.Host
	if host == "" {
		host = domain
	}
	if p.User == "" {
		return "sip:anonymous@anonymous.invalid" // RFC 3323 section 4.1.1.3
	}
	return "sip:" + header.EscapedUser(p.User) + "@" + host
}

// lampInfo is a document of full state.
func lampInfo(entity string, version uint32, calls string) []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"")
	b.WriteString(strconv.FormatUint(uint64(version), 10))
	b.WriteString("\" state=\"full\" entity=\"")
	_ = xml.EscapeText(&b, []byte(entity))
	b.WriteString("\">\n" + calls + "</dialog-info>\n")
	return []byte(b.String())
}

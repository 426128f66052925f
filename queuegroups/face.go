package queuegroups

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"centrala/queuegroups/strictyaml"
)

// Face is what customers see of an agent who writes to them (R68). Each part may be empty.
type Face struct {
	Name    string  `json:"name,omitempty"`
	Title   string  `json:"title,omitempty"`
	Picture Picture `json:"picture,omitzero"`
}

// Picture is a picture of a kind that runs nothing, whatever is in it.
type Picture struct {
	Type string `json:"type,omitempty"` // image/png, image/jpeg, image/gif or image/webp, by its bytes; empty: there is none
	Sum  string `json:"sum,omitempty"`  // of its bytes: no two pictures have the same
	Data []byte `json:"-"`
}

// FaceOf is what the channel's customers see of an agent: the channel's own entry, else the
// agent's profile. Without a name the channel speaks for itself: agents are hidden there, or
// there is no such agent.
func (c *Config) FaceOf(channel *Channel, id AgentID) Face {
	a := c.Agent(id)
	if a == nil || channel.HideAgents {
		return Face{}
	}
	f := a.Profile
	if own, ok := channel.Faces[id]; ok {
		f = own
	}
	f.Name = cmp.Or(f.Name, a.Profile.Name, a.Name)
	return f
}

// Limits of a face: of its texts in characters, of a picture in bytes.
const (
	faceTextMax = 80
	pictureMax  = 256 << 10
)

// face takes what is declared of one.
func (l *loader) face(k faceKeys, what string) (f Face) {
	for _, t := range []struct {
		text
		to   *string
		name string
	}{{k.Name, &f.Name, "name"}, {k.Title, &f.Title, "title"}} {
		v := strings.TrimSpace(t.V)
		switch {
		case !t.Set || t.Bad:
		case v == "":
			l.report.Add(t.At, "", "the %s in %s is empty", t.name, what)
		case utf8.RuneCountInString(v) > faceTextMax:
			l.report.Add(t.At, "", "the %s in %s is longer than %d characters", t.name, what, faceTextMax)
		case strings.ContainsFunc(v, hidden):
			l.report.Add(t.At, "", "the %s in %s has a line break or a character that cannot be seen", t.name, what)
		default:
			*t.to = v
		}
	}
	if !k.Picture.Set || k.Picture.Bad {
		return f
	}
	file, err := l.read(k.Picture.V, pictureMax)
	if err != nil {
		l.report.Add(k.Picture.At, "", "%v", err)
		return f
	}
	kind := pictureType(file.Data)
	if kind == "" {
		l.report.Add(k.Picture.At, "", "%s is no PNG, JPEG, GIF or WebP picture", k.Picture.V)
		return f
	}
	sum := sha256.Sum256(file.Data)
	f.Picture = Picture{Type: kind, Sum: hex.EncodeToString(sum[:16]), Data: file.Data}
	return f
}

// hidden: the character is not seen, or changes the order in which others are.
func hidden(r rune) bool { return !unicode.IsPrint(r) }

// pictureType tells by its first bytes what kind of picture a file is; empty: none of the safe ones.
func pictureType(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		return "image/gif"
	case len(data) > 12 && bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

// faces takes what a channel says of its agents' faces.
func (l *loader) faces(c *Channel, k channelKeys, what string) {
	c.HideAgents = k.AgentsShown.V == "hidden"
	for _, e := range k.Faces.Entries {
		if _, ok := l.agents.at[e.Key]; !ok {
			l.report.Add(e.At, strictyaml.DidYouMean(e.Key, l.agents.order), "unknown agent %q", e.Key)
			continue
		}
		if c.HideAgents {
			l.report.Add(e.At, "", "%s shows no agents, so that its faces are for nothing", what)
			return
		}
		if c.Faces == nil {
			c.Faces = map[AgentID]Face{}
		}
		c.Faces[AgentID(e.Key)] = l.face(e.Value, "the faces of "+what)
	}
}

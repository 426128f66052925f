package queuegroups

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Customers see an agent's profile, what the channel says instead, or the channel itself (R68).
func TestFaceOf(t *testing.T) {
	dir := t.TempDir()
	picture := []byte("\x89PNG\r\n\x1a\nand so on")
	if err := os.WriteFile(filepath.Join(dir, "anna.png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(File{Name: "queuegroups.yaml", Data: []byte(`
agents:
  anna: {name: Anna Nowak, profile: {name: " Anna ", title: <b>Delivery</b>, picture: anna.png}}
  bartek: {name: Bartek Lis}
channels:
  website: {connector: widget, agents: [anna, bartek]}
  returns: {connector: widget, agents: [anna, bartek], faces: {anna: {title: Returns}, bartek: {name: Bart}}}
  quiet: {connector: widget, agents: [anna, bartek], agents_shown: hidden}
`)})
	o.Open = func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, name)) }
	c, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		channel     ChannelID
		agent       AgentID
		name, title string
		picture     bool
	}{
		{"website", "anna", "Anna", "<b>Delivery</b>", true},
		{"website", "bartek", "Bartek Lis", "", false},
		{"website", "marta", "", "", false}, // who is no agent
		{"returns", "anna", "Anna", "Returns", false},
		{"returns", "bartek", "Bart", "", false},
		{"quiet", "anna", "", "", false},
	} {
		f := c.FaceOf(c.Channel(x.channel), x.agent)
		if f.Name != x.name || f.Title != x.title || (f.Picture.Sum != "") != x.picture {
			t.Errorf("%s in %s is %+v", x.agent, x.channel, f)
		}
	}
	if p := c.Agent("anna").Profile.Picture; p.Type != "image/png" || string(p.Data) != string(picture) || len(p.Sum) != 32 {
		t.Errorf("%s %s %q", p.Type, p.Sum, p.Data)
	}
}

// What a picture is is told by its bytes, never by its name; what could run is none.
func TestPictureType(t *testing.T) {
	for data, want := range map[string]string{
		"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff\xe0": "image/jpeg", "GIF89a": "image/gif", "RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp",
		"": "", "<svg xmlns='http://www.w3.org/2000/svg'/>": "", "<!doctype html>": "", "RIFF\x00\x00\x00\x00WAVEfmt ": "", "BM": "",
	} {
		if got := pictureType([]byte(data)); got != want {
			t.Errorf("%q is %q, want %q", data, got, want)
		}
	}
}

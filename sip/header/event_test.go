package header

import (
	"testing"

	"github.com/emiago/sipgo/sip"
)

func TestEvent(t *testing.T) {
	for value, want := range map[string][2]string{
		"dialog":                   {"dialog", ""},
		"Dialog ; id=a1":           {"dialog", "a1"},
		"dialog;ma;id=7;call-id=x": {"dialog", "7"},
		"dialog;id=\"a b\"":        {"dialog", ""}, // no token: must not be sent back
		"dialog.winfo":             {"dialog.winfo", ""},
		";id=1":                    {"", "1"},
		"dialog, refer":            {"", ""},
		"":                         {"", ""},
	} {
		req := sip.NewRequest(sip.SUBSCRIBE, sip.Uri{})
		req.AppendHeader(sip.NewHeader("Event", value))
		if name, id := Event(req); name != want[0] || id != want[1] {
			t.Errorf("%q: %q %q, want %q", value, name, id, want)
		}
	}
	if name, _ := Event(sip.NewRequest(sip.SUBSCRIBE, sip.Uri{})); name != "" {
		t.Errorf("no header: %q", name)
	}
}

package e2e

import (
	"fmt"
	"testing"
	"time"
)

const opusSite = `
agents:
  anna: {name: Anna Nowak, extension: "101"}
  bartek: {name: Bartek Lis, extension: "102", sip_password: bartek-secret-1}
  celina: {name: Celina Mazur, extension: "103"}
groups:
  team: {name: Team, extension: "600", agents: [celina], misses: 0, wrap_up: 1s, rings: 100, hold_music: calm}
work_time: {tracked: false}
hold_music:
  calm: {files: [calm.wav]}
`

// celinaHertz is what the other Chromium's microphone hears.
const celinaHertz = 1700

// noteConnections has the page keep its peer connections where the test finds them.
const noteConnections = `(() => {
	const Before = RTCPeerConnection;
	globalThis.connections = [];
	globalThis.RTCPeerConnection = class extends Before {
		constructor(...options) { super(...options); connections.push(this); }
	};
	return null;
})()`

// codecs is what the page sends and gets, by the browser's own statistics.
const codecs = `(async () => {
	const connection = connections.findLast(c => c.connectionState === 'connected');
	if (!connection) return false;
	const stats = await connection.getStats(), found = {};
	stats.forEach(s => { if (s.codecId) found[s.type] = stats.get(s.codecId).mimeType; });
	return found['outbound-rtp']%s && found['inbound-rtp']%s;
})()`

// talksBy waits until the page sends and gets audio of a kind: opus, or G.711, which is PCM.
func (b *browser) talksBy(sends, gets string) {
	b.t.Helper()
	b.do("until", step{Text: fmt.Sprintf(codecs, "?.startsWith('audio/"+sends+"')", "?.startsWith('audio/"+gets+"')")})
}

// station is the desk of an agent with a telephone in the browser.
func station(t *testing.T, web, agent string, hertz float64) *browser {
	t.Helper()
	b := newTalkingBrowser(t, web, hertz)
	b.open("#/desk")
	b.do("run", step{Text: `localStorage.setItem('centrala.clean-voice', 'false'), null`}) // a tone is noise
	b.do("reload", step{})
	b.do("permit", step{Value: []string{"microphone"}})
	b.do("run", step{Text: noteConnections})
	b.signIn(agent, consolePassword)
	b.phoneIs("ready")
	return b
}

// Two browsers talk by Opus, and by G.711 with whoever has nothing else: one calls the other's group, is put on hold
// and taken back, sent to a telephone by keys, which are telephone-events beside Opus, and sent back. All of it is heard.
func TestOpus(t *testing.T) {
	v, web := newConsole(t, newSite(t), opusSite, "anna", "celina")
	bartek := v.softphone("bartek", "bartek-secret-1", "udp", "manual", bartekHertz)
	anna, celina := station(t, web, "anna", annaHertz), station(t, web, "celina", celinaHertz)
	v.waitAgents("team", "available", 1)
	talk := func() {
		t.Helper()
		anna.hears(celinaHertz, annaHertz, calmHertz, bartekHertz)
		celina.hears(annaHertz, celinaHertz, calmHertz, bartekHertz)
		anna.talksBy("opus", "opus")
		celina.talksBy("opus", "opus")
	}

	// as another tab would ask for it
	anna.do("run", step{Text: `new BroadcastChannel('centrala.phone.anna').postMessage({ do: 'dial', digit: '600' }), null`})
	celina.see("[role=alertdialog] button.main:enabled")
	celina.press("Accept")
	talk()

	celina.press("Hold")
	anna.hears(calmHertz, celinaHertz)
	anna.talksBy("opus", "PCM")
	celina.press("Take from hold")
	talk()

	celina.press("Keypad")
	for _, key := range "##102#" {
		celina.do("press", step{Text: string(key)})
	}
	bartek.waitNth("rings", "CALL_INCOMING", 1)
	bartek.accept()
	celina.gone(".call")
	anna.hears(bartekHertz, celinaHertz, calmHertz)
	anna.talksBy("PCM", "PCM")
	bartek.waitHeard(1, time.Second)

	bartek.press("##103#")
	celina.see("[role=alertdialog] button.main:enabled")
	celina.press("Accept")
	talk()
	bartek.waitNth("is free", "CALL_CLOSED", 1)
	bartek.heardOnly(annaHertz, celinaHertz)
	celina.press("Hang up")
	anna.gone(".call")
	celina.gone(".call")
	anna.wantQuiet("the end")
	celina.wantQuiet("the end")
}

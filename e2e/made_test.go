package e2e

import "testing"

// An agent calls a number outside from the console and talks on the phone on their desk, which is rung first; they
// hear that it rings there; what the phone may not call, the console may not either.
func TestCallAtTheDesk(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	x := &owned{telephone: newCarrier(t, site, 1300, "carrier.xml")}
	v, web := newConsole(t, site, withTrunkIn(crossing+"hold_music: {calm: {files: [calm.wav]}}\n", x.telephone), "anna")
	x.s = v
	api := newDesk(t, web)
	api.do("POST", "/session", map[string]string{"name": "anna", "password": consolePassword}, 200)
	x.before = v.footprint()
	x.anna = v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	x.bartek = v.softphone("bartek", "bartek-secret-1", "udp", "manual", 700)
	x.celina = v.softphone("celina", "celina-secret-1", "udp", "manual", 1100)
	v.waitAgents("sales", "available", 2)
	call := func(agent string, to map[string]string, code int) {
		t.Helper()
		api.do("POST", "/agents/"+agent+"/call", map[string]any{"to": to}, code)
	}
	call("anna", map[string]string{"number": "+44 20 7123 4567"}, 403)
	call("bartek", map[string]string{"number": "601000002"}, 403)
	call("anna", map[string]string{"number": "601000002"}, 200)
	x.anna.wait("rings", "CALL_INCOMING")
	v.waitAgents("sales", "busy_elsewhere", 1)                  // and nobody else's call is offered to her
	call("anna", map[string]string{"number": "601000002"}, 409) // it rings already
	x.anna.accept()
	x.telephone.waitCall()
	x.anna.wait("talks", "CALL_ESTABLISHED")
	x.hears("anna", 900)
	call("anna", map[string]string{"agent": "bartek"}, 409)
	x.anna.hangUp()
	x.over("ended forwarded_outside")

	v.waitAgents("sales", "available", 2)
	call("anna", map[string]string{"agent": "bartek"}, 200)
	x.anna.waitNth("rings", "CALL_INCOMING", 2)
	v.waitAgents("sales", "busy_elsewhere", 1)
	x.anna.hangUp() // not picked up
	v.waitAgents("sales", "available", 2)

	call("anna", map[string]string{"agent": "bartek"}, 200)
	x.anna.waitNth("rings", "CALL_INCOMING", 3)
	x.anna.accept()
	x.bartek.wait("rings", "CALL_INCOMING")
	x.bartek.accept()
	x.bartek.wait("talks", "CALL_ESTABLISHED")
	x.anna.hangUp()
	x.bartek.waitNth("is free", "CALL_CLOSED", 1)
	v.waitFootprint(x.before)
}

package e2e

import "testing"

// The reports' chart is as wide as its place at every moment, also before it is drawn anew in a window that was made narrower,
// and is then drawn for the new width.
func TestConsole_ChartFollowsTheWindow(t *testing.T) {
	v, web := newConsole(t, newSite(t), pastSite, "anna")
	phone := v.softphone("anna", "anna-secret-1", "udp", "manual", 900)
	v.waitAgents("sales", "available", 1)
	c := v.call("+48600100201", "+48221234567", 500)
	phone.wait("rings", "CALL_INCOMING")
	c.hangUp()
	c.waitOver()
	b := newBrowser(t, web)
	b.open("#/reports")
	b.signIn("anna", consolePassword)
	const drawn = `(c => c && c.width === Math.round(c.closest('.chart').clientWidth * devicePixelRatio) && c.clientHeight > 200)(document.querySelector('.chart canvas'))`
	b.see(".chart canvas")
	b.do("until", step{Text: drawn})
	// In one task: what watches sizes has no say until it is over.
	const narrowed = `(() => {
		const place = document.querySelector('main'), chart = document.querySelector('.chart');
		place.style.width = '350px';
		const edge = chart.getBoundingClientRect().right;
		const beyond = [...chart.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > edge + 1).map(e => e.tagName + '.' + e.className);
		place.style.width = '';
		return beyond;
	})()`
	for _, x := range b.do("run", step{Text: narrowed}).([]any) {
		t.Errorf("not drawn anew yet, wider than its place: %v", x)
	}
	for range 20 {
		for _, width := range []int{390, 1280} {
			b.do("size", step{Width: width, Height: 800})
			for _, x := range b.do("clipped", step{}).([]any) {
				t.Errorf("%d wide: cut off: %v", width, x)
			}
			b.do("until", step{Text: drawn})
		}
	}
	b.wantQuiet("the end")
}

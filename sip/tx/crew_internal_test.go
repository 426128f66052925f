package tx

import "testing"

// Somebody comes between the moment when all were gone and the one when whoever waited for it looks.
func TestCrew_ComesBackWhileWaitedFor(t *testing.T) {
	var c crew
	for range 1000 {
		leave := make(chan struct{})
		c.Go(func() { <-leave })
		waited := make(chan struct{})
		idle := c.Idle()
		for range 4 {
			go func() {
				<-idle
				waited <- struct{}{}
			}()
		}
		close(leave)
		c.Go(func() {})
		for range 4 {
			<-waited
		}
	}
	<-c.Idle()
	<-c.Idle()
}

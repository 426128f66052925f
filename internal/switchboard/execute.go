package switchboard

import (
	"centrala/acd"
	"centrala/sip"
)

// execute carries out one command of the core. Each is safe to carry out twice.
func (c *call) execute(cmd acd.Command) {
	switch cmd := cmd.(type) {
	case *acd.Alert:
		switch {
		case !c.callerAlive() || c.answered:
		case c.made != nil:
			c.caller.media.Play(c.board.ringing.Load().Begin())
		default:
			var offer []byte
			if c.caller.late { // RFC 3262 section 5: it is due in the first answer that cannot be lost
				offer = c.answer
			}
			c.caller.sip.Ring(180, offer)
		}
	case *acd.Answer:
		c.answerCaller()
	case *acd.Play:
		c.play(cmd)
	case *acd.Reject:
		if c.caller == nil { // nobody has picked up yet
			c.refuseOwn()
			return
		}
		if c.callerAlive() {
			c.log.Info().Str("reason", string(cmd.Reason)).Str("to", c.caller.sip.To()).Msg("call rejected")
			if c.made != nil {
				c.refuseOwn()
				return
			}
			c.caller.sip.Reject(rejectCode(cmd.Reason), rejectText(cmd.Reason))
		}
	case *acd.Ring:
		if cmd.Channel != "" {
			c.board.unexecutable(cmd)
			return
		}
		c.ring(cmd)
	case *acd.CancelRing:
		c.cancelRing(cmd)
	case *acd.Tell:
		c.board.unexecutable(cmd)
	case *acd.Dial:
		c.dialOut(cmd)
	case *acd.Serve: // voicemail and callbacks: the core goes on with the next action
		c.log.Warn().Type("command", cmd).Msg("this version cannot do that yet")
		c.board.unexecutable(cmd)
	case *acd.Bridge:
		c.bridge(cmd)
	case *acd.EndLeg:
		c.endLeg(cmd)
	case *acd.Report:
		c.report(cmd)
	default:
		c.log.Error().Type("command", cmd).Msg("unknown command")
	}
}

// play has a leg hear a programme instead of whom it was bridged with.
func (c *call) play(cmd *acd.Play) {
	l := c.caller
	if cmd.Leg != "" {
		l = c.legByID(cmd.Leg)
	}
	if l == nil || l == c.caller && !c.answerCaller() {
		return
	}
	c.part(l)
	l.playing = cmd
	music := c.programme(cmd.Music)
	l.media.Play(music)
	c.announce(l, cmd.Interaction, music)
}

func (c *call) callerAlive() bool { return c.legs[c.caller.sip] != nil }

// rejectCode is the SIP status for a refusal by the core.
func rejectCode(r acd.RejectReason) int {
	switch r {
	case acd.RejectUnknownNumber:
		return 404
	case acd.RejectQueueFull, acd.RejectBusy:
		return 486
	case acd.RejectClosed, acd.RejectNobody:
		return 480
	case acd.RejectUnavailable:
		return 503
	}
	return 500
}

// rejectText says more than the status does.
func rejectText(r acd.RejectReason) string {
	if r == acd.RejectUnknownNumber {
		return "Nobody to Call by That Number"
	}
	return ""
}

// failureClass is the core's word for how a phone's leg ended before it answered.
func failureClass(t sip.Termination) acd.FailureClass {
	switch t.Class {
	case sip.ClassBusy:
		return acd.FailBusy
	case sip.ClassDeclined:
		return acd.FailDeclined
	case sip.ClassNoAnswer:
		return acd.FailNoAnswer
	case sip.ClassCancelled:
		return acd.FailCancelled
	default:
		return acd.FailUnreachable
	}
}

// telling orders failures: what a person did says more than what a network did.
func telling(c acd.FailureClass) int {
	switch c {
	case acd.FailDeclined:
		return 4
	case acd.FailBusy:
		return 3
	case acd.FailNoAnswer:
		return 2
	case acd.FailUnreachable:
		return 1
	default:
		return 0
	}
}

// endCause is the core's word for how an established leg, or the caller's, ended.
func endCause(l *leg, t sip.Termination) acd.EndCause {
	switch {
	case l.gaveUp != "": // ByUs, but not by the core
		return l.gaveUp
	case t.Class == sip.ClassTimeout: // the same
		return acd.EndTimeout
	case l.hungUp && t.ByUs:
		return acd.EndHangup
	case t.ByUs:
		return acd.EndByUs
	case t.Class == sip.ClassHangup:
		return acd.EndHangup
	case t.Class == sip.ClassCancel:
		return acd.EndCancel
	default:
		return acd.EndFailed
	}
}

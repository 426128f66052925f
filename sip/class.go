package sip

import "centrala/sip/dialog"

// classes says what a final answer to our INVITE means for who was called.
// Codes that are not here fall to the class of their hundred.
var classes = map[int]Class{
	401: ClassFailed, // a password is wanted that we do not know
	403: ClassDeclined,
	404: ClassUnreachable,
	407: ClassFailed,
	408: ClassUnreachable, // somebody on the way got no answer
	410: ClassUnreachable,
	430: ClassUnreachable, // RFC 5626: flow failed
	433: ClassDeclined,    // anonymity disallowed
	480: ClassNoAnswer,
	481: ClassUnreachable,
	484: ClassUnreachable,
	485: ClassUnreachable,
	486: ClassBusy,
	487: ClassNoAnswer, // ended by somebody on the way, not by us
	502: ClassUnreachable,
	503: ClassUnreachable,
	504: ClassUnreachable,
	600: ClassBusy,
	603: ClassDeclined,
	604: ClassUnreachable,
	606: ClassFailed,
	607: ClassDeclined, // RFC 8197: unwanted
	608: ClassDeclined, // RFC 8688: rejected
}

// ClassOf is the class of a final answer other than 2xx.
func ClassOf(code int) Class {
	if c, ok := classes[code]; ok {
		return c
	}
	switch code / 100 {
	case 3: // the phone sends callers elsewhere, which is for us to decide
		return ClassDeclined
	case 6: // RFC 3261 section 8.1.3.2: as 600
		return ClassBusy
	}
	return ClassFailed
}

// termination puts an end into the words of the contract.
func termination(cause dialog.Cause, code int, reason string) Termination {
	t := Termination{Code: code, Reason: reason}
	switch cause {
	case dialog.PeerHungUp:
		t.Class = ClassHangup
	case dialog.WeHungUp:
		t.Class, t.ByUs = ClassHangup, true
	case dialog.PeerCancelled:
		t.Class, t.Code = ClassCancel, 487
	case dialog.WeCancelled:
		t.Class, t.ByUs = ClassCancelled, true
	case dialog.WeRejected:
		t.Class, t.ByUs = ClassOf(code), true
	case dialog.PeerRejected:
		t.Class = ClassOf(code)
	case dialog.NoResponse:
		t.Class = ClassUnreachable
	case dialog.NoAck, dialog.Unrefreshed:
		t.Class, t.ByUs = ClassTimeout, true
	case dialog.Broken, dialog.NoCause:
		t.Class = ClassFailed
	}
	return t
}

// Package dialog holds what RFC 3261 says about one dialog made by an INVITE,
// without a network, a clock or a goroutine: a machine whose inputs are what
// happened and whose outputs are what to do, and the identity (tags, sequence
// numbers, route set, remote target) from which requests in the dialog are made.
package dialog

// State is where a call stands.
type State uint8

// The states. A UAS goes Incoming, Answered, Confirmed; a UAC Calling,
// Proceeding, Confirmed. The others are ways out.
const (
	Incoming   State = iota // UAS: no final answer sent
	Answered                // UAS: 2xx sent, no ACK yet
	Leaving                 // UAS: hung up after the 2xx; the BYE has to wait for the ACK (RFC 3261 section 15)
	Calling                 // UAC: no answer of any kind yet
	Proceeding              // UAC: a provisional answer came
	Withdrawn               // UAC: hung up in Calling, by us or by a BYE too early; the CANCEL has to wait for a 1xx (section 9.1)
	Cancelling              // UAC: CANCEL sent, final answer awaited
	Confirmed               // 2xx and ACK exchanged
	Ended
	states
)

var stateNames = [states]string{"incoming", "answered", "leaving", "calling", "proceeding",
	"withdrawn", "cancelling", "confirmed", "ended"}

func (s State) String() string { return stateNames[s] }

// Input is something that happened to a call.
type Input uint8

// The inputs.
const (
	UserRing       Input = iota // the owner wants a provisional answer sent
	UserAnswer                  // … a 2xx
	UserReject                  // … a failure
	UserHangup                  // … the end, whatever the state
	RecvCancel                  // CANCEL
	RecvAck                     // ACK of our 2xx
	RecvBye                     // BYE
	Recv1xx                     // provisional answer
	Recv2xx                     // first 2xx
	Recv2xxAgain                // the same 2xx once more
	Recv2xxFork                 // 2xx of another branch (other To tag)
	RecvFail                    // 3xx to 6xx
	TxFailed                    // the INVITE transaction ended by itself: no answer, no connection
	FlowDead                    // the connection to the peer closed
	SentAgain                   // the INVITE was sent anew: with credentials, or to another address
	TimerResend                 // send the 2xx again
	TimerAck                    // no ACK within 64*T1 (section 13.3.1.4)
	TimerCancelled              // no final answer within 64*T1 of the CANCEL (section 9.1)
	SessionOver                 // the session was not refreshed in time (RFC 4028 section 10)
	inputs
)

var inputNames = [inputs]string{"ring", "answer", "reject", "hangup", "<cancel", "<ack", "<bye", "<1xx",
	"<2xx", "<2xx again", "<2xx fork", "<fail", "tx failed", "flow dead", "sent again", "resend", "ack late", "cancel late", "session over"}

func (i Input) String() string { return inputNames[i] }

// Action is something to do, in the order given.
type Action uint8

// The actions.
const (
	SendRing     Action = iota + 1 // the provisional answer asked for
	SendAnswer                     // the 2xx, and start its timers
	ResendAnswer                   // the 2xx once more, and rearm its timer
	SendReject                     // the failure asked for
	SendGone                       // 480 to the INVITE: the owner hung up instead of answering
	SendGone487                    // 487 to the INVITE: the caller ended the early dialog by BYE
	SendAck                        // the ACK of the 2xx, new or again
	SendForkEnd                    // ACK and BYE for the other branch
	SendBye                        // BYE
	SendCancel                     // CANCEL, and start its timer
	DropInvite                     // forget the INVITE transaction
	StopTimers                     // all of them
	TellProgress                   // the owner: LegProgress
	TellAnswered                   // the owner: LegAnswered
)

var actionNames = [...]string{"", "180>", "200>", "200> again", "reject>", "480>", "487>", "ACK>", "fork: ACK> BYE>",
	"BYE>", "CANCEL>", "drop", "stop timers", "tell progress", "tell answered"}

func (a Action) String() string { return actionNames[a] }

// Cause is why a call ended, to be told to the owner once.
type Cause uint8

// The causes. No cause: the end was told before, or has not come.
const (
	NoCause       Cause = iota
	PeerHungUp          // BYE from the peer
	WeHungUp            // BYE from us
	PeerCancelled       // the caller gave up
	WeCancelled         // we gave up calling
	WeRejected          // by the code that the owner chose
	PeerRejected        // by the code that came
	NoResponse          // nothing came, or the peer could not be reached
	NoAck               // our 2xx was never acknowledged
	Broken              // the connection broke before there was an answer
	Unrefreshed         // the peer did not refresh the session, or did not answer our refresh
)

var causeNames = [...]string{"", "peer hung up", "we hung up", "peer cancelled", "we cancelled",
	"we rejected", "peer rejected", "no response", "no ack", "broken", "unrefreshed"}

func (c Cause) String() string { return causeNames[c] }

// Step is what an input leads to.
type Step struct {
	Next State
	Do   []Action // read-only
	End  Cause
}

// Next looks up what an input leads to in a state. ok is false when it means
// nothing there; then nothing changes.
func Next(s State, in Input) (step Step, ok bool) {
	t := &table[s][in]
	return t.Step, t.set
}

type entry struct {
	Step
	set bool
}

func to(next State, do ...Action) entry { return entry{Step{Next: next, Do: do}, true} }

func end(cause Cause, next State, do ...Action) entry {
	return entry{Step{Next: next, Do: do, End: cause}, true}
}

// table holds every transition there is.
var table = [states][inputs]entry{
	Incoming: {
		UserRing:   to(Incoming, SendRing),
		UserAnswer: to(Answered, SendAnswer),
		UserReject: end(WeRejected, Ended, SendReject),
		UserHangup: end(WeHungUp, Ended, SendGone),
		RecvCancel: end(PeerCancelled, Ended),              // the transaction layer sent 200 and 487
		RecvBye:    end(PeerCancelled, Ended, SendGone487), // section 15.1.2
		TxFailed:   end(Broken, Ended),
		FlowDead:   end(Broken, Ended),
	},
	Answered: {
		RecvCancel:  end(PeerCancelled, Ended, StopTimers), // it came while the 2xx was on its way to the transaction
		RecvAck:     to(Confirmed, StopTimers, TellAnswered),
		RecvBye:     end(PeerHungUp, Ended, StopTimers), // the ACK was lost or overtaken
		UserHangup:  end(WeHungUp, Leaving),
		TimerResend: to(Answered, ResendAnswer),
		TimerAck:    end(NoAck, Ended, StopTimers, SendBye),
	},
	Leaving: {
		RecvAck:     to(Ended, StopTimers, SendBye),
		RecvBye:     to(Ended, StopTimers),
		RecvCancel:  to(Ended, StopTimers),
		TimerResend: to(Leaving, ResendAnswer),
		TimerAck:    to(Ended, StopTimers, SendBye),
	},
	Calling: {
		Recv1xx:    to(Proceeding, StopTimers, TellProgress),
		Recv2xx:    to(Confirmed, StopTimers, SendAck, TellAnswered),
		RecvFail:   end(PeerRejected, Ended, StopTimers),
		RecvBye:    end(PeerHungUp, Withdrawn), // it overtook its 1xx or 2xx, or section 15 is not known there
		TxFailed:   end(NoResponse, Ended, StopTimers, DropInvite),
		FlowDead:   end(NoResponse, Ended, StopTimers, DropInvite),
		UserHangup: end(WeCancelled, Withdrawn),
		SentAgain:  to(Calling),
	},
	Proceeding: {
		Recv1xx:    to(Proceeding, TellProgress),
		Recv2xx:    to(Confirmed, SendAck, TellAnswered),
		RecvFail:   end(PeerRejected, Ended),
		RecvBye:    end(PeerHungUp, Cancelling, SendCancel),
		TxFailed:   end(NoResponse, Ended, DropInvite),
		FlowDead:   end(NoResponse, Ended, DropInvite),
		UserHangup: end(WeCancelled, Cancelling, SendCancel),
		SentAgain:  to(Calling), // a CANCEL has to wait for a 1xx to the new one: section 9.1
	},
	Withdrawn: {
		Recv1xx:  to(Cancelling, StopTimers, SendCancel),
		Recv2xx:  to(Ended, StopTimers, SendAck, SendBye),
		RecvFail: to(Ended, StopTimers),
		RecvBye:  to(Withdrawn),
		TxFailed: to(Ended, StopTimers, DropInvite),
		FlowDead: to(Ended, StopTimers, DropInvite),
	},
	Cancelling: {
		Recv2xx:        to(Ended, StopTimers, SendAck, SendBye), // it was faster than the CANCEL
		RecvFail:       to(Ended, StopTimers),
		RecvBye:        to(Cancelling),
		TxFailed:       to(Ended, StopTimers, DropInvite),
		FlowDead:       to(Ended, StopTimers, DropInvite),
		TimerCancelled: to(Ended, StopTimers, DropInvite),
	},
	Confirmed: {
		Recv2xxAgain: to(Confirmed, SendAck),
		Recv2xxFork:  to(Confirmed, SendForkEnd),
		RecvBye:      end(PeerHungUp, Ended),
		UserHangup:   end(WeHungUp, Ended, SendBye),
		SessionOver:  end(Unrefreshed, Ended, SendBye),
	},
	Ended: {
		Recv2xx:      to(Ended, SendAck, SendBye), // after the CANCEL was given up
		Recv2xxAgain: to(Ended, SendAck),
		Recv2xxFork:  to(Ended, SendForkEnd),
	},
}

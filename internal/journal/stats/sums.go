package stats

// sum names what is added up.
type sum int

// What is added up: counts, and times in microseconds.
const (
	visitsAll       sum = iota
	visitsAway          // turned away at the door: full, closed, rejected
	visitsAnswered      // by an agent
	visitsAbandoned     // hung up while waiting or ringing, the short ones included
	visitsShort         // of them, those with a wait less than the measure's short
	visitsOut           // went on to another group, a number outside, voicemail or a callback
	visitsUnserved      // ended by us, or by a fault, without anybody
	answeredWithin      // of those answered, with a wait within the measure
	abandonedWithin     // of those abandoned and not short
	levelPart           // of the service level, by each group's measure
	levelOf             //
	waitAnswered        // µs
	waitAbandoned       // µs, the short ones included
	waitMax             // µs, of those answered or abandoned
	promises            // answered ones that could be told when
	promisedWait        // µs: how long they could be told it would take
	promisedReal        // µs: how long it took
	promisedWrong       // µs: by how much the two differed, in either direction
	offersAnswered      // to agents, by outcome
	offersDeclined      //
	offersBusy          //
	offersNoAnswer      //
	offersUnreached     //
	offersLostRace      //
	offersWithdrawn     //
	offersSpeed         // µs from offer to answer, of those answered
	talksAll            // by agents
	talkTime            // µs without hold
	holdTime            // µs
	holds               // how often
	wrapTime            // µs
	talkMax             // µs with hold
	movedBlind          // transfers that somebody took
	movedAttended       //
	movedFailed         // that nobody took, or that could not be
	consulted           // consultations that did not become transfers
	movedBySuper        // by a supervisor
	parkings            //
	legsAll             // with figures of their audio
	packetsExpected     // towards us
	packetsLost         //
	mosLegs             // legs whose MOS is known
	mosSum              // hundredths
	mosMin              // hundredths; 0: unknown
	endedAll            // interactions
	endedUnanswered     // of them, those that never were with anybody
	chatsUnanswered     // chats that were so for longer than the channel lets them
	endedChats          // of those that ended
	firstAnswers        // first answers of chats
	firstWithin         // of them, those within the measure
	firstTime           // µs
	firstMax            // µs
	firstLeft           // chats that ended without any
	laterAnswers        // the answers after the first
	laterTime           // µs
	laterMax            // µs
	laterLeft           // chats that ended though their customer waited for another
	customerRatings     // how often customers rated
	customerScores      // hundredths, added up
	superRatings        // and supervisors
	superScores         // hundredths, added up
	callsMade           // by agents, to numbers outside and to colleagues
	callsReached        // of them, those that were answered
	callsMadeTime       // µs from answer to end
	stateAvailable      // µs in the states
	stateRinging        // reserved, ringing
	stateTalking        //
	stateWrapUp         //
	stateBreak          //
	stateOther          // at work, and not to be offered anything for a moment: backing off, busy elsewhere
	numSums
)

type sums [numSums]int64

// merge adds others, or takes the greater or lesser.
func (s *sums) merge(o *sums) {
	for k, v := range o {
		s.add(sum(k), v)
	}
}

func (s *sums) add(k sum, v int64) {
	switch k {
	case waitMax, talkMax, firstMax, laterMax:
		s[k] = max(s[k], v)
	case mosMin:
		if s[k] == 0 || v != 0 && v < s[k] {
			s[k] = v
		}
	default:
		s[k] += v
	}
}

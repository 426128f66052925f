package stats

import "slices"

// Unit is what a figure is measured in.
type Unit string

// Counts; seconds; a share of 1; a score: from 1 to 4.5 of audio, to 5 of ratings.
const (
	Count   Unit = "count"
	Seconds Unit = "seconds"
	Share   Unit = "share"
	Score   Unit = "score"
)

// Value is a figure as the integers that it is made of: Part divided by Of. Of is 1
// where nothing is divided, and 0 where there is nothing to divide by: then the
// figure is unknown. Part is in the unit's own: 1, microseconds, 1, hundredths.
type Value struct {
	Part, Of int64
	Unit     Unit
}

// Known tells whether there is a figure at all.
func (v Value) Known() bool { return v.Of != 0 }

// Scope says which reports have a figure.
type Scope string

// All; those about who waited, not about what agents did; those by agents and times
// alone, since an agent's time belongs to no group, number, trunk or channel.
const (
	Everywhere Scope = "all"
	OfQueues   Scope = "queues"
	OfTime     Scope = "time"
)

// Figure is something that reports tell.
type Figure struct {
	Name    string // as in JSON and CSV, for ever
	Title   string
	Unit    Unit
	Formula string
	Source  string // the table, and what of it
	Scope   Scope

	from  source
	value func(l *Line) Value
}

// source is what has to be counted for a figure.
type source int

const (
	fromVisits source = iota
	fromRanks
	fromAnswers
	fromFirsts // the percentiles of first answers
	fromLaters
	fromRatings
	fromOffers
	fromTalks
	fromTransfers
	fromLegs
	fromInteractions
	fromMade
	fromStates
)

// needs tells whether something has to be counted for what is asked for.
func (q *Query) needs(of source) bool {
	return q.Figures == nil || slices.ContainsFunc(Figures(), func(f Figure) bool { return f.from == of && slices.Contains(q.Figures, f.Name) })
}

// Of is the figure of a line.
func (f *Figure) Of(l *Line) Value {
	v := f.value(l)
	v.Unit = f.Unit
	return v
}

// In tells whether a report has the figure.
func (f *Figure) In(q *Query) bool {
	switch f.Scope {
	case OfQueues:
		return !q.ofAgents()
	case OfTime:
		return q.ofTime()
	case Everywhere:
	}
	return true
}

// Figures returns all of them, in the order in which they are shown.
func Figures() []Figure {
	var all []Figure
	for _, list := range [][]Figure{queueFigures(), waitFigures(), offerFigures(), talkFigures(), timeFigures(), moveFigures(), otherFigures(), chatFigures()} {
		all = append(all, list...)
	}
	return all
}

// plain is a sum itself, ratio the one of two.
func plain(of sum) func(*Line) Value {
	return func(l *Line) Value { return Value{Part: l.sums[of], Of: 1} }
}

func ratio(part, of sum) func(*Line) Value {
	return func(l *Line) Value { return Value{Part: l.sums[part], Of: l.sums[of]} }
}

func percentile(of series, k int) func(*Line) Value {
	return func(l *Line) Value {
		if !l.ranks[of].known {
			return Value{}
		}
		return Value{Part: l.ranks[of].of[k], Of: 1}
	}
}

// longest is the greatest of so many, unknown where there is none.
func longest(most, of sum) func(*Line) Value {
	return func(l *Line) Value { return Value{Part: l.sums[most], Of: min(1, l.sums[of])} }
}

const ofVisits = "visits: each stay in a group, by its outcome"

func queueFigures() []Figure {
	return []Figure{
		{"offered", "Offered", Count, "answered + abandoned + passed_on + unserved", ofVisits, OfQueues, fromVisits,
			func(l *Line) Value { return Value{Part: offered(&l.sums), Of: 1} }},
		{"answered", "Answered by agents", Count, "stays that an agent's answer ended", ofVisits, Everywhere, fromVisits, plain(visitsAnswered)},
		{"abandoned", "Abandoned", Count, "stays that ended since the caller hung up, short_abandons included", ofVisits, OfQueues, fromVisits, plain(visitsAbandoned)},
		{"short_abandons", "Short abandons", Count, "abandoned with a wait < short, of the group's service_level", ofVisits, OfQueues, fromVisits, plain(visitsShort)},
		{"passed_on", "Passed on", Count, "stays that ended in another group (overflow, moved), at a number outside, in voicemail or as a callback", ofVisits, OfQueues, fromVisits, plain(visitsOut)},
		{"unserved", "Ended unserved", Count, "stays that were ended by a rule (missed, nobody available) or a fault", ofVisits, OfQueues, fromVisits, plain(visitsUnserved)},
		{"turned_away", "Turned away", Count, "refused at the door: queue full, closed hours, rejected; not among offered", ofVisits, OfQueues, fromVisits, plain(visitsAway)},
		{"answered_within", "Answered in time", Count, "answered with a wait ≤ within, of the group's service_level", ofVisits, OfQueues, fromVisits, plain(answeredWithin)},
		{"abandoned_within", "Abandoned in time", Count, "abandoned with a wait ≤ within, short_abandons left out", ofVisits, OfQueues, fromVisits, plain(abandonedWithin)},
		{"service_level", "Service level", Share,
			"negative: answered_within / (offered − short_abandons); ignored: answered_within / (offered − short_abandons − abandoned_within); positive: (answered_within + abandoned_within) / (offered − short_abandons); each group by its own, parts and wholes added up",
			ofVisits, OfQueues, fromVisits, ratio(levelPart, levelOf)},
		{"abandon_rate", "Abandon rate", Share, "(abandoned − short_abandons) / (offered − short_abandons)", ofVisits, OfQueues, fromVisits,
			func(l *Line) Value {
				return Value{Part: l.sums[visitsAbandoned] - l.sums[visitsShort], Of: offered(&l.sums) - l.sums[visitsShort]}
			}},
	}
}

func waitFigures() []Figure {
	const ranked = "of the n waits of those answered, in order, number ⌈n × p / 100⌉"
	return []Figure{
		{"wait_mean", "Average speed of answer", Seconds, "Σ wait of answered / answered; a wait lasts from entering the group to the answer, ringing included", ofVisits, Everywhere, fromVisits, ratio(waitAnswered, visitsAnswered)},
		{"wait_p50", "Wait, median", Seconds, ranked + ", p = 50", ofVisits, Everywhere, fromRanks, percentile(ofWaits, 0)},
		{"wait_p90", "Wait, 90th percentile", Seconds, ranked + ", p = 90", ofVisits, Everywhere, fromRanks, percentile(ofWaits, 1)},
		{"wait_p95", "Wait, 95th percentile", Seconds, ranked + ", p = 95", ofVisits, Everywhere, fromRanks, percentile(ofWaits, 2)},
		{"wait_p99", "Wait, 99th percentile", Seconds, ranked + ", p = 99", ofVisits, Everywhere, fromRanks, percentile(ofWaits, 3)},
		{"wait_max", "Longest wait", Seconds, "the longest wait of answered and abandoned", ofVisits, Everywhere, fromVisits,
			func(l *Line) Value {
				return Value{Part: l.sums[waitMax], Of: min(1, l.sums[visitsAnswered]+l.sums[visitsAbandoned])}
			}},
		{"abandon_time_mean", "Average time to abandon", Seconds, "Σ wait of abandoned / abandoned", ofVisits, OfQueues, fromVisits, ratio(waitAbandoned, visitsAbandoned)},
		{"promised", "Waits with a forecast", Count, "answered of whom it could be told when, as they came to wait", ofVisits + ", with promised", OfQueues, fromVisits, plain(promises)},
		{"promised_wait_mean", "Forecast wait", Seconds, "Σ (promised − entered) / promised", ofVisits + ", with promised", OfQueues, fromVisits, ratio(promisedWait, promises)},
		{"promised_real_mean", "Real wait of those", Seconds, "Σ wait of the same / promised", ofVisits + ", with promised", OfQueues, fromVisits, ratio(promisedReal, promises)},
		{"promised_error_mean", "Error of the forecast", Seconds, "Σ |(promised − entered) − wait| / promised", ofVisits + ", with promised", OfQueues, fromVisits, ratio(promisedWrong, promises)},
	}
}

func missed(s *sums) int64 {
	return s[offersDeclined] + s[offersBusy] + s[offersNoAnswer] + s[offersUnreached]
}

func offerFigures() []Figure {
	const offers = "offers to agents, of all kinds, by outcome"
	return []Figure{
		{"offers_answered", "Offers answered", Count, "outcome answered", offers, Everywhere, fromOffers, plain(offersAnswered)},
		{"offers_missed", "Offers missed", Count, "offers_declined + offers_busy + offers_no_answer + offers_unreachable, each offer once", offers, Everywhere, fromOffers,
			func(l *Line) Value { return Value{Part: missed(&l.sums), Of: 1} }},
		{"offers_declined", "Declined", Count, "outcome declined", offers, Everywhere, fromOffers, plain(offersDeclined)},
		{"offers_busy", "Phone busy", Count, "outcome busy", offers, Everywhere, fromOffers, plain(offersBusy)},
		{"offers_no_answer", "Rang in vain", Count, "outcome no_answer", offers, Everywhere, fromOffers, plain(offersNoAnswer)},
		{"offers_unreachable", "Unreachable", Count, "outcome unreachable", offers, Everywhere, fromOffers, plain(offersUnreached)},
		{"offers_lost_race", "A colleague was faster", Count, "outcome lost_race; not missed", offers, Everywhere, fromOffers, plain(offersLostRace)},
		{"offers_withdrawn", "Withdrawn", Count, "outcome withdrawn: the caller left first, or it was moved; not missed", offers, Everywhere, fromOffers, plain(offersWithdrawn)},
		{"answer_rate", "Answer rate", Share, "offers_answered / (offers_answered + offers_missed)", offers, Everywhere, fromOffers,
			func(l *Line) Value {
				return Value{Part: l.sums[offersAnswered], Of: l.sums[offersAnswered] + missed(&l.sums)}
			}},
		{"answer_speed_mean", "Speed of answers", Seconds, "Σ (answer − offer made) of answered offers / offers_answered", offers, Everywhere, fromOffers, ratio(offersSpeed, offersAnswered)},
	}
}

func talkFigures() []Figure {
	const talks = "talks of agents: each time that an agent had a call or chat"
	handle := func(s *sums) int64 { return s[talkTime] + s[holdTime] + s[wrapTime] }
	return []Figure{
		{"handled", "Handled", Count, "talks, each agent's of a transferred call", talks, Everywhere, fromTalks, plain(talksAll)},
		{"talk_time", "Talk time", Seconds, "Σ (end − beginning − hold)", talks, Everywhere, fromTalks, plain(talkTime)},
		{"talk_mean", "Talk time, mean", Seconds, "talk_time / handled", talks, Everywhere, fromTalks, ratio(talkTime, talksAll)},
		{"hold_time", "Hold time", Seconds, "Σ time on hold, or aside during a consultation", talks, Everywhere, fromTalks, plain(holdTime)},
		{"hold_mean", "Hold time, mean", Seconds, "hold_time / handled", talks, Everywhere, fromTalks, ratio(holdTime, talksAll)},
		{"holds", "Holds", Count, "how often somebody was put on hold", talks, Everywhere, fromTalks, plain(holds)},
		{"wrap_up_time", "Wrap-up time", Seconds, "Σ (end − beginning) of wrap-up that has ended", talks, Everywhere, fromTalks, plain(wrapTime)},
		{"wrap_up_mean", "Wrap-up time, mean", Seconds, "wrap_up_time / handled", talks, Everywhere, fromTalks, ratio(wrapTime, talksAll)},
		{"handle_time", "Handle time", Seconds, "talk_time + hold_time + wrap_up_time", talks, Everywhere, fromTalks,
			func(l *Line) Value { return Value{Part: handle(&l.sums), Of: 1} }},
		{"handle_mean", "Handle time, mean", Seconds, "handle_time / handled", talks, Everywhere, fromTalks,
			func(l *Line) Value { return Value{Part: handle(&l.sums), Of: l.sums[talksAll]} }},
		{"talk_max", "Longest talk", Seconds, "the longest (end − beginning)", talks, Everywhere, fromTalks, longest(talkMax, talksAll)},
	}
}

func timeFigures() []Figure {
	const states = "agent_states: how long an agent was in each state, cut at the ends of the interval"
	return []Figure{
		{"available_time", "Available", Seconds, "Σ time available", states, OfTime, fromStates, plain(stateAvailable)},
		{"ringing_time", "Being rung", Seconds, "Σ time reserved and ringing", states, OfTime, fromStates, plain(stateRinging)},
		{"busy_time", "Talking", Seconds, "Σ time talking; of several at once, once", states, OfTime, fromStates, plain(stateTalking)},
		{"after_time", "In wrap-up", Seconds, "Σ time in wrap-up", states, OfTime, fromStates, plain(stateWrapUp)},
		{"other_time", "At work otherwise", Seconds, "Σ time backing off and busy elsewhere", states, OfTime, fromStates, plain(stateOther)},
		{"break_time", "On break", Seconds, "Σ time on break", states, OfTime, fromStates, plain(stateBreak)},
		{"occupancy", "Occupancy", Share, "(busy_time + after_time) / (busy_time + after_time + available_time): neither breaks nor the time in which it rings are in it", states, OfTime, fromStates,
			func(l *Line) Value {
				busy := l.sums[stateTalking] + l.sums[stateWrapUp]
				return Value{Part: busy, Of: busy + l.sums[stateAvailable]}
			}},
	}
}

func moveFigures() []Figure {
	const transfers = "transfers, by what became of them; the group is that of the talk during which it was done"
	return []Figure{
		{"transfers_blind", "Blind transfers", Count, "kind blind, that somebody took or that went to a group", transfers, Everywhere, fromTransfers, plain(movedBlind)},
		{"transfers_attended", "Attended transfers", Count, "kind attended and joined, that somebody took", transfers, Everywhere, fromTransfers, plain(movedAttended)},
		{"transfers_failed", "Transfers that failed", Count, "that nobody took, or that could not be", transfers, Everywhere, fromTransfers, plain(movedFailed)},
		{"consultations", "Consultations", Count, "that did not become transfers", transfers, Everywhere, fromTransfers, plain(consulted)},
		{"moved", "Moved by supervisors", Count, "kind moved, by who moved it", transfers, Everywhere, fromTransfers, plain(movedBySuper)},
		{"parked", "Parked", Count, "kind parked", transfers, Everywhere, fromTransfers, plain(parkings)},
	}
}

func otherFigures() []Figure {
	const (
		calls = "interactions that have ended; the group and the agent are the last ones"
		made  = "interactions that have ended, by the agent who called"
		legs  = "legs: how the audio was that came in; the group is the last one of the call"
	)
	return []Figure{
		{"interactions", "Calls and chats", Count, "all that have ended", calls, Everywhere, fromInteractions, plain(endedAll)},
		{"never_answered", "Never answered", Count, "of them, those that nobody ever had", calls, Everywhere, fromInteractions, plain(endedUnanswered)},
		{"calls_made", "Calls made", Count, "calls that agents began themselves, to numbers outside, colleagues and groups", made, Everywhere, fromMade, plain(callsMade)},
		{"calls_reached", "Calls made and answered", Count, "of them, those that were answered", made, Everywhere, fromMade, plain(callsReached)},
		{"calls_made_time", "Time in calls made", Seconds, "Σ (end − answer) of calls_reached", made, Everywhere, fromMade, plain(callsMadeTime)},
		{"legs", "Legs with audio", Count, "legs that had agreed on a codec", legs, Everywhere, fromLegs, plain(legsAll)},
		{"packet_loss", "Packet loss", Share, "Σ lost / Σ expected RTP packets", legs, Everywhere, fromLegs, ratio(packetsLost, packetsExpected)},
		{"mos_mean", "MOS, mean", Score, "Σ MOS / legs whose MOS is known", legs, Everywhere, fromLegs, ratio(mosSum, mosLegs)},
		{"mos_min", "MOS, worst", Score, "the least MOS of a leg", legs, Everywhere, fromLegs, longest(mosMin, mosLegs)},
	}
}

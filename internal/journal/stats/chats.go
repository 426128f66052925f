package stats

// chatFigures are those of chats alone (R78). What an agent has of them is what they
// wrote themself; what a chat ended without is theirs who had it then.
func chatFigures() []Figure {
	const (
		calls   = "interactions that have ended; the group and the agent are the last ones"
		answers = "answers: each time that the customer of a chat waits for one, from the first message since the answer before until an agent writes; bots and automatic texts are none, and the time for which the channel is closed is not part of it"
		ratings = "chat_ratings, the latest of each person for each chat; the group and the agent are the last ones of the chat; one that a bot had to its end is its channel's, and nobody's"
		first   = "of the n first answers, by their time, number ⌈n × p / 100⌉"
		later   = "of the n later answers, by their time, number ⌈n × p / 100⌉"
	)
	return []Figure{
		{"chats", "Chats", Count, "chats that have ended", calls, Everywhere, fromInteractions, plain(endedChats)},
		{"chats_unanswered", "Chats left unanswered", Count, "chats that nobody accepted for longer than unanswered_after", calls, Everywhere, fromInteractions, plain(chatsUnanswered)},
		{"chats_without_answer", "Chats without any answer", Count, "chats that ended before anybody had written an answer", answers, Everywhere, fromAnswers, plain(firstLeft)},
		{"chats_left_waiting", "Chats ended while the customer waited", Count, "chats that ended after the customer had written last, with answers before", answers, Everywhere, fromAnswers, plain(laterLeft)},
		{"first_answers", "First answers", Count, "first answers of chats", answers, Everywhere, fromAnswers, plain(firstAnswers)},
		{"first_answer_mean", "First answer, mean", Seconds, "Σ (answer − the customer's first message) / first_answers", answers, Everywhere, fromAnswers, ratio(firstTime, firstAnswers)},
		{"first_answer_p50", "First answer, median", Seconds, first + ", p = 50", answers, Everywhere, fromFirsts, percentile(ofFirsts, 0)},
		{"first_answer_p90", "First answer, 90th percentile", Seconds, first + ", p = 90", answers, Everywhere, fromFirsts, percentile(ofFirsts, 1)},
		{"first_answer_p95", "First answer, 95th percentile", Seconds, first + ", p = 95", answers, Everywhere, fromFirsts, percentile(ofFirsts, 2)},
		{"first_answer_p99", "First answer, 99th percentile", Seconds, first + ", p = 99", answers, Everywhere, fromFirsts, percentile(ofFirsts, 3)},
		{"first_answer_max", "Longest first answer", Seconds, "the longest time to a first answer", answers, Everywhere, fromAnswers, longest(firstMax, firstAnswers)},
		{"first_answers_within", "First answers in time", Count, "first answers within the channel's service_level", answers, Everywhere, fromAnswers, plain(firstWithin)},
		{"first_answer_level", "First answers in time, share", Share, "first_answers_within / (first_answers + chats_without_answer)", answers, Everywhere, fromAnswers,
			func(l *Line) Value {
				return Value{Part: l.sums[firstWithin], Of: l.sums[firstAnswers] + l.sums[firstLeft]}
			}},
		{"next_answers", "Later answers", Count, "answers of chats after the first", answers, Everywhere, fromAnswers, plain(laterAnswers)},
		{"next_answer_mean", "Later answers, mean", Seconds, "Σ (answer − the customer's message) / next_answers", answers, Everywhere, fromAnswers, ratio(laterTime, laterAnswers)},
		{"next_answer_p50", "Later answers, median", Seconds, later + ", p = 50", answers, Everywhere, fromLaters, percentile(ofLaters, 0)},
		{"next_answer_p90", "Later answers, 90th percentile", Seconds, later + ", p = 90", answers, Everywhere, fromLaters, percentile(ofLaters, 1)},
		{"next_answer_max", "Longest later answer", Seconds, "the longest time to a later answer", answers, Everywhere, fromAnswers, longest(laterMax, laterAnswers)},
		{"customer_ratings", "Customers' ratings", Count, "how often customers rated a chat", ratings, Everywhere, fromRatings, plain(customerRatings)},
		{"customer_rating_mean", "Customers' ratings, mean", Score, "Σ score / customer_ratings, from 1 to 5", ratings, Everywhere, fromRatings, ratio(customerScores, customerRatings)},
		{"supervisor_ratings", "Supervisors' ratings", Count, "how often supervisors rated a chat", ratings, Everywhere, fromRatings, plain(superRatings)},
		{"supervisor_rating_mean", "Supervisors' ratings, mean", Score, "Σ score / supervisor_ratings, from 1 to 5", ratings, Everywhere, fromRatings, ratio(superScores, superRatings)},
	}
}

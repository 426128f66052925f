package acd

// The names of the kinds of events and commands on the wire. They never change.

func (*ConfigApplied) kind() string  { return "config_applied" }
func (*NodeStarted) kind() string    { return "node_started" }
func (*NodeLost) kind() string       { return "node_lost" }
func (*AgentOnline) kind() string    { return "agent_online" }
func (*AgentOffline) kind() string   { return "agent_offline" }
func (*ClientSeen) kind() string     { return "client_seen" }
func (*DutySet) kind() string        { return "duty_set" }
func (*DNDSet) kind() string         { return "dnd_set" }
func (*WrapUpSet) kind() string      { return "wrap_up_set" }
func (*Disposed) kind() string       { return "disposed" }
func (*TrunkSeen) kind() string      { return "trunk_seen" }
func (*SeatSet) kind() string        { return "seat_set" }
func (*HoursForced) kind() string    { return "hours_forced" }
func (*LevelRaised) kind() string    { return "level_raised" }
func (*CallAsked) kind() string      { return "call_asked" }
func (*CallArrived) kind() string    { return "call_arrived" }
func (*LegAnswered) kind() string    { return "leg_answered" }
func (*LegEnded) kind() string       { return "leg_ended" }
func (*OfferRinging) kind() string   { return "offer_ringing" }
func (*OfferAnswered) kind() string  { return "offer_answered" }
func (*OfferFailed) kind() string    { return "offer_failed" }
func (*Bridged) kind() string        { return "bridged" }
func (*Held) kind() string           { return "held" }
func (*Served) kind() string         { return "served" }
func (*TransferAsked) kind() string  { return "transfer_asked" }
func (*ConsultAsked) kind() string   { return "consult_asked" }
func (*ConsultSwapped) kind() string { return "consult_swapped" }
func (*ConsultDone) kind() string    { return "consult_done" }
func (*Joined) kind() string         { return "joined" }
func (*Claimed) kind() string        { return "claimed" }
func (*Parked) kind() string         { return "parked" }
func (*Moved) kind() string          { return "moved" }
func (*Prioritised) kind() string    { return "prioritised" }
func (*ChatArrived) kind() string    { return "chat_arrived" }
func (*ChatWritten) kind() string    { return "chat_written" }
func (*ChatClosed) kind() string     { return "chat_closed" }
func (*ChatJoined) kind() string     { return "chat_joined" }
func (*DeadlinePassed) kind() string { return "deadline_passed" }

func (*Alert) kind() string      { return "alert" }
func (*Answer) kind() string     { return "answer" }
func (*Reject) kind() string     { return "reject" }
func (*Play) kind() string       { return "play" }
func (*Ring) kind() string       { return "ring" }
func (*Dial) kind() string       { return "dial" }
func (*Serve) kind() string      { return "serve" }
func (*CancelRing) kind() string { return "cancel_ring" }
func (*Bridge) kind() string     { return "bridge" }
func (*EndLeg) kind() string     { return "end_leg" }
func (*Tell) kind() string       { return "tell" }
func (*Report) kind() string     { return "report" }

// newEvent returns an empty event of the kind; nil: no such kind.
func newEvent(kind string) Event {
	switch kind {
	case "config_applied":
		return &ConfigApplied{}
	case "node_started":
		return &NodeStarted{}
	case "node_lost":
		return &NodeLost{}
	case "agent_online":
		return &AgentOnline{}
	case "agent_offline":
		return &AgentOffline{}
	case "client_seen":
		return &ClientSeen{}
	case "duty_set":
		return &DutySet{}
	case "dnd_set":
		return &DNDSet{}
	case "wrap_up_set":
		return &WrapUpSet{}
	case "disposed":
		return &Disposed{}
	case "trunk_seen":
		return &TrunkSeen{}
	case "seat_set":
		return &SeatSet{}
	case "hours_forced":
		return &HoursForced{}
	case "level_raised":
		return &LevelRaised{}
	case "call_asked":
		return &CallAsked{}
	case "call_arrived":
		return &CallArrived{}
	case "leg_answered":
		return &LegAnswered{}
	case "leg_ended":
		return &LegEnded{}
	case "offer_ringing":
		return &OfferRinging{}
	case "offer_answered":
		return &OfferAnswered{}
	case "offer_failed":
		return &OfferFailed{}
	case "bridged":
		return &Bridged{}
	case "held":
		return &Held{}
	case "served":
		return &Served{}
	case "chat_arrived":
		return &ChatArrived{}
	case "chat_written":
		return &ChatWritten{}
	case "chat_closed":
		return &ChatClosed{}
	case "chat_joined":
		return &ChatJoined{}
	case "deadline_passed":
		return &DeadlinePassed{}
	}
	return newMove(kind)
}

// newMove does it for facts about who is to have an interaction, or to have it sooner.
func newMove(kind string) Event {
	switch kind {
	case "transfer_asked":
		return &TransferAsked{}
	case "consult_asked":
		return &ConsultAsked{}
	case "consult_swapped":
		return &ConsultSwapped{}
	case "consult_done":
		return &ConsultDone{}
	case "joined":
		return &Joined{}
	case "claimed":
		return &Claimed{}
	case "parked":
		return &Parked{}
	case "moved":
		return &Moved{}
	case "prioritised":
		return &Prioritised{}
	}
	return nil
}

// newCommand returns an empty command of the kind; nil: no such kind.
func newCommand(kind string) Command {
	switch kind {
	case "alert":
		return &Alert{}
	case "answer":
		return &Answer{}
	case "reject":
		return &Reject{}
	case "play":
		return &Play{}
	case "ring":
		return &Ring{}
	case "dial":
		return &Dial{}
	case "serve":
		return &Serve{}
	case "cancel_ring":
		return &CancelRing{}
	case "bridge":
		return &Bridge{}
	case "end_leg":
		return &EndLeg{}
	case "tell":
		return &Tell{}
	case "report":
		return &Report{}
	}
	return nil
}

// dispatch does with a fact what its kind asks for.
func (s *State) dispatch(e Event) {
	switch ev := e.(type) {
	case *ConfigApplied:
		s.applyConfig(ev)
	case *NodeStarted:
		s.applyNodeStarted(ev)
	case *NodeLost:
		s.applyNodeLost(ev)
	case *AgentOnline:
		s.applyAgentOnline(ev)
	case *AgentOffline:
		s.applyAgentOffline(ev)
	case *ClientSeen:
		s.applyClientSeen(ev)
	case *DutySet:
		s.applyDutySet(ev)
	case *DNDSet:
		s.applyDNDSet(ev)
	case *WrapUpSet:
		s.applyWrapUpSet(ev)
	case *Disposed:
		s.applyDisposed(ev)
	case *TrunkSeen:
		s.applyTrunkSeen(ev)
	case *SeatSet:
		s.applySeatSet(ev)
	case *ChatArrived:
		s.applyChatArrived(ev)
	case *ChatWritten:
		s.applyChatWritten(ev)
	case *ChatClosed:
		s.applyChatClosed(ev)
	case *ChatJoined:
		s.applyChatJoined(ev)
	case *HoursForced:
		s.applyHoursForced(ev)
	case *LevelRaised:
		s.applyLevelRaised(ev)
	case *CallAsked:
		s.applyCallAsked(ev)
	case *CallArrived:
		s.applyCallArrived(ev)
	case *LegAnswered:
		s.applyLegAnswered(ev)
	case *LegEnded:
		s.applyLegEnded(ev)
	case *OfferRinging:
		s.applyOfferRinging(ev)
	case *OfferAnswered:
		s.applyOfferAnswered(ev)
	case *OfferFailed:
		s.applyOfferFailed(ev)
	case *Bridged:
		s.applyBridged(ev)
	case *Held:
		s.applyHeld(ev)
	case *Served:
		s.applyServed(ev)
	case *DeadlinePassed:
		s.applyDeadlinePassed(ev)
	default:
		s.dispatchMove(e)
	}
}

// dispatchMove does it with facts about who is to have an interaction, or to have it sooner.
func (s *State) dispatchMove(e Event) {
	switch ev := e.(type) {
	case *TransferAsked:
		s.applyTransferAsked(ev)
	case *ConsultAsked:
		s.applyConsultAsked(ev)
	case *ConsultSwapped:
		s.applyConsultSwapped(ev)
	case *ConsultDone:
		s.applyConsultDone(ev)
	case *Joined:
		s.applyJoined(ev)
	case *Claimed:
		s.applyClaimed(ev)
	case *Parked:
		s.applyParked(ev)
	case *Moved:
		s.applyMoved(ev)
	case *Prioritised:
		s.applyPrioritised(ev)
	default:
		s.counters.Unknown++
	}
}

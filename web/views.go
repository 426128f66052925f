package web

import (
	"encoding/json"
	"strconv"
	"time"

	"centrala/acd"
)

// What the core shows, in the form of the API: times that are not known are left out, lengths
// of time are seconds.

// Agent is an agent and how they stand.
type Agent struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Extension    string    `json:"extension,omitempty" doc:"What colleagues dial."`
	Status       string    `json:"status" doc:"offline, available, reserved, ringing, talking, wrap_up, backing_off, busy_elsewhere, not_responding, dismissed, day_not_started, on_break or on_leave."`
	Since        time.Time `json:"since" doc:"Of the status."`
	Duty         string    `json:"duty" enum:"on,break,leave,off"`
	Reason       string    `json:"reason,omitempty" doc:"Of the break."`
	NextDuty     string    `json:"next_duty,omitempty" doc:"Once the present work is done."`
	DND          bool      `json:"dnd" doc:"Asked not to be disturbed."`
	CanTake      bool      `json:"can_take" doc:"May be offered a call now."`
	Groups       []string  `json:"groups" nullable:"false"`
	Seats        []Seat    `json:"seats" nullable:"false" doc:"Groups where they are not simply logged in."`
	Interactions []string  `json:"interactions" nullable:"false" doc:"Offered to or held by them."`
	Clients      []Client  `json:"clients" nullable:"false" doc:"Programs that they work with, other than telephones."`
	Phones       []string  `json:"phones" nullable:"false" doc:"Nodes at which their telephones are registered."`
	LastAnswer   time.Time `json:"last_answer,omitzero"`
	WrapUpUntil  time.Time `json:"wrap_up_until,omitzero"`
	MustTell     *Owed     `json:"must_tell,omitempty" doc:"What they have to tell before they end the time after it; nothing: they need not."`
	Misses       int       `json:"misses" doc:"Offers in a row that nobody reacted to."`
	Chats        int       `json:"chats" doc:"In hand, offers included."`
	ChatsCanTake int       `json:"chats_can_take" doc:"More that they may be offered now."`
}

// Owed is an interaction of which its agent has yet to tell what came.
type Owed struct {
	Interaction string `json:"interaction"`
	Group       string `json:"group" doc:"One of whose dispositions it is to be."`
}

// Seat is an agent's place in a group.
type Seat struct {
	Group  string    `json:"group"`
	State  string    `json:"state" enum:"in,out,paused"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

// Client is a program that an agent works with.
type Client struct {
	Node  string `json:"node"`
	Kind  string `json:"kind"`
	Rings bool   `json:"rings" doc:"Is registered for calls."`
	Open  bool   `json:"open" doc:"Chats can be shown in it."`
	Away  bool   `json:"away" doc:"Left alone for too long, hidden or locked."`
}

func viewAgent(s *acd.State, v acd.AgentView) Agent {
	a := Agent{
		ID: string(v.ID), Name: v.Name, Status: v.Status.String(), Since: v.Since, Duty: string(v.Duty), Reason: v.Reason, NextDuty: string(v.Next),
		DND: v.DND, CanTake: v.CanTake, Groups: texts(v.Groups), Seats: []Seat{}, Interactions: []string{}, Clients: []Client{}, Phones: texts(v.Nodes),
		LastAnswer: v.LastAnswer, WrapUpUntil: v.WrapUpUntil, Misses: v.Misses, Chats: v.Chats, ChatsCanTake: v.ChatsCanTake,
	}
	if v.MustTell != 0 {
		a.MustTell = &Owed{number(v.MustTell), string(v.MustTellIn)}
	}
	if def := s.Config().Agent(v.ID); def != nil {
		a.Extension = def.Extension
	}
	for _, x := range v.Seats {
		a.Seats = append(a.Seats, Seat{string(x.Group), string(x.State), x.Reason, x.Since})
	}
	for _, id := range v.Interactions {
		a.Interactions = append(a.Interactions, number(id))
	}
	for _, c := range v.Clients {
		a.Clients = append(a.Clients, Client{string(c.Node), string(c.Kind), c.Rings, c.Open, c.Away})
	}
	return a
}

// Group is a queue group, or the agents of a channel, and how it stands.
type Group struct {
	ID                  string         `json:"id" doc:"Of a channel's agents: channel: and its id."`
	Name                string         `json:"name"`
	Channel             string         `json:"channel,omitempty" doc:"Whose agents they are."`
	Waiting             int            `json:"waiting" doc:"Nobody is being rung for them."`
	Interactions        int            `json:"interactions" doc:"In any phase."`
	LongestSince        time.Time      `json:"longest_since,omitzero" doc:"Arrival of the first that waits."`
	Free                int            `json:"free" doc:"Agents who may be offered something now."`
	Agents              map[string]int `json:"agents" doc:"How many, by status."`
	Condition           string         `json:"condition" doc:"Whether, and why not, anybody can serve it."`
	Since               time.Time      `json:"since" doc:"Of the condition."`
	Dispositions        []string       `json:"dispositions" nullable:"false" doc:"Codes for what came of a call."`
	DispositionRequired bool           `json:"disposition_required" doc:"Agents have to tell one of them before they end the time after a call. When that is over by itself there is none."`
	Handle              float64        `json:"handle_seconds,omitempty" doc:"Mean time of handling an interaction, as known so far."`
}

func viewGroup(v acd.GroupView) Group {
	return Group{
		ID: string(v.ID), Name: v.Name, Channel: string(v.Channel), Waiting: v.Waiting, Interactions: v.Interactions, LongestSince: v.Longest,
		Free: v.Free, Agents: v.Agents, Condition: v.Condition, Since: v.Since, Dispositions: texts(v.Dispositions), DispositionRequired: v.DispositionRequired, Handle: v.Handle.Seconds(),
	}
}

// Interaction is a call or a chat that goes on.
type Interaction struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind" enum:"call,chat"`
	From       Party     `json:"from"`
	To         string    `json:"to"`
	Trunk      string    `json:"trunk,omitempty"`
	Channel    string    `json:"channel,omitempty"`
	Group      string    `json:"group,omitempty" doc:"Left out: it is in none, as a call between colleagues."`
	Phase      string    `json:"phase" doc:"queued, offered, connecting, talking, dialled, served, consulting, parked, closing or asleep."`
	Since      time.Time `json:"since" doc:"Of the phase."`
	Arrived    time.Time `json:"arrived"`
	Position   int       `json:"position,omitempty" doc:"In the queue, from 1, counting those who wait for agents whom this one could have too. Left out: it does not wait for its group."`
	Agent      string    `json:"agent,omitempty" doc:"Who has it."`
	For        string    `json:"for,omitempty" doc:"It waits for this agent only."`
	Consults   string    `json:"consults,omitempty" doc:"The colleague who is asked first."`
	Slot       string    `json:"slot,omitempty" doc:"Where it is parked."`
	Offers     []Offer   `json:"offers" nullable:"false"`
	Stints     []Stint   `json:"stints" nullable:"false" doc:"Who had it, and when."`
	Unanswered bool      `json:"unanswered" doc:"A chat that counts as such."`
	LastBy     string    `json:"last_by,omitempty" doc:"Who wrote last in a chat: customer or agent."`
	LastAt     time.Time `json:"last_at,omitzero"`
	Beside     []string  `json:"beside,omitempty" nullable:"false" doc:"Who of the staff writes in the chat beside its agent: agents, or users who are none."`
	Holds      []Hold    `json:"holds" nullable:"false" doc:"Who holds whom they talk to."`
	Needs      string    `json:"needs,omitempty" doc:"Skills that it needs now, as in polish>=3."`
	Tier       int       `json:"tier" doc:"The last tier of agents that waiting has opened, from 1."`
	Round      int       `json:"round" doc:"Completed times round the group."`
}

// Story is an interaction with what happened to it, and why.
type Story struct {
	Interaction
	Legs    []LegAudio `json:"legs" nullable:"false" doc:"Of a call, with their audio as it is now, the caller's first."`
	Steps   []Step     `json:"steps" nullable:"false"`
	Omitted int        `json:"omitted,omitempty" doc:"Steps left out of the middle of a very long story."`
}

// Party is the customer as the network names them.
type Party struct {
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Offer is an interaction reserved for an agent.
type Offer struct {
	ID      string    `json:"id"`
	Agent   string    `json:"agent"`
	Made    time.Time `json:"made"`
	Ringing bool      `json:"ringing"`
}

// Stint is a time in which somebody had an interaction.
type Stint struct {
	Agent  string    `json:"agent,omitempty"`
	Number string    `json:"number,omitempty" doc:"Outside, instead of an agent."`
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero"`
}

// Hold is who has put whom they talk to on hold.
type Hold struct {
	Agent  string    `json:"agent,omitempty"`
	Number string    `json:"number,omitempty" doc:"Outside, instead of an agent. Neither: the customer."`
	Since  time.Time `json:"since"`
}

// Step is one thing that happened to an interaction, and why.
type Step struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Group  string    `json:"group,omitempty"`
	Agent  string    `json:"agent,omitempty"`
	Offer  string    `json:"offer,omitempty"`
	What   string    `json:"what,omitempty"`
	Why    string    `json:"why,omitempty"`
	Choice *Choice   `json:"choice,omitempty"`
	Text   string    `json:"text" doc:"All of it in words."`
	Told   Told      `json:"told" doc:"What happened, to be said in any language."`
	Reason *Told     `json:"reason,omitempty" doc:"Why, to be said in any language."`
}

// Choice is why this agent was chosen, or nobody.
type Choice struct {
	Rule   string         `json:"rule,omitempty"`
	Idle   float64        `json:"idle_seconds,omitempty" doc:"Since the agent's last answer."`
	Place  int            `json:"place,omitempty" doc:"In the group's list, from 1."`
	Round  int            `json:"round,omitempty" doc:"Which time round the group, from 1."`
	Free   int            `json:"free" doc:"Agents who could be offered it."`
	Agents map[string]int `json:"agents" doc:"Of the group, by status."`
	Tier   int            `json:"tier,omitempty"`
	Needs  string         `json:"needs,omitempty"`
	Text   string         `json:"text"`
}

func viewInteraction(v acd.InteractionView) Interaction {
	i := Interaction{
		ID: number(v.ID), Kind: "call", From: Party{v.From.Number, v.From.Name}, To: v.To, Trunk: string(v.Trunk), Channel: string(v.Channel),
		Group: string(v.Group), Phase: string(v.Phase), Since: v.Since, Arrived: v.Arrived, Agent: string(v.Agent), For: string(v.For),
		Consults: string(v.Consults), Slot: v.Slot, Offers: []Offer{}, Stints: []Stint{}, Holds: []Hold{}, Unanswered: v.Unanswered, LastAt: v.LastAt,
		Tier: v.Tier, Round: v.Round,
	}
	if v.Channel != "" {
		i.Kind, i.LastBy, i.Beside = "chat", v.LastBy, texts(v.Beside)
	}
	for _, n := range v.Needs {
		if i.Needs != "" {
			i.Needs += ", "
		}
		i.Needs += string(n.ID) + ">=" + strconv.Itoa(n.Level)
	}
	for _, o := range v.Offers {
		i.Offers = append(i.Offers, Offer{number(o.ID), string(o.Agent), o.Made, o.Ringing})
	}
	for _, x := range v.Stints {
		i.Stints = append(i.Stints, Stint{string(x.Agent), x.Number, x.From, x.To})
	}
	for _, h := range v.Holds {
		i.Holds = append(i.Holds, Hold{string(h.Agent), h.Number, h.Since})
	}
	return i
}

func viewStory(v acd.InteractionView, legs []LegAudio) Story {
	return Story{Interaction: viewInteraction(v), Legs: legs, Steps: viewSteps(v.Steps), Omitted: v.Omitted}
}

func viewSteps(steps []acd.Step) []Step {
	list := []Step{}
	for _, x := range steps {
		step := Step{
			At: x.At, Kind: string(x.Kind), Group: string(x.Group), Agent: string(x.Agent), What: x.What, Why: x.Why, Text: x.String(),
			Told: toldOf(&x), Reason: reasonOf(&x),
		}
		if x.Offer != 0 {
			step.Offer = number(x.Offer)
		}
		if c := x.Choice; c != nil {
			step.Choice = &Choice{
				Rule: c.Rule, Idle: c.Idle.Seconds(), Place: c.Place, Round: c.Round, Free: c.Free, Tier: c.Tier, Needs: c.Needs,
				Agents: map[string]int{}, Text: c.String(),
			}
			if census, err := json.Marshal(c.Census); err == nil {
				_ = json.Unmarshal(census, &step.Choice.Agents) // its own form
			}
		}
		list = append(list, step)
	}
	return list
}

// number writes an id; JSON's numbers are too short for some clients.
func number[T ~uint64](id T) string { return strconv.FormatUint(uint64(id), 10) }

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return out
}

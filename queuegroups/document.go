package queuegroups

import (
	"time"

	"centrala/queuegroups/strictyaml"
)

// The shapes of the YAML file. Their tags are the one description of its keys:
// the decoder, the defaults and the JSON Schema all come from them.

type (
	text     = strictyaml.Value[string]
	texts    = strictyaml.List[text]
	number   = strictyaml.Value[int]
	duration = strictyaml.Value[time.Duration]
	yesNo    = strictyaml.Value[bool]
)

type document struct {
	Agents    strictyaml.Map[agentKeys]   `yaml:"agents" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"The people, and fixed phones, that can be offered calls and chats. The key is their id."`
	Groups    strictyaml.Map[groupKeys]   `yaml:"groups" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Queue groups: who serves a queue and by what rules."`
	Trunks    strictyaml.Map[trunkKeys]   `yaml:"trunks" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"The carriers and PBXs that calls come from and go to."`
	Numbers   strictyaml.Map[numberKeys]  `yaml:"numbers" doc:"The numbers that callers dial. The key is the number; spaces, brackets and hyphens do not matter."`
	HoldMusic strictyaml.Map[musicKeys]   `yaml:"hold_music" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Programmes that waiting callers hear."`
	Hours     strictyaml.Map[hoursKeys]   `yaml:"hours" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Calendars of opening hours."`
	Channels  strictyaml.Map[channelKeys] `yaml:"channels" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Open channels: where chats come from and who takes them."`
}

type agentKeys struct {
	Name        text         `yaml:"name" doc:"The name that colleagues see. Default: the id." example:"Anna Nowak"`
	Extension   text         `yaml:"extension" pattern:"^[0-9]{2,10}$" doc:"The digits that colleagues dial, in quotes." example:"101"`
	Phone       text         `yaml:"phone" doc:"A telephone outside, for the no-answer action agent." example:"+48 601 234 567"`
	Contact     text         `yaml:"contact" pattern:"^sips?:" doc:"The SIP address of a phone that cannot register." example:"sip:lobby@192.0.2.9:5060"`
	Role        text         `yaml:"role" default:"manager" doc:"What the agent may see and change: administrator, director, manager or a role of your own."`
	SIPPassword text         `yaml:"sip_password" secret:"true" doc:"What their phones register with: the password itself, env:NAME or file:PATH." example:"env:ANNA_SIP_PASSWORD"`
	Capacity    capacityKeys `yaml:"capacity" doc:"How many calls and chats at once."`
}

type capacityKeys struct {
	Voice number `yaml:"voice" default:"1" min:"0" max:"100" doc:"Calls at once."`
	Chat  number `yaml:"chat" default:"1" min:"0" max:"1000" doc:"Chats at once."`
}

type groupKeys struct {
	At           strictyaml.Pos
	Name         text                        `yaml:"name" doc:"The name that agents see when it rings. Default: the id." example:"Sales"`
	Extension    text                        `yaml:"extension" pattern:"^[0-9]{2,10}$" doc:"The digits that colleagues dial, in quotes." example:"600"`
	Agents       texts                       `yaml:"agents" required:"true" doc:"Ids of agents. Their order matters for in_order, and the last one for the no-answer action agent."`
	Distribution text                        `yaml:"distribution" default:"evenly" enum:"evenly,in_order,all" doc:"evenly: whoever has not answered for the longest time. in_order: the first free one of the list. all: everybody at once."`
	Rings        number                      `yaml:"rings" default:"4" min:"1" max:"100" doc:"Ring signals before the next agent."`
	RingLength   duration                    `yaml:"ring_length" default:"5s" min:"1s" max:"1m" doc:"How long one ring signal is."`
	DialLimit    duration                    `yaml:"dial_limit" default:"10s" min:"1s" max:"5m" doc:"How long to wait for a phone that never rings."`
	NoAnswer     strictyaml.List[actionKeys] `yaml:"no_answer" default:"wait" doc:"What to do when a whole round ended without an answer, or nobody can be offered the call. A list is a chain: each action when the one before did not help."`
	AllMissed    text                        `yaml:"all_missed" default:"wait" enum:"wait,end" doc:"When a round of all ended without an answer, with no_answer wait: keep the caller waiting, or end the call and count it as missed."`
	Priority     duration                    `yaml:"priority" default:"0s" min:"0s" max:"24h" doc:"Waiting time that the group's calls are credited with on arrival, against those of other groups."`
	Pickup       yesNo                       `yaml:"pickup" default:"true" doc:"Colleagues may pick up a ringing call."`
	WrapUp       duration                    `yaml:"wrap_up" default:"0s" min:"0s" max:"24h" doc:"Time for an agent after each call."`
	MaxWaiting   number                      `yaml:"max_waiting" default:"0" min:"0" max:"1000000" doc:"Callers that may wait at once. 0: no limit."`
	MaxWait      duration                    `yaml:"max_wait" default:"0s" min:"0s" max:"24h" doc:"How long a caller may wait. 0s: no limit."`
	HoldMusic    text                        `yaml:"hold_music" doc:"What waiting callers hear. Default: the tune that comes with the server."`
	BlindEnd     text                        `yaml:"blind_transfer_no_answer" default:"return" enum:"end,return,queue" doc:"When nobody answers a blind transfer: end the call, return it to the transferor and then to the queue, or queue it."`
	Trunk        text                        `yaml:"trunk" doc:"Where calls forwarded outside leave. Default: the trunk they came in on."`
	Retry        retryKeys                   `yaml:"retry" doc:"How long an agent is left alone after a failed offer, by its cause."`
	Misses       number                      `yaml:"misses" default:"3" min:"0" max:"1000" doc:"Unanswered offers in a row after which an agent counts as not responding. 0: never."`
}

type retryKeys struct {
	Busy        duration `yaml:"busy" default:"5s" min:"0s" max:"1h" doc:"After: the phone was busy."`
	Declined    duration `yaml:"declined" default:"30s" min:"0s" max:"1h" doc:"After: the agent declined."`
	NoAnswer    duration `yaml:"no_answer" default:"5s" min:"0s" max:"1h" doc:"After: the phone rang in vain."`
	Unreachable duration `yaml:"unreachable" default:"10s" min:"0s" max:"1h" doc:"After: the phone could not be reached."`
}

type actionKeys struct {
	At     strictyaml.Pos
	Action text `yaml:"action" required:"true" short:"true" enum:"wait,agent,number,group,voicemail,callback,hangup" doc:"wait: circle in the queue. agent: the telephone of the last agent in the list. number: the telephone number in to. group: the queue group in to."`
	To     text `yaml:"to" doc:"The number or the group."`
}

type trunkKeys struct {
	Host      text          `yaml:"host" doc:"Where calls are sent: host or host:port. Without it calls only come in." example:"sip.carrier.example:5060"`
	Transport text          `yaml:"transport" default:"udp" enum:"udp,tcp,tls" doc:"How calls are sent."`
	From      texts         `yaml:"from" doc:"The addresses that its calls come from, as 198.51.100.0/24 or 198.51.100.7. Default: host, if that is an address."`
	Register  *registerKeys `yaml:"register" doc:"How to register with a carrier that asks for it."`
	CallerID  text          `yaml:"caller_id" doc:"The number shown to whom we call." example:"+48 22 123 45 67"`
	MaxCalls  number        `yaml:"max_calls" default:"0" min:"0" max:"1000000" doc:"Calls at once. 0: no limit."`
}

type registerKeys struct {
	User     text `yaml:"user" required:"true" doc:"The user name that the carrier gave."`
	Password text `yaml:"password" required:"true" secret:"true" doc:"The password itself, env:NAME or file:PATH." example:"env:CARRIER_PASSWORD"`
}

type numberKeys struct {
	Trunk     text `yaml:"trunk" required:"true" doc:"The trunk that its calls come in on."`
	Group     text `yaml:"group" required:"true" doc:"The queue group that it leads to."`
	HoldMusic text `yaml:"hold_music" doc:"What its callers hear. Default: the group's."`
	Hours     text `yaml:"hours" doc:"When it is open. Default: always."`
}

type musicKeys struct {
	At    strictyaml.Pos
	Files texts `yaml:"files" required:"true" doc:"WAV files, played one after another for ever. Names are relative to the folder of centrala.yaml. Built in are builtin:default, the tune, and the prompts builtin:en/please-wait, builtin:pl/please-wait and builtin:ru/please-wait."`
}

type hoursKeys struct {
	Timezone text                  `yaml:"timezone" required:"true" doc:"An IANA time zone." example:"Europe/Warsaw"`
	Open     strictyaml.Map[texts] `yaml:"open" required:"true" doc:"Opening hours by day: mon, mon-fri or sat,sun. Each is a list of times such as 08:00-18:00; 22:00-06:00 runs over midnight, 00:00-24:00 is the whole day."`
	Holidays texts                 `yaml:"holidays" doc:"Dates that are closed: 2026-12-24, 12-25 for each year, or the name of a file of dates."`
}

type channelKeys struct {
	At              strictyaml.Pos
	Connector       text           `yaml:"connector" required:"true" doc:"What carries the messages." example:"widget"`
	Name            text           `yaml:"name" doc:"The name that customers see. Default: the id." example:"Ask us"`
	Agents          texts          `yaml:"agents" required:"true" doc:"Ids of agents. Their order matters for in_order."`
	Distribution    text           `yaml:"distribution" default:"evenly" enum:"evenly,in_order,all" doc:"Who is offered a chat, as for groups."`
	PassAfter       duration       `yaml:"pass_after" default:"1m" min:"1m" max:"12h" doc:"Time without an answer before the next agent."`
	UnansweredAfter duration       `yaml:"unanswered_after" default:"1m" min:"1m" max:"12h" doc:"Time after which a chat counts as unanswered."`
	NoAnswer        chatActionKeys `yaml:"no_answer" default:"nothing" doc:"What to do with an unanswered chat."`
	Hours           text           `yaml:"hours" doc:"When it is open. Default: always."`
}

type chatActionKeys struct {
	At     strictyaml.Pos
	Action text `yaml:"action" required:"true" short:"true" enum:"requeue,text,nothing" doc:"requeue: to the queue again, only with evenly. text: send the customer the text."`
	Text   text `yaml:"text" doc:"The text for the customer."`
}

// Schema gives the JSON Schema of the file, for editors.
func Schema() ([]byte, error) {
	return strictyaml.Schema[document]("Centrala: agents, groups, numbers, trunks, hours, hold music and channels")
}

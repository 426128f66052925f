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
	WorkTime  workTimeKeys                `yaml:"work_time" doc:"The agents' work day and breaks."`
	Presence  presenceKeys                `yaml:"presence" doc:"When a program that an agent works with counts as left alone."`
	Roles     strictyaml.Map[roleKeys]    `yaml:"roles" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"What people and programs may see and change through console and API, beside the roles administrator (all), director (all but settings) and manager (own dialogs)."`
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
	Skills      skills       `yaml:"skills" min:"1" max:"9" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"What the agent is good at: skill and level, as in {polish: 5, billing: 2}."`
	WrapUp      duration     `yaml:"wrap_up" min:"0s" max:"24h" doc:"Time after each call or chat. Default: the group's."`
	SRTP        text         `yaml:"srtp" default:"optional" enum:"required,optional,off" doc:"Whether the audio of their phones is encrypted. required: a call that would not be is refused. optional: where the phone does it too; over tls it is asked to. off: never."`
	Calls       text         `yaml:"calls" default:"national" enum:"internal,national,international,any" doc:"Which numbers outside the agent may call, and send callers to. internal: none. national: ordinary and free ones of the server's region. international: of other countries too. any: premium-rate, satellite and unknown ones too."`
	MaxCalls    number       `yaml:"max_calls" default:"4" min:"1" max:"100" doc:"Calls from their phones at once; further ones are refused."`
	Redirects   text         `yaml:"redirects" default:"refuse" enum:"refuse,follow" doc:"What becomes of a call that their phone sends elsewhere (302), where somebody set it to forward its calls. refuse: the agent has declined it. follow: the number rings as another phone of theirs, if it is one outside that calls allows; by the group's forward_confirm, who answers there presses 1."`
	Trunk       text         `yaml:"trunk" doc:"By which trunk their calls outside leave. Default: any that has a host, by priority and weight." example:"carrier"`
	Profile     faceKeys     `yaml:"profile" doc:"What customers see of the agent in chats."`
	Language    text         `yaml:"language" enum:"en,pl,ru" doc:"What their phone speaks after a feature code: English, Polish or Russian. Default: the language of announcements of the first of their groups that names one, else that of the server's region."`
}

type faceKeys struct {
	Name    text `yaml:"name" doc:"The name that customers see. Default: the agent's." example:"Anna"`
	Title   text `yaml:"title" doc:"What is written beside the name." example:"Delivery"`
	Picture text `yaml:"picture" doc:"A PNG, JPEG, GIF or WebP file of at most 256 KiB, best square and of 96 pixels or more. This server serves it to the chat window." example:"faces/anna.png"`
}

type roleKeys struct {
	At     strictyaml.Pos
	Rights texts `yaml:"rights" required:"true" enum:"agents:read,agents:write,interactions:read,interactions:write,history:read,history:export,history:erase,reports:read,reports:export,events:read,recordings:read,webhooks:read,webhooks:write,config:read,config:write,users:read,users:write,audit:read,trace:read" doc:"What may be done. Where a right ends in :read it is to look, else to act."`
	Groups texts `yaml:"groups" doc:"The groups that the rights reach; the agents of a channel are channel: and its id. Default: all." example:"sales"`
	Own    yesNo `yaml:"own" default:"false" doc:"The rights reach no further than the agent's own state and dialogs, and colleagues of the same groups to look at."`
}

// skills are levels by skill.
type skills = strictyaml.Map[number]

type workTimeKeys struct {
	Tracked yesNo `yaml:"tracked" default:"false" doc:"An agent who has not started the work day gets nothing."`
	Breaks  texts `yaml:"breaks" doc:"The reasons for a break that agents may give, as in [lunch, training]. Default: any."`
}

type presenceKeys struct {
	Browser   duration `yaml:"browser" default:"15m" min:"1m" max:"12h" doc:"How long a browser may go without use until its agent is away."`
	Desktop   duration `yaml:"desktop" default:"10m" min:"1m" max:"12h" doc:"How long the desktop program may go without use until its agent is away. A locked screen counts at once."`
	Mobile    duration `yaml:"mobile" default:"5m" min:"1m" max:"12h" doc:"How long the mobile program may be in the background until its agent is away."`
	DNDBlocks yesNo    `yaml:"dnd_blocks" default:"false" doc:"Agents who do not want to be disturbed are offered nothing."`
}

type capacityKeys struct {
	Voice number `yaml:"voice" default:"1" min:"0" max:"100" doc:"Calls at once."`
	Chat  number `yaml:"chat" default:"1" min:"0" max:"1000" doc:"Chats at once."`

	ChatsDuringCall yesNo `yaml:"chats_during_call" default:"false" doc:"New chats are offered during a call."`
	CallsDuringChat yesNo `yaml:"calls_during_chat" default:"true" doc:"Calls are offered while the agent has a chat."`
}

type groupKeys struct {
	At                strictyaml.Pos
	Name              text                        `yaml:"name" doc:"The name that agents see when it rings. Default: the id." example:"Sales"`
	Extension         text                        `yaml:"extension" pattern:"^[0-9]{2,10}$" doc:"The digits that colleagues dial, in quotes." example:"600"`
	Agents            texts                       `yaml:"agents" required:"true" doc:"Ids of agents. Their order matters for in_order, and the last one for the no-answer action agent."`
	Distribution      text                        `yaml:"distribution" default:"evenly" enum:"evenly,in_order,all" doc:"evenly: whoever has not answered for the longest time. in_order: the first free one of the list. all: everybody at once."`
	Rings             number                      `yaml:"rings" default:"4" min:"1" max:"100" doc:"Ring signals before the next agent."`
	RingLength        duration                    `yaml:"ring_length" default:"5s" min:"1s" max:"1m" doc:"How long one ring signal is."`
	DialLimit         duration                    `yaml:"dial_limit" default:"10s" min:"1s" max:"5m" doc:"How long to wait for a phone that never rings."`
	NoAnswer          strictyaml.List[actionKeys] `yaml:"no_answer" default:"wait" doc:"What to do when a whole round ended without an answer, or nobody can be offered the call. A list is a chain: each action when the one before did not help."`
	AllMissed         text                        `yaml:"all_missed" default:"wait" enum:"wait,end" doc:"When a round of all ended without an answer, with no_answer wait: keep the caller waiting, or end the call and count it as missed."`
	Priority          duration                    `yaml:"priority" default:"0s" min:"0s" max:"24h" doc:"Waiting time that the group's calls are credited with on arrival, against those of other groups."`
	Pickup            yesNo                       `yaml:"pickup" default:"true" doc:"Colleagues may pick up a ringing call."`
	WrapUp            duration                    `yaml:"wrap_up" default:"0s" min:"0s" max:"24h" doc:"Time for an agent after each call."`
	MaxWaiting        number                      `yaml:"max_waiting" default:"0" min:"0" max:"1000000" doc:"Callers that may wait at once. 0: no limit."`
	MaxWait           duration                    `yaml:"max_wait" default:"0s" min:"0s" max:"24h" doc:"How long a caller may wait. 0s: no limit."`
	HoldMusic         text                        `yaml:"hold_music" doc:"What waiting callers hear. Default: the tune that comes with the server."`
	BlindEnd          text                        `yaml:"blind_transfer_no_answer" default:"return" enum:"end,return,queue" doc:"When nobody answers a blind transfer: end the call, return it to the transferor and then to the queue, or queue it."`
	Trunk             text                        `yaml:"trunk" doc:"Where calls forwarded outside leave. Default: the trunk they came in on, or if that has no host any other, by priority and weight."`
	CallerID          text                        `yaml:"forward_caller_id" enum:"own,caller" doc:"Whom calls forwarded outside are shown to come from. own: us, by the caller_id of the trunk or else the first of its numbers. caller: the caller. Default: own where the trunk has a caller_id, else caller."`
	Confirm           yesNo                       `yaml:"forward_confirm" default:"false" doc:"Whoever answers a telephone outside, to which a caller is forwarded, has to press 1 to take the call, so that no voicemail takes it."`
	Retry             retryKeys                   `yaml:"retry" doc:"How long an agent is left alone after a failed offer, by its cause."`
	Needs             skills                      `yaml:"needs" min:"1" max:"9" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"The skills that whoever takes a call must have, and how well: {polish: 3}."`
	Relax             strictyaml.List[relaxKeys]  `yaml:"relax" doc:"What is given up while a caller waits, step by step."`
	Tiers             strictyaml.List[tierKeys]   `yaml:"tiers" doc:"Further agents, who are offered what has waited for a while. A tier opens at once while nobody of those before it is at work."`
	Preferred         preferredKeys               `yaml:"preferred" doc:"An agent to whom a call is kept for a while, before the group."`
	Full              strictyaml.List[actionKeys] `yaml:"full" default:"hangup" doc:"What to do with a caller for whom max_waiting leaves no room. As no_answer, without wait."`
	Unavailable       unavailableKeys             `yaml:"unavailable" doc:"What to do with those who wait while nobody can serve them, by why that is."`
	Announce          announceKeys                `yaml:"announce" doc:"What waiting callers are told, over the music. Agents who answer interrupt it. Language and prompts are also those of what agents are told."`
	ServiceLevel      levelKeys                   `yaml:"service_level" doc:"By what measure the group is judged. It may change at any time: what was before is then counted anew."`
	Dispositions      texts                       `yaml:"dispositions" doc:"Codes by which agents tell what came of a call, as in [sale, call_back, wrong_number]. Default: none are asked for."`
	DispositionNeeded yesNo                       `yaml:"disposition_required" default:"false" doc:"Agents have to tell one of the dispositions before they end the time after a call, in the console, by the API or by a code on their phone. When the time is over by itself, or a supervisor ends it, none is recorded."`
	Wallboard         wallboardKeys               `yaml:"wallboard" doc:"From when on wallboards show the group in another colour and word, unless the viewer has set other limits."`
	Misses            number                      `yaml:"misses" default:"3" min:"0" max:"1000" doc:"Unanswered offers in a row after which an agent counts as not responding. 0: never."`
}

type relaxKeys struct {
	At    strictyaml.Pos
	After duration `yaml:"after" required:"true" min:"1s" max:"24h" doc:"Time in the group." example:"30s"`
	Drop  texts    `yaml:"drop" doc:"Skills that are not needed any more." example:"polish"`
	Lower skills   `yaml:"lower" min:"1" max:"9" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Skills that are needed less well: {billing: 1}."`
}

type tierKeys struct {
	At     strictyaml.Pos
	After  duration `yaml:"after" required:"true" min:"1s" max:"24h" doc:"Time in the group." example:"20s"`
	Agents texts    `yaml:"agents" required:"true" doc:"Ids of agents. Their order matters as in the group's list."`
}

type preferredKeys struct {
	Agent text     `yaml:"agent" short:"true" default:"none" enum:"none,responsible,last" doc:"responsible: whom the customer's card names. last: who talked to the customer last."`
	Wait  duration `yaml:"wait" default:"20s" min:"1s" max:"24h" doc:"How long at most."`
}

type unavailableKeys struct {
	Grace     duration                    `yaml:"grace" default:"5s" min:"0s" max:"1h" doc:"For how long it must have been so."`
	LoggedOut strictyaml.List[actionKeys] `yaml:"logged_out" default:"wait" doc:"Nobody is logged in. As no_answer."`
	OnBreak   strictyaml.List[actionKeys] `yaml:"on_break" default:"wait" doc:"Who is logged in is on a break or paused. As no_answer."`
	Busy      strictyaml.List[actionKeys] `yaml:"busy" default:"wait" doc:"Who is at work is busy. As no_answer."`
}

type announceKeys struct {
	Position yesNo    `yaml:"position" default:"false" doc:"Their position in the queue."`
	Wait     yesNo    `yaml:"wait" default:"false" doc:"How long they will wait, as far as that can be told."`
	First    duration `yaml:"first" default:"10s" min:"1s" max:"10m" doc:"How long after the music began they are told for the first time."`
	Every    duration `yaml:"every" default:"1m" min:"15s" max:"1h" doc:"How long from one announcement to the next."`
	Language text     `yaml:"language" default:"en" enum:"en,pl,ru" doc:"English, Polish or Russian."`
	Prompts  text     `yaml:"prompts" doc:"A folder of own recordings: WAV or MP3 files named as those that are built in, relative to the folder of centrala.yaml. Default: those that are built in."`
}

func (k announceKeys) value() Announce {
	a := Announce{
		Position: k.Position.V, Wait: k.Wait.V, First: k.First.V, Every: k.Every.V,
		Language: k.Language.V, Prompts: k.Prompts.V,
	}
	if !a.On() { // what is not said has no settings
		a = Announce{Prompts: k.Prompts.V}
		if k.Language.Set {
			a.Language = k.Language.V
		}
	}
	return a
}

type levelKeys struct {
	Within   duration `yaml:"within" default:"20s" min:"1s" max:"24h" doc:"The wait within which an answer is in time."`
	Abandons text     `yaml:"abandons" default:"negative" enum:"negative,ignored,positive" doc:"What it means when somebody hangs up within that time. negative: they were not served. ignored: they do not count. positive: as if they had been answered. Whoever hangs up later was not served in any case."`
	Short    duration `yaml:"short" default:"0s" min:"0s" max:"10m" doc:"Whoever hangs up within less than this does not count at all, and is reported apart. 0s: nobody."`
}

func (k levelKeys) value() ServiceLevel {
	l := ServiceLevel{Within: k.Within.V, Abandons: Abandons(k.Abandons.V), Short: k.Short.V}
	if l == (ServiceLevel{}).OrDefault() {
		return ServiceLevel{} // as in what was written down before there was the key
	}
	return l
}

type wallboardKeys struct {
	Late    duration `yaml:"late" default:"30s" min:"1s" max:"24h" doc:"A caller who has waited for this long is late."`
	TooLate duration `yaml:"too_late" default:"2m" min:"1s" max:"24h" doc:"And far too late from here on."`
	Aim     number   `yaml:"on_target" default:"80" min:"0" max:"100" doc:"The service level, in percent, from which the group is on target."`
	Least   number   `yaml:"far_below" default:"60" min:"0" max:"100" doc:"The one under which it is far below it."`
}

func (k wallboardKeys) value() WallboardLimits {
	w := WallboardLimits{Late: k.Late.V, TooLate: k.TooLate.V, Aim: k.Aim.V, Least: k.Least.V}
	if w == (WallboardLimits{}).OrDefault() {
		return WallboardLimits{} // as in what was written down before there was the key
	}
	return w
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
	Host      text          `yaml:"host" doc:"Where calls are sent: host or host:port. A name without a port is looked up by SRV records; of several addresses the next is tried when one does not answer. Without it calls only come in." example:"sip.carrier.example:5060"`
	Transport text          `yaml:"transport" default:"udp" enum:"udp,tcp,tls" doc:"How calls are sent."`
	From      texts         `yaml:"from" doc:"The addresses that its calls come from, as 198.51.100.0/24 or 198.51.100.7. Default: host, if that is an address."`
	Register  *registerKeys `yaml:"register" doc:"The account with a carrier that asks us to register. Its password also answers when the carrier asks for one for a call."`
	Auth      *registerKeys `yaml:"auth" doc:"The account with a carrier that asks for a password for calls, but not to register."`
	Format    text          `yaml:"number_format" default:"e164" enum:"e164,plain,national" doc:"How numbers are written to the carrier. e164: +48221234567. plain: 48221234567. national: 221234567 in the region of the server, as it is dialled there, and 0033… or what goes before foreign numbers there."`
	CallerID  text          `yaml:"caller_id" doc:"The number shown to whom we call." example:"+48 22 123 45 67"`
	Emergency texts         `yaml:"emergency" pattern:"^[0-9]{2,8}$" doc:"Numbers of emergency services that the carrier takes as they are dialled: [\"112\", \"999\"]. Every agent may call them, whatever calls says; max_calls does not count." example:"112"`
	Short     texts         `yaml:"short_numbers" pattern:"^[0-9]{2,8}$" doc:"Other numbers that the carrier takes as they are dialled, such as those of a town. Agents who may call outside may call them." example:"19115"`
	Trusted   yesNo         `yaml:"trusted" default:"false" doc:"The carrier keeps secret what it is told in confidence (RFC 3325): it is told who calls by P-Asserted-Identity, also who withholds their number, and by whom a call was forwarded before. Its own word of who calls is passed on to other trusted carriers."`
	MaxCalls  number        `yaml:"max_calls" default:"0" min:"0" max:"1000000" doc:"Calls at once. 0: no limit."`
	MaxRate   number        `yaml:"max_calls_per_second" default:"0" min:"0" max:"1000" doc:"Calls that may begin in any second, in both directions. More that come in get 503 with Retry-After. 0: no limit."`
	Priority  number        `yaml:"priority" default:"0" min:"0" max:"65535" doc:"For calls for which no trunk is named: the lowest is tried first, and the next when it is full or down or answers 5xx."`
	Weight    number        `yaml:"weight" default:"0" min:"0" max:"65535" doc:"Its share of such calls among trunks of the same priority. Those without a share come after the others, in the order in which they are written."`
	Check     duration      `yaml:"check" default:"30s" min:"0s" max:"1h" doc:"How often each address of host is asked by OPTIONS whether it is there, at most once a second. One that is not is tried last. 0s: never."`
	SRTP      text          `yaml:"srtp" default:"optional" enum:"required,optional,off" doc:"Whether the audio of its calls is encrypted. required: a call that would not be is refused. optional: where the carrier does it too; over tls it is asked to. off: never."`
}

type registerKeys struct {
	User     text `yaml:"user" required:"true" doc:"The user name that the carrier gave."`
	Password text `yaml:"password" required:"true" secret:"true" doc:"The password itself, env:NAME or file:PATH." example:"env:CARRIER_PASSWORD"`
}

type numberKeys struct {
	Trunk     text          `yaml:"trunk" required:"true" doc:"The trunk that its calls come in on."`
	Group     text          `yaml:"group" required:"true" doc:"The queue group that it leads to."`
	HoldMusic text          `yaml:"hold_music" doc:"What its callers hear. Default: the group's."`
	Announce  *announceKeys `yaml:"announce" doc:"What its callers are told while they wait, in whatever group. {} tells them nothing. Default: as the group has it."`
	Hours     text          `yaml:"hours" doc:"When it is open. Default: always."`

	Needs    skills                      `yaml:"needs" min:"1" max:"9" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Skills that its callers need beside the group's."`
	Priority duration                    `yaml:"priority" default:"0s" min:"0s" max:"24h" doc:"Waiting time that its callers are credited with, beside the group's."`
	Closed   strictyaml.List[actionKeys] `yaml:"closed" default:"hangup" doc:"What to do with callers outside the hours. As no_answer, without wait."`
}

type musicKeys struct {
	At    strictyaml.Pos
	Files texts `yaml:"files" required:"true" doc:"WAV and MP3 files of any rate, mono or stereo, brought to one loudness and played one after another for ever. Names are relative to the folder of centrala.yaml. Built in are builtin:default, the tune, and the prompts builtin:en/please-wait, builtin:pl/please-wait and builtin:ru/please-wait."`
}

type hoursKeys struct {
	Timezone text                  `yaml:"timezone" required:"true" doc:"An IANA time zone." example:"Europe/Warsaw"`
	Open     strictyaml.Map[texts] `yaml:"open" required:"true" doc:"Opening hours by day: mon, mon-fri or sat,sun. Each is a list of times such as 08:00-18:00; 22:00-06:00 runs over midnight, 00:00-24:00 is the whole day."`
	Holidays texts                 `yaml:"holidays" doc:"Dates that are closed: 2026-12-24, 12-25 for each year, or the name of a file of dates."`
}

type channelKeys struct {
	At              strictyaml.Pos
	Connector       text                     `yaml:"connector" required:"true" enum:"widget,http,telegram" doc:"What carries the messages: the chat window on websites, a program of a third party, or a bot of Telegram." example:"widget"`
	Name            text                     `yaml:"name" doc:"The name that customers see. Default: the id." example:"Ask us"`
	URL             text                     `yaml:"url" pattern:"^https?://" doc:"Of connector http, and required there: where messages for customers are sent." example:"https://shop.example/centrala"`
	Secret          text                     `yaml:"secret" doc:"Of connector http, and required there: what both sides sign with, whsec_ and 24 to 64 bytes in base64, as itself, env:NAME or file:PATH. Of connector widget: what the site signs with (HS256) to say who its visitors are, at least 32 characters." example:"env:SHOP_SECRET"`
	Widget          widgetKeys               `yaml:"widget" doc:"Of connector widget: the chat window on websites."`
	Telegram        telegramKeys             `yaml:"telegram" doc:"Of connector telegram, and required there: the bot to which customers write."`
	Bot             botKeys                  `yaml:"bot" doc:"Who answers before the queue does: a program that is asked (url and secret), or menus. Default: nobody."`
	Texts           chatTextKeys             `yaml:"texts" doc:"What the channel says by itself. An empty text is not said."`
	AgentsShown     text                     `yaml:"agents_shown" default:"profile" enum:"profile,hidden" doc:"What customers see of the agents who write to them. profile: their profile, or what faces says of them. hidden: the channel's name."`
	Faces           strictyaml.Map[faceKeys] `yaml:"faces" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"What customers of this channel see of an agent, by the agent's id, in place of the profile."`
	Agents          texts                    `yaml:"agents" required:"true" doc:"Ids of agents. Their order matters for in_order."`
	Distribution    text                     `yaml:"distribution" default:"evenly" enum:"evenly,in_order,all" doc:"Who is offered a chat, as for groups."`
	PassAfter       duration                 `yaml:"pass_after" default:"1m" min:"1m" max:"12h" doc:"Time without an answer before the next agent."`
	UnansweredAfter duration                 `yaml:"unanswered_after" default:"1m" min:"1m" max:"12h" doc:"Time after which a chat counts as unanswered."`
	NoAnswer        chatActionKeys           `yaml:"no_answer" default:"nothing" doc:"What to do with an unanswered chat."`
	Hours           text                     `yaml:"hours" doc:"When it is open. Default: always."`

	Availability yesNo    `yaml:"check_availability" default:"true" doc:"Chats are offered to agents who are online only."`
	WorkTime     yesNo    `yaml:"check_work_time" default:"true" doc:"Chats are not offered to an agent who has not started the day or is on a break."`
	Monitor      yesNo    `yaml:"monitor_availability" default:"false" doc:"On each message of the customer the agent's availability is checked; if they are away the chat goes back to the queue."`
	Pickup       yesNo    `yaml:"pickup" default:"true" doc:"Agents of the channel see who waits, and may take a chat that was not offered to them."`
	Limit        number   `yaml:"limit" default:"0" min:"0" max:"1000" doc:"Chats of the channel that an agent may have at once. 0: only their capacity counts."`
	MaxWaiting   number   `yaml:"max_waiting" default:"0" min:"0" max:"1000000" doc:"Customers that may wait at once. Who comes when there is no room is told texts.full, and their chat is closed; those who come outside the hours are not counted. 0: no limit."`
	Exclude      texts    `yaml:"exclude" enum:"answered,waiting_for_customer,closed" doc:"Chats that count against no limit. answered: answered once, and closed. waiting_for_customer: the agent wrote last, or it is closed. closed: closed and awaiting its rating."`
	AutoExpire   duration `yaml:"auto_expire" default:"168h" min:"1m" max:"8760h" doc:"How long after its last message a chat ends by itself."`
	AutoClose    duration `yaml:"auto_close" default:"0s" min:"0s" max:"720h" doc:"How long a conversation with an agent may be silent before it is closed by itself, with texts.auto_closed. A chat that waits for an agent is not. 0s: it is not closed before auto_expire."`
	CloseDelay   duration `yaml:"close_delay" default:"0s" min:"0s" max:"720h" doc:"How long a closed chat awaits its rating, or another message, before it ends."`
	WrapUp       duration `yaml:"wrap_up" default:"0s" min:"0s" max:"24h" doc:"Time for an agent after each chat."`
	Priority     duration `yaml:"priority" default:"0s" min:"0s" max:"24h" doc:"Waiting time that the channel's chats are credited with on arrival."`

	Needs     skills                     `yaml:"needs" min:"1" max:"9" keys:"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$" doc:"Skills as for groups."`
	Relax     strictyaml.List[relaxKeys] `yaml:"relax" doc:"What is given up while a customer waits, as for groups."`
	Tiers     strictyaml.List[tierKeys]  `yaml:"tiers" doc:"Further agents, as for groups."`
	Preferred preferredKeys              `yaml:"preferred" doc:"An agent to whom a chat is kept for a while, as for groups."`

	Transfers yesNo `yaml:"transfer_responsible" default:"false" doc:"Whether the agent who takes a chat that was transferred by hand is responsible for the customer from then on. Otherwise whoever accepted the customer's first chat stays. With preferred: {agent: responsible} the next chat goes to them first."`

	ServiceLevel levelKeys `yaml:"service_level" doc:"By what measure the channel is judged, as for groups."`
}

type widgetKeys struct {
	At          strictyaml.Pos
	Origins     texts       `yaml:"origins" doc:"The sites that may show the window. Default: pages of this server's own address only." example:"https://shop.example"`
	Language    text        `yaml:"language" enum:"en,pl,ru" doc:"What the window speaks. Default: the visitor's language if it is one of these, else English."`
	Color       text        `yaml:"color" pattern:"^#[0-9a-fA-F]{6}$" doc:"The colour of the window's header and button. Default: a dark petrol." example:"#1d5c68"`
	Form        texts       `yaml:"form" enum:"name,email,phone" doc:"What the visitor is asked for before the first message."`
	Consent     consentKeys `yaml:"consent" doc:"A text that the visitor agrees to before the first message; it is recorded which version, when, and from which address."`
	Identity    text        `yaml:"identity" default:"optional" enum:"optional,required" doc:"Whether only visitors for whom the site vouches may write. It vouches by a token signed with the secret."`
	Attachments number      `yaml:"attachments" default:"10" min:"0" max:"20" doc:"The largest file that a visitor may send, in MiB. 0: none."`
	Rating      text        `yaml:"rating" default:"off" enum:"off,ask,closes" doc:"Whether the visitor is asked for a rating when the chat is closed. closes: the rating ends the chat at once."`
	Call        text        `yaml:"call" doc:"The number, one of numbers, that visitors call from the window while an agent has their chat. It rings at that agent first, by preferred: {agent: responsible} of the number's queue group, then in the group. Default: they cannot call." example:"+48 22 123 45 67"`
}

type consentKeys struct {
	At      strictyaml.Pos
	Version text `yaml:"version" required:"true" doc:"The version of the text. Whoever agreed to another one is asked again." example:"2026-11"`
	Text    text `yaml:"text" required:"true" doc:"The text." example:"I agree that my data are processed to answer my enquiry."`
	Link    text `yaml:"link" pattern:"^https?://" doc:"Where the whole of it can be read." example:"https://shop.example/privacy"`
}

type botKeys struct {
	At      strictyaml.Pos
	URL     text                     `yaml:"url" pattern:"^https?://" doc:"Where a program is asked what to answer." example:"https://bot.example/centrala"`
	Secret  text                     `yaml:"secret" doc:"Required with url: what requests to it are signed with, whsec_ and 24 to 64 bytes in base64, as itself, env:NAME or file:PATH." example:"env:BOT_SECRET"`
	Timeout duration                 `yaml:"timeout" default:"10s" min:"1s" max:"60s" doc:"How long it may take for an answer. After that, or when it fails, the chat goes to the queue."`
	Menus   strictyaml.Map[menuKeys] `yaml:"menus" doc:"Menus by name; start is the first. Whoever writes what is no choice three times goes to the queue."`
}

type menuKeys struct {
	At      strictyaml.Pos
	Text    text                        `yaml:"text" required:"true" doc:"What the customer is asked." example:"How can we help?"`
	Choices strictyaml.List[choiceKeys] `yaml:"choices" required:"true" doc:"What the customer may choose, by number or label."`
}

type choiceKeys struct {
	At       strictyaml.Pos
	Label    text  `yaml:"label" required:"true" doc:"What is shown after the number." example:"Opening hours"`
	Text     text  `yaml:"text" doc:"What is said first." example:"Mon-fri, 8 to 18."`
	Menu     text  `yaml:"menu" doc:"The menu that follows. Default: the same again."`
	HandOver text  `yaml:"hand_over" doc:"Hands the chat over: queue, channel: and an id, or agent: and an id, who is asked before others." example:"queue"`
	Close    yesNo `yaml:"close" default:"false" doc:"Closes the chat."`
}

type telegramKeys struct {
	At      strictyaml.Pos
	Token   text `yaml:"token" required:"true" doc:"As BotFather gives it, as itself, env:NAME or file:PATH." example:"env:TELEGRAM_TOKEN"`
	Webhook text `yaml:"webhook" pattern:"^https://" doc:"The address at which Telegram reaches this server, port 443, 80, 88 or 8443: messages are posted to it then. Default: they are asked for, which needs no public address." example:"https://chat.example.com"`
	Share   text `yaml:"share_contact" doc:"The label of a button, below texts.first, by which customers share their telephone number: then they are recognised when they call. Default: there is none." example:"Share my number"`
	Rating  text `yaml:"rating" doc:"What customers are asked when a chat is closed in which an agent answered, with buttons from 1 to 5. Default: nothing." example:"How was it?"`
	Server  text `yaml:"server" pattern:"^https?://" doc:"The address of a Bot API server of your own. Default: Telegram's." example:"http://127.0.0.1:8081"`
}

type chatTextKeys struct {
	At         strictyaml.Pos
	First      text `yaml:"first" doc:"To whoever begins a chat. Default: nothing." example:"Welcome! How can we help?"`
	Nobody     text `yaml:"nobody" doc:"When nobody can answer now. Default: We cannot answer right now and will come back to you as soon as we can." example:"Everybody is busy."`
	Closed     text `yaml:"closed" doc:"Outside the hours. Default: We are closed now. Leave your message and we will answer when we are open again." example:"We are back at 8."`
	Ended      text `yaml:"ended" doc:"When the chat is closed. Default: nothing." example:"Thank you, good-bye."`
	Full       text `yaml:"full" doc:"When max_waiting leaves no room. Default: Too many people are waiting right now. Please write to us again later." example:"All lines are busy."`
	AutoClosed text `yaml:"auto_closed" doc:"When it is closed by auto_close, in place of ended. Default: nothing." example:"We have not heard from you, so we close this chat. Write again at any time."`
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

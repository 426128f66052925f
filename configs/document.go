package configs

import "centrala/queuegroups/strictyaml"

type (
	text  = strictyaml.Value[string]
	texts = strictyaml.List[text]

	number = strictyaml.Value[int]
	yesNo  = strictyaml.Value[bool]
)

// document is the shape of centrala.yaml. Its tags are the one description of
// the keys: the decoder, the defaults and the JSON Schema all come from them.
type document struct {
	Domain      text          `yaml:"domain" default:"localhost" doc:"What phones register at, as in sip:101@pbx.example.com." example:"pbx.example.com"`
	Region      text          `yaml:"region" default:"PL" pattern:"^[A-Z]{2}$" doc:"The country, ISO 3166, that numbers without + are read as."`
	Data        text          `yaml:"data" default:"./data" doc:"The folder of the event log and the database."`
	Listen      listenKeys    `yaml:"listen" doc:"Where the server takes connections."`
	Advertise   text          `yaml:"advertise" default:"''" pattern:"^$|^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$|:" doc:"The public IP address, when the server is behind NAT." example:"203.0.113.5"`
	RTP         text          `yaml:"rtp" default:"10000-19999" pattern:"^[0-9]{1,5}-[0-9]{1,5}$" doc:"The UDP ports for voice. Each call takes four."`
	TLS         tlsKeys       `yaml:"tls" doc:"Where certificates for tls:// and https:// come from."`
	Log         logKeys       `yaml:"log" doc:"How much is logged, and how."`
	Trace       traceKeys     `yaml:"trace" doc:"What centrala trace can show of the latest calls. It is kept in memory."`
	Engine      text          `yaml:"engine" default:"embedded" pattern:"^embedded$|^(nats|tls)://" doc:"The event log: embedded in the process, or a NATS cluster as nats://a:4222,nats://b:4222."`
	Database    text          `yaml:"database" default:"sqlite" pattern:"^sqlite$|^postgres://" doc:"Call records and customers: sqlite, or postgres://user@host/centrala."`
	Webhooks    webhookKeys   `yaml:"webhooks" doc:"Where events may be sent."`
	Connectors  connectorKeys `yaml:"connectors" doc:"What carries chats to and from this server."`
	Mail        mailKeys      `yaml:"mail" doc:"By which server letters go: transcripts that customers of the chat window ask for."`
	Record      recordKeys    `yaml:"record" doc:"How long what happened is kept in the database."`
	QueueGroups text          `yaml:"queuegroups" default:"queuegroups.yaml" doc:"The file, or folder of files, that declares agents, groups and numbers. Its changes need no restart."`
}

type listenKeys struct {
	SIP    texts `yaml:"sip" default:"[udp://127.0.0.1:5060, tcp://127.0.0.1:5060]" pattern:"^(udp|tcp|tls)://.+:[0-9]{1,5}$" doc:"For phones and carriers: udp://, tcp:// or tls:// with an IP address and a port. 0.0.0.0 is every address of the machine."`
	Web    text  `yaml:"web" default:"''" pattern:"^$|^https?://.+:[0-9]{1,5}$" doc:"For console, API and widget: https:// or http:// with an IP address and a port. http:// only on loopback or behind a proxy. Empty: none."`
	WebRTC text  `yaml:"webrtc" default:"''" pattern:"^$|^udp://.+:[0-9]{1,5}$" doc:"For the audio of agents' browsers: udp:// with an IP address and a port. Empty: at every address of the machine, on a port of rtp; nothing if web is empty." example:"udp://0.0.0.0:3478"`
	Admin  text  `yaml:"admin" default:"http://127.0.0.1:9090" pattern:"^$|^http://.+:[0-9]{1,5}$" doc:"For /metrics, /healthz, /readyz and profiles. Keep it off public addresses. Empty: none."`
}

type tlsKeys struct {
	Mode text `yaml:"mode" default:"self_signed" enum:"self_signed,files,acme" doc:"self_signed: made by the server. files: cert and key. acme: from a certificate authority."`
	Cert text `yaml:"cert" doc:"The file of the certificate chain, PEM."`
	Key  text `yaml:"key" doc:"The file of the private key, PEM."`

	Roots text `yaml:"roots" doc:"A file of certificate authorities, PEM, that carriers and phones called over TLS may have theirs from, beside those that the machine trusts."`
}

type webhookKeys struct {
	Allow texts `yaml:"allow" pattern:"[.:]" doc:"Networks such as 10.0.0.0/8, and single addresses, that webhooks may be sent to though they are not public, and without TLS. Left out: none." example:"[10.0.0.0/8]"`
}

type connectorKeys struct {
	Public text  `yaml:"public" default:"''" pattern:"^$|^https?://" doc:"The address at which others reach the web part of this server. Connectors of third parties are told when it changes. Empty: they are told nothing." example:"https://chat.example.com"`
	Off    texts `yaml:"off" enum:"http,telegram,widget" doc:"Connectors that are switched off here: channels that have one stay, and nothing comes in or goes out by them. Left out: none." example:"[telegram]"`
}

type mailKeys struct {
	Server   text `yaml:"server" default:"''" pattern:"^$|^smtps?://.+:[0-9]{1,5}$" doc:"smtps://host:465, or smtp://host:587, which becomes encrypted by STARTTLS. Empty: no letters are sent." example:"smtp://mail.example.com:587"`
	From     text `yaml:"from" doc:"From whom they are. Required with server." example:"A shop <chat@shop.example>"`
	User     text `yaml:"user" doc:"Who signs in at the server. Left out: nobody does." example:"chat@shop.example"`
	Password text `yaml:"password" secret:"true" doc:"With what: env:NAME or file:PATH." example:"env:MAIL_PASSWORD"`
}

type logKeys struct {
	Level  text `yaml:"level" default:"info" enum:"trace,debug,info,warn,error" doc:"The least that is logged."`
	Format text `yaml:"format" default:"console" enum:"console,json" doc:"console for people, json for machines."`
}

type recordKeys struct {
	KeepDays number `yaml:"keep_days" default:"0" min:"0" max:"36500" doc:"Calls, chats and agents' states are deleted so many days after they ended. 0: never."`
}

type traceKeys struct {
	Calls     number `yaml:"calls" default:"1000" min:"0" max:"100000" doc:"How many calls are remembered, the latest ones; 0: none, and nothing is traced."`
	Messages  number `yaml:"messages" default:"200" min:"10" max:"10000" doc:"How many SIP messages of a leg are remembered, and how many other entries of a call."`
	Megabytes number `yaml:"megabytes" default:"64" min:"1" max:"16384" doc:"The most memory that all of it may take, roughly."`
	Keys      yesNo  `yaml:"keys" default:"false" doc:"Show which telephone keys people press. They may be card numbers and PINs."`
}

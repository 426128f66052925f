package archtest

// rule says what the packages of one folder may import. It covers the folders
// below as well, unless one of them has a rule of its own. Packages under the
// same rule may import each other.
type rule struct {
	path string // the folder
	all  bool   // may import everything
	// own are the other rules' paths whose packages may be imported; testOwn is
	// what test files may import besides.
	own, testOwn []string
	// libs are the modules or packages outside the product that may be imported; testLibs
	// is what test files may import besides, and besides what every test may use.
	libs, testLibs []string
	// pure limits the standard library to pureStd, and language to what is deterministic.
	pure bool
	why  string // ends the failure message
}

const zerolog = "github.com/rs/zerolog"

// rules is the table of who may import whom.
var rules = []rule{
	{
		path: "queuegroups", own: []string{"queuegroups/strictyaml"},
		libs: []string{"go.yaml.in/yaml", "github.com/nyaruka/phonenumbers"},
		why:  "what the admin declares is checked without knowing of calls, so that every other package can build on it",
	},
	{
		path: "queuegroups/strictyaml",
		libs: []string{"go.yaml.in/yaml"},
		why:  "reading YAML strictly knows nothing of what the YAML means",
	},
	{
		path: "acd", own: []string{"queuegroups"}, pure: true,
		why: "the core is a deterministic state machine: the same log must give the same state on every node and in every replay",
	},
	{
		path: "acd/sim", own: []string{"acd", "queuegroups"},
		why: "the simulator drives the core alone, millions of calls with a virtual clock",
	},
	{
		path: "sip",
		libs: []string{"github.com/emiago/sipgo", "github.com/icholy/digest", "golang.org/x/sys", zerolog},
		why:  "signalling knows neither media nor distribution, so that each can be tested and replaced alone; the switchboard joins them",
	},
	{
		path:    "media",
		libs:    []string{"github.com/pion/rtp", "github.com/pion/rtcp", "github.com/pion/srtp", "github.com/pion/dtls", "github.com/zaf/g711", "golang.org/x/sys", zerolog},
		testOwn: []string{"internal/webpeer"},
		why:     "media knows neither signalling nor distribution, so that each can be tested and replaced alone; the switchboard joins them",
	},
	{
		path: "media/mp3", testOwn: []string{"media"},
		why: "the decoder knows nothing of what its sound is for",
	},
	{
		path: "holdmusic", own: []string{"media", "media/mp3"}, libs: []string{zerolog},
		why: "programmes are plain media sources; who hears which is the core's business",
	},
	{
		path: "chat", libs: []string{zerolog},
		why: "chats declare the interfaces they need and never touch telephony",
	},
	{
		path: "chat/hub", own: []string{"chat"}, libs: []string{zerolog}, testOwn: []string{"chat/store", "internal/journal/db", "internal/journal/db/dbtest"},
		why: "what passes chats on knows neither the connectors nor the core, only what it asks of them",
	},
	{
		path: "chat/mail", testOwn: []string{"internal/mailserver"},
		why: "what sends letters knows nothing of what is in them",
	},
	{
		path: "chat/partner", own: []string{"chat"}, libs: []string{zerolog},
		why: "a connector knows its other side and nothing of who answers",
	},
	{
		path: "chat/widget", own: []string{"chat"}, libs: []string{zerolog}, testOwn: []string{"chat/hub", "chat/store", "internal/journal/db", "internal/journal/db/dbtest"},
		testLibs: []string{"github.com/coder/websocket"}, // a browser's end; ours is chat/widget/socket
		why:      "a connector knows its other side and nothing of who answers",
	},
	{
		path: "chat/bot", own: []string{"chat", "chat/partner"}, testOwn: []string{"chat/hub", "chat/store", "internal/journal/db", "internal/journal/db/dbtest"}, libs: []string{zerolog},
		why: "a bot answers what it is asked, and knows nothing of queues",
	},
	{
		path: "chat/telegram", own: []string{"chat"}, libs: []string{zerolog},
		testOwn: []string{"internal/botserver", "chat/hub", "chat/store", "internal/journal/db", "internal/journal/db/dbtest"},
		why:     "a connector knows its other side and nothing of who answers",
	},
	{
		path: "internal/botserver",
		why:  "the Bot API of tests is somebody else's: it must not know ours",
	},
	{
		path: "internal/mailserver",
		why:  "the mail server of tests is somebody else's: it must not know ours",
	},
	{
		path: "chat/store", own: []string{"chat", "internal/journal/db"}, libs: []string{zerolog}, testOwn: []string{"internal/journal/db/dbtest"},
		why: "what customers wrote is kept without knowing how it came or who is to answer it",
	},
	{
		path: "configs", own: []string{"queuegroups", "queuegroups/strictyaml"}, libs: []string{"go.yaml.in/yaml"},
		testOwn: []string{"holdmusic", "media"}, // the sample's music must play
		why:     "settings are read before anything runs",
	},
	{
		path: "web", own: []string{"acd", "chat", "queuegroups", "internal/accounts", "internal/events", "internal/webhooks", "internal/journal"}, libs: []string{zerolog, "github.com/danielgtaylor/huma", "github.com/coder/websocket"},
		testOwn: []string{"internal/journal/db", "internal/journal/db/dbtest"},
		why:     "API and console read the core's views and the record's rows, and declare the interfaces they need",
	},
	{
		path: "internal/accounts", own: []string{"queuegroups", "internal/journal/db"}, libs: []string{"golang.org/x/crypto/argon2", zerolog},
		testOwn: []string{"internal/journal/db/dbtest"},
		why:     "who may do what is kept without knowing how it is asked for",
	},
	{
		path: "internal/events", own: []string{"acd", "queuegroups", "internal/journal/db"}, libs: []string{zerolog},
		testOwn: []string{"internal/journal", "internal/journal/db/dbtest"},
		why:     "what is told of events is one list for whoever writes them and whoever passes them on",
	},
	{
		path: "internal/webhooks", own: []string{"internal/events", "internal/journal/db"}, libs: []string{zerolog},
		testOwn: []string{"internal/journal", "internal/journal/db/dbtest"},
		why:     "whoever is sent events is sent them whatever they tell of",
	},
	{
		path: "internal/eventlog", own: []string{"acd"}, testOwn: []string{"queuegroups"},
		libs: []string{"github.com/nats-io/nats-server", "github.com/nats-io/nats.go", zerolog},
		why:  "the log orders, stores and applies; it knows nothing of what the commands do",
	},
	{
		path: "internal/journal", own: []string{"acd", "queuegroups", "internal/events", "internal/journal/db"}, libs: []string{zerolog},
		testOwn: []string{"internal/journal/db/dbtest", "internal/eventlog", "acd/sim", "chat", "chat/store"},
		why:     "the journal follows the log and can be rebuilt from it",
	},
	{
		path:    "internal/journal/db",
		testOwn: []string{"internal/journal/db/dbtest"},
		libs:    []string{"modernc.org/sqlite", "github.com/jackc/pgx", "github.com/pressly/goose", zerolog},
		why:     "the database knows no table, so that every part of the server can keep its own in it",
	},
	{
		path: "internal/journal/db/dbtest", own: []string{"internal/journal/db"}, libs: []string{"github.com/jackc/pgx", zerolog},
		why: "tests of every package with tables run on the same two databases",
	},
	{
		path: "internal/switchboard", own: []string{"acd", "sip", "media", "holdmusic", "chat", "chat/hub", "queuegroups", "internal/mailbox"},
		testOwn: []string{"internal/eventlog", "internal/testcall"},
		libs:    []string{zerolog},
		why:     "the switchboard joins the core with the outside; storage and start-up reach it as interfaces",
	},
	{
		path: "internal/backup",
		why:  "packing and unpacking files knows nothing of what is in them",
	},
	{
		path: "internal/mailbox",
		why:  "an actor's queue knows nothing of what is in it",
	},
	{
		path: "internal/testcall", own: []string{"sip", "media", "holdmusic", "internal/mailbox"}, libs: []string{zerolog},
		why: "the test caller is a peer: it must not know the server it calls",
	},
	{
		path: "internal/demo", own: []string{"sip", "media", "holdmusic", "internal/mailbox"}, libs: []string{zerolog},
		why: "robots are peers: what they cannot do by telephone they ask of an office that they declare",
	},
	{
		path: "internal/webpeer", libs: []string{"github.com/pion/webrtc", "github.com/pion/rtp"},
		why: "the browser of tests is somebody else's WebRTC: it must not know the server's",
	},
	{
		path: "packaging",
		why:  "what operators take is checked as files, not as code",
	},
	{
		path: "internal/trace",
		why:  "traces are told to it; it knows none of those who tell",
	},
	{
		path: "internal/archtest",
		why:  "these tests read the source and need nothing of it",
	},
	{path: "internal/app", all: true},
	{path: "cmd", all: true},
	{path: "e2e", all: true},
}

// everyTest are the libraries that every test may use.
var everyTest = []string{
	"github.com/google/go-cmp",
	"github.com/santhosh-tekuri/jsonschema",
	"go.uber.org/goleak",
}

// pureStd is what the core may use of the standard library: no clock, no
// input or output, no goroutines, no randomness, no logging.
var pureStd = []string{
	"bufio", "bytes", "cmp", "container/heap", "container/list", "encoding", "encoding/binary", "encoding/hex",
	"encoding/json", "errors", "fmt", "hash", "hash/crc32", "hash/crc64", "hash/fnv", "io", "iter", "maps",
	"math", "math/bits", "reflect", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8",
}

// impureTime is what package time offers that depends on the clock or the machine.
var impureTime = []string{
	"After", "AfterFunc", "LoadLocation", "Local", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

// Package configs loads the server's own settings, centrala.yaml, and finds the
// files that they name. It embeds the sample files, which are also the
// configuration of a server that is started without any: on loopback only.
//
//go:generate go test . -run "^Test(Schema|Guide)_IsGenerated" -update
package configs

import (
	"embed"
	"fmt"
	"net/netip"

	"centrala/queuegroups"
	"centrala/queuegroups/strictyaml"
)

//go:embed centrala.yaml queuegroups.yaml holidays/*.yaml music/*.wav schema/*.json
var sample embed.FS

// sampleFile is the name of the embedded settings.
const sampleFile = "centrala.yaml"

// Values of settings that are words.
const (
	EngineEmbedded = "embedded"
	DatabaseSQLite = "sqlite"

	TLSSelfSigned = "self_signed"
	TLSFiles      = "files"
	TLSACME       = "acme"

	LogConsole = "console"
	LogJSON    = "json"
)

// Server is the server's settings. They hold until a restart.
type Server struct {
	Domain    string // what phones register at, and the digest realm
	Region    string // ISO 3166 alpha-2, for numbers without +
	Data      string // the folder of the log and the database; relative to the working directory
	Listen    Listen
	Advertise netip.Addr // our address as the outside sees it; invalid: the one that listens
	RTP       Ports
	TLS       TLS
	Log       Log
	Trace     Trace
	Engine    string // EngineEmbedded, or the addresses of NATS servers with commas between
	Record    Record
	Database  string // DatabaseSQLite, or a postgres:// address; may hold a password
	Webhooks  Webhooks

	Connectors Connectors
	Mail       Mail
	// QueueGroups is the file or folder of declarations as it is written in the settings.
	QueueGroups string

	file   string            // of the settings
	folder string            // what names are relative to; empty: the embedded files
	opened func(path string) // is told of what Open opens; nil: nobody
	groups strictyaml.Pos    // of QueueGroups
	noEnv  bool              // secrets of variables that are not set are left empty
}

// Listen is where the server takes connections.
type Listen struct {
	SIP   []SIPListener
	Web   Web            // no address: none
	Admin netip.AddrPort // no address: none

	// WebRTC is where browsers' audio comes; port 0: at one of RTP. Without an address they have no telephones.
	WebRTC netip.AddrPort
}

// SIPListener is one socket for SIP. Network is udp, tcp or tls; port 0 is any free one.
type SIPListener struct {
	Network string
	Addr    netip.AddrPort
}

// Web is the socket of console, API and widget.
type Web struct {
	TLS  bool
	Addr netip.AddrPort
}

// Ports is a range of UDP ports, both ends included.
type Ports struct{ Min, Max uint16 }

// TLS is where certificates come from. Cert and Key are set for TLSFiles.
type TLS struct {
	Mode  string
	Cert  string
	Key   string
	Roots string // of peers that we call, beside the machine's; empty: no others
}

// Webhooks is where events may be sent. Allow are networks that are not public and allowed all the same.
type Webhooks struct{ Allow []netip.Prefix }

// Mail is by which server letters go. Server is smtps://host:port or smtp://host:port; empty: none are sent.
type Mail struct {
	Server, From, User string
	Password           queuegroups.Secret
}

// Connectors are what carries chats. Public is the address at which others reach the web part, without
// a slash at its end; empty: it is not known. Off are connectors that are switched off (R7).
type Connectors struct {
	Public string
	Off    []string
}

// Log is how much is logged and how. Level is one of zerolog's, from trace to error.
type Log struct {
	Level  string
	Format string // LogConsole or LogJSON
}

// Record is for how many days what happened is kept, after it ended. 0: for ever.
type Record struct {
	KeepDays int
}

// Trace is how much is remembered of the latest calls. Calls 0: nothing.
type Trace struct {
	Calls     int
	Messages  int // of a leg
	Megabytes int // altogether
	Keys      bool
}

// Default gives the embedded settings. Names in them lead to embedded files.
func Default() *Server {
	s, report := load("", false)
	if err := report.Err(); err != nil {
		panic(fmt.Sprintf("the embedded settings: %v", err)) // they are tested
	}
	return s
}

// Load reads the settings from a file. Names in them are relative to its
// folder. Mistakes come back as queuegroups.Problems, all at once.
func Load(file string) (*Server, error) {
	return loaded(load(file, false))
}

// LoadAll reads the settings, from the embedded ones if file is empty, and the
// queue groups that they name. Its error holds the mistakes of both.
func LoadAll(file string) (*Server, *queuegroups.Config, error) {
	return loadAll(load(file, false))
}

// Inspect is Load for whoever asks a running server, and has perhaps not its environment:
// secrets as env:NAME whose variable is not set are empty.
func Inspect(file string) (*Server, error) {
	return loaded(load(file, true))
}

func loaded(s *Server, report *strictyaml.Report) (*Server, error) {
	if err := report.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// InspectAll is LoadAll for whoever works beside the server and uses no secrets, as Inspect is.
func InspectAll(file string) (*Server, *queuegroups.Config, error) {
	return loadAll(load(file, true))
}

func loadAll(s *Server, report *strictyaml.Report) (*Server, *queuegroups.Config, error) {
	groups, err := s.loadQueueGroups(report)
	if err != nil {
		return nil, nil, err
	}
	return s, groups, nil
}

// Schema gives the JSON Schema of centrala.yaml, for editors.
func Schema() ([]byte, error) {
	return strictyaml.Schema[document]("Centrala: the server's settings")
}

package web

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// Phones is the telephony behind the telephones in browsers.
type Phones interface {
	// Connect takes SIP from a browser's WebSocket, and sends it there, until one of them
	// closes it. It returns as soon as it is read.
	Connect(s Socket, b Browser) error
	// Realm is the host of agents' addresses, and that of digest authentication.
	Realm() string
	// OnDesk tells whether an agent has the password of a telephone that is no browser.
	OnDesk(agent queuegroups.AgentID) bool
}

// How long what a telephone proves itself with is good for, and how many of them there are.
const (
	phoneKeyLife = 24 * time.Hour // as long as a session at most
	phoneKeysOf  = 8              // a session; the oldest give way
	phoneExpires = 2 * time.Minute
)

// Codes of problems with telephones.
const (
	codeNoAgent    = "not_an_agent"
	codeFixedPhone = "has_a_fixed_phone"
)

func (s *Server) phoneRoutes() {
	Operation(s, SignedIn(), Route{
		ID: "phone-credentials", Method: http.MethodPost, Path: "/phone/credentials", Tag: "phone", Summary: "What the agent's telephone in this browser registers with",
		Description: "SIP over WebSocket is at /sip (RFC 7118, subprotocol sip). The credentials are good for that, in this session and until it ends.",
	}, s.phoneCredentials)
	s.mux.HandleFunc("GET "+SIPPath, s.serveSIP)
}

// Credentials are what a telephone in a browser registers with.
type Credentials struct {
	WebSocket string `json:"websocket" doc:"Where SIP is spoken, on this server." example:"/sip"`
	URI       string `json:"uri" doc:"The address to register." example:"sip:anna@pbx.example.com"`
	Name      string `json:"name" doc:"How the agent is called."`
	User      string `json:"user" doc:"The user name of digest authentication."`
	Realm     string `json:"realm"`
	HA1       string `json:"ha1" doc:"MD5 of user:realm:password, in hex. The password is not told."`
	Expires   int    `json:"expires" doc:"For how long to register, in seconds."`
}

type credentialsOut struct{ Body Credentials }

func (s *Server) phoneCredentials(ctx context.Context, c *Caller, _ *struct{}) (*credentialsOut, error) {
	ownAct(ctx)
	agent, p := s.phoneOf(c)
	if p != nil {
		return nil, p
	}
	realm := s.phones.Realm()
	user, ha1 := s.phoneKeys.issue(string(agent.ID), c.Session, realm)
	return &credentialsOut{Credentials{
		WebSocket: SIPPath, URI: "sip:" + string(agent.ID) + "@" + realm, Name: agent.Name, User: user, Realm: realm, HA1: ha1,
		Expires: int(phoneExpires / time.Second),
	}}, nil
}

// phoneOf is the agent who may have a telephone in the caller's browser.
func (s *Server) phoneOf(c *Caller) (*queuegroups.Agent, *Problem) {
	var agent *queuegroups.Agent
	s.core.View(func(st *acd.State) { agent = st.Config().Agent(c.Agent) })
	switch {
	case c.Once:
		return nil, problem(http.StatusForbidden, codeChoosePassword, "choose a password first: POST "+Prefix+"/session/password")
	case c.Agent == "" || agent == nil:
		return nil, conflict(codeNoAgent, "only agents have a telephone")
	case agent.Contact != "":
		return nil, conflict(codeFixedPhone, "the agent's calls go to a fixed address")
	}
	return agent, nil
}

// PhoneKey finds whose a user name of digest authentication is in a session, and its HA1.
func (s *Server) PhoneKey(session, name string) (user, ha1 string, ok bool) {
	return s.phoneKeys.find(session, name)
}

// phoneKeys are what the telephones of sessions prove themselves with. They are in memory: after a
// restart a telephone asks for new ones.
type phoneKeys struct {
	now func() time.Time

	mu       sync.Mutex
	sessions map[string][]phoneKey // the newest last
}

type phoneKey struct {
	agent, name, ha1 string
	until            time.Time
}

func newPhoneKeys(now func() time.Time) *phoneKeys {
	return &phoneKeys{now: now, sessions: map[string][]phoneKey{}}
}

// issue makes a user name and the hash of a password of 128 random bits.
func (k *phoneKeys) issue(agent, session, realm string) (name, ha1 string) {
	name = agent + "." + strings.ToLower(rand.Text()[:10])
	sum := md5.Sum([]byte(name + ":" + realm + ":" + rand.Text())) // RFC 7616; what browsers' SIP knows
	made := phoneKey{agent: agent, name: name, ha1: hex.EncodeToString(sum[:]), until: k.now().Add(phoneKeyLife)}
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, list := range k.sessions {
		if !k.now().Before(list[len(list)-1].until) {
			delete(k.sessions, id)
		}
	}
	list := append(k.sessions[session], made)
	k.sessions[session] = list[max(0, len(list)-phoneKeysOf):]
	return name, made.ha1
}

func (k *phoneKeys) find(session, name string) (agent, ha1 string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, x := range k.sessions[session] {
		if x.name == name && k.now().Before(x.until) {
			return x.agent, x.ha1, true
		}
	}
	return "", "", false
}

// forget ends what a session was given.
func (k *phoneKeys) forget(session string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.sessions, session)
}

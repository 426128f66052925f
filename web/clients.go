package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"centrala/acd"
	"centrala/queuegroups"
)

// Programs that agents work with tell that they are there, and are gone when they have not for
// a while: browsers tell it once a minute at worst, in the background (Chromium), so that
// clientGone is more than that.
const (
	clientGone = 75 * time.Second
	clientUse  = time.Minute // how often use is told to the core at most
)

func (s *Server) clientRoutes() {
	Operation(s, Needs(queuegroups.RightAgentsWrite), Route{
		ID: "set-client", Method: http.MethodPost, Path: "/agents/{agent}/client", Tag: "agents", Summary: "Tell how a program stands that the agent works with",
		Description: "Chats are offered to agents with one that is used (R36 to R39). To be told every 25 seconds; one that was not heard of for 75 seconds is closed.",
	}, s.setClient)
}

type clientIn struct {
	AgentPath
	Body struct {
		ID    string `json:"id" minLength:"1" maxLength:"64" doc:"Of the program: another one for each window." example:"w1"`
		Kind  string `json:"kind" enum:"browser,desktop,mobile"`
		State string `json:"state" enum:"used,open,minimised,locked,closed" doc:"used: the agent did something with it since it was last told. open: it is as it was."`
	}
}

// clientKey names all windows of one kind that an agent has.
type clientKey struct {
	agent queuegroups.AgentID
	kind  acd.ClientKind
}

// clients are the agents' programs that have been heard of. The zero value is none.
type clients struct {
	mu   sync.Mutex
	list map[clientKey]*programs
}

type programs struct {
	windows map[string]*window
	told    acd.ClientState
	at      time.Time // when use was told to the core last
}

type window struct {
	state acd.ClientState
	gone  *time.Timer
}

// heard takes what a window tells, and returns what the core is to be told; empty: nothing.
// gone runs when nothing more was heard of the window.
func (x *clients) heard(k clientKey, id string, state acd.ClientState, now time.Time, gone func()) acd.ClientState {
	used := state == acd.ClientUsed
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.list == nil {
		x.list = map[clientKey]*programs{}
	}
	c := x.list[k]
	if c == nil {
		c = &programs{windows: map[string]*window{}, told: acd.ClientClosed}
		x.list[k] = c
	}
	w := c.windows[id]
	if w != nil {
		w.gone.Stop()
	}
	if state == acd.ClientClosed {
		delete(c.windows, id)
	} else {
		if state == "" { // as it was
			if state = acd.ClientUsed; w != nil {
				state = w.state
			}
		}
		w = &window{state: state, gone: time.AfterFunc(clientGone, gone)}
		c.windows[id] = w
	}
	return x.tell(k, c, used, now)
}

// tell finds out how the windows stand together: as the one that is used, if any is.
func (x *clients) tell(k clientKey, c *programs, used bool, now time.Time) acd.ClientState {
	all := acd.ClientClosed
	for _, w := range c.windows {
		if all == acd.ClientClosed || w.state == acd.ClientUsed || all == acd.ClientLocked && w.state == acd.ClientMinimised {
			all = w.state
		}
	}
	if len(c.windows) == 0 {
		delete(x.list, k)
	}
	if all == c.told && !(all == acd.ClientUsed && used && now.Sub(c.at) >= clientUse) {
		return ""
	}
	c.told, c.at = all, now
	return all
}

func (s *Server) setClient(ctx context.Context, c *Caller, in *clientIn) (*agentOut, error) {
	v, out, p := s.agent(c, in.Agent)
	switch {
	case p != nil:
		return nil, p
	case !c.commandsAgent(&v):
		return nil, forbidden("you may see how %s stands, and not change it", in.Agent)
	}
	ownAct(ctx) // a sign of life, not a deed
	k := clientKey{v.ID, acd.ClientKind(in.Body.Kind)}
	state := acd.ClientState(in.Body.State)
	if state == "open" {
		state = ""
	}
	tell := s.clients.heard(k, in.Body.ID, state, s.now(), func() { s.clientGone(k, in.Body.ID) })
	if tell == "" {
		return &agentOut{out}, nil
	}
	return s.tell(ctx, c, in.Agent, s.seen(k, tell), nil)
}

func (s *Server) seen(k clientKey, state acd.ClientState) *acd.ClientSeen {
	return &acd.ClientSeen{Agent: k.agent, Node: s.node, Client: k.kind, State: state}
}

// clientGone tells the core that nothing more was heard of a window.
func (s *Server) clientGone(k clientKey, id string) {
	tell := s.clients.heard(k, id, acd.ClientClosed, s.now(), nil)
	if tell == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if err := s.core.Append(ctx, s.seen(k, tell)); err != nil {
		s.log.Warn().Err(err).Str("agent", string(k.agent)).Msg("it could not be told that an agent's program is gone")
	}
}

package web

import (
	"context"

	"centrala/acd"
	"centrala/queuegroups"
)

// Choices are what history and reports can be asked for, by what is declared now. What is gone
// from the configuration is in the record all the same.
type Choices struct {
	Timezone string         `json:"timezone" doc:"In which times are meant: that of the first opening hours, or UTC."`
	Groups   []Choosable    `json:"groups" nullable:"false" doc:"In the caller's reach, or theirs."`
	Agents   []Choosable    `json:"agents" nullable:"false" doc:"Of whom the caller may see what they did."`
	Numbers  []NumberChoice `json:"numbers" nullable:"false" doc:"Of those groups."`
	Trunks   []string       `json:"trunks" nullable:"false"`
	Channels []Choosable    `json:"channels" nullable:"false" doc:"Of chats."`
}

// Choosable is something with a name.
type Choosable struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// NumberChoice is a number of ours.
type NumberChoice struct {
	Number string `json:"number"`
	Group  string `json:"group"`
}

type choicesOut struct{ Body Choices }

func (s *Server) getChoices(_ context.Context, c *Caller, _ *struct{}) (*choicesOut, error) {
	zone, p := s.zone("")
	if p != nil {
		return nil, p
	}
	out := Choices{
		Timezone: zone.String(), Groups: []Choosable{}, Agents: []Choosable{}, Numbers: []NumberChoice{}, Trunks: []string{}, Channels: []Choosable{},
	}
	s.core.View(func(st *acd.State) {
		sees, config := c.look(st), st.Config()
		if config == nil {
			return
		}
		for _, v := range st.Groups() {
			switch x := (Choosable{string(v.ID), v.Name}); {
			case !sees.group(v.ID):
			case v.Channel != "":
				out.Channels = append(out.Channels, Choosable{string(v.Channel), v.Name})
				out.Groups = append(out.Groups, x)
			default:
				out.Groups = append(out.Groups, x)
			}
		}
		for _, v := range st.Agents() {
			if c.own(v.ID) || c.Role.Reach != queuegroups.ReachOwn && sees.agent(&v) {
				out.Agents = append(out.Agents, Choosable{string(v.ID), v.Name})
			}
		}
		for k := range config.Numbers {
			if n := &config.Numbers[k]; sees.group(n.Group) {
				out.Numbers = append(out.Numbers, NumberChoice{n.Number, string(n.Group)})
			}
		}
		for k := range config.Trunks {
			out.Trunks = append(out.Trunks, string(config.Trunks[k].ID))
		}
	})
	return &choicesOut{out}, nil
}

package queuegroups

import (
	"regexp"

	"centrala/queuegroups/strictyaml"
)

var (
	validExtension = regexp.MustCompile(`^[0-9]{2,10}$`)
	// Enough to catch a slip; the SIP stack has the parser. RFC 3261 19.1.1
	validSIP = regexp.MustCompile(`^sips?:([^@\s<>"]+@)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;[^\s<>"]*)?$`)
)

func (l *loader) buildAgents(entries []strictyaml.Entry[agentKeys]) {
	for _, e := range entries {
		k := e.Value
		a := Agent{
			ID: AgentID(e.Key), Name: k.Name.V, Phone: l.normalize(k.Phone), Contact: k.Contact.V, Role: k.Role.V,
			Extension: l.extension(k.Extension, "agent "+e.Key), SIPPassword: l.secret(k.SIPPassword),
			Capacity: Capacity{
				Voice: k.Capacity.Voice.V, Chat: k.Capacity.Chat.V,
				ChatsDuringCall: k.Capacity.ChatsDuringCall.V, NoCallsDuringChat: !k.Capacity.CallsDuringChat.V,
			},
			Skills: levels(k.Skills), SRTP: srtp(k.SRTP),
			Calls: callClass(k.Calls), FollowRedirects: k.Redirects.V == "follow", Language: k.Language.V,
		}
		a.Profile = l.face(k.Profile, "the profile of agent "+e.Key)
		if n := k.MaxCalls.V; n != DefaultMaxCalls {
			a.MaxCalls = n
		}
		l.known(&l.roles, k.Role)
		if l.known(&l.trunks, k.Trunk) {
			a.Trunk = TrunkID(k.Trunk.V)
		}
		if k.WrapUp.Set && !k.WrapUp.Bad {
			a.WrapUp = &k.WrapUp.V
		}
		l.learn(k.Skills)
		l.skillsOf[a.ID] = a.Skills
		if a.Name == "" {
			a.Name = e.Key
		}
		l.withPhone[e.Key] = k.Phone.Set
		if k.Contact.Set && !k.Contact.Bad && !validSIP.MatchString(a.Contact) {
			hint := ""
			if validSIP.MatchString("sip:" + a.Contact) {
				hint = "did you mean sip:" + a.Contact + "?"
			}
			l.report.Add(k.Contact.At, hint, "%q is not a SIP address such as sip:lobby@192.0.2.9:5060", a.Contact)
		}
		l.config.Agents = append(l.config.Agents, a)
	}
	// Phones register with the id or with the extension, so neither may be another agent's.
	for _, e := range entries {
		if o, ok := l.extensions[e.Key]; ok && o.what != "agent "+e.Key {
			l.report.Add(e.At, "", "the id of agent %s is also the extension of %s, at %s", e.Key, o.what, o.at)
		}
	}
}

// srtp reads whether audio is encrypted.
func srtp(v text) SRTP {
	if v.V == "optional" {
		return SRTPOptional
	}
	return SRTP(v.V)
}

// extension notes whose an extension is.
func (l *loader) extension(v text, what string) string {
	if !v.Set || v.Bad {
		return ""
	}
	if !validExtension.MatchString(v.V) {
		l.report.Add(v.At, "", "the extension %q must be 2 to 10 digits", v.V)
		return ""
	}
	if o, ok := l.extensions[v.V]; ok {
		l.report.Add(v.At, "", "the extension %s already belongs to %s, at %s", v.V, o.what, o.at)
		return ""
	}
	l.extensions[v.V] = owner{what: what, at: v.At}
	return v.V
}

// agentList checks the agents of a group or channel.
func (l *loader) agentList(list texts, what string) []AgentID {
	if list.Set && !list.Bad && len(list.Items) == 0 {
		l.report.Add(list.At, "", "%s has no agents", what)
	}
	seen := map[string]bool{}
	var agents []AgentID
	for _, v := range list.Items {
		if !l.known(&l.agents, v) {
			continue
		}
		if seen[v.V] {
			l.report.Add(v.At, "", "%s has the agent %s twice", what, v.V)
			continue
		}
		seen[v.V] = true
		agents = append(agents, AgentID(v.V))
	}
	return agents
}

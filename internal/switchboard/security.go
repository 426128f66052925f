package switchboard

import (
	"centrala/media/sdp"
	"centrala/queuegroups"
)

// phoneSecurity is whether the audio of an agent's phones is encrypted.
func (b *Board) phoneSecurity(agent queuegroups.AgentID) sdp.Security {
	if a := b.config.Load().Agent(agent); a != nil {
		return security(a.SRTP)
	}
	return security(queuegroups.SRTPOptional)
}

// trunkSecurity is whether the audio of a trunk's calls is encrypted.
func (b *Board) trunkSecurity(trunk queuegroups.TrunkID) sdp.Security {
	if t := b.config.Load().Trunk(trunk); t != nil {
		return security(t.SRTP)
	}
	return security(queuegroups.SRTPOptional)
}

// security is what the admin's word means for an offer and an answer. Keys that
// anybody on the way can read are not worth an offer (docs/adr/0005-srtp.md).
func security(policy queuegroups.SRTP) sdp.Security {
	switch policy {
	case queuegroups.SRTPRequired:
		return sdp.SecureRequired
	case queuegroups.SRTPOff:
		return sdp.SecureNever
	case queuegroups.SRTPOptional:
	}
	return sdp.SecureAccepted
}

package switchboard

import (
	"centrala/media/sdp"
	"centrala/queuegroups"
)

// phoneSRTP is whether the audio of an agent's phones is to be encrypted.
func (b *Board) phoneSRTP(agent queuegroups.AgentID) queuegroups.SRTP {
	if a := b.config.Load().Agent(agent); a != nil {
		return a.SRTP
	}
	return queuegroups.SRTPOptional
}

// trunkSRTP is whether the audio of a trunk's calls is to be encrypted.
func (b *Board) trunkSRTP(trunk queuegroups.TrunkID) queuegroups.SRTP {
	if t := b.config.Load().Trunk(trunk); t != nil {
		return t.SRTP
	}
	return queuegroups.SRTPOptional
}

// security is what the admin's word means for a leg's offers and answers; secret
// tells that nobody on the way can read its signalling. Keys that anybody can
// read are not worth an offer (docs/adr/0005-srtp.md).
func security(policy queuegroups.SRTP, secret bool) sdp.Security {
	switch policy {
	case queuegroups.SRTPRequired:
		return sdp.SecureRequired
	case queuegroups.SRTPOff:
		return sdp.SecureNever
	case queuegroups.SRTPOptional:
	}
	if secret {
		return sdp.SecureOffered
	}
	return sdp.SecureAccepted
}

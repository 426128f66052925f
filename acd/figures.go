package acd

// MediaFigures say how the audio of a leg was. The core does nothing with them:
// they pass through the log in LegEnded, for whoever keeps the record.
type MediaFigures struct {
	Codec     string   `json:"codec,omitempty"` // as SDP names it, at the end; empty: none was agreed on
	SRTP      string   `json:"srtp,omitempty"`  // the suite of RFC 4568 or 5764 that encrypts it; empty: nothing did
	In        MediaWay `json:"in,omitzero"`     // from the far end to us, as we saw it
	Out       MediaWay `json:"out,omitzero"`    // from us to the far end, as it reported by RTCP
	RoundTrip int64    `json:"round_trip_us,omitempty"`
	Discarded uint64   `json:"discarded,omitempty"` // packets that came to the leg's ports and were not its far end's, or not RTP of the session
}

// MediaWay is one direction of a leg's audio. A leg of a bridge sends on what it
// is sent, so that what was lost on the way to us is missing in Out of the other leg.
type MediaWay struct {
	Packets    uint64 `json:"packets,omitempty"`        // RTP packets that we received and took, or sent
	Expected   uint64 `json:"expected,omitempty"`       // how many should have arrived; 0: nothing is known of their arrival
	Lost       uint64 `json:"lost,omitempty"`           // how many of Expected did not
	JitterMean int64  `json:"jitter_mean_us,omitempty"` // RFC 3550 6.4.1
	JitterMax  int64  `json:"jitter_max_us,omitempty"`
	MOS        int    `json:"mos,omitempty"` // estimate by ITU-T G.107 in hundredths, 100 to 450; 0: unknown
}

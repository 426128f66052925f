package switchboard

import (
	"bytes"
	"testing"
	"time"

	"centrala/media"

	"github.com/rs/zerolog"
)

// The line of a leg's end tells what is known, and nothing of what is not.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name  string
		stats media.Stats
		want  string
	}{
		{"nothing heard", media.Stats{Sent: 9}, `{"rtp_in":0,"rtp_out":9,"rtp_lost":0}`},
		{
			"both sides known",
			media.Stats{
				Sent: 100, Received: 99, Lost: 1, JitterMean: 2499 * time.Microsecond, JitterMax: 11 * time.Millisecond, MOS: 4.3123,
				PeerLost: 7, PeerExpected: 100, PeerJitter: time.Millisecond, PeerMOS: 3.651, RTT: 123456 * time.Microsecond,
			},
			`{"rtp_in":99,"rtp_out":100,"rtp_lost":1,"rtp_jitter_ms":2.5,"rtp_jitter_max_ms":11,"mos":4.3,` +
				`"peer_lost":7,"peer_jitter_ms":1,"peer_mos":3.7,"rtt_ms":123.5}`,
		},
	} {
		var b bytes.Buffer
		log := zerolog.New(&b)
		quality(log.Log(), c.stats).Send()
		if got := string(bytes.TrimSpace(b.Bytes())); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

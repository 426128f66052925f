package switchboard

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
	"time"

	"centrala/acd"
	"centrala/media"
	"centrala/media/sdp"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// The line of a leg's end tells what is known, and nothing of what is not.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		name    string
		figures acd.MediaFigures
		want    string
	}{
		{"nothing heard", acd.MediaFigures{Out: acd.MediaWay{Packets: 9}}, `{"rtp_in":0,"rtp_out":9,"rtp_lost":0}`},
		{
			"both sides known",
			acd.MediaFigures{
				In:        acd.MediaWay{Packets: 99, Lost: 1, JitterMean: 2499, JitterMax: 11_000, MOS: 431},
				Out:       acd.MediaWay{Packets: 100, Lost: 7, Expected: 100, JitterMean: 1000, MOS: 365},
				RoundTrip: 123_456, SRTP: "AEAD_AES_128_GCM",
			},
			`{"rtp_in":99,"rtp_out":100,"rtp_lost":1,"rtp_jitter_ms":2.5,"rtp_jitter_max_ms":11,"mos":4.31,` +
				`"peer_lost":7,"peer_jitter_ms":1,"peer_mos":3.65,"rtt_ms":123.5,"srtp":"AEAD_AES_128_GCM"}`,
		},
	} {
		var b bytes.Buffer
		log := zerolog.New(&b)
		quality(log.Log(), &c.figures).Send()
		if got := string(bytes.TrimSpace(b.Bytes())); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// Each figure of media stands in its place in the fact, in whole numbers.
func TestFiguresOf(t *testing.T) {
	engine, err := media.New(media.Options{PortMin: 30400, PortMax: 30409, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	ep, err := engine.NewEndpoint(media.EndpointOptions{Local: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	got := figuresOf(ep, media.Stats{
		Sent: 1, Received: 20, Lost: 3, Jitter: 99 * time.Second, JitterMean: 4 * time.Microsecond, JitterMax: 5 * time.Microsecond,
		PeerLost: 6, PeerExpected: 7, PeerJitter: 99 * time.Second, PeerJitterMean: 8 * time.Microsecond, PeerJitterMax: 9 * time.Microsecond,
		RTT: 1234567 * time.Nanosecond, MOS: 4.306, PeerMOS: 1, Strangers: 1, Malformed: 10, Forged: 100, Unsent: 1000,
	})
	want := &acd.MediaFigures{
		In:        acd.MediaWay{Packets: 20, Expected: 23, Lost: 3, JitterMean: 4, JitterMax: 5, MOS: 431},
		Out:       acd.MediaWay{Packets: 1, Expected: 7, Lost: 6, JitterMean: 8, JitterMax: 9, MOS: 100},
		RoundTrip: 1234, Discarded: 111,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// How the audio of a leg is can be asked during the call, and its end says so for
// the record: what went each way, what the far end reported of it, and how it was
// encrypted.
func TestBoard_FiguresOfALeg(t *testing.T) {
	b := newBench(t, nil)
	b.peer.security = sdp.SecureOffered
	call, leg := b.arrive()
	b.do(call, &acd.Answer{})
	b.want(&acd.LegAnswered{Leg: call})
	b.do(call, &acd.Play{}) // silence, which is sent all the same
	b.peer.do(func() { b.peer.legs[leg].Play(b.board.ringing.Load().Begin()) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	until := func(what string, enough func(acd.MediaFigures) bool) acd.MediaFigures {
		t.Helper()
		for {
			f, ok := b.board.Figures(ctx, call)
			if !ok {
				t.Fatalf("%s: %+v", what, f)
			}
			if enough(f) {
				return f
			}
			time.Sleep(time.Millisecond)
		}
	}
	live := until("packets both ways, more than can be on their way", func(f acd.MediaFigures) bool { return f.In.Packets >= 10 && f.Out.Packets >= 40 })
	if live.Codec != "PCMA" || live.SRTP == "" || live.In.MOS < 300 {
		t.Errorf("%+v", live)
	}
	if list := b.board.Audio(ctx, call); len(list) != 1 || list[0].Leg != call || list[0].Media.In.Packets < live.In.Packets {
		t.Errorf("all legs: %+v", list)
	}
	b.peer.do(func() { b.peer.legs[leg].Close() }) // its goodbye reports what it received
	live = until("the far end's report", func(f acd.MediaFigures) bool { return f.Out.Expected > 0 })
	b.peer.do(func() { leg.Hangup("") })
	ended := b.want(&acd.LegEnded{Leg: call, Cause: acd.EndHangup}).(*acd.LegEnded)
	m := ended.Media
	if m == nil || m.Codec != "PCMA" || m.SRTP != live.SRTP || m.Out.Packets < live.Out.Packets || m.Out.Expected < 10 ||
		m.Out.MOS < 100 || m.Out.MOS > 450 || m.In.Packets < 10 {
		t.Errorf("%+v", m)
	}
	for _, id := range []acd.LegID{call, call + ".1", "nobody"} {
		if _, ok := b.board.Figures(ctx, id); ok {
			t.Errorf("figures of %s, which is no leg", id)
		}
		if list := b.board.Audio(ctx, id); len(list) != 0 {
			t.Errorf("legs of %s: %+v", id, list)
		}
	}
}

// Nobody waits for a call that is busy for longer than they want to.
func TestBoard_FiguresInTime(t *testing.T) {
	b := newBench(t, nil)
	call, leg := b.arrive()
	release := make(chan struct{})
	b.board.holder(call).box.Post(func() { <-release })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := b.board.Figures(ctx, call); ok {
		t.Error("figures of a call that cannot have said them")
	}
	if b.board.Audio(ctx, call) != nil {
		t.Error("legs of a call that cannot have said them")
	}
	close(release)
	b.peer.do(func() { leg.Hangup("") })
	b.want(&acd.LegEnded{Leg: call, Cause: acd.EndCancel})
}

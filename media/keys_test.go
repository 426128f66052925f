package media_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"
)

// Two endpoints as strangers to each other: all keys arrive once and in order, plain and encrypted,
// without a source and during music, which is heard again afterwards.
func TestPress_HeardByAPeer(t *testing.T) {
	const keys = "0123456789*#ABCD"
	for _, c := range []struct {
		name     string
		security sdp.Security
		music    bool
	}{
		{"plain", sdp.SecureNever, false},
		{"plain, during music", sdp.SecureNever, true},
		{"encrypted, during music", sdp.SecureRequired, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, media.Options{})
			heard := make(chan byte, 2*len(keys))
			sounds := make(chan struct{}, 1)
			ours := newEndpoint(t, e, media.EndpointOptions{Security: c.security})
			peer := newEndpoint(t, e, media.EndpointOptions{
				OnEvent: keysTo(heard),
				OnAudio: func(media.Codec, uint32, []byte) {
					select {
					case sounds <- struct{}{}:
					default:
					}
				},
			})
			if err := ours.Press("1", 0); !errors.Is(err, media.ErrNoKeys) {
				t.Errorf("before the session: %v", err)
			}
			answer, err := peer.AcceptOffer(ours.Offer())
			if err != nil {
				t.Fatal(err)
			}
			if err := ours.AcceptAnswer(answer); err != nil {
				t.Fatal(err)
			}
			if c.music {
				ours.Play(tone.NewProgram(440, -10))
				<-sounds
			}
			if err := errors.Join(ours.Press(keys[:3], 40*time.Millisecond), ours.Press(keys[3:], 41*time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			for i := range len(keys) {
				select {
				case got := <-heard:
					if got != keys[i] {
						t.Fatalf("key %d is %c, want %c", i, got, keys[i])
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("key %d is not heard", i)
				}
			}
			if c.music {
				for range 2 { // the first may be of before
					<-sounds
				}
			}
			s := peer.Stats()
			if s.Lost != 0 || s.Malformed != 0 || s.Forged != 0 || len(heard) != 0 {
				t.Errorf("%+v, %d keys more", s, len(heard))
			}
		})
	}
}

func TestPress_Refusals(t *testing.T) {
	e := newEngine(t, media.Options{})
	p := newPhone(t)
	ep := newEndpoint(t, e, media.EndpointOptions{})
	const event = "a=rtpmap:101 telephone-event/8000"
	p.dial(t, ep, "8 101", event)
	for _, c := range []struct {
		keys string
		each time.Duration
	}{
		{"5x", 0}, {"5", 39 * time.Millisecond}, {"5", 5001 * time.Millisecond}, {"5", -1}, {strings.Repeat("5", 65), 0},
	} {
		if ep.Press(c.keys, c.each) == nil {
			t.Errorf("%q for %v was taken", c.keys, c.each)
		}
	}
	if err := ep.Press("", 0); err != nil {
		t.Error(err)
	}
	p.dial(t, ep, "8 101", event, "a=sendonly")
	if err := ep.Press("5", 0); !errors.Is(err, media.ErrNoKeys) {
		t.Errorf("on hold: %v", err)
	}
	p.dial(t, ep, "8")
	if err := ep.Press("5", 0); !errors.Is(err, media.ErrNoKeys) {
		t.Errorf("without telephone-event: %v", err)
	}
	ep.Close()
	if err := ep.Press("5", 0); !errors.Is(err, media.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if p.count() != 0 {
		t.Errorf("%d packets were sent", p.count())
	}
}

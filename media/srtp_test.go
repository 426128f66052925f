package media_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"centrala/media"
	"centrala/media/sdp"
	"centrala/media/tone"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

var suites = map[sdp.Suite]srtp.ProtectionProfile{
	sdp.GCM128: srtp.ProtectionProfileAeadAes128Gcm,
	sdp.CM128:  srtp.ProtectionProfileAes128CmHmacSha1_80,
	sdp.CM128s: srtp.ProtectionProfileAes128CmHmacSha1_32,
}

// securePhone is a phone that encrypts (RFC 3711), with keys of its own.
type securePhone struct {
	*phone
	t        testing.TB
	suite    sdp.Suite
	key      string
	out      *srtp.Context
	lastSent []byte
}

func newSecurePhone(t testing.TB, suite sdp.Suite) *securePhone {
	p := &securePhone{phone: newPhone(t), t: t, suite: suite, key: strings.Repeat("P", suite.KeyLen())}
	p.out = cipher(t, suite, p.key)
	return p
}

func cipher(t testing.TB, suite sdp.Suite, key string) *srtp.Context {
	t.Helper()
	c, err := srtp.CreateContext([]byte(key[:16]), []byte(key[16:]), suites[suite])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *securePhone) line() string {
	return fmt.Sprintf("a=crypto:1 %s inline:%s", p.suite, base64.StdEncoding.EncodeToString([]byte(p.key)))
}

// dial connects the phone with an endpoint and returns where to send.
func (p *securePhone) dial(ep *media.Endpoint, lines ...string) netip.AddrPort {
	p.t.Helper()
	offer := bytes.Replace(p.sdp("8", append(lines, p.line())...), []byte("RTP/AVP"), []byte("RTP/SAVP"), 1)
	answer, err := ep.AcceptOffer(offer)
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := sdp.Parse(answer)
	if err != nil {
		p.t.Fatal(err)
	}
	stream := s.Streams[0]
	if len(stream.Crypto) != 1 || stream.Crypto[0].Suite != p.suite || ep.Encrypted() != p.suite {
		p.t.Fatalf("%s\nin force: %s", answer, ep.Encrypted())
	}
	in := cipher(p.t, p.suite, stream.Crypto[0].Key)
	p.mu.Lock()
	p.open = func(b []byte) ([]byte, error) {
		if len(b) > 1 && b[1] >= 192 && b[1] <= 223 {
			return in.DecryptRTCP(nil, b, nil)
		}
		return in.DecryptRTP(nil, b, nil)
	}
	p.mu.Unlock()
	return netip.AddrPortFrom(stream.Addr, stream.Port)
}

// say sends a packet of 20 ms of a tone.
func (p *securePhone) say(to netip.AddrPort, program media.Program, tick uint64) {
	packet := rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc},
		Payload: program.Frame(media.PCMA, tick),
	}
	p.seq++
	p.ts += 160
	b, err := packet.Marshal()
	if err == nil {
		p.lastSent, err = p.out.EncryptRTP(nil, b, nil)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.sendRaw(to, p.lastSent)
}

// An encrypted phone and a plain one: music, talk, hold and talk again, each way
// by every suite, in one stream whose keys stay.
func TestSRTP_BothWays(t *testing.T) {
	const music, secret, open = 450, 1000, 1700
	for suite := range suites {
		t.Run(string(suite), func(t *testing.T) {
			e := newEngine(t, media.Options{})
			a, b := newEndpoint(t, e, media.EndpointOptions{}), newEndpoint(t, e, media.EndpointOptions{})
			alice, bob := newSecurePhone(t, suite), newPhone(t)
			stop := make(chan struct{})
			defer close(stop)

			toA := alice.dial(a)
			a.Play(tone.NewProgram(music, -10))
			hears(t, "waiting", alice.await(t, 25), music, secret, open)

			go bob.talk(bob.dial(t, b, "0"), media.PCMU, tone.NewProgram(open, -10), stop)
			media.Bridge(a, b)
			voice := tone.NewProgram(secret, -10)
			for tick := range uint64(30) {
				alice.say(toA, voice, tick)
				bob.await(t, int(tick)+1)
			}
			hears(t, "the plain one", bob.await(t, 30), secret, music, open)
			hears(t, "the encrypted one", alice.await(t, alice.count()+25), open, music, secret)

			alice.dial(a, "a=sendonly")
			alice.dial(a, "a=sendrecv")
			hears(t, "after hold", alice.await(t, alice.count()+25), open, music, secret)
			if s := a.Stats(); s.Forged != 0 || s.Unsent != 0 || s.Malformed != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// What is not the peer's, or was here before, is dropped and counted; a peer
// behind NAT is believed at its first genuine packet, wherever it comes from.
func TestSRTP_Forgeries(t *testing.T) {
	e := newEngine(t, media.Options{})
	a, b := newEndpoint(t, e, media.EndpointOptions{}), newEndpoint(t, e, media.EndpointOptions{})
	alice, bob, mallory := newSecurePhone(t, sdp.CM128), newPhone(t), newSecurePhone(t, sdp.CM128)
	toA := alice.dial(a)
	bob.dial(t, b, "8")
	media.Bridge(a, b)
	voice := tone.NewProgram(1000, -10)

	mallory.out = cipher(t, sdp.CM128, strings.Repeat("M", sdp.CM128.KeyLen()))
	mallory.say(toA, voice, 0)              // another key
	mallory.send(toA, 8, make([]byte, 160)) // not encrypted
	awaitStats(t, a, "two forged", func(s media.Stats) bool { return s.Forged == 2 })

	nat := newPhone(t) // alice's packets come out of her router there
	alice.conn, nat.conn = nat.conn, alice.conn
	alice.say(toA, voice, 1)
	bob.await(t, 1)
	alice.sendRaw(toA, alice.lastSent) // once more
	awaitStats(t, a, "a replay", func(s media.Stats) bool { return s.Forged == 3 })
	mallory.say(toA, voice, 2)
	alice.say(toA, voice, 3)
	bob.await(t, 2)
	if n := bob.count(); n != 2 {
		t.Errorf("%d packets came through", n)
	}
	if s := a.Stats(); s.Received != 2 {
		t.Errorf("%+v", s)
	}
}

// RTCP is encrypted, too (RFC 3711 3.4): the phone can read our goodbye.
func TestSRTP_RTCP(t *testing.T) {
	e := newEngine(t, media.Options{})
	a := newEndpoint(t, e, media.EndpointOptions{})
	alice := newSecurePhone(t, sdp.GCM128)
	alice.dial(a, "a=rtcp-mux")
	a.Play(tone.NewProgram(440, -10))
	alice.await(t, 2)
	a.Close()
	bye := alice.awaitOther(t)
	packets, err := rtcp.Unmarshal(bye)
	if err != nil {
		t.Fatal(err)
	}
	if _, bye := packets[len(packets)-1].(*rtcp.Goodbye); !bye {
		t.Errorf("%v", packets)
	}
}

func TestSRTP_Policies(t *testing.T) {
	e := newEngine(t, media.Options{})
	p := newPhone(t)
	must := newEndpoint(t, e, media.EndpointOptions{Security: sdp.SecureRequired})
	if _, err := must.AcceptOffer(p.sdp("8")); !errors.Is(err, media.ErrInsecure) {
		t.Errorf("a plain offer to who must have SRTP: %v", err)
	}
	if offer := string(must.Offer()); !strings.Contains(offer, "RTP/SAVP") || strings.Count(offer, "a=crypto:") != 2 {
		t.Error(offer)
	}
	if err := must.AcceptAnswer(p.sdp("8")); !errors.Is(err, media.ErrInsecure) {
		t.Errorf("a plain answer: %v", err)
	}
	may := newEndpoint(t, e, media.EndpointOptions{Security: sdp.SecureOffered})
	first, second := string(may.Offer()), string(newEndpoint(t, e, media.EndpointOptions{Security: sdp.SecureOffered}).Offer())
	key := func(offer string) string { _, k, _ := strings.Cut(offer, "inline:"); return k[:38] }
	if key(first) == key(second) {
		t.Error("two sessions have one key")
	}
	if err := may.AcceptAnswer(p.sdp("8")); err != nil || may.Encrypted() != "" {
		t.Errorf("a plain answer where SRTP was an offer: %v %s", err, may.Encrypted())
	}
}

// awaitOther waits for something that is not RTP, and returns the first of it.
func (p *phone) awaitOther(t *testing.T) (first []byte) {
	t.Helper()
	p.awaitThat(t, "RTCP", func([]heard) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.other) > 0 {
			first = p.other[0]
		}
		return first != nil
	})
	return first
}

func awaitStats(t *testing.T, ep *media.Endpoint, what string, enough func(media.Stats) bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !enough(ep.Stats()); time.Sleep(time.Millisecond) { // nothing announces figures
		if time.Now().After(limit) {
			t.Fatalf("after 20 s not %s: %+v", what, ep.Stats())
		}
	}
}

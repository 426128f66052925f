// Package webpeer is the WebRTC of a browser for tests: full ICE, DTLS and SRTP by
// an implementation that is not ours. It speaks and hears G.711, sends packets of Opus that a test makes, and notes every packet.
package webpeer

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// State is how a peer's connection stands.
type State = webrtc.PeerConnectionState

// States that tests wait for.
const (
	Connected = webrtc.PeerConnectionStateConnected
	Closed    = webrtc.PeerConnectionStateClosed
)

// Options of a Peer. The zero value is a browser as browsers are.
type Options struct {
	// ALaw has the peer prefer PCMA to PCMU.
	ALaw bool
}

// Peer is a browser. Its methods may be called from any goroutine.
type Peer struct {
	PC    *webrtc.PeerConnection
	track *track

	mu     sync.Mutex
	got    []Heard
	news   chan struct{} // closed and replaced with each packet
	states chan State
}

// Heard is a packet that came.
type Heard struct {
	rtp.Packet
	At time.Time
}

// New makes a browser with a microphone.
func New(o Options) (*Peer, error) {
	m := &webrtc.MediaEngine{}
	codecs := []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 111},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}, PayloadType: 0},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMA, ClockRate: 8000}, PayloadType: 8},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 8000, SDPFmtpLine: "0-16"}, PayloadType: 126},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 48000, SDPFmtpLine: "0-16"}, PayloadType: 110},
	}
	if o.ALaw {
		codecs[1], codecs[2] = codecs[2], codecs[1]
	}
	for _, c := range codecs {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, err
		}
	}
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &Peer{PC: pc, track: &track{}, news: make(chan struct{}), states: make(chan State, 16)}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		select {
		case p.states <- s:
		default:
		}
	})
	pc.OnTrack(func(r *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.listen(r) })
	if _, err := pc.AddTrack(p.track); err != nil {
		return nil, err
	}
	return p, nil
}

// Close ends everything.
func (p *Peer) Close() { _ = p.PC.GracefulClose() }

func (p *Peer) listen(r *webrtc.TrackRemote) {
	for {
		packet, _, err := r.ReadRTP()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.got = append(p.got, Heard{*packet, time.Now()})
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
}

// Offer makes an offer with all candidates; restart begins ICE anew.
func (p *Peer) Offer(restart bool) (string, error) {
	offer, err := p.PC.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return "", err
	}
	return p.set(offer)
}

// Answer answers an offer.
func (p *Peer) Answer(offer string) (string, error) {
	if err := p.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", fmt.Errorf("offer: %w", err)
	}
	answer, err := p.PC.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return p.set(answer)
}

// Accept takes the answer to Offer.
func (p *Peer) Accept(answer string) error {
	if err := p.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

func (p *Peer) set(d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(p.PC)
	if err := p.PC.SetLocalDescription(d); err != nil {
		return "", err
	}
	<-gathered
	return p.PC.LocalDescription().SDP, nil
}

// Await waits for a state of the connection.
func (p *Peer) Await(ctx context.Context, want State) error {
	for {
		select {
		case s := <-p.states:
			if s == want {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("not %v but %v", want, p.PC.ConnectionState())
		}
	}
}

// Packets are all that came so far; next is closed when there are more.
func (p *Peer) Packets() (list []Heard, next <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got[:len(p.got):len(p.got)], p.news
}

// Send sends a packet of 20 ms, or what else payload is, as the next one of the microphone.
// False: the peer is not connected.
func (p *Peer) Send(pt uint8, marker bool, samples uint32, payload []byte) bool {
	return p.track.send(pt, marker, samples, payload)
}

// PayloadType is the number that audio of a name, such as PCMU, goes by; false: it was not agreed on.
func (p *Peer) PayloadType(name string) (uint8, bool) { return p.track.payloadType(name) }

// Codec is what the microphone's audio is to be encoded with, and its number; false: none was agreed on.
func (p *Peer) Codec() (name string, pt uint8, ok bool) {
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	for _, x := range p.track.codecs {
		if name, ok := strings.CutPrefix(x.MimeType, "audio/PCM"); ok {
			return "PCM" + name, uint8(x.PayloadType), true
		}
	}
	return "", 0, false
}

// track is the microphone. Other than those of the library it sends telephone-events, too.
type track struct {
	mu     sync.Mutex
	writer webrtc.TrackLocalWriter
	codecs []webrtc.RTPCodecParameters
	header rtp.Header
}

// Bind implements webrtc.TrackLocal.
func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer, t.codecs = c.WriteStream(), c.CodecParameters()
	t.header.SSRC, t.header.Version = uint32(c.SSRC()), 2
	for _, x := range t.codecs {
		if strings.HasPrefix(x.MimeType, "audio/PCM") {
			return x, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind implements webrtc.TrackLocal.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID implements webrtc.TrackLocal.
func (t *track) ID() string { return "microphone" }

// RID implements webrtc.TrackLocal.
func (t *track) RID() string { return "" }

// StreamID implements webrtc.TrackLocal.
func (t *track) StreamID() string { return "browser" }

// Kind implements webrtc.TrackLocal.
func (t *track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }

func (t *track) payloadType(name string) (uint8, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.codecs {
		if strings.EqualFold(x.MimeType, "audio/"+name) {
			return uint8(x.PayloadType), true
		}
	}
	return 0, false
}

func (t *track) send(pt uint8, marker bool, samples uint32, payload []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.writer == nil {
		return false
	}
	t.header.PayloadType, t.header.Marker = pt, marker
	t.header.SequenceNumber++
	t.header.Timestamp += samples
	_, err := t.writer.WriteRTP(&t.header, payload)
	return err == nil
}

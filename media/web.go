package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"centrala/media/sdp"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/srtp/v3"
)

// This file holds what is different in an endpoint whose peer is a browser: its
// packets come by the port that all browsers share, ICE says from where (RFC 8445),
// and DTLS brings the keys (RFC 5764).

// connectWithin is how long a browser has for ICE and DTLS once its leg is answered.
const connectWithin = 15 * time.Second

// proveWithin is how long a browser has for DTLS once ICE has found it.
const proveWithin = 15 * time.Second

// errFingerprint: the certificate is not that of the session description.
var errFingerprint = errors.New("the certificate is somebody else's")

// webIdentity is our certificate towards all browsers.
type webIdentity struct {
	certificate tls.Certificate
	fingerprint string
}

func newWebIdentity() (webIdentity, error) {
	c, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return webIdentity{}, fmt.Errorf("certificate for browsers: %w", err)
	}
	return webIdentity{c, fingerprintOf(c.Certificate[0])}, nil
}

func fingerprintOf(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return sdp.Fingerprint(sum[:])
}

// webLeg is the browser's side of an endpoint. Accessed with in.mu held, but for pipe.
type webLeg struct {
	ports *webPorts
	pipe  *packetPipe

	agreed sdp.WebAgreed
	names  []string // ours in ICE, by which the peer may call us
	paths  []path   // by which it may come
	chosen bool     // path is where it is
	path   path

	trusted string // the fingerprint that is being or was proved
	stop    context.CancelFunc
	keyed   bool  // it was proved
	by      int64 // when it has to be, ns of the engine's clock; 0: the leg is not answered, or it was once
	lost    bool  // it was told that it cannot be talked with
}

// answered notes by when the browser has to be connected, which it may be already.
func (w *webLeg) answered(by int64) {
	if !w.keyed && w.by == 0 {
		w.by = by
	}
}

// missing tells what keeps the browser from being connected.
func (w *webLeg) missing() string {
	if !w.chosen {
		return "ICE found no way to the browser"
	}
	return "DTLS with the browser was not over in time"
}

// newWebEndpoint makes an endpoint whose peer is a browser.
func (e *Engine) newWebEndpoint(o EndpointOptions) (*Endpoint, error) {
	if e.web == nil {
		return nil, fmt.Errorf("endpoint %s: %w", o.Label, ErrNoBrowsers)
	}
	candidates := e.web.candidates(o.Signalling.Unmap())
	ep := &Endpoint{
		engine: e, label: o.Label, local: candidates[0],
		timeout: o.Timeout, onEvent: o.OnEvent, onAudio: o.OnAudio, out: newStream(socket{-1}),
		rtp: socket{-1}, rtcp: socket{-1},
	}
	ep.web = &webLeg{ports: e.web, stop: func() {}}
	ep.web.pipe = newPacketPipe(ep)
	ep.in.web, ep.in.security.required, ep.out.security.required = true, true, true
	local := e.localSide(ep, o)
	local.Addr = ep.local.Addr()
	ep.reports.cname = newCNAME()
	local.Web = &sdp.Web{Fingerprint: e.identity.fingerprint, Candidates: candidates, SSRC: ep.out.ssrc, CNAME: ep.reports.cname}
	ep.begin(e, local)
	if err := e.enlist(ep); err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", o.Label, err)
	}
	// The peer's checks may be here before its answer is.
	own := ep.negotiator.ICE()
	ep.in.mu.Lock()
	ep.name(own)
	ep.in.mu.Unlock()
	return ep, nil
}

// name lets the peer call us by a name. Names of before stay good: checks that are under way bear
// them. Accessed with in.mu held.
func (ep *Endpoint) name(own sdp.ICE) {
	if !slices.Contains(ep.web.names, own.Ufrag) {
		ep.web.names = append(ep.web.names, own.Ufrag)
		ep.web.ports.call(own.Ufrag, own.Password, ep)
	}
}

// negotiatedWeb puts into effect what was agreed on with a browser. Accessed with in.mu held.
func (ep *Endpoint) negotiatedWeb(a sdp.WebAgreed) {
	w := ep.web
	ep.name(a.Own)
	w.agreed, w.lost = a, false
	if w.trusted != "" && w.trusted != a.Fingerprint { // a new peer behind the dialog
		w.stop()
		w.trusted, w.keyed = "", false
		w.pipe.close()
		w.pipe = newPacketPipe(ep)
		_ = ep.in.security.set("", "")
		_ = ep.out.secure(sdp.Keying{})
	}
	ep.prove()
}

// checked takes in a check by which the peer showed that it is at the far end of a path. False: it
// is not the peer of now.
func (ep *Endpoint) checked(by path, own, peer string, nominated bool) bool {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	w := ep.web
	if ep.in.closed || w.agreed.Peer.Ufrag != "" && own == w.agreed.Own.Ufrag && peer != w.agreed.Peer.Ufrag {
		return false
	}
	if !slices.Contains(w.paths, by) {
		var old *path
		if len(w.paths) == maxPaths {
			i := slices.IndexFunc(w.paths, func(p path) bool { return p != w.path })
			old = new(path)
			*old = w.paths[i]
			w.paths = slices.Delete(w.paths, i, i+1)
		}
		if !w.ports.lead(by, old, ep) {
			return false
		}
		w.paths = append(w.paths, by)
	}
	if current := own == w.agreed.Own.Ufrag || w.agreed.Own.Ufrag == ""; by != w.path && (nominated && current || !w.chosen) {
		w.path, w.chosen = by, true
		ep.in.source.lock(by.peer)
		ep.out.lead(by.port.sock, by.peer)
		ep.engine.log.Debug().Str("leg", ep.label).Stringer("peer", by.peer).Stringer("by", by.port.addr).Msg("browser found")
	}
	ep.prove()
	return true
}

// prove begins DTLS once it is known where the peer is and who it must be. Accessed with in.mu held.
func (ep *Endpoint) prove() {
	w := ep.web
	if !w.chosen || w.agreed.Fingerprint == "" || w.trusted != "" || ep.in.closed {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	w.trusted, w.stop = w.agreed.Fingerprint, stop
	pipe, fingerprint, peer, client := w.pipe, w.trusted, w.path.peer, w.agreed.Client
	ep.engine.running.Go(func() {
		defer stop()
		defer pipe.close()
		if err := ep.shakeHands(ctx, pipe, fingerprint, peer, client); err != nil && ctx.Err() == nil {
			ep.engine.log.Warn().Err(err).Str("leg", ep.label).Stringer("peer", peer).Msg("browser not proven: DTLS failed")
			ep.unproven(err)
		}
	})
}

// unproven tells that DTLS failed, unless the browser was given up before.
func (ep *Endpoint) unproven(err error) {
	ep.in.mu.Lock()
	told := ep.web.lost
	ep.web.lost = true
	ep.in.mu.Unlock()
	if !told && ep.onEvent != nil {
		ep.onEvent(Event{Kind: EventUnconnected, Why: "DTLS with the browser failed: " + err.Error()})
	}
}

// shakeHands is DTLS from its first packet to its last. client: we begin it. The error tells that it brought no keys.
func (ep *Endpoint) shakeHands(ctx context.Context, pipe *packetPipe, fingerprint string, peer netip.AddrPort, client bool) error {
	conn, err := ep.dtls(pipe, peer, client, func(s *dtls.State) error {
		if len(s.PeerCertificates) == 0 || fingerprintOf(s.PeerCertificates[0]) != fingerprint {
			return errFingerprint
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	within, cancel := context.WithTimeout(ctx, proveWithin)
	defer cancel()
	if err := conn.HandshakeContext(within); err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	keying, err := keysOf(conn, client)
	if err != nil {
		return err
	}
	if !ep.proven(pipe, keying, peer) {
		return nil
	}
	var rest [64]byte // nothing is spoken: only the end is
	for {
		if _, err := conn.Read(rest[:]); err != nil {
			return nil // the signalling says when a call is over
		}
	}
}

// dtls makes our side of DTLS. Certificates are signed by nobody: the session description vouches for
// that of the peer, which verify looks at.
func (ep *Endpoint) dtls(pipe *packetPipe, peer netip.AddrPort, client bool, verify func(*dtls.State) error) (*dtls.Conn, error) {
	own := dtls.WithCertificates(ep.engine.identity.certificate)
	unsigned := dtls.WithInsecureSkipVerify(true)
	secret := dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret)
	profiles := dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	verified := dtls.WithVerifyConnection(verify)
	if client {
		return dtls.ClientWithOptions(pipe, udpAddr(peer), own, unsigned, secret, profiles, verified)
	}
	return dtls.ServerWithOptions(pipe, udpAddr(peer), own, unsigned, secret, profiles, verified, dtls.WithClientAuth(dtls.RequireAnyClientCert))
}

// keysOf takes the keys of SRTP from DTLS.
func keysOf(conn *dtls.Conn, client bool) (k sdp.Keying, err error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	state, known := conn.ConnectionState()
	if !ok || !known {
		return k, errors.New("the peer knows no SRTP profile of ours")
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return k, err
	}
	if k.Suite = sdp.CM128; profile == dtls.SRTP_AEAD_AES_128_GCM {
		k.Suite = sdp.GCM128
	}
	k.Out = string(bytes.Join([][]byte{c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt}, nil))
	k.In = string(bytes.Join([][]byte{c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt}, nil))
	return k, nil
}

// proven lets audio flow: the peer has shown who it is. False: that is no longer of interest.
func (ep *Endpoint) proven(pipe *packetPipe, k sdp.Keying, peer netip.AddrPort) bool {
	ep.mu.Lock()
	ep.in.mu.Lock()
	if ep.in.closed || ep.web.pipe != pipe || errors.Join(ep.in.security.set(k.Suite, k.In), ep.out.secure(k)) != nil {
		ep.in.mu.Unlock()
		ep.mu.Unlock()
		return false
	}
	ep.web.keyed, ep.web.by = true, 0
	ep.agreed.Keying = k
	ep.in.last = int64(ep.engine.clock())
	ep.openOut()
	ep.in.mu.Unlock()
	ep.mu.Unlock()
	ep.engine.log.Debug().Str("leg", ep.label).Str("suite", string(k.Suite)).Msg("browser proven")
	if ep.onEvent != nil {
		ep.onEvent(Event{Kind: EventHeard, From: peer})
	}
	return true
}

// readDTLS takes one packet of DTLS. Called by the port's reader.
func (ep *Endpoint) readDTLS(b []byte) {
	ep.in.mu.Lock()
	pipe := ep.web.pipe
	ep.in.mu.Unlock()
	pipe.push(b)
}

// readWeb takes one packet of the browser's and passes it on. Called by the port's reader.
func (ep *Endpoint) readWeb(buf []byte, n int, from netip.AddrPort, now int64) {
	ep.in.mu.Lock()
	if ep.in.closed {
		ep.in.mu.Unlock()
		return
	}
	a, v, digit, ok := ep.judge(buf, n, from, now)
	ep.in.mu.Unlock()
	if ok {
		ep.tell(v, digit, from)
		ep.pass(buf, &a)
	}
}

// closeWeb ends what a browser's endpoint has besides others. Accessed with mu held.
func (ep *Endpoint) closeWeb() {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	w := ep.web
	ep.in.closed = true
	w.stop()
	w.ports.forget(ep, w.names, w.paths)
	if w.trusted == "" {
		w.pipe.close()
	}
}

// lead sends by a socket to an address from now on.
func (s *stream) lead(by socket, to netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sock = by
	s.dest.set(to)
}

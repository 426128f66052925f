// The telephone by JsSIP. What of JsSIP has to be coded around is here and nowhere else.
import * as JsSIP from 'jssip';
import type { Credentials, DialogID, Events, Line, Make, Phone } from './phone';

/** JsSIP sends no session description before it has gathered all candidates. The server needs none
 *  of ours (it is ICE-lite, and answers where packets come from): the first is enough, or this much time. */
const gatherFor = 500; // milliseconds
/** How long audio may stay away before another way for it is sought. */
const silenceFor = 1500; // milliseconds
/** How long a way for the audio of a call that is answered may be sought before that is told. */
const wayWithin = 6000; // milliseconds

/** What we use of JsSIP's sessions; its own types leave some of it out. */
interface Session {
  connection?: RTCPeerConnection;
  direction: 'incoming' | 'outgoing';
  _dialog?: { id: { call_id: string; local_tag: string; remote_tag: string } };
  on(event: string, f: (e: never) => void): void;
  answer(options: object): void;
  terminate(options?: { cause?: string; status_code?: number }): unknown;
  isEnded(): boolean;
  isEstablished(): boolean;
  renegotiate(options: object): boolean;
  sendDTMF(tone: string, options: object): void;
}

const media: { pcConfig: RTCConfiguration } = { pcConfig: { iceServers: [], bundlePolicy: 'max-bundle' } };

/** Causes for which JsSIP would hang up, and that may pass. */
const passing = new Set<string>([JsSIP.C.causes.RTP_TIMEOUT, JsSIP.C.causes.WEBRTC_ERROR, JsSIP.C.causes.CONNECTION_ERROR, JsSIP.C.causes.REQUEST_TIMEOUT]);

class JsSIPLine implements Line {
  readonly incoming: boolean;
  private microphone?: MediaStream;
  private lost = 0;
  private way = 0;

  constructor(readonly session: Session, private readonly on: Events) {
    this.incoming = session.direction === 'incoming';
    // JsSIP hangs up when ICE fails or a request of a call is not answered; the server keeps the call
    // for a while, and another way may be found.
    const terminate = session.terminate.bind(session);
    session.terminate = o => session.isEstablished() && passing.has(o?.cause ?? '') ? undefined : terminate(o);
    session.on('confirmed', () => {
      on.answered(this);
      this.way = window.setTimeout(() => { if (!this.hasWay()) on.unheard?.(this); }, wayWithin);
    });
    session.on('ended', () => this.over());
    session.on('failed', (e: { originator: string; message: { status_code?: number } | null }) => {
      if (!this.incoming && e.originator === 'remote') on.unreached?.(this, e.message?.status_code ?? 0);
      this.over();
    });
    session.on('icecandidate', (e: { candidate: RTCIceCandidate; ready: () => void }) => {
      if (e.candidate.type === 'host') e.ready();
      else setTimeout(e.ready, gatherFor);
    });
    session.on('peerconnection', (e: { peerconnection: RTCPeerConnection }) => this.listen(e.peerconnection));
    if (session.connection) this.listen(session.connection);
  }

  private listen(c: RTCPeerConnection) {
    c.addEventListener('track', e => this.on.sounds(this, e.streams[0] ?? new MediaStream([e.track])));
    c.addEventListener('iceconnectionstatechange', () => {
      clearTimeout(this.lost);
      const state = c.iceConnectionState;
      if (state === 'failed') this.seek();
      else if (state === 'disconnected') this.lost = window.setTimeout(() => this.seek(), silenceFor);
    });
  }

  /** Looks for another way for the audio: ICE anew, in the call that there is (RFC 8839 4.4.1.1). */
  seek() {
    const s = this.session;
    const state = s.connection?.iceConnectionState;
    if (s.isEnded() || !s.isEstablished() || (state !== 'disconnected' && state !== 'failed')) return;
    s.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
    this.lost = window.setTimeout(() => this.seek(), 2 * silenceFor);
  }

  private hasWay() {
    const state = this.session.connection?.iceConnectionState;
    return state === 'connected' || state === 'completed' || state === 'disconnected';
  }

  private over() {
    clearTimeout(this.lost);
    clearTimeout(this.way);
    this.on.ended(this);
  }

  dialog(): DialogID | undefined {
    const id = this.session._dialog?.id;
    return id && { call: id.call_id, ours: id.local_tag, theirs: id.remote_tag };
  }

  answer(microphone: MediaStream) {
    this.microphone = microphone;
    this.session.answer({ ...media, mediaStream: microphone });
  }

  end() {
    // 480: somebody else may be asked. Who declines, declines by the server's API.
    if (!this.session.isEnded()) this.session.terminate(this.incoming && !this.session.isEstablished() ? { status_code: 480 } : {});
  }

  mute(on: boolean) {
    for (const t of this.microphone?.getAudioTracks() ?? []) t.enabled = !on;
  }

  replace(microphone: MediaStream) {
    const muted = this.microphone?.getAudioTracks().some(t => !t.enabled) ?? false;
    this.keep(microphone);
    this.mute(muted);
    for (const s of this.session.connection?.getSenders() ?? []) void s.replaceTrack(microphone.getAudioTracks()[0] ?? null);
  }

  keep(microphone: MediaStream) { this.microphone = microphone; }

  key(digit: string) {
    // JsSIP would send INFO, which nobody but SIP servers hears.
    this.session.sendDTMF(digit, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833, duration: 120, interToneGap: 80 });
  }
}

class JsSIPPhone implements Phone {
  private readonly ua: JsSIP.UA;
  private readonly lines = new Set<JsSIPLine>();
  private readonly own: Events;
  private readonly agent: string;
  private stopped = false;

  constructor(c: Credentials, on: Events) {
    this.own = { ...on, ended: line => { this.lines.delete(line as JsSIPLine); on.ended(line); } };
    const socket = new JsSIP.WebSocketInterface(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${c.websocket}`);
    this.agent = c.uri;
    this.ua = new JsSIP.UA({
      sockets: [socket], uri: c.uri, display_name: c.name, authorization_user: c.user, realm: c.realm, ha1: c.ha1,
      register: c.expires > 0, register_expires: c.expires || undefined,
      session_timers: false, // the server refreshes; ours would collide with what it does to the call
      no_answer_timeout: 3600, // how long it rings is the server's affair
      connection_recovery_min_interval: 1, connection_recovery_max_interval: 4,
      user_agent: 'Centrala console',
    });
    if (c.expires === 0) this.ua.on('connected', () => { if (!this.stopped) on.registered(true); });
    this.ua.on('registered', () => { if (!this.stopped) on.registered(true); });
    this.ua.on('unregistered', () => { if (!this.stopped) on.registered(false); });
    this.ua.on('disconnected', () => { if (!this.stopped) on.registered(false); });
    this.ua.on('registrationFailed', (e: { response: { status_code: number } | null }) => {
      if (!this.stopped && e.response && e.response.status_code < 500) on.refused();
    });
    this.ua.on('newRTCSession', (e: { originator: string; session: unknown }) => {
      if (e.originator === 'remote') on.rings(this.add(e.session as Session));
    });
  }

  private add(s: Session): JsSIPLine {
    const line = new JsSIPLine(s, this.own);
    this.lines.add(line);
    return line;
  }

  start() { this.ua.start(); }

  renew(c: Credentials) {
    this.ua.set('authorization_user', c.user);
    this.ua.set('realm', c.realm);
    this.ua.set('ha1', c.ha1);
    this.ua.register();
  }

  refresh() {
    if (this.ua.isConnected()) this.ua.register();
    else this.transport.connect();
  }

  reconnect() {
    const t = this.transport;
    if (t.isConnecting()) return;
    if (t.isConnected()) t.disconnect(); // the server keeps the call, and finds us again by our contact
    t.connect();
  }

  /** JsSIP's own timers for connecting again are slowed down in pages that are not looked at. */
  private get transport() {
    return (this.ua as unknown as { _transport: { connect(): void; disconnect(): void; isConnected(): boolean; isConnecting(): boolean } })._transport;
  }

  call(number: string, microphone: MediaStream, place?: DialogID): Line {
    const extraHeaders = place ? [`Replaces: ${place.call};to-tag=${place.theirs};from-tag=${place.ours}`] : [];
    const session = this.ua.call(place ? this.agent : number, { ...media, mediaStream: microphone, extraHeaders }) as unknown as Session;
    const line = this.add(session);
    line.keep(microphone);
    return line;
  }

  vanish() {
    this.stopped = true;
    this.transport.disconnect();
  }

  stop() {
    this.stopped = true;
    this.ua.stop();
  }
}

export const make: Make = (c, on) => new JsSIPPhone(c, on);

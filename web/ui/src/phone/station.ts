// The telephone of this browser. Of all its tabs one holds it; the others show how it stands, have that one do
// what is asked of them, and one of them goes on with the call when that one is closed.
import { effect, signal, untracked } from '@preact/signals';
import { call as ask, Refused, type Me } from '../api';
import { eachTick } from '../clock';
import { t } from '../i18n';
import { live } from '../live';
import { microphone, cleanVoice, talksHere } from '../prefs';
import { me } from '../session';
import { tell } from '../ui/toast';
import { close, hear, openMicrophone, trouble, type Microphone } from './audio';
import type { Credentials, DialogID, Events, Line, Phone } from './phone';

export interface PhoneCall {
  /** It rings; it is being answered; it is on; another page had it, and this one fetches it; it is being made. */
  state: 'rings' | 'answering' | 'talking' | 'returning' | 'calling';
  muted: boolean;
}

export interface PhoneState {
  /** Where the agent talks: in this browser, at another telephone, or nowhere: they are no agent. */
  where: 'here' | 'desk' | 'nowhere';
  /** This very tab holds the telephone. */
  holds: boolean;
  microphone: Microphone;
  line: 'off' | 'starting' | 'ready' | 'lost';
  call?: PhoneCall;
}

const nothing: PhoneState = { where: 'nowhere', holds: false, microphone: 'asking', line: 'off' };

/** How the telephone stands, whichever tab holds it. */
export const phone = signal<PhoneState>(nothing);

/** Whether the agent may choose where to talk. */
export const mayChoose = () => me.value?.phone === 'desk';

type Order = { do: 'answer' | 'end' | 'retry' } | { do: 'mute'; on: boolean } | { do: 'key' | 'dial'; digit: string };
type News = { state: PhoneState } | { hello: true } | Order;

/** For how long, in milliseconds, a call that another page had may be fetched: a little more than the server keeps it. */
const keptFor = 12_000;
const keptAs = 'centrala.call';

interface Kept { agent: string; dialog: DialogID; muted: boolean; at: number }

function kept(agent: string): Kept | undefined {
  try {
    const k = JSON.parse(localStorage.getItem(keptAs) ?? 'null') as Kept | null;
    if (k && k.agent === agent && Date.now() - k.at < keptFor) return k;
  } catch { /* what is kept there is not ours */ }
  return undefined;
}

/** Why nobody answered a call that was made. */
function unreached(status: number): string {
  switch (status) {
    case 403: return t('problem.number_not_allowed');
    case 404: case 484: case 604: return t('calling.unknown');
    case 486: case 600: return t('calling.busy');
    default: return t('calling.not-reached');
  }
}

/** One agent's telephone in this tab, from signing in to signing out. */
class Station {
  private readonly channel: BroadcastChannel;
  private readonly over = new AbortController();
  private release = () => {};
  private device?: Phone;
  private line?: Line;
  private open?: MediaStream; // the microphone, during a call
  private again = () => {}; // looks for a microphone anew
  private ended = false;
  private reconnected = 0; // when, in milliseconds

  constructor(private readonly agent: string) {
    this.channel = new BroadcastChannel(`centrala.phone.${agent}`);
    this.channel.onmessage = e => this.hears(e.data as News);
    this.set({ ...nothing, where: 'here', line: 'starting' });
    if (!isSecureContext || !navigator.mediaDevices) {
      this.set({ microphone: 'insecure', line: 'off' });
      return;
    }
    this.tell({ hello: true });
    navigator.locks.request(`centrala.phone.${agent}`, { signal: this.over.signal }, () => this.hold()).catch(() => { /* signed out before it was our turn */ });
  }

  end() {
    this.over.abort();
    this.drop();
    this.ended = true;
    this.again();
    this.release();
    this.channel.close();
  }

  private get holds() { return phone.peek().holds; }

  private set(change: Partial<PhoneState>) {
    if (this.ended) return;
    phone.value = { ...phone.peek(), ...change };
    if (phone.peek().holds) this.tell({ state: phone.peek() });
  }

  private tell(n: News) { this.channel.postMessage(n); }

  private hears(n: News) {
    if ('state' in n) {
      if (!this.holds) phone.value = { ...n.state, holds: false };
    } else if ('hello' in n) {
      if (this.holds) this.tell({ state: phone.peek() });
    } else if (this.holds) this.carryOut(n);
  }

  order(o: Order) {
    if (this.holds || phone.peek().microphone === 'insecure') this.carryOut(o);
    else this.tell(o);
  }

  private carryOut(o: Order) {
    switch (o.do) {
      case 'answer': void this.answer(); break;
      case 'end': this.line?.end(); break;
      case 'retry': this.again(); break;
      case 'key': this.line?.key(o.digit); break;
      case 'dial': void this.dial(o.digit); break;
      case 'mute': this.mute(o.on); break;
    }
  }

  /** This tab has the telephone from now on, until it is closed or nobody is signed in. */
  private async hold() {
    this.set({ holds: true, call: undefined, line: 'starting', microphone: 'asking' });
    const released = new Promise<void>(done => { this.release = done; });
    void this.work();
    await released;
  }

  private async work() {
    while (!this.ended) {
      const stop = new Promise<void>(done => { this.again = done; });
      if (await this.hasMicrophone()) {
        await this.begin();
      }
      await stop;
      this.drop();
    }
  }

  private async hasMicrophone(): Promise<boolean> {
    this.set({ microphone: 'asking' });
    try {
      close(await openMicrophone());
    } catch (e) {
      this.set({ microphone: trouble(e), line: 'off' });
      return false;
    }
    this.set({ microphone: 'ready' });
    return true;
  }

  /** Registers. Whoever cannot be called has the reason shown. */
  private async begin() {
    this.set({ line: 'starting' });
    for (;;) {
      try {
        const c = await ask<Credentials>('POST', '/phone/credentials');
        const { make } = await import('./jssip');
        if (this.ended) return;
        this.device = make(c, this.events());
        this.device.start();
        return;
      } catch (e) {
        if (this.ended || (e instanceof Refused && e.status >= 400 && e.status < 500 && e.code !== 'too_many_requests')) return this.set({ line: 'off' });
        await new Promise(done => setTimeout(done, 2000));
      }
    }
  }

  private events(): Events {
    return {
      registered: on => {
        this.set({ line: on ? 'ready' : 'lost' });
        if (on && !this.line && !phone.peek().call) void this.fetch();
      },
      refused: () => void this.renew(),
      rings: line => {
        if (this.line) return line.end(); // one call at a time
        this.line = line;
        this.set({ call: { state: 'rings', muted: false } });
      },
      answered: line => { if (line === this.line) { this.set({ call: { state: 'talking', muted: phone.peek().call?.muted ?? false } }); this.keep(); } },
      sounds: (line, sound) => { if (line === this.line) hear(sound); },
      unheard: line => { if (line === this.line) tell(t('phone.no-way'), true); },
      unreached: (line, status) => { if (line === this.line && phone.peek().call?.state === 'calling') tell(unreached(status), true); },
      ended: line => { if (line === this.line) this.hungUp(); },
    };
  }

  private async renew() {
    try {
      const c = await ask<Credentials>('POST', '/phone/credentials');
      await new Promise(done => setTimeout(done, 1000)); // however often they are refused
      this.device?.renew(c);
    } catch { /* the heartbeat tries again */ }
  }

  private async answer() {
    const line = this.line;
    if (!line || phone.peek().call?.state !== 'rings') return;
    this.set({ call: { state: 'answering', muted: false } });
    const m = await this.take(line);
    if (m) line.answer(m);
  }

  /** Opens the microphone for a call. Without one the call goes to somebody else, which is not counted against the agent, and no other comes. */
  private async take(line?: Line): Promise<MediaStream | undefined> {
    let m: MediaStream;
    try {
      m = await openMicrophone();
    } catch (e) {
      tell(t('phone.failed'), true);
      if (line) this.device?.vanish();
      this.again();
      return undefined;
    }
    if (line !== this.line || this.ended) {
      close(m);
      return undefined;
    }
    close(this.open);
    this.open = m;
    return m;
  }

  /** Calls a number, unless there is a call. */
  private async dial(number: string) {
    if (this.line || phone.peek().call || !this.device) return;
    this.set({ call: { state: 'calling', muted: false } });
    const m = await this.take();
    if (!m || !this.device) return this.set({ call: undefined });
    this.line = this.device.call(number, m);
  }

  /** Takes the place of the page that had the call a moment ago. */
  private async fetch() {
    const k = kept(this.agent);
    if (!k) return;
    this.set({ call: { state: 'returning', muted: k.muted } });
    const m = await this.take();
    if (!m || !this.device) return this.set({ call: undefined });
    localStorage.removeItem(keptAs);
    this.line = this.device.call('', m, k.dialog);
    this.line.mute(k.muted);
  }

  private keep() {
    const dialog = this.line?.dialog();
    const c = phone.peek().call;
    if (!dialog || c?.state !== 'talking') return;
    const k: Kept = { agent: this.agent, dialog, muted: c.muted, at: Date.now() };
    localStorage.setItem(keptAs, JSON.stringify(k));
  }

  private hungUp() {
    this.line = undefined;
    close(this.open);
    this.open = undefined;
    hear(undefined);
    localStorage.removeItem(keptAs);
    this.set({ call: undefined });
    live.refresh();
  }

  private mute(on: boolean) {
    const c = phone.peek().call;
    if (!this.line || c?.state !== 'talking') return;
    this.line.mute(on);
    this.set({ call: { ...c, muted: on } });
    this.keep();
  }

  private drop() {
    const d = this.device;
    this.device = undefined;
    if (this.line) this.hungUp();
    d?.stop();
    if (phone.peek().line !== 'off') this.set({ line: 'off' });
  }

  /** Each 1.2 seconds, also while the page is not looked at. */
  tick() {
    this.keep();
    if (phone.peek().line === 'lost') this.device?.refresh();
  }

  /** Each 30 seconds: the registration is good for two minutes. */
  beat() { this.device?.refresh(); }

  /** The network is another one, or back. It may be told of more than once. */
  network() {
    if (Date.now() - this.reconnected < 3000) return;
    this.reconnected = Date.now();
    this.device?.reconnect();
  }

  /** Devices came or went, or the user thought differently about the microphone. */
  async devices() {
    if (!this.holds || this.line) return;
    const list = await navigator.mediaDevices.enumerateDevices();
    const some = list.some(d => d.kind === 'audioinput');
    const { microphone: m } = phone.peek();
    if (some ? m !== 'ready' && m !== 'asking' : m === 'ready') this.again();
  }

  permission(state: PermissionState) {
    const { microphone: m } = phone.peek();
    if (!this.holds || this.line) return;
    if (state === 'denied' ? m === 'ready' : state === 'granted' && m === 'refused') this.again();
  }

  /** Another microphone was chosen. One that cannot be used leaves the call with the one that it has. */
  async microphone() {
    const line = this.line;
    if (!line || !this.open) return;
    let m: MediaStream;
    try {
      m = await openMicrophone();
    } catch {
      return tell(t('phone.not-changed'), true);
    }
    if (line !== this.line || this.ended) return close(m);
    close(this.open);
    this.open = m;
    line.replace(m);
  }
}

let station: Station | undefined;

function wanted(m: Me | null | undefined): string {
  if (!m?.agent || m.choose_password || !m.phone || m.phone === 'fixed') return '';
  return talksHere.value ?? m.phone === 'browser' ? `${m.session} ${m.agent}` : '';
}

/** Has the telephone begin and end with the agent. To be called once. */
export function install() {
  let now = '';
  effect(() => {
    const m = me.value;
    const next = wanted(m);
    untracked(() => {
      if (next !== now) {
        station?.end();
        station = undefined;
        now = next;
        if (next) station = new Station(m!.agent!);
      }
      if (!next) phone.value = { ...nothing, where: m?.agent ? 'desk' : 'nowhere' };
    });
  });
  eachTick(3, () => station?.tick());
  eachTick(75, () => station?.beat());
  addEventListener('online', () => station?.network());
  let lost = false;
  effect(() => {
    if (lost && !live.lost.value) station?.network();
    lost = live.lost.value;
  });
  let first = true;
  effect(() => {
    void [microphone.value, cleanVoice.value];
    if (!first) void station?.microphone();
    first = false;
  });
  navigator.mediaDevices?.addEventListener('devicechange', () => void station?.devices());
  navigator.permissions?.query({ name: 'microphone' as PermissionName })
    .then(p => { p.onchange = () => station?.permission(p.state); })
    .catch(() => { /* a browser that does not tell */ });
  addEventListener('beforeunload', e => { if (phone.peek().holds && phone.peek().call?.state === 'talking') e.preventDefault(); });
}

export const answer = () => station?.order({ do: 'answer' });
export const end = () => station?.order({ do: 'end' });
export const mute = (on: boolean) => station?.order({ do: 'mute', on });
export const key = (digit: string) => station?.order({ do: 'key', digit });
/** Calls a number. */
export const dial = (number: string) => station?.order({ do: 'dial', digit: number });
/** Looks for a microphone anew. */
export const retry = () => station?.order({ do: 'retry' });

let expected = '';

/** The agent asked for this call: when it rings, it is to be answered. */
export function expect(interaction: string) { expected = interaction; }

/** Answers a call that rings, if the agent has asked for it. */
export function answerExpected(interaction: string) {
  if (interaction !== expected || phone.peek().call?.state !== 'rings') return;
  expected = '';
  answer();
}

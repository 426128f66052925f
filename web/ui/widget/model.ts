// What the window knows: messages by number, what is still to be sent, and how the enquiry stands.
import type { Call, Ticket } from './call';
import { Link, Refused, type Frame, type Message, type Session, type Shown, type State } from './link';
import { language } from './texts';

export interface Draft { id: string; text: string; files: { handle: string; shown: Shown }[]; at: string; failed?: string }
interface Kept { token?: string; outbox?: Draft[]; consent?: string; form?: Record<string, string>; open?: boolean }

const parts = location.pathname.split('/');
const base = `${location.origin}/widget/${parts[2]}`;
const place = `centrala:${parts[2]}`;
/** After so long a message that was not said to be kept is sent again. */
const patience = 12_000;
/** A connection is waited for so long before files are given up. */
const typingFor = 6_000;

function keep(k: Kept) { try { localStorage.setItem(place, JSON.stringify(k)); } catch { /* the browser keeps nothing for us */ } }
function kept(): Kept { try { return JSON.parse(localStorage.getItem(place) ?? '{}') as Kept; } catch { return {}; } }

function uuid(): string {
  const b = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(b, x => x.toString(16).padStart(2, '0')).join('');
}

class Model {
  session?: Session;
  trouble = ''; // why there is no session
  state: State = { phase: 'none', open: true, read: 0, seen: 0 };
  messages: Message[] = [];
  more = false;
  outbox: Draft[] = [];
  typing = ''; // who does
  open = false;
  seen = 0;
  notice = '';
  rated = false;
  mailed = ''; // the address that the conversation is sent to
  calling: '' | 'begins' | 'answered' = '';
  muted = false;
  farEnd?: MediaStream;
  framed = window.parent !== window;
  parent = ''; // its origin
  readonly link = new Link(base, () => this.since, f => this.take(f), () => this.linked());
  private since = -1;
  private stored = kept();
  private identity = '';
  private sending = '';
  private timer = 0;
  private typingTimer = 0;
  private noticeTimer = 0;
  private lastTyped = 0;
  private call?: Call;
  private watchers = new Set<() => void>();

  constructor() {
    this.outbox = this.stored.outbox ?? [];
    this.open = !this.framed;
  }

  watch(f: () => void) { this.watchers.add(f); return () => { this.watchers.delete(f); }; }
  private changed() { for (const f of this.watchers) f(); }
  private save() { this.stored.outbox = this.outbox; keep(this.stored); }

  /** Asks for a token, which says who this is; until there is one, again and again. */
  async begin(identity = ''): Promise<void> {
    this.identity = identity;
    try {
      const text = await this.link.request('POST', 'session', JSON.stringify({ token: this.stored.token ?? '', identity }));
      const s = JSON.parse(text) as Session;
      if (this.session && this.session.token !== s.token && identity) this.forget();
      this.session = s;
      this.trouble = '';
      this.stored.token = s.token;
      this.save();
      this.link.start(s.token);
    } catch (e) {
      const no = e instanceof Refused ? e : new Refused('unreachable', 0);
      if (no.code === 'token') { delete this.stored.token; return this.begin(identity); }
      this.trouble = no.code;
      if (no.code !== 'identity') setTimeout(() => { if (!this.session) void this.begin(this.identity); }, Math.max(no.retry, 5) * 1000);
    }
    this.changed();
  }

  /** Somebody else is here now: nothing of before is shown. */
  reset() {
    this.hangUp();
    this.link.stop();
    this.forget();
    this.outbox = [];
    this.stored = {};
    this.save();
    this.session = undefined;
    void this.begin();
  }

  private forget() {
    this.messages = [];
    this.since = -1;
    this.seen = 0;
    this.state = { phase: 'none', open: true, read: 0, seen: 0 };
  }

  private take(f: Frame) {
    switch (f.type) {
      case 'messages':
        if (f.reset) { this.messages = []; this.since = 0; }
        if (f.more) this.more = true;
        for (const m of f.items) if (m.seq > this.since) this.arrived(m);
        this.since = Math.max(this.since, f.to);
        break;
      case 'state':
        if (f.session !== this.state.session) { this.rated = false; this.mailed = ''; }
        this.state = f;
        this.seen = Math.max(this.seen, f.seen);
        break;
      case 'typing':
        this.typing = f.name;
        clearTimeout(this.typingTimer);
        this.typingTimer = window.setTimeout(() => { this.typing = ''; this.changed(); }, typingFor);
        break;
      case 'kept':
        if (f.id) this.settled(f.id);
        break;
      case 'refused':
        this.refused(f.id, f.code, f.retry ?? 0);
        break;
      case 'beat':
        return;
    }
    if (this.open) this.read();
    this.changed();
  }

  private arrived(m: Message) {
    this.messages.push(m);
    if (m.by === 'agent' && m.name === this.typing) this.typing = '';
    if (m.id) this.outbox = this.outbox.filter(d => d.id !== m.id);
    this.save();
  }

  /** What was sent is kept; it is shown as sent once it comes back with its number. */
  private settled(id: string) {
    if (this.sending !== id) return;
    clearTimeout(this.timer);
    this.sending = '';
    this.sent.add(id);
    this.stored.form = this.stored.consent = undefined;
    this.pump();
  }
  private sent = new Set<string>();

  private refused(id: string | undefined, code: string, retry: number) {
    if (!id) {
      if (code === 'token' || code === 'identity') {
        this.link.stop();
        if (code === 'identity' || this.session?.verified) this.ask('identity');
        delete this.stored.token;
        void this.begin();
      }
      return;
    }
    if (id === 'mail' || id === 'rate' || id === 'close') { // it is not done
      if (id === 'mail') this.mailed = '';
      if (id === 'rate') this.rated = false;
      this.say('failed');
      return;
    }
    if (this.sending !== id) return;
    clearTimeout(this.timer);
    this.sending = '';
    if (code === 'too_many' || code === 'unavailable') {
      if (code === 'too_many') this.say('slow');
      this.timer = window.setTimeout(() => this.pump(), Math.max(retry, 1) * 1000);
      return;
    }
    const d = this.outbox.find(x => x.id === id);
    if (d) d.failed = code;
    this.save();
    if (code === 'consent' || code === 'form') void this.begin(this.identity); // it is asked for anew
    this.pump();
  }

  private linked() {
    clearTimeout(this.timer);
    this.sending = '';
    this.sent.clear();
    if (this.link.online) { this.pump(); if (this.open) this.read(); }
    this.changed();
  }

  /** Sends the first message that is still to be sent: one at a time, so that they stay in order. */
  private pump() {
    if (this.sending || !this.link.online) return;
    const d = this.outbox.find(x => !x.failed && !this.sent.has(x.id));
    if (!d) return;
    this.sending = d.id;
    const again = () => { this.sending = ''; this.pump(); };
    this.timer = window.setTimeout(again, patience);
    this.link.send({ type: 'message', id: d.id, text: d.text, files: d.files.map(x => x.handle), consent: this.stored.consent, form: this.stored.form })
      .catch(() => { clearTimeout(this.timer); this.timer = window.setTimeout(again, 2_000); });
  }

  write(text: string, files: Draft['files'] = []) {
    this.outbox.push({ id: uuid(), text, files, at: new Date().toISOString() });
    this.save();
    this.pump();
    this.changed();
  }

  again(d: Draft) {
    this.outbox = this.outbox.filter(x => x !== d);
    this.write(d.text, d.files);
  }

  fill(form: Record<string, string>, consent?: string) {
    this.stored.form = form;
    this.stored.consent = consent;
    if (this.session) this.session = { ...this.session, form: [], consent: undefined };
    for (const d of this.outbox) if (d.failed === 'consent' || d.failed === 'form') delete d.failed;
    this.save();
    this.pump();
    this.changed();
  }

  types() {
    if (this.state.phase === 'none' || this.state.phase === 'closed' || Date.now() - this.lastTyped < 3_000) return;
    this.lastTyped = Date.now();
    this.link.hint({ type: 'typing' });
  }

  read() {
    const last = this.messages[this.messages.length - 1]?.seq ?? 0;
    if (last <= this.seen || document.visibilityState !== 'visible') return;
    this.seen = last;
    if (this.messages[this.messages.length - 1].by !== 'customer') this.link.hint({ type: 'read', seq: last });
  }

  end() { void this.link.send({ type: 'close', id: 'close' }).catch(() => this.say('away')); }

  async rate(score: number, comment: string) {
    this.rated = true; // unless it is refused
    try {
      await this.link.send({ type: 'rate', id: 'rate', session: this.state.session, score, comment });
    } catch { this.rated = false; this.say('away'); }
    this.changed();
  }

  /** Calls the agent who has the chat, by the browser's microphone. */
  async callThem() {
    if (this.calling) return;
    this.calling = 'begins';
    this.muted = false;
    this.changed();
    let microphone: MediaStream | undefined;
    try {
      microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
      const [ticket, { begin }] = await Promise.all([this.link.request('POST', 'call'), import('./call')]);
      if (!this.calling) throw new Refused('over', 0); // they thought better of it
      this.call = begin(JSON.parse(ticket) as Ticket, microphone, {
        answered: () => { this.calling = 'answered'; this.changed(); },
        sounds: s => { this.farEnd = s; this.changed(); },
        ended: () => this.hungUp(),
      });
    } catch (e) {
      for (const t of microphone?.getTracks() ?? []) t.stop();
      if (this.calling) this.say(!microphone ? 'noMicrophone' : e instanceof Refused && e.code === 'no_call' ? 'noCall' : 'away');
      this.hungUp();
    }
  }

  private hungUp() {
    this.call = this.farEnd = undefined;
    this.calling = '';
    this.changed();
  }

  hangUp() { if (this.call) this.call.end(); else this.hungUp(); }
  mute() { this.muted = !this.muted; this.call?.mute(this.muted); this.changed(); }

  async earlier() {
    const first = this.messages[0]?.seq ?? 0;
    const page = JSON.parse(await this.link.request('GET', `earlier?before=${first}`)) as { items: Message[]; more?: boolean };
    this.messages = [...page.items, ...this.messages];
    this.more = page.more === true;
    this.changed();
  }

  async bring(file: File): Promise<{ handle: string; shown: Shown }> {
    const got = JSON.parse(await this.link.request('POST', `files?name=${encodeURIComponent(file.name)}`, file)) as Shown & { handle: string };
    return { handle: got.handle, shown: { id: got.id, name: got.name, type: got.type, size: got.size } };
  }

  async fetchFile(f: Shown): Promise<string> {
    return URL.createObjectURL(new Blob([await (await this.link.fetch('GET', `files/${f.id}`)).arrayBuffer()], { type: f.type }));
  }

  /** Has the conversation sent to the visitor's address. */
  async mail() {
    this.mailed = this.state.mail ?? ''; // unless it is refused
    const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
    try {
      await this.link.send({ type: 'mail', id: 'mail', language, zone });
    } catch { this.mailed = ''; this.say('failed'); }
    this.changed();
  }

  async transcript(): Promise<string> {
    const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions();
    return URL.createObjectURL(await (await this.link.fetch('GET', `transcript?language=${language}&zone=${encodeURIComponent(zone)}`)).blob());
  }

  /** Where the picture of an agent is. */
  faceOf(id: string) { return `${base}/faces/${encodeURIComponent(id)}`; }

  get unread() { return this.messages.filter(m => m.seq > this.seen && m.by !== 'customer').length; }

  show(open: boolean) {
    this.open = open || !this.framed;
    this.ask('open', { open: this.open });
    if (this.open) this.read();
    this.changed();
  }

  say(what: string) {
    this.notice = what;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = window.setTimeout(() => { this.notice = ''; this.changed(); }, 6_000);
    this.changed();
  }

  /** Tells the page around, once it is known whose it is. */
  ask(what: string, more: object = {}) { if (this.parent) window.parent.postMessage({ centrala: what, ...more }, this.parent); }
}

export const model = new Model();

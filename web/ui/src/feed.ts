// What the server tells as it happens, over one connection for all tabs of a browser: this runs in a shared
// worker, or in the page itself where there are none. While the stream is cut, it asks instead.
import type { BoardChange, Chat, Desk } from './api.gen';
import { Mirror } from './mirror';

/** How fresh what is shown is. starting: nothing is known yet; asking: as old as the last question; lost: the server is out of reach. */
export type Freshness = 'starting' | 'live' | 'asking' | 'lost';

/** What a tab asks for. An empty session: nobody is signed in. */
export interface Wish { session: string; board: boolean; desk: boolean }

/** What a tab is told. */
export interface Told {
  changes?: BoardChange[];
  desk?: Desk;
  /** All of the agent's chats; only the stream tells of them. */
  chats?: Chat[];
  /** The server's clock, as it was when this came. */
  time?: string;
  freshness?: Freshness;
  signedOut?: boolean;
}

interface Listener extends Wish { tell: (t: Told) => void; hasBoard: boolean; hasDesk: boolean }

const prefix = '/api/v1';
const tick = 400; // milliseconds between ticks
const silence = 12_000; // the server says something every 5 seconds
const patience = 4_000; // for the first word
const askEvery = 800;
const longestWait = 15_000;
/** How many questions in a row may fail before the server counts as out of reach. */
const failures = 3;

export class Feed {
  private readonly listeners = new Map<unknown, Listener>();
  private readonly mirror = new Mirror();
  private desk?: Desk;
  private chats?: Chat[];
  private session = '';
  private freshness: Freshness = 'starting';
  private stream?: { stop: AbortController; wants: string; heard: number; opened: boolean };
  private again = 0; // when to connect next
  private wait = 1000;
  private asked = 0; // when it was asked last
  private asking = false;
  private failed = 0;

  constructor(eachTick: (f: () => void) => void = f => { setInterval(f, tick); }) { eachTick(() => this.tick()); }

  /** Hears what a listener wishes for from now on. */
  wish(who: unknown, wish: Wish, tell: (t: Told) => void) {
    const had = this.listeners.get(who);
    const l: Listener = { ...wish, tell, hasBoard: had?.hasBoard ?? false, hasDesk: had?.hasDesk ?? false };
    if (!l.board) l.hasBoard = false;
    if (!l.desk) l.hasDesk = false;
    this.listeners.set(who, l);
    if (wish.session !== this.session && wish.session !== '') this.begin(wish.session);
    if (wish.session !== this.session) return;
    if (l.board && !l.hasBoard && this.mirror.id) {
      l.hasBoard = true;
      tell({ changes: [this.mirror.whole()] });
    }
    if (l.desk && !l.hasDesk && this.desk) {
      l.hasDesk = true;
      tell({ desk: this.desk, chats: this.chats });
    }
    if (this.freshness !== 'starting') tell({ freshness: this.freshness });
    this.tick();
  }

  leave(who: unknown) { this.listeners.delete(who); }

  /** Asks at once where the stream does not tell. */
  refresh() {
    if (this.freshness !== 'live') this.asked = 0;
    this.tick();
  }

  /** Somebody else signed in: what their predecessor saw is not for them. */
  private begin(session: string) {
    this.session = session;
    this.cut();
    this.mirror.clear();
    this.desk = this.chats = undefined;
    this.freshness = 'starting';
    this.failed = this.asked = this.again = 0;
    this.wait = 1000;
    for (const l of this.listeners.values()) l.hasBoard = l.hasDesk = false;
  }

  private wants(what: 'board' | 'desk') {
    for (const l of this.listeners.values()) if (l.session === this.session && l[what]) return true;
    return false;
  }

  private cut() {
    this.stream?.stop.abort();
    this.stream = undefined;
  }

  private tick() {
    const board = this.wants('board'), desk = this.wants('desk');
    if (this.session === '' || !board && !desk) {
      this.cut();
      return;
    }
    const wants = `board=${board}&desk=${desk}`;
    const now = Date.now();
    const s = this.stream;
    if (s && (s.wants !== wants || now - s.heard > (s.opened ? silence : longestWait))) this.cut();
    if (!this.stream && now >= this.again) void this.connect(wants);
    const late = !this.stream?.opened && (this.freshness !== 'starting' || now - (this.stream?.heard ?? 0) > patience);
    if (late && now - this.asked >= askEvery) void this.ask(board, desk);
  }

  private async connect(wants: string) {
    const stop = new AbortController();
    const s = this.stream = { stop, wants, heard: Date.now(), opened: false };
    const current = () => this.stream === s;
    try {
      const answer = await fetch(`${prefix}/live?${wants}`, {
        signal: stop.signal, credentials: 'same-origin', cache: 'no-store', headers: this.mirror.id ? { 'Last-Event-ID': this.mirror.id } : {},
      });
      if (!current()) return;
      if (answer.status === 401) this.signedOut();
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ''; ;) {
        const { done, value } = await reader.read();
        if (!current()) return;
        if (done) break;
        s.heard = Date.now();
        const parts = (rest + value).split('\n\n');
        rest = parts.pop()!;
        if (parts.length > 0) this.heard(s, parts);
      }
    } catch { /* it is tried again */ }
    if (!current()) return;
    this.stream = undefined;
    this.again = Date.now() + this.wait;
    this.wait = Math.min(this.wait * 2, longestWait);
    this.tick();
  }

  /** Takes what came over the stream: several events at once are shown at once. */
  private heard(s: { opened: boolean }, events: string[]) {
    const told: Told = {};
    for (const event of events) {
      let kind = '', data = '';
      for (const line of event.split('\n')) {
        if (line.startsWith('event: ')) kind = line.slice(7);
        else if (line.startsWith('data: ')) data = line.slice(6);
      }
      if (data === '') continue;
      if (kind === 'board') (told.changes ??= []).push(JSON.parse(data) as BoardChange);
      else if (kind === 'desk') told.desk = JSON.parse(data) as Desk;
      else if (kind === 'chats') told.chats = (JSON.parse(data) as { items: Chat[] }).items;
      else if (kind === 'time') told.time = JSON.parse(data) as string;
    }
    s.opened = true;
    this.wait = 1000;
    this.failed = 0;
    this.pass(told, 'live');
  }

  private async ask(board: boolean, desk: boolean) {
    if (this.asking) return;
    this.asking = true;
    this.asked = Date.now();
    const session = this.session;
    try {
      const told: Told = {};
      if (board) told.changes = (await this.get<{ changes: BoardChange[] }>('/board?after=' + encodeURIComponent(this.mirror.id))).changes;
      if (desk) told.desk = await this.get<Desk>('/desk');
      if (told.desk) told.time = told.desk.now;
      if (session !== this.session || this.stream?.opened) return; // it tells what is newer
      this.failed = 0;
      this.pass(told, 'asking');
    } catch {
      if (session === this.session && !this.stream?.opened && ++this.failed >= failures) this.say('lost');
    } finally {
      this.asking = false;
    }
  }

  private async get<T>(path: string): Promise<T> {
    const answer = await fetch(prefix + path, { credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(longestWait) });
    if (answer.status === 401) this.signedOut();
    if (!answer.ok) throw new Error(String(answer.status));
    return await answer.json() as T;
  }

  private signedOut() {
    for (const l of this.listeners.values()) if (l.session === this.session) l.tell({ signedOut: true });
    this.session = '';
  }

  private say(freshness: Freshness) {
    if (freshness === this.freshness) return;
    this.freshness = freshness;
    for (const l of this.listeners.values()) l.tell({ freshness });
  }

  /** Keeps what was told, and passes it on. */
  private pass(told: Told, freshness: Freshness) {
    if (told.desk) this.desk = told.desk;
    if (told.chats) this.chats = told.chats;
    for (const c of told.changes ?? []) {
      if (this.mirror.take(c)) continue;
      this.mirror.clear(); // everything is asked for anew
      for (const l of this.listeners.values()) l.hasBoard = false;
      this.cut();
      this.again = 0;
      return;
    }
    this.freshness = freshness;
    for (const l of this.listeners.values()) {
      if (l.session !== this.session) continue;
      const t: Told = { freshness };
      if (told.time) t.time = told.time;
      if (l.board && this.mirror.id && (told.changes?.length || !l.hasBoard)) {
        t.changes = l.hasBoard ? told.changes : [this.mirror.whole()];
        l.hasBoard = true;
      }
      if (l.desk && this.desk && (told.desk || !l.hasDesk)) {
        t.desk = this.desk;
        if (!l.hasDesk) t.chats = this.chats;
        l.hasDesk = true;
      }
      if (l.desk && told.chats) t.chats = told.chats;
      l.tell(t);
    }
  }
}

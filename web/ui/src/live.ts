// How things stand, kept up to date. Whoever shows something watches it; what nobody watches is not asked for.
// Desk and board come as they change (feed.ts), the directory is asked for while somebody looks at it.
import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call, heardTime, Refused, signedOut, type Agent, type BoardCall, type BoardGroup, type BoardLine, type Chat, type Desk, type Directory } from './api';
import { eachTick } from './clock';
import { Feed, type Freshness, type Told, type Wish } from './feed';
import type { Word } from './feedworker';
import { Mirror } from './mirror';
import { me } from './session';

interface Topics {
  desk: Desk;
  /** The agent's chats, as the stream tells of them; whoever watches the desk is told. */
  chats: Chat[];
  directory: Directory;
  agents: Agent[];
  groups: BoardGroup[];
  interactions: BoardCall[];
  /** Whom calls wait for, by BoardCall.line. */
  lines: ReadonlyMap<string, BoardLine>;
}
type Topic = keyof Topics;

/** After how many milliseconds without a word what is shown counts as old. */
const silence = 15_000;

/** Where changes come from. */
export interface Live {
  /** The newest that is known; undefined: nothing yet. */
  readonly of: { readonly [T in Topic]: Signal<Topics[T] | undefined> };
  readonly freshness: Signal<Freshness>;
  /** The server has been out of reach for a while. */
  readonly lost: ReadonlySignal<boolean>;
  /** When something was heard of last, in this machine's milliseconds. */
  readonly heard: Signal<number>;
  watch(topic: Topic): () => void;
  /** Looks at once, after a command. */
  refresh(): void;
}

/** A way to the feed: say says something to it. */
function reach(tell: (t: Told) => void): (w: Word) => void {
  if ('SharedWorker' in globalThis) {
    const worker = new SharedWorker(new URL('./feedworker.ts', import.meta.url), { type: 'module', name: 'centrala' });
    worker.port.onmessage = ({ data }: MessageEvent<Told>) => tell(data);
    return w => worker.port.postMessage(w);
  }
  const feed = new Feed(f => eachTick(1, f));
  const who = {};
  return w => {
    if (w.bye) feed.leave(who);
    if (w.wish) feed.wish(who, w.wish, tell);
    if (w.refresh) feed.refresh();
  };
}

class Fed implements Live {
  readonly of = {
    desk: signal<Desk | undefined>(undefined),
    chats: signal<Chat[] | undefined>(undefined),
    directory: signal<Directory | undefined>(undefined),
    agents: signal<Agent[] | undefined>(undefined),
    groups: signal<BoardGroup[] | undefined>(undefined),
    interactions: signal<BoardCall[] | undefined>(undefined),
    lines: signal<ReadonlyMap<string, BoardLine> | undefined>(undefined),
  };
  readonly freshness = signal<Freshness>('starting');
  readonly lost = computed(() => this.freshness.value === 'lost');
  readonly heard = signal(0);
  private readonly watched = new Map<Topic, number>();
  private readonly mirror = new Mirror();
  private readonly say = reach(t => this.told(t));
  private user = '';
  private wished = '';

  constructor() {
    eachTick(2, () => {
      void this.directory();
      // The feed itself may have been put to sleep.
      if (this.freshness.peek() !== 'starting' && Date.now() - this.heard.peek() > silence) this.freshness.value = 'lost';
    });
    effect(() => {
      const user = me.value && !me.value.choose_password ? me.value.session : '';
      if (user === this.user) return;
      this.user = user; // what somebody else saw is not for the next one
      this.mirror.clear();
      batch(() => { for (const s of Object.values(this.of)) s.value = undefined; });
      this.wish();
    });
    addEventListener('pagehide', () => this.say({ bye: true }));
    addEventListener('pageshow', e => { if (e.persisted) { this.wished = ''; this.wish(); } });
  }

  watch(topic: Topic) {
    this.count(topic, 1);
    if (topic === 'directory') void this.directory();
    return () => this.count(topic, -1);
  }

  refresh() {
    this.say({ refresh: true });
    void this.directory();
  }

  private count(topic: Topic, by: number) {
    this.watched.set(topic, (this.watched.get(topic) ?? 0) + by);
    this.wish();
  }

  private watches(topic: Topic) { return (this.watched.get(topic) ?? 0) > 0; }

  /** Says what is watched, once it is settled: screens change their parts one by one. */
  private wish() {
    queueMicrotask(() => {
      const board = (['agents', 'groups', 'interactions', 'lines'] as const).some(x => this.watches(x));
      const wish: Wish = { session: this.user, board, desk: this.watches('desk') };
      const text = JSON.stringify(wish);
      if (text === this.wished) return;
      this.wished = text;
      if (!board) this.mirror.clear();
      this.say({ wish });
    });
  }

  private told(t: Told) {
    if (t.signedOut) signedOut();
    if (this.user === '') return;
    if (t.time) heardTime(t.time);
    batch(() => {
      if (t.freshness) this.freshness.value = t.freshness;
      if (t.freshness === 'live' || t.freshness === 'asking') this.heard.value = Date.now();
      if (t.desk) this.of.desk.value = t.desk;
      if (t.chats) this.of.chats.value = t.chats;
      if (t.changes) this.changed(t.changes);
    });
  }

  private changed(changes: NonNullable<Told['changes']>) {
    const m = this.mirror;
    const moved = { agents: false, groups: false, lines: false, calls: false };
    for (const c of changes) {
      if (!m.take(c)) { // the feed has it as it is
        m.clear();
        this.wished = '';
        this.say({ bye: true });
        this.wish();
        return;
      }
      for (const of of ['agents', 'groups', 'lines', 'calls'] as const) moved[of] ||= !c.from || c[of].length + c.gone[of].length > 0;
      moved.calls ||= Object.keys(c.positions).length > 0;
    }
    if (moved.agents) this.of.agents.value = [...m.agents.values()];
    if (moved.groups) this.of.groups.value = [...m.groups.values()].sort((a, b) => a.place - b.place);
    if (moved.lines) this.of.lines.value = new Map(m.lines);
    if (!moved.calls) return;
    const before = new Map(this.of.interactions.peek()?.map(c => [c.id, c]));
    this.of.interactions.value = [...m.calls.values()].map(c => {
      const position = m.positions.get(c.id);
      const old = before.get(c.id);
      if (old && this.origin.get(old) === c && old.position === position) return old; // so that its row is not drawn anew
      const now = { ...c, position };
      this.origin.set(now, c);
      return now;
    });
  }

  private readonly origin = new WeakMap<BoardCall, BoardCall>();
  private looking = false;

  private async directory() {
    if (this.looking || !this.watches('directory') || this.user === '') return;
    this.looking = true;
    const user = this.user;
    try {
      const list = await call<Directory>('GET', '/directory');
      if (user === this.user) this.of.directory.value = list;
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
    } finally {
      this.looking = false;
    }
  }
}

export const live: Live = new Fed();

/** Watches a topic as long as the component is shown, and returns the newest of it. */
export function useLive<T extends Topic>(topic: T): Topics[T] | undefined {
  useEffect(() => live.watch(topic), [topic]);
  return live.of[topic].value;
}

// How things stand, kept up to date. Whoever shows something watches it; what nobody watches is not asked for.
import { effect, signal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { heardTime, Refused, send, type Agent, type Desk, type Directory, type Group, type Interaction } from './api';
import { eachTick } from './clock';
import { me } from './session';

interface Topics {
  desk: Desk;
  directory: Directory;
  agents: Agent[];
  groups: Group[];
  interactions: Interaction[];
}
type Topic = keyof Topics;

/** Where changes come from. */
export interface Live {
  /** The newest that is known; undefined: nothing yet. */
  readonly of: { readonly [T in Topic]: Signal<Topics[T] | undefined> };
  /** The server has been out of reach for a while. */
  readonly lost: Signal<boolean>;
  watch(topic: Topic): () => void;
  /** Looks at once, after a command. */
  refresh(): void;
}

/** How many looks in a row may fail before it is said. */
const patience = 3;

/** Looks every 0.8 seconds, so that nothing is a second old. A look that takes longer than that is waited for. */
class Polling implements Live {
  readonly of = {
    desk: signal<Desk | undefined>(undefined),
    directory: signal<Directory | undefined>(undefined),
    agents: signal<Agent[] | undefined>(undefined),
    groups: signal<Group[] | undefined>(undefined),
    interactions: signal<Interaction[] | undefined>(undefined),
  };
  readonly lost = signal(false);
  private readonly watched = new Map<Topic, number>();
  private readonly looking = new Set<Topic>();
  private readonly again = new Set<Topic>();
  private readonly last = new Map<Topic, string>();
  private failures = 0;
  private user = '';

  constructor() {
    eachTick(2, () => this.tick());
    effect(() => {
      const user = me.value?.session ?? '';
      if (user === this.user) return;
      this.user = user; // what somebody else saw is not for the next one
      this.last.clear();
      for (const s of Object.values(this.of)) s.value = undefined;
    });
  }

  watch(topic: Topic) {
    this.watched.set(topic, (this.watched.get(topic) ?? 0) + 1);
    void this.look(topic);
    return () => { this.watched.set(topic, this.watched.get(topic)! - 1); };
  }

  refresh() {
    for (const topic of this.topics()) {
      if (this.looking.has(topic)) this.again.add(topic);
      else void this.look(topic);
    }
  }

  private topics() { return [...this.watched].filter(([, n]) => n > 0).map(([topic]) => topic); }

  private tick() { for (const topic of this.topics()) void this.look(topic); }

  private async look(topic: Topic): Promise<void> {
    const user = this.user;
    if (this.looking.has(topic) || user === '' || me.peek()?.choose_password) return;
    this.looking.add(topic);
    try {
      const text = topic === 'desk' || topic === 'directory' ? await send('GET', '/' + topic) : await this.pages(topic);
      if (user !== this.user) return;
      if (text !== this.last.get(topic)) {
        this.last.set(topic, text);
        const value: unknown = JSON.parse(text);
        if (topic === 'desk') heardTime((value as Desk).now);
        (this.of[topic] as Signal<unknown>).value = value;
      }
      this.failures = 0;
      this.lost.value = false;
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      if (e.status === 0 || e.status >= 500) this.lost.value = ++this.failures >= patience;
    } finally {
      this.looking.delete(topic);
    }
    if (this.again.delete(topic)) await this.look(topic);
  }

  /** All pages of a list, as the text of one. */
  private async pages(topic: string): Promise<string> {
    const parts: string[] = [];
    let cursor = '';
    do {
      const text = await send('GET', `/${topic}?limit=500${cursor && '&cursor=' + cursor}`);
      const page = JSON.parse(text) as { items: unknown[]; next?: string };
      if (cursor === '' && !page.next) return JSON.stringify(page.items);
      parts.push(...page.items.map(i => JSON.stringify(i)));
      cursor = page.next ?? '';
    } while (cursor !== '');
    return `[${parts.join()}]`;
  }
}

export const live: Live = new Polling();

/** Watches a topic as long as the component is shown, and returns the newest of it. */
export function useLive<T extends Topic>(topic: T): Topics[T] | undefined {
  useEffect(() => live.watch(topic), [topic]);
  return live.of[topic].value;
}

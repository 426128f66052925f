// The agent's chats as the server has them, and the thread that is looked at: messages by their
// number, so that none is missed and none comes twice, and what is still to be sent.
import { effect, signal, untracked } from '@preact/signals';
import { at, call, Refused, type Chat, type Message, type Messages } from '../api';
import { act, tell } from '../ui/toast';
import { t } from '../i18n';
import { live } from '../live';

export const chats = signal<Chat[]>([]);
export const chosen = signal('');

export interface Waiting { id: string; text: string; note: boolean; failed?: boolean }

export interface Thread { conversation: number; seq: number; items: Message[]; waiting: Waiting[]; more: boolean; readCustomer: number }
export const threads = signal<Record<string, Thread>>({});

const empty: Thread = { conversation: 0, seq: 0, items: [], waiting: [], more: false, readCustomer: 0 };
/** Where a channel's canned answers are. */
export const cannedOf = (channel: string) => `/channels/${at(channel)}/canned`;
/** The channel of a chat's group. */
export const channelOf = (group: string | undefined) => (group ?? '').replace(/^channel:/, '');
const path = (id: string, what: string) => `/interactions/${at(id)}/${what}`;
const put = (id: string, change: (x: Thread) => Partial<Thread>) => {
  const x = threads.value[id] ?? empty;
  threads.value = { ...threads.value, [id]: { ...x, ...change(x) } };
};

let watching = 0;
let told = 0; // how often the stream has told
let behind = false; // what the list tells of could not be read

/** Follows the chats as the stream tells of them as long as somebody does, and looks once a second where it does not. */
export function watch(): () => void {
  const turn = ++watching;
  const end = effect(() => {
    const list = live.of.chats.value;
    if (!list) return;
    told++;
    untracked(() => { void take(list); });
  });
  const shown = () => { if (document.visibilityState === 'visible') void look(); };
  document.addEventListener('visibilitychange', shown);
  void (async () => {
    while (turn === watching) {
      if (behind || !live.of.chats.peek() || live.freshness.peek() !== 'live') await look();
      await new Promise(done => setTimeout(done, 1000));
    }
  })();
  return () => { watching++; end(); document.removeEventListener('visibilitychange', shown); };
}

export async function look() {
  const before = told;
  try {
    const page = await call<{ items: Chat[] }>('GET', '/chats?limit=500');
    if (before === told) await take(page.items); // else the stream has told what is newer
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    behind = true;
  }
}

async function take(list: Chat[]) {
  chats.value = list;
  if (!list.some(c => c.interaction.id === chosen.value)) chosen.value = list[0]?.interaction.id ?? '';
  const now = list.find(c => c.interaction.id === chosen.value);
  try {
    if (now) await follow(now);
    behind = false;
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    behind = true; // it is looked again in a moment
  }
}

async function follow(c: Chat) {
  const id = c.interaction.id;
  let x = threads.value[id] ?? empty;
  if (x.readCustomer !== c.read_customer) put(id, () => ({ readCustomer: c.read_customer }));
  while (x.seq < c.seq) {
    const first = x.seq === 0;
    const page = await call<Messages>('GET', path(id, first ? `messages?before=${c.seq + 1}&limit=50` : `messages?after=${x.seq}&limit=200`));
    if (page.items.length === 0) return;
    put(id, y => {
      const fresh = page.items.filter(m => m.seq > y.seq); // somebody else may have asked for the same meanwhile
      return {
        conversation: page.conversation, seq: fresh[fresh.length - 1]?.seq ?? y.seq, items: [...y.items, ...fresh], more: first && y.seq === 0 ? page.items[0].seq > 1 : y.more,
        waiting: y.waiting.filter(w => !page.items.some(m => m.id === w.id)),
      };
    });
    if (threads.value[id].seq === x.seq) return;
    x = threads.value[id];
  }
  if (!c.offered && x.seq > c.read_agent && document.visibilityState === 'visible') await call('POST', path(id, 'read'), { seq: x.seq });
}

export async function earlier(id: string) {
  const x = threads.value[id];
  const page = await call<Messages>('GET', path(id, `messages?before=${x.items[0].seq}&limit=50`));
  put(id, y => ({ items: [...page.items.filter(m => m.seq < y.items[0].seq), ...y.items], more: (page.items[0]?.seq ?? 1) > 1 }));
}

const turns = new Map<string, Promise<void>>(); // by chat: ends when all that was said so far is sent, or refused

/** Sends a message after those before it, under one id however often: it is there once. */
export function say(id: string, text: string, note: boolean, again?: Waiting): Promise<void> {
  const w: Waiting = { id: again?.id ?? crypto.getRandomValues(new Uint32Array(4)).join('-'), text, note };
  put(id, x => ({ waiting: [...x.waiting.filter(y => y.id !== w.id), w] }));
  const turn = (turns.get(id) ?? Promise.resolve()).then(() => send(id, w));
  turns.set(id, turn.catch(() => undefined));
  return turn;
}

const triesMax = 60; // five minutes

async function send(id: string, w: Waiting) {
  for (let tries = 1; ; tries++) {
    try {
      await call('POST', path(id, w.note ? 'notes' : 'messages'), { id: w.id, text: w.text });
      break;
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      if (tries < triesMax && (e.status === 0 || e.status >= 500)) {
        await new Promise(done => setTimeout(done, 1000 * Math.min(tries, 5)));
        continue;
      }
      put(id, x => ({ waiting: x.waiting.map(y => y.id === w.id ? { ...y, failed: true } : y) }));
      await act(Promise.reject(e));
      return;
    }
  }
  await look();
}

export async function bring(id: string, file: File) {
  const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path(id, 'attachments')}?id=${key}&name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file, credentials: 'same-origin' });
  } catch {
    return tell(t('chat.file-failed', { name: file.name }), true);
  }
  if (!answer.ok) tell(t('chat.file-failed', { name: file.name }), true);
  await look();
}

export const does = async (id: string, what: 'accept' | 'decline' | 'close' | 'leave') => { await act(call('POST', path(id, what))); await look(); };

/** Tells the server that this window is there, and whether it is used: chats go to whoever is. */
export function attend(agent: string): () => void {
  const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  let used = true;
  const note = () => { used = true; };
  const report = () => {
    const state = used ? 'used' : 'open';
    used = false;
    call('POST', `/agents/${at(agent)}/client`, { id, kind: 'browser', state }).catch(() => { used = true; });
  };
  for (const what of ['pointerdown', 'keydown', 'focus']) addEventListener(what, note);
  report();
  const timer = setInterval(report, 25_000);
  return () => {
    clearInterval(timer);
    for (const what of ['pointerdown', 'keydown', 'focus']) removeEventListener(what, note);
    call('POST', `/agents/${at(agent)}/client`, { id, kind: 'browser', state: 'closed' }).catch(() => undefined); // it is found out
  };
}

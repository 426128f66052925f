// What the agent writes down about a call, and what came of it: kept in this browser while the call lasts and
// in the time after it, and told to the server at the end of that, however it comes.
import { signal } from '@preact/signals';
import { Refused, type Desk } from '../api';
import { dispose, remark } from '../commands';

export interface Draft { id: string; agent: string; who: string; group: string; text: string; code: string }

const keptAs = 'centrala.drafts';

function read(): Draft[] {
  try {
    const list = JSON.parse(localStorage.getItem(keptAs) ?? '[]') as Draft[];
    return Array.isArray(list) ? list : [];
  } catch {
    return []; // what is kept there is not ours
  }
}

export const drafts = signal<Draft[]>(read());

addEventListener('storage', e => { if (e.key === keptAs) drafts.value = read(); }); // another tab wrote

function put(list: Draft[]) {
  drafts.value = list;
  localStorage.setItem(keptAs, JSON.stringify(list));
}

export const draftOf = (id: string) => drafts.value.find(d => d.id === id);

export function write(id: string, change: Partial<Draft>) {
  put(drafts.peek().map(d => (d.id === id ? { ...d, ...change } : d)));
}

/** The call that the time after it belongs to. */
export const latest = (agent: string) => drafts.value.filter(d => d.agent === agent).at(-1);

/** Tells the server of a call, if there is anything to tell; of several tabs one does. False: it was not to be had, and is tried again. */
export async function tell(id: string): Promise<boolean> {
  if (!draftOf(id)) return true;
  return navigator.locks ? await navigator.locks.request(`centrala.draft.${id}`, () => send(id)) : await send(id);
}

async function send(id: string): Promise<boolean> {
  const d = read().find(x => x.id === id);
  const note = d?.text.trim() ?? '';
  try {
    if (d?.code) await dispose(id, d.code, note);
    else if (note) await remark(id, note);
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    if (e.status === 0 || e.status >= 500) return false;
    // Too late, or taken from the agent: it cannot be told any more.
  }
  put(read().filter(x => x.id !== id));
  return true;
}

/** Begins a draft for each call that the agent has, or has to tell of, and tells of those that are over. */
export function follow(desk: Desk, who: (c: Desk['calls'][number]) => string) {
  const agent = desk.agent;
  if (!agent) return;
  const mine = desk.calls.filter(c => c.kind === 'call' && c.agent === agent.id && !c.offer_until);
  const fresh = mine.filter(c => !drafts.peek().some(d => d.id === c.id));
  if (fresh.length > 0) put([...drafts.peek(), ...fresh.map(c => ({ id: c.id, agent: agent.id, who: who(c), group: c.group ?? '', text: '', code: '' }))]);
  const owed = agent.status === 'wrap_up' ? agent.must_tell : undefined; // perhaps of a call that this browser has not seen
  if (owed && !drafts.peek().some(d => d.id === owed.interaction)) {
    put([...drafts.peek(), { id: owed.interaction, agent: agent.id, who: '', group: owed.group, text: '', code: '' }]);
  }
  const after = agent.status === 'wrap_up' ? drafts.peek().filter(d => d.agent === agent.id).at(-1)?.id : undefined;
  for (const d of drafts.peek()) {
    if (d.agent === agent.id && d.id !== after && !desk.calls.some(c => c.id === d.id)) void tell(d.id);
  }
}

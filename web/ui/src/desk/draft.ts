// What the agent writes down about a call, and what came of it: kept in this browser while the call lasts and
// in the time after it, and told to the server at the end of that, however it comes.
import { Refused, type Desk } from '../api';
import { dispose, remark } from '../commands';
import { draftsOf, forget, keep, newest, type Draft } from '../drafts';
import { me, onSignOut } from '../session';

export interface CallDraft extends Draft { who: string; group: string; text: string; code: string }

const all = (agent: string) => draftsOf(agent).filter((d): d is CallDraft => 'code' in d);

export const draftOf = (id: string, agent: string) => all(agent).find(d => d.id === id);

export function write(of: CallDraft, change: Partial<CallDraft>) {
  const now = draftOf(of.id, of.agent);
  if (now) keep({ ...now, ...change } as Draft);
}

/** The call that the time after it belongs to. */
export const latest = (agent: string) => all(agent).at(-1);

/** Tells the server of a call, if there is anything to tell; of several tabs one does. False: it was not to be had, and is tried again. */
export async function tell(d: CallDraft): Promise<boolean> {
  return navigator.locks ? await navigator.locks.request(`centrala.draft.${d.id}`, () => send(d)) : await send(d);
}

async function send({ id, agent }: CallDraft): Promise<boolean> {
  const d = newest(id, agent) as CallDraft | undefined;
  const note = d?.text.trim() ?? '';
  try {
    if (d?.code) await dispose(id, d.code, note);
    else if (note) await remark(id, note);
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    if (e.status === 0 || e.status >= 500) return false;
    // Too late, or taken from the agent: it cannot be told any more.
  }
  forget(id, agent);
  return true;
}

/** Begins a draft for each call that the agent has, or has to tell of, and tells of those that are over. */
export function follow(desk: Desk, who: (c: Desk['calls'][number]) => string) {
  const agent = desk.agent;
  if (!agent) return;
  const begin = (id: string, who: string, group: string) => {
    if (!draftOf(id, agent.id)) keep({ id, agent: agent.id, who, group, text: '', code: '' } as CallDraft);
  };
  for (const c of desk.calls) if (c.kind === 'call' && c.agent === agent.id && !c.offer_until) begin(c.id, who(c), c.group ?? '');
  const owed = agent.status === 'wrap_up' ? agent.must_tell : undefined; // perhaps of a call that this browser has not seen
  if (owed) begin(owed.interaction, '', owed.group);
  const after = agent.status === 'wrap_up' ? latest(agent.id)?.id : undefined;
  for (const d of all(agent.id)) if (d.id !== after && !desk.calls.some(c => c.id === d.id)) void tell(d);
}

// Who goes has nobody else tell of their calls.
onSignOut(async () => { await Promise.all(all(me.peek()?.agent ?? '').map(tell)); });

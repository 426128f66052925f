// What people can do, as the API takes it.
import { at, call } from './api';
import { act } from './ui/toast';

export interface Target { agent?: string; group?: string; number?: string }

const post = (path: string, body?: unknown) => act(call('POST', path, body));
const agent = (id: string, what: string, body?: unknown) => post(`/agents/${at(id)}/${what}`, body);
const interaction = (id: string, what: string, body?: unknown) => post(`/interactions/${at(id)}/${what}`, body);

export const setDuty = (id: string, duty: 'on' | 'break' | 'leave' | 'off', reason = '', next = false) =>
  agent(id, 'duty', { duty, ...(reason && { reason }), ...(next && { next }) });
export const setDND = (id: string, on: boolean) => agent(id, 'dnd', { on });
export const setSeat = (id: string, group: string, state: 'in' | 'out' | 'paused') => agent(id, `seats/${at(group)}`, { state });
/** Rings the agent's phone on the desk, and calls the target when it is picked up. */
export const callFrom = (id: string, to: Target) => agent(id, 'call', { to });
export const endWrapUp = (id: string) => agent(id, 'wrap-up/end');
export const extendWrapUp = (id: string, seconds: number) => agent(id, 'wrap-up/extend', { seconds });

export const decline = (id: string) => interaction(id, 'decline');
export const hangUp = (id: string) => interaction(id, 'hang-up');
export const hold = (id: string, on: boolean) => interaction(id, on ? 'hold' : 'resume');
export const transfer = (id: string, to: Target) => interaction(id, 'transfer', { to });
export const consult = (id: string, to: Target) => interaction(id, 'consult', { to });
export const swap = (id: string) => interaction(id, 'consult/swap');
export const complete = (id: string) => interaction(id, 'consult/complete');
export const cancelConsult = (id: string) => interaction(id, 'consult/cancel');
export const park = (id: string, slot: string) => interaction(id, 'park', { slot });
export const claim = (id: string) => interaction(id, 'claim');
export const move = (id: string, to: Target) => interaction(id, 'move', { to });
export const prioritise = (id: string, seconds: number) => interaction(id, 'priority', { seconds });

let typed = 0;
/** Tells that one writes in a chat; every few seconds is enough. */
export function typing(id: string) {
  if (Date.now() - typed < 3000) return;
  typed = Date.now();
  call('POST', `/interactions/${at(id)}/typing`).catch(() => undefined); // the next stroke tells it again
}

/** Tells what came of a call. What the server refuses is the caller's to deal with. */
export const dispose = (id: string, code: string, note: string) => call('POST', `/interactions/${at(id)}/disposition`, { code, ...(note && { note }) });
export const remark = (id: string, text: string) => call('POST', `/interactions/${at(id)}/remarks`, { text });

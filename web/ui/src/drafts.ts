// What was typed and is not sent yet, kept in this browser: the page may be loaded anew, and the session may end meanwhile.
// It is kept under the name of who typed it, is shown to nobody else, and forgotten when they sign out, or a day later.
// Passwords are never in it: the forms that take them do not use this.
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { expired, me } from './session';

/** The fields of a form are beside these. The id is that of a call, or the form's name and what it is about. */
export interface Draft { id: string; agent: string; at?: number }

const keptAs = 'centrala.drafts';
const longest = 24 * 60 * 60 * 1000; // milliseconds

function read(): Draft[] {
  try {
    const list = JSON.parse(localStorage.getItem(keptAs) ?? '[]') as Draft[];
    return Array.isArray(list) ? list.filter(d => !(d.at! < Date.now() - longest)) : [];
  } catch {
    return []; // what is kept there is not ours
  }
}

const drafts = signal<Draft[]>(read());

addEventListener('storage', e => { if (e.key === keptAs) drafts.value = read(); }); // another tab wrote

function put(list: Draft[]) {
  drafts.value = list;
  try { localStorage.setItem(keptAs, JSON.stringify(list)); } catch { /* private mode keeps nothing */ }
}

/** Who types here. */
const whose = () => me.value?.agent ?? me.value?.user ?? '';

const is = (id: string, agent: string) => (d: Draft) => d.id === id && d.agent === agent;

/** All that somebody has typed and not sent, the latest begun last. */
export const draftsOf = (agent: string) => drafts.value.filter(d => d.agent === agent);

/** A draft as it is now; undefined: there is none any more, for another tab has sent it. */
export const newest = (id: string, agent: string) => read().find(is(id, agent));

/** Keeps a draft, in the place of what was there of the same. */
export function keep(d: Draft) {
  const list = drafts.peek(), now = { ...d, at: Date.now() };
  put(list.some(is(d.id, d.agent)) ? list.map(x => (is(d.id, d.agent)(x) ? now : x)) : [...list, now]);
}

export const forget = (id: string, agent: string) => {
  if (drafts.peek().some(is(id, agent))) put(drafts.peek().filter(d => !is(id, agent)(d)));
};

/** The fields of a form as they were left, how to change them, and how to forget them. A form whose fields are as at first is not
    kept; one that is shut is forgotten when it is no longer shown, unless it is because the session ended. */
export function useDraft<T extends object>(id: string, first: T, shut: 'stays' | 'shut') {
  const agent = whose();
  const fields = { ...first, ...draftsOf(agent).find(d => d.id === id) };
  const change = (to: Partial<T>) => {
    const now = { ...first, ...drafts.peek().find(is(id, agent)), ...to };
    if ((Object.keys(first) as (keyof T)[]).every(k => now[k] === first[k])) forget(id, agent);
    else keep({ ...now, id, agent });
  };
  useEffect(() => () => { if (shut === 'shut' && me.peek()) forget(id, agent); }, [id]);
  return [fields as T, change, () => forget(id, agent)] as const;
}

let typist = '';
effect(() => {
  if (me.value) typist = whose();
  else if (me.value === null && typist && !expired.peek()) { // signed out by their own wish
    if (drafts.peek().some(d => d.agent === typist)) put(drafts.peek().filter(d => d.agent !== typist));
    typist = '';
  }
});

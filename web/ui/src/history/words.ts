// The past in words: names of people and groups, times in the zone of the site.
import { signal } from '@preact/signals';
import { call, Refused, type Choices, type Directory, type Told } from '../api';
import { t, tOf, tWord } from '../i18n';
import { language } from '../prefs';
import { may } from '../session';

/** What can be asked for; undefined: not known yet. */
export const choices = signal<Choices | undefined>(undefined);
const names = signal<{ agents: Map<string, string>; groups: Map<string, string> }>({ agents: new Map(), groups: new Map() });

/** Learns what can be asked for, and what people and groups are called. */
export async function learn(path: '/history/choices' | '/reports/choices') {
  try {
    const [c, d] = await Promise.all([
      call<Choices>('GET', path), may('interactions:write') ? call<Directory>('GET', '/directory') : { agents: [], groups: [] },
    ]);
    names.value = {
      agents: new Map([...d.agents, ...c.agents].map(a => [a.id, a.name])),
      groups: new Map([...d.groups, ...c.groups].map(g => [g.id, g.name])),
    };
    choices.value = c;
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    choices.value ??= { timezone: 'UTC', groups: [], agents: [], numbers: [], trunks: [], channels: [] };
  }
}

export const agentName = (id: string | undefined) => names.value.agents.get(id ?? '') ?? id ?? '';
export const groupName = (id: string | undefined) => names.value.groups.get(id ?? '') ?? id ?? '';

/** The zone in which times are meant. */
export const zone = () => choices.value?.timezone ?? 'UTC';

const formats = new Map<string, Intl.DateTimeFormat>();

function written(at: string | number | Date, options: Intl.DateTimeFormatOptions, timeZone = zone()): string {
  const key = JSON.stringify([language.value, timeZone, options]);
  let f = formats.get(key);
  if (!f) formats.set(key, f = new Intl.DateTimeFormat(language.value, { ...options, hourCycle: 'h23', timeZone }));
  return f.format(new Date(at));
}

export const day = (at: string | number) => written(at, { weekday: 'short', day: 'numeric', month: 'short' });
export const dayOfYear = (at: string | number) => written(at, { day: 'numeric', month: 'long', year: 'numeric' });
export const clockTime = (at: string | number) => written(at, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const dayAndTime = (at: string | number, timeZone?: string) => written(at, { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' }, timeZone);
export const weekday = (n: number) => written(Date.UTC(2024, 0, n), { weekday: 'long' }, 'UTC');

/** The day that it is at a time in a zone, as 2026-11-21. */
export function dateIn(timeZone: string, at: number | Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

/** The time of day in a zone, as 09:41. */
export function timeIn(timeZone: string, at: number | Date): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

/** The moment at which clocks of a zone show this. Of a time that they show twice it is the first, of one that they skip the one after. */
export function moment(date: string, time: string, timeZone: string): Date {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  const ahead = (at: number) => Date.parse(`${dateIn(timeZone, at)}T${timeIn(timeZone, at)}:00Z`) - Math.floor(at / 60000) * 60000;
  const tries = [wanted - ahead(wanted - 86_400_000), wanted - ahead(wanted + 86_400_000)].sort((a, b) => a - b);
  return new Date(tries.find(at => at + ahead(at) === wanted) ?? tries[1]!);
}

/** The day so many days later. */
export function later(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Seconds between two times. */
export const between = (from: string, to: string | undefined) => to ? Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000) : 0;

/** Seconds as people say them: 8 s, 1:30 min. */
export function span(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return t('unit.seconds', { n: String(s) });
  const text = `${Math.floor(s / 60) % 60}:${String(s % 60).padStart(2, '0')}`;
  return s < 3600 ? t('unit.minutes', { n: text }) : t('unit.hours', { n: `${Math.floor(s / 3600)}:${text.padStart(5, '0')}` });
}

const words: Record<string, (word: string) => string> = {
  end: w => tWord('end', w), duty: w => tWord('duty', w), seat: w => tWord('seat', w), reason: w => tWord('reason', w), cause: w => tWord('cause', w),
};

/** The values of what the server tells, as people read them. */
function shown(told: Told, more: Record<string, string | undefined>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [k, v] of Object.entries({ ...more, ...told.values })) {
    if (v === undefined) continue;
    if (k === 'agent' || k === 'by' || k === 'who') out[k] = agentName(v);
    else if (k === 'group') out[k] = groupName(v);
    else if (k === 'target') out[k] = names.value.agents.has(v) ? agentName(v) : groupName(v);
    else if (k === 'disposition') out[k] = tWord('disposition', v);
    else if (k === 'seconds') out[k] = span(Number(v));
    else if (k === 'status' && !/^\d+$/.test(v)) out[k] = tWord('status', v).toLocaleLowerCase(language.value);
    else if (k in words) out[k] = words[k]!(v).toLocaleLowerCase(language.value);
    else out[k] = v;
  }
  return out;
}

/** What a step tells, in the language of the page. */
export function toldStep(told: Told, more: Record<string, string | undefined>, chat = false): string {
  return (chat && tOf('chat-step', told.code, shown(told, more))) || tOf('step', told.code, shown(told, more)) || told.code;
}

/** Why, in the language of the page. */
export function toldReason(told: Told): string {
  const by = told.values['by'];
  const text = tOf('why', told.code, shown(told, {})) ?? told.code;
  return by && told.code !== 'by' ? `${text} ${tOf('why', 'by', { by: agentName(by) }) ?? ''}` : text;
}

// The figures of reports as people read them, and in which sets they are shown.
import type { Definition, ReportFigure } from '../api';
import { language } from '../prefs';
import { t, tWord } from '../i18n';
import { span, weekday } from '../history/words';
import { agentName, choices, dateIn, groupName, timeIn } from '../history/words';

/** The sets, with the figures that begin them in the API's list. */
const begins: readonly (readonly [set: Set, first: string])[] = [
  ['waits', 'offered'], ['forecast', 'promised'], ['offers', 'offers_answered'], ['talks', 'handled'], ['times', 'available_time'],
  ['transfers', 'transfers_blind'], ['calls', 'interactions'], ['audio', 'legs'], ['chats', 'chats'],
];

export type Set = 'waits' | 'forecast' | 'offers' | 'talks' | 'times' | 'transfers' | 'calls' | 'audio' | 'chats';

/** The figures of each set, in the API's order; sets of which the report has none are left out. */
export function setsOf(definitions: readonly Definition[]): { set: Set; figures: Definition[] }[] {
  const list: { set: Set; figures: Definition[] }[] = [];
  for (const d of definitions) {
    const set = begins.find(([, first]) => first === d.name)?.[0] ?? (list.length === 0 ? (d.name.startsWith('wait') || d.name === 'answered' ? 'waits' : undefined) : undefined);
    if (set) list.push({ set, figures: [] });
    list.at(-1)?.figures.push(d);
  }
  return list;
}

/** A number in the language of the page. */
function numeral(n: number, digits = 0): string {
  return new Intl.NumberFormat(language.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);
}

/** A figure as it is read; a dash where there is nothing to tell. */
export function told(d: Definition, f: ReportFigure | undefined): string {
  const v = f?.value ?? null;
  if (v === null) return t('none');
  switch (d.unit) {
    case 'seconds': return span(v);
    case 'share': return t('unit.percent', { n: numeral(v * 100, v > 0 && v < 0.1 ? 1 : 0) });
    case 'score': return numeral(v, 2);
    default: return numeral(v);
  }
}

/** What a mean or a share is made of; empty: it is no such figure. */
export function parts(d: Definition, f: ReportFigure | undefined): string {
  if (!f?.of || f.part === undefined || f.part === null) return '';
  if (d.unit === 'seconds') return t('figure.of-seconds', { part: span(f.part), of: numeral(f.of) });
  if (d.unit === 'share' && (d.name === 'occupancy')) return '';
  return t('figure.of', { part: numeral(f.part, d.unit === 'score' ? 2 : 0), of: numeral(f.of) });
}

/** The formula with the figures' own names in it. */
export const formula = (d: Definition) => tWord('formula', d.name);
export const title = (d: Definition) => tWord('figure', d.name);

/** What a line is about. */
export function keyName(by: string, key: string): string {
  switch (by) {
    case 'group': return groupName(key);
    case 'agent': return agentName(key);
    case 'channel': return choices.value?.channels.find(c => c.id === key)?.name ?? key;
    case 'weekday': return weekday(Number(key));
    case 'hour': return `${key}:00`;
    case 'day': return new Intl.DateTimeFormat(language.value, { timeZone: 'UTC', weekday: 'short', day: 'numeric', month: 'short' }).format(new Date(`${key}T12:00:00Z`));
    case 'interval': return `${dateIn(choices.value?.timezone ?? 'UTC', Date.parse(key))} ${timeIn(choices.value?.timezone ?? 'UTC', Date.parse(key))}`;
    default: return key;
  }
}

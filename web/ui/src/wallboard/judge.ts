// How waits and service levels are judged: in colour, and in a word beside it. The limits are those of the group, or the viewer's own.
import { computed } from '@preact/signals';
import type { BoardCall, BoardGroup, BoardLine } from '../api';
import { since } from '../clock';
import { t, tWord } from '../i18n';
import { language, lateAfter, levelAim, levelLeast, tooLateAfter } from '../prefs';
import { statuses, statusWord } from '../ui/status';

export interface Verdict { tone: string; word: string }

/** For those whose group is not known, as where nothing is declared. */
const usual: BoardGroup['limits'] = { late_seconds: 30, too_late_seconds: 120, on_target: 80, far_below: 60 };

/** How late somebody is who arrived then; undefined: nobody waits. */
export function lateness(arrived: string | undefined, group?: BoardGroup): Verdict {
  if (!arrived) return { tone: 'calm', word: t('late.calm') };
  const waited = since(arrived);
  const limits = group?.limits ?? usual;
  if (waited >= (tooLateAfter.value ?? limits.too_late_seconds)) return { tone: 'alert', word: t('late.too-late') };
  if (waited >= (lateAfter.value ?? limits.late_seconds)) return { tone: 'ringing', word: t('late.late') };
  return { tone: 'talking', word: t('late.waiting') };
}

const percent = computed(() => new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 0 }));

export interface Level extends Verdict { share: string; formula: string }

/** The service level of the day, with what it is made of; undefined: the record cannot be read. */
export function level(g: BoardGroup): Level | undefined {
  const { known, counted, in_time: inTime } = g.today;
  if (!known) return undefined;
  const m = g.service_level;
  const values = { n: inTime, of: counted, within: seconds(m.within_seconds) };
  const formula = { negative: t('level.negative', values), ignored: t('level.ignored', values), positive: t('level.positive', values) }[m.abandons]
    + (m.short_seconds > 0 ? t('level.short', { short: seconds(m.short_seconds) }) : '');
  if (counted === 0) return { tone: 'calm', word: t('level.none'), share: t('none'), formula };
  const share = inTime / counted;
  const verdict = share * 100 >= (levelAim.value ?? g.limits.on_target) ? { tone: 'ready', word: t('level.good') }
    : share * 100 >= (levelLeast.value ?? g.limits.far_below) ? { tone: 'ringing', word: t('level.low') } : { tone: 'alert', word: t('level.bad') };
  return { ...verdict, share: percent.value.format(share), formula };
}

const seconds = (n: number) => t('seconds', { s: Math.round(n * 10) / 10 });

const order = [...statuses, 'paused', 'logged_out', 'full'];

/** Why a call still waits, in words: the core's reasons. */
export function reasons(c: BoardCall, line: BoardLine | undefined, name: (agent: string) => string): string {
  const list: string[] = [];
  if (c.offers.length > 0) list.push(t('side.rings-at', { who: c.offers.map(o => name(o.agent)).join(', ') }));
  if (c.for) list.push(t('queue.for', { who: name(c.for) }));
  if (c.needs) list.push(t('queue.needs', { what: c.needs }));
  if (line && c.offers.length === 0) {
    const kept = order.filter(s => line.agents[s]);
    list.push(kept.length === 0 ? t('why.nobody') : kept.map(s => `${s in words ? tWord('kept', s) : statusWord(s)}: ${line.agents[s]}`).join(', '));
  }
  const last = c.last && lastWords(c, name);
  if (last) list.push(last);
  if (c.round > 0) list.push(t('queue.rounds', { n: c.round }));
  return list.join(' · ');
}

const words = { paused: true, logged_out: true, full: true };

function lastWords(c: BoardCall, name: (agent: string) => string): string {
  const { kind, agent, what } = c.last!;
  const who = agent ? name(agent) : '';
  switch (kind) {
    case 'outcome':
      if (what === 'no_answer') return t('last.no-answer', { who });
      if (what === 'declined') return t('last.declined', { who });
      if (what === 'busy') return t('last.busy', { who });
      return what === 'unreachable' ? t('last.unreachable', { who }) : '';
    case 'priority': return t('last.priority');
    case 'transfer': return t('last.transfer');
    case 'stage': return t('last.stage');
    case 'unavailable': return t('last.unavailable');
    default: return '';
  }
}

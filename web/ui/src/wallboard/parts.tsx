// What the wallboard and its television view have in common.
import type { Agent, BoardCall, BoardGroup } from '../api';
import { t, timeOfDay } from '../i18n';
import { live } from '../live';
import { look, statuses, statusWord } from '../ui/status';
import { Elapsed } from '../ui/time';
import { lateness } from './judge';

/** How fresh the board is, always in words. */
export function Fresh() {
  const freshness = live.freshness.value;
  const heard = timeOfDay(new Date(live.heard.value).toISOString());
  const tone = { starting: 'calm', live: 'ready', asking: 'away', lost: 'alert' }[freshness];
  const word = { starting: t('fresh.starting'), live: t('fresh.live'), asking: t('fresh.asking'), lost: t('fresh.lost', { at: heard }) }[freshness];
  return <p class={`fresh tone-${tone}`} role="status" data-freshness={freshness}>{word}</p>;
}

export interface Standing { groups: BoardGroup[]; agents: Agent[]; interactions: BoardCall[]; waiting: BoardCall[] }

/** How many agents the groups have on calls: of calls that the viewer may not see, too. */
function talking(agents: Agent[]): number { return agents.filter(a => a.status === 'talking').length; }

/** When the first of them arrived; undefined: there are none. */
export function first(waiting: BoardCall[]): string | undefined {
  return waiting.reduce<string | undefined>((least, i) => !least || i.arrived < least ? i.arrived : least, undefined);
}

export function Totals({ groups, agents, waiting }: Standing) {
  const earliest = first(waiting);
  const known = groups.every(g => g.today.known);
  const sum = (of: (g: BoardGroup) => number) => groups.reduce((n, g) => n + of(g), 0);
  return (
    <dl class="totals">
      <div class={`tone-${lateness(earliest).tone}`}><dt>{t('board.waiting')}</dt><dd class="digits" data-total="waiting">{waiting.length}</dd></div>
      <div class={`tone-${lateness(earliest).tone}`}><dt>{t('board.longest')}</dt><dd>{earliest ? <Elapsed from={earliest} /> : t('none')}</dd></div>
      <div><dt>{t('board.talking')}</dt><dd class="digits" data-total="talking">{talking(agents)}</dd></div>
      <div><dt>{t('board.free')}</dt><dd class="digits" data-total="free">{agents.filter(a => a.can_take).length}</dd></div>
      <div><dt>{t('board.answered')}</dt><dd class="digits" data-total="answered">{known ? sum(g => g.today.answered) : t('none')}</dd></div>
      <div><dt>{t('board.abandoned')}</dt><dd class="digits" data-total="abandoned">{known ? sum(g => g.today.abandoned) : t('none')}</dd></div>
    </dl>
  );
}

/** The group's agents by state. */
export function Census({ group: g }: { group: BoardGroup }) {
  return (
    <ul class="census">
      {statuses.filter(s => g.agents[s]).map(s => <li key={s} class={`tone-${look(s).tone}`}><strong class="digits">{g.agents[s]}</strong> {statusWord(s)}</li>)}
    </ul>
  );
}

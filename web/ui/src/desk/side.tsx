import type { Agent, Group, Interaction } from '../api';
import { claim, setSeat } from '../commands';
import { t, tWord } from '../i18n';
import { callerOf } from '../notify';
import { expect } from '../phone/station';
import { Icon } from '../ui/icon';
import { Elapsed } from '../ui/time';

/** Has a call ring here, and answered where this browser is the telephone. */
function fetch(id: string) {
  expect(id);
  return claim(id);
}

const seats = ['in', 'paused', 'out'] as const;

/** The groups that the agent serves, and whether they do so now. */
export function Groups({ agent, groups }: { agent: Agent; groups: Group[] }) {
  if (groups.length === 0) return null;
  return (
    <section class="card" aria-labelledby="my-groups">
      <h2 id="my-groups">{t('side.groups')}</h2>
      <ul class="rows">
        {groups.map(g => {
          const state = agent.seats.find(s => s.group === g.id)?.state ?? 'in';
          return (
            <li key={g.id}>
              <span class="grow">{g.name}<small>{waiting(g)}</small></span>
              <select aria-label={t('seat.of', { group: g.name })} value={state} class={state === 'in' ? '' : 'set'}
                onChange={e => void setSeat(agent.id, g.id, e.currentTarget.value as typeof state)}>
                {seats.map(s => <option key={s} value={s}>{tWord('seat', s)}</option>)}
              </select>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function waiting(g: Group) {
  if (g.waiting === 0) return t('side.nobody-waits');
  return <>{t('waiting', { n: g.waiting })} · <Elapsed from={g.longest_since} /></>;
}

/** What waits where the agent may pick up. */
export function Waiting({ calls, groups }: { calls: Interaction[]; groups: Group[] }) {
  if (calls.length === 0) return null;
  return (
    <section class="card" aria-labelledby="waiting">
      <h2 id="waiting">{t('side.waiting')}</h2>
      <ul class="rows">
        {calls.map(c => (
          <li key={c.id}>
            <span class="grow">{callerOf(c)}<small>{groups.find(g => g.id === c.group)?.name} · <Elapsed from={c.arrived} />{c.phase === 'offered' && ` · ${t('side.rings-at', { who: c.offers.map(o => o.agent).join(', ') })}`}</small></span>
            <button onClick={() => void fetch(c.id)} aria-label={t('side.pick-up-of', { who: callerOf(c) })}><Icon name="up" />{t('side.pick-up')}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What the agent parked. */
export function Parked({ calls }: { calls: Interaction[] }) {
  if (calls.length === 0) return null;
  return (
    <section class="card tone-away" aria-labelledby="parked">
      <h2 id="parked">{t('side.parked')}</h2>
      <ul class="rows">
        {calls.map(c => (
          <li key={c.id}>
            <span class="grow">{callerOf(c)}<small>{t('side.slot', { slot: c.slot ?? '' })} · <Elapsed from={c.since} /></small></span>
            <button onClick={() => void fetch(c.id)} aria-label={t('side.fetch-of', { who: callerOf(c) })}><Icon name="up" />{t('side.fetch')}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { Agent, BoardCall, BoardGroup } from '../api';
import { endWrapUp, setDuty, setSeat } from '../commands';
import { t, tWord } from '../i18n';
import { useLive } from '../live';
import { callerOf } from '../notify';
import { language } from '../prefs';
import { may, me, supervises } from '../session';
import { Icon } from '../ui/icon';
import { Menu, type Item } from '../ui/menu';
import { Rows, steady } from '../ui/rows';
import { Lamp, look, statuses, statusWord } from '../ui/status';
import { Elapsed } from '../ui/time';

/** The agents, those who are at work first. */
export function Agents({ agents, groups, calls }: { agents: Agent[]; groups: BoardGroup[]; calls: BoardCall[] }) {
  const list = [...agents].sort((a, b) => statuses.indexOf(a.status) - statuses.indexOf(b.status) || collate(a.name, b.name));
  const names = new Map(groups.map(g => [g.id, g.name]));
  const with_ = new Map(calls.filter(c => c.agent).map(c => [c.agent!, c]));
  const commands = may('agents:write');
  const breaks = useLive('desk')?.breaks ?? [];
  return (
    <div class="card">
      <h2 id="agents">{t('agents.title')} <span class="count digits">{list.length}</span></h2>
      <Rows named="agents" items={list}
        head={<tr aria-rowindex={1}>
          <th scope="col">{t('agents.name')}</th><th scope="col">{t('agents.state')}</th><th scope="col" class="brief">{t('agents.since')}</th>
          <th scope="col">{t('agents.groups')}</th>{commands && <th scope="col" class="slim"><span class="unseen">{t('actions')}</span></th>}
        </tr>}
        row={(a, index) => (
          <Row key={a.id} agent={a} index={index} caller={caller(with_.get(a.id))} groups={a.groups.map(g => seated(a, g, names.get(g) ?? g)).join(', ')}
            breaks={breaks.join()} commands={commands} acts={commands && (supervises() || me.value?.agent === a.id)} language={language.value} items={() => actions(a, names, breaks)} />
        )} />
    </div>
  );
}

const collate = new Intl.Collator().compare;
const caller = (c: BoardCall | undefined) => c ? callerOf(c) : '';

interface RowProps { agent: Agent; index: number; caller: string; groups: string; breaks: string; commands: boolean; acts: boolean; language: string; items: () => (Item | null)[] }

const Row = steady(({ agent: a, index, caller, groups, commands, acts, items }: RowProps) => (
  <tr aria-rowindex={index} data-agent={a.id} data-status={a.status}>
    <th scope="row">{a.name}{a.extension && <small class="digits">{a.extension}</small>}</th>
    <td class={`tone-${look(a.status).tone} state-cell`}><Lamp agent={a} /><span>{statusWord(a.status, a.reason)}{caller && <small>{caller}</small>}</span></td>
    <td><Elapsed from={a.since} /></td>
    <td class="hint">{groups}</td>
    {commands && <td>{acts && <Menu class="quiet" label={t('queue.act-on', { who: a.name })} items={items}><Icon name="menu" /></Menu>}</td>}
  </tr>
), ['items']);

/** The group's name, and how the agent sits in it where that is not plainly in. */
function seated(a: Agent, id: string, name: string): string {
  const state = a.seats.find(s => s.group === id)?.state ?? 'in';
  return state === 'in' ? name : `${name} (${tWord('seat', state)})`;
}

function actions(a: Agent, names: Map<string, string>, breaks: string[]): (Item | null)[] {
  const list: (Item | null)[] = [];
  if (a.status === 'wrap_up') list.push({ label: t('agents.end-wrap-up'), run: () => void endWrapUp(a.id) });
  if (a.duty !== 'on' || a.status === 'not_responding') list.push({ label: t('state.ready'), run: () => void setDuty(a.id, 'on') });
  else for (const b of breaks.length > 0 ? breaks : ['']) {
    list.push({ label: b ? `${t('state.break')}: ${tWord('reason', b)}` : t('state.break'), run: () => void setDuty(a.id, 'break', b, a.interactions.length > 0) });
  }
  if (a.duty !== 'off') list.push({ label: t('state.end-day'), run: () => void setDuty(a.id, 'off', '', a.interactions.length > 0) });
  list.push(null);
  for (const g of a.groups) {
    const out = a.seats.find(s => s.group === g)?.state ?? 'in';
    const name = names.get(g) ?? g;
    list.push(out === 'in'
      ? { label: t('agents.take-out', { group: name }), run: () => void setSeat(a.id, g, 'out') }
      : { label: t('agents.put-in', { group: name }), run: () => void setSeat(a.id, g, 'in') });
  }
  return list.at(-1) === null ? list.slice(0, -1) : list;
}

import { useState } from 'preact/hooks';
import type { Agent, Group, Interaction } from '../api';
import { claim, move, prioritise } from '../commands';
import { t } from '../i18n';
import { callerOf } from '../notify';
import { may, me, supervises } from '../session';
import { Dialog } from '../ui/dialog';
import { Menu, type Item } from '../ui/menu';
import { Icon } from '../ui/icon';
import { Elapsed } from '../ui/time';

const most = 100; // rows at first
const credit = 600; // seconds of waiting that "to the front" is worth

interface Props { waiting: Interaction[]; groups: Group[]; agents: Agent[] }

/** Who waits: in which place, for whom, since when and why. */
export function Queue({ waiting, groups, agents }: Props) {
  const [all, setAll] = useState(false);
  const [moving, setMoving] = useState<string | undefined>();
  const moved = waiting.find(i => i.id === moving);
  const list = [...waiting].sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || a.arrived.localeCompare(b.arrived));
  const shown = all ? list : list.slice(0, most);
  const names = new Map(agents.map(a => [a.id, a.name]));
  const groupNames = new Map(groups.map(g => [g.id, g.name]));
  const commands = may('interactions:write');
  return (
    <div class="card">
      <h2 id="queue">{t('queue.title')}</h2>
      {list.length === 0 && <p class="empty">{t('side.nobody-waits')}</p>}
      {list.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="queue">
          <table>
            <thead><tr>
              <th scope="col">{t('queue.place')}</th><th scope="col">{t('queue.caller')}</th><th scope="col">{t('call.group')}</th>
              <th scope="col">{t('queue.waits')}</th>{commands && <th scope="col"><span class="unseen">{t('actions')}</span></th>}
            </tr></thead>
            <tbody>
              {shown.map(i => (
                <tr key={i.id} data-interaction={i.id}>
                  <td class="digits">{i.position ?? '\u2013'}</td>
                  <td>{callerOf(i)}{i.from.name && <small class="digits">{i.from.number}</small>}<small>{reason(i, names)}</small></td>
                  <td>{groupNames.get(i.group ?? '') ?? i.group}</td>
                  <td><Elapsed from={i.arrived} /></td>
                  {commands && <td><Menu class="quiet" label={t('queue.act-on', { who: callerOf(i) })} items={actions(i, setMoving)}><Icon name="menu" /></Menu></td>}
                </tr>
              ))}
            </tbody>
          </table>
          {shown.length < list.length && <button class="quiet wide" onClick={() => setAll(true)}>{t('queue.more', { n: list.length - shown.length })}</button>}
        </div>
      )}
      {moved && <Move call={moved} groups={groups} agents={agents} onClose={() => setMoving(undefined)} />}
    </div>
  );
}

function actions(i: Interaction, setMoving: (id: string) => void): Item[] {
  const list: Item[] = [];
  if (me.value?.agent) list.push({ label: t('side.pick-up'), run: () => void claim(i.id) });
  if (supervises()) {
    list.push({ label: t('queue.move'), run: () => setMoving(i.id) });
    list.push({ label: t('queue.front'), run: () => void prioritise(i.id, credit) });
  }
  return list;
}

/** Why it still waits, as far as it can be told. */
function reason(i: Interaction, names: Map<string, string>): string {
  const list: string[] = [];
  if (i.offers.length > 0) list.push(t('side.rings-at', { who: i.offers.map(o => names.get(o.agent) ?? o.agent).join(', ') }));
  if (i.for) list.push(t('queue.for', { who: names.get(i.for) ?? i.for }));
  if (i.needs) list.push(t('queue.needs', { what: i.needs }));
  if (i.round > 0) list.push(t('queue.rounds', { n: i.round }));
  return list.join(' · ');
}

function Move({ call, groups, agents, onClose }: { call: Interaction; groups: Group[]; agents: Agent[]; onClose: () => void }) {
  const [to, setTo] = useState('');
  const onSubmit = async (e: Event) => {
    e.preventDefault();
    const cut = to.indexOf(' ');
    if (await move(call.id, { [to.slice(0, cut)]: to.slice(cut + 1) })) onClose();
  };
  return (
    <Dialog title={t('queue.move-whom', { who: callerOf(call) })} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <label>{t('queue.where')}
          <select required value={to} onChange={e => setTo(e.currentTarget.value)}>
            <option value="">{t('queue.choose')}</option>
            <optgroup label={t('transfer.groups')}>{groups.filter(g => !g.channel && g.id !== call.group).map(g => <option key={g.id} value={'group ' + g.id}>{g.name}</option>)}</optgroup>
            <optgroup label={t('transfer.people')}>{agents.map(a => <option key={a.id} value={'agent ' + a.id}>{a.name}</option>)}</optgroup>
          </select>
        </label>
        <button class="main">{t('queue.move')}</button>
      </form>
    </Dialog>
  );
}

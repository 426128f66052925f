import { useComputed } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Agent, BoardCall, BoardGroup, BoardLine } from '../api';
import { claim, move, prioritise } from '../commands';
import { t } from '../i18n';
import { callerOf, nameless } from '../notify';
import { live } from '../live';
import { language } from '../prefs';
import { may, me, supervises } from '../session';
import { Dialog } from '../ui/dialog';
import { Menu, type Item } from '../ui/menu';
import { Icon } from '../ui/icon';
import { Rows, steady } from '../ui/rows';
import { Elapsed } from '../ui/time';
import { lateness, reasons } from './judge';

const credit = 600; // seconds of waiting that "to the front" is worth

interface Props { waiting: BoardCall[]; groups: BoardGroup[]; agents: Agent[]; lines: ReadonlyMap<string, BoardLine> | undefined }

/** Who waits: in which place, for whom, since when and why. */
export function Queue({ waiting, groups, agents, lines }: Props) {
  const [moving, setMoving] = useState<string | undefined>();
  const moved = waiting.find(i => i.id === moving);
  const list = [...waiting].sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || (a.arrived < b.arrived ? -1 : a.arrived > b.arrived ? 1 : 0));
  const names = new Map(agents.map(a => [a.id, a.name]));
  const groupNames = new Map(groups.map(g => [g.id, g.name]));
  const name = (id: string) => names.get(id) ?? id;
  const commands = may('interactions:write');
  return (
    <div class="card">
      <h2 id="queue">{t('queue.title')} <span class="count digits">{list.length}</span></h2>
      {list.length === 0 && <p class="empty">{t('side.nobody-waits')}</p>}
      {list.length > 0 && (
        <Rows named="queue" items={list}
          head={<tr aria-rowindex={1}>
            <th scope="col" class="slim">{t('queue.place')}</th><th scope="col">{t('queue.caller')}</th><th scope="col">{t('call.group')}</th>
            <th scope="col" class="brief">{t('queue.waits')}</th>{commands && <th scope="col" class="slim"><span class="unseen">{t('actions')}</span></th>}
          </tr>}
          row={(i, index) => (
            <Waiting key={i.id} call={i} index={index} group={groupNames.get(i.group ?? '') ?? i.group ?? ''} why={reasons(i, lines?.get(i.line ?? ''), name)}
              commands={commands} language={language.value} onMove={setMoving} />
          )} />
      )}
      {moved && <Move call={moved} groups={groups} agents={agents} onClose={() => setMoving(undefined)} />}
    </div>
  );
}

interface Row { call: BoardCall; index: number; group: string; why: string; commands: boolean; language: string; onMove: (id: string) => void }

const Waiting = steady(({ call: i, index, group, why, commands, onMove }: Row) => (
  <tr aria-rowindex={index} data-interaction={i.id}>
    <td class="digits place">{i.position ?? '\u2013'}</td>
    <td class="who">{callerOf(i)}{i.from.name && !nameless(i.from.number) && <small class="digits">{i.from.number}</small>}<small class="why">{why}</small></td>
    <td>{group}</td>
    <td><Wait from={i.arrived} group={i.group} /></td>
    {commands && <td><Menu class="quiet" label={t('queue.act-on', { who: callerOf(i) })} items={actions(i, onMove)}><Icon name="menu" /></Menu></td>}
  </tr>
));

/** A wait in the colour of its lateness; the group's tile has the word. */
function Wait({ from, group }: { from: string; group?: string }) {
  const look = useComputed(() => `wait tone-${lateness(from, live.of.groups.value?.find(g => g.id === group)).tone}`); // is another now and then, not each second
  return <span class={look}><Elapsed from={from} /></span>;
}

function actions(i: BoardCall, onMove: (id: string) => void): Item[] {
  const list: Item[] = [];
  if (me.value?.agent) list.push({ label: t('side.pick-up'), run: () => void claim(i.id) });
  if (supervises()) {
    list.push({ label: t('queue.move'), run: () => onMove(i.id) });
    list.push({ label: t('queue.front'), run: () => void prioritise(i.id, credit) });
  }
  return list;
}

function Move({ call, groups, agents, onClose }: { call: BoardCall; groups: BoardGroup[]; agents: Agent[]; onClose: () => void }) {
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

import type { ComponentChildren } from 'preact';
import type { Agent, DeskCall, DirectoryAgent } from '../api';
import { callFrom, consult, transfer, type Target } from '../commands';
import { useDraft } from '../drafts';
import { t, tWord } from '../i18n';
import { useLive } from '../live';
import { dial, phone } from '../phone/station';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { tell } from '../ui/toast';

const tones = { free: 'ready', busy: 'talking', away: 'off' } as const;
const icons = { free: 'check', busy: 'phone', away: 'off' } as const;
const order = { free: 0, busy: 1, away: 2 } as const;

/** Whom to hand a call to: people with their presence, groups, or any number. */
export function Transfer({ call, agent, onClose }: { call: DeskCall; agent: Agent; onClose: () => void }) {
  const go = async (command: typeof transfer, to: Target) => { if (await command(call.id, to)) onClose(); };
  return (
    <Whom title={t('transfer.title')} draft={`transfer ${call.id}`} agent={agent} onClose={onClose} choices={(to, name) => (
      <span class="row-buttons">
        <button onClick={() => void go(transfer, to)} aria-label={t('transfer.now-to', { who: name })}>{t('transfer.now')}</button>
        <button onClick={() => void go(consult, to)} aria-label={t('transfer.ask-of', { who: name })}>{t('transfer.ask')}</button>
      </span>
    )} />
  );
}

/** Whom to call. */
export function CallSomebody({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  return (
    <Whom title={t('calling.title')} draft="calling" agent={agent} onClose={onClose} choices={(to, name, dialled) => dialled && (
      <button onClick={() => { void callUp(agent, to, dialled); onClose(); }} aria-label={t('calling.call-of', { who: name })}><Icon name="phone" />{t('calling.call')}</button>
    )} />
  );
}

/** Calls somebody: from this browser, where it is the telephone, else by having the phone on the desk ring first. */
export async function callUp(agent: Agent, to: Target, dialled: string) {
  if (phone.peek().where === 'here') dial(dialled);
  else if (await callFrom(agent.id, to)) tell(t('calling.pick-up'));
}

/** Whether the agent has more to do than chats, which go on beside a call. */
export const inCall = (agent: Agent) => agent.interactions.length > agent.chats;

/** Whether the agent could call somebody now. */
export const mayCall = (agent: Agent) =>
  !inCall(agent) && (phone.value.where === 'here' ? phone.value.line === 'ready' && phone.value.microphone === 'ready' && !phone.value.call : agent.status !== 'offline');

type Choices = (to: Target, name: string, dialled: string) => ComponentChildren;

/** People with their presence, groups, or any number. */
function Whom({ title, draft, agent, onClose, choices }: { title: string; draft: string; agent: Agent; onClose: () => void; choices: Choices }) {
  const directory = useLive('directory');
  const [{ text }, write] = useDraft(draft, { text: '' }, 'shut');
  const wanted = text.trim().toLocaleLowerCase();
  const fits = (x: { id: string; name: string; extension?: string }) =>
    [x.id, x.name, x.extension ?? ''].some(s => s.toLocaleLowerCase().includes(wanted));
  const agents = (directory?.agents ?? []).filter(a => a.id !== agent.id && fits(a)).sort((a, b) => order[a.presence] - order[b.presence]);
  const groups = (directory?.groups ?? []).filter(fits);
  const digits = text.replace(/[\s()./-]/g, '');
  const number = /^\+?[0-9]{2,}$/.test(digits) && ![...agents, ...groups].some(x => x.extension === digits) ? digits : ''; // an extension is somebody's
  return (
    <Dialog title={title} onClose={onClose}>
      <label>{t('transfer.find')}
        <input type="search" autofocus autocomplete="off" value={text} onInput={e => write({ text: e.currentTarget.value })} />
      </label>
      {number && <ul class="rows"><li><span class="grow digits">{number}</span>{choices({ number }, number, number)}</li></ul>}
      {agents.length > 0 && <h3>{t('transfer.people')}</h3>}
      <ul class="rows">{agents.map(a => <Person key={a.id} agent={a}>{choices({ agent: a.id }, a.name, a.extension ?? '')}</Person>)}</ul>
      {groups.length > 0 && <h3>{t('transfer.groups')}</h3>}
      <ul class="rows">
        {groups.map(g => (
          <li key={g.id}>
            <span class="grow">{g.name}<small>{t('transfer.free', { n: g.free })}</small></span>{choices({ group: g.id }, g.name, g.extension ?? '')}
          </li>
        ))}
      </ul>
      {directory && agents.length + groups.length === 0 && !number && <p class="hint">{t('transfer.nobody')}</p>}
    </Dialog>
  );
}

function Person({ agent, children }: { agent: DirectoryAgent; children: preact.ComponentChildren }) {
  return (
    <li>
      <span class={`lamp tone-${tones[agent.presence]}`}><Icon name={icons[agent.presence]} /></span>
      <span class="grow">{agent.name}<small>{tWord('presence', agent.presence)}{agent.extension && ` · ${agent.extension}`}</small></span>
      {children}
    </li>
  );
}

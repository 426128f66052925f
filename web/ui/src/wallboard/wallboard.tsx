import { useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { Agent, Group, Interaction } from '../api';
import { since } from '../clock';
import { t, tWord } from '../i18n';
import { useLive } from '../live';
import { lateAfter, tooLateAfter } from '../prefs';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { look, statuses, statusWord } from '../ui/status';
import { Elapsed } from '../ui/time';
import { Agents } from './agents';
import { Queue } from './queue';

/** The group that is looked at; empty: all. */
const chosen = signal('');

export function Wallboard({ tv }: { tv: boolean }) {
  const groups = useLive('groups');
  const agents = useLive('agents');
  const interactions = useLive('interactions');
  const [limits, setLimits] = useState(false);
  if (!groups || !agents || !interactions) return <main class="wallboard" aria-busy="true" aria-label={t('nav.wallboard')} />;
  const waiting = interactions.filter(i => i.phase === 'queued' || i.phase === 'offered');
  const only = groups.some(g => g.id === chosen.value) ? chosen.value : '';
  const inGroup = <T extends { group?: string }>(list: T[]) => only ? list.filter(i => i.group === only) : list;
  const people = only ? agents.filter(a => a.groups.includes(only)) : agents;
  return (
    <main class={tv ? 'wallboard tv' : 'wallboard'}>
      <header class="board-head">
        <h1>{t('nav.wallboard')}</h1>
        {!tv && <>
          <button class="quiet" onClick={() => setLimits(true)}>{t('board.limits')}</button>
          <a class="button quiet" href="#/wallboard/tv" onClick={() => void document.documentElement.requestFullscreen().catch(() => {})}><Icon name="wide" />{t('board.tv')}</a>
        </>}
        {tv && <a class="button quiet" href="#/wallboard" onClick={() => { if (document.fullscreenElement) void document.exitFullscreen(); }}>{t('board.leave-tv')}</a>}
      </header>
      <Totals groups={groups} agents={agents} interactions={interactions} waiting={waiting} />
      <section aria-label={t('board.groups')}>
        <ul class="tiles">{groups.map(g => <Tile key={g.id} group={g} waiting={waiting} chosen={only === g.id} />)}</ul>
      </section>
      <div class="halves">
        <Queue waiting={inGroup(waiting)} groups={groups} agents={agents} />
        <Agents agents={people} groups={groups} calls={interactions} />
      </div>
      {limits && <Limits onClose={() => setLimits(false)} />}
    </main>
  );
}

interface Standing { groups: Group[]; agents: Agent[]; interactions: Interaction[]; waiting: Interaction[] }

function Totals({ agents, interactions, waiting }: Standing) {
  const talking = interactions.filter(i => i.phase === 'talking' || i.phase === 'consulting').length;
  const free = agents.filter(a => a.can_take).length;
  const first = waiting.reduce<string | undefined>((least, i) => !least || i.arrived < least ? i.arrived : least, undefined);
  return (
    <dl class="totals">
      <div class={`tone-${lateness(first).tone}`}><dt>{t('board.waiting')}</dt><dd class="digits" data-total="waiting">{waiting.length}</dd></div>
      <div class={`tone-${lateness(first).tone}`}><dt>{t('board.longest')}</dt><dd>{first ? <Elapsed from={first} /> : t('none')}</dd></div>
      <div><dt>{t('board.talking')}</dt><dd class="digits" data-total="talking">{talking}</dd></div>
      <div><dt>{t('board.free')}</dt><dd class="digits" data-total="free">{free}</dd></div>
    </dl>
  );
}

/** How late a wait is, in colour and words. */
function lateness(arrived: string | undefined): { tone: string; word: string } {
  const waited = since(arrived);
  if (!arrived) return { tone: 'calm', word: t('late.calm') };
  if (waited >= tooLateAfter.value) return { tone: 'alert', word: t('late.too-late') };
  if (waited >= lateAfter.value) return { tone: 'ringing', word: t('late.late') };
  return { tone: 'talking', word: t('late.waiting') };
}

const conditions: Record<string, string> = {
  'somebody is free': 'free', 'all who are at work are busy': 'busy',
  'all who are logged in are on a break': 'break', 'nobody is logged in': 'nobody',
};

function Tile({ group: g, waiting, chosen: on }: { group: Group; waiting: Interaction[]; chosen: boolean }) {
  const own = waiting.filter(i => i.group === g.id);
  const first = own[0] && own.reduce((a, b) => a.arrived < b.arrived ? a : b).arrived;
  const { tone, word } = lateness(first);
  return (
    <li class={`tile tone-${tone}`} data-group={g.id}>
      <button class="tile-name" aria-pressed={on} onClick={() => { chosen.value = on ? '' : g.id; }}>{g.name}</button>
      <p class="verdict">{word}</p>
      <p class="big digits" data-waiting>{own.length}</p>
      <p class="hint">{first ? <>{t('waiting', { n: own.length })} · <Elapsed from={first} /></> : t('side.nobody-waits')}</p>
      <p class="condition">{tWord('condition', conditions[g.condition] ?? g.condition)}</p>
      <ul class="census">
        {statuses.filter(s => g.agents[s]).map(s => <li key={s} class={`tone-${look(s).tone}`}><strong class="digits">{g.agents[s]}</strong> {statusWord(s)}</li>)}
      </ul>
    </li>
  );
}

function Limits({ onClose }: { onClose: () => void }) {
  const field = (label: string, value: typeof lateAfter) => (
    <label>{label}
      <input type="number" min={1} max={86400} required value={value.value}
        onInput={e => { if (e.currentTarget.validity.valid) value.value = e.currentTarget.valueAsNumber; }} />
    </label>
  );
  return (
    <Dialog title={t('board.limits')} onClose={onClose}>
      <form method="dialog" onSubmit={onClose}>
        <p class="hint">{t('board.limits.hint')}</p>
        {field(t('board.limits.late'), lateAfter)}
        {field(t('board.limits.too-late'), tooLateAfter)}
        <button class="main">{t('close')}</button>
      </form>
    </Dialog>
  );
}

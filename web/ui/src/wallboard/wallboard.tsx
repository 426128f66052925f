import { useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import type { BoardCall, BoardGroup } from '../api';
import { t, tWord } from '../i18n';
import { live, useLive } from '../live';
import { supervises } from '../session';
import { lateAfter, levelAim, levelLeast, tooLateAfter } from '../prefs';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { lazyPart } from '../ui/lazy';
import { Elapsed } from '../ui/time';
import { Agents } from './agents';
import { lateness, level } from './judge';
import { Census, first, Fresh, Totals } from './parts';
import { Queue } from './queue';
import { Television } from './television';
import './wallboard.css';

const Watch = lazyPart(() => import('../chat/watch').then(m => m.Watch));

/** The group that is looked at; empty: all. */
const chosen = signal('');

export function Wallboard({ tv }: { tv: boolean }) {
  const groups = useLive('groups');
  const agents = useLive('agents');
  const interactions = useLive('interactions');
  const lines = useLive('lines');
  const [limits, setLimits] = useState(false);
  if (!groups || !agents || !interactions) return <main class="wallboard" aria-busy="true" aria-label={t('nav.wallboard')} />;
  const waiting = interactions.filter(i => i.phase === 'queued' || i.phase === 'offered');
  if (tv) return <Television groups={groups} agents={agents} interactions={interactions} waiting={waiting} />;
  const only = groups.some(g => g.id === chosen.value) ? chosen.value : '';
  const inGroup = <T extends { group?: string }>(list: T[]) => only ? list.filter(i => i.group === only) : list;
  const people = only ? agents.filter(a => a.groups.includes(only)) : agents;
  const old = live.freshness.value === 'lost';
  return (
    <main class={old ? 'wallboard old' : 'wallboard'}>
      <header class="board-head">
        <h1>{t('nav.wallboard')}</h1>
        <Fresh />
        <span class="grow" />
        {only && <button onClick={() => { chosen.value = ''; }}><Icon name="close" />{groups.find(g => g.id === only)!.name}</button>}
        <button class="quiet" onClick={() => setLimits(true)}>{t('board.limits')}</button>
        <a class="button quiet to-tv" href="#/wallboard/tv" onClick={() => void document.documentElement.requestFullscreen().catch(() => {})}><Icon name="wide" />{t('board.tv')}</a>
      </header>
      <Totals groups={groups} agents={agents} interactions={interactions} waiting={waiting} />
      <section aria-label={t('board.groups')}>
        <ul class="tiles">{groups.map(g => <Tile key={g.id} group={g} waiting={waiting} chosen={only === g.id} />)}</ul>
      </section>
      <div class="halves">
        <Queue waiting={inGroup(waiting)} groups={groups} agents={agents} lines={lines} />
        <Agents agents={people} groups={groups} calls={interactions} />
      </div>
      {supervises() && interactions.some(i => i.channel) && <Watch calls={inGroup(interactions)} name={id => agents.find(a => a.id === id)?.name ?? id} group={id => groups.find(g => g.id === id)?.name ?? id} />}
      {limits && <Limits onClose={() => setLimits(false)} />}
    </main>
  );
}

const conditions: Record<string, string> = {
  'somebody is free': 'free', 'all who are at work are busy': 'busy',
  'all who are logged in are on a break': 'break', 'nobody is logged in': 'nobody',
};

function Tile({ group: g, waiting, chosen: on }: { group: BoardGroup; waiting: BoardCall[]; chosen: boolean }) {
  const own = waiting.filter(i => i.group === g.id);
  const earliest = first(own);
  const { tone, word } = lateness(earliest, g);
  const l = level(g);
  return (
    <li class={`tile tone-${tone}`} data-group={g.id}>
      <button class="tile-name" aria-pressed={on} onClick={() => { chosen.value = on ? '' : g.id; }}>{g.name}</button>
      <p class="verdict">{word}</p>
      <p class="big digits" data-waiting>{own.length}</p>
      <p class="hint">{earliest ? <>{t('waiting', { n: own.length })} · <Elapsed from={earliest} /></> : t('side.nobody-waits')}</p>
      <p class="condition">{tWord('condition', conditions[g.condition] ?? g.condition)}</p>
      {g.fault && <p class="fault">{t('board.fault', { why: g.fault })}</p>}
      <dl class="day">
        <div class={`tone-${l?.tone ?? 'calm'}`}><dt>{t('board.level')}</dt><dd data-level>{l && <strong class="digits">{l.share}</strong>} <span>{l ? l.word : t('level.unknown')}</span></dd></div>
        <div><dt>{t('board.abandoned')}</dt><dd><strong class="digits" data-abandoned>{g.today.known ? g.today.abandoned : t('none')}</strong></dd></div>
      </dl>
      {l && <p class="formula">{l.formula}</p>}
      <Census group={g} />
    </li>
  );
}

function Limits({ onClose }: { onClose: () => void }) {
  const field = (label: string, value: typeof lateAfter, min: number, max: number) => (
    <label>{label}
      <input type="number" min={min} max={max} value={value.value ?? ''} placeholder={t('board.limits.as-declared')}
        onInput={e => { if (e.currentTarget.validity.valid) value.value = e.currentTarget.value === '' ? null : e.currentTarget.valueAsNumber; }} />
    </label>
  );
  return (
    <Dialog title={t('board.limits')} onClose={onClose}>
      <form method="dialog" onSubmit={onClose}>
        <p class="hint">{t('board.limits.hint')}</p>
        <div class="pair">
          {field(t('board.limits.late'), lateAfter, 1, 86400)}
          {field(t('board.limits.too-late'), tooLateAfter, 1, 86400)}
          {field(t('board.limits.aim'), levelAim, 0, 100)}
          {field(t('board.limits.least'), levelLeast, 0, 100)}
        </div>
        <button class="main">{t('close')}</button>
      </form>
    </Dialog>
  );
}

import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, Refused, type MissedCall, type Past } from '../api';
import { callUp, mayCall } from '../desk/transfer';
import { t, tOf, tWord } from '../i18n';
import { useLive } from '../live';
import { nameless } from '../notify';
import { may } from '../session';
import { query } from '../ui/got';
import { Icon } from '../ui/icon';
import { refusal } from '../ui/toast';
import { bounds, Choose, PeriodPicker, type Period } from './period';
import { agentName, between, choices, clockTime, day, groupName, span } from './words';

const limit = 50;

// What is looked for stays when a call is opened and left again.
const period = signal<Period>({ kind: 'week', from: '', till: '' });
const nothing = { search: '', group: '', agent: '', number: '', trunk: '', channel: '', kind: '', direction: '', end: '', missed: false };
const filter = signal(nothing);

/** How calls and chats end. */
export const ends = [
  'completed_by_caller', 'completed_by_agent', 'completed_by_customer_silence', 'completed_by_agent_silence', 'abandoned_waiting', 'abandoned_ringing',
  'missed', 'queue_full', 'nobody_available', 'rejected', 'failed', 'forwarded_outside', 'voicemail', 'callback_taken', 'closed_hours', 'lost_with_its_node',
] as const;

/** Pages of a list, one after another; a new question begins anew. */
function usePages<T>(path: string, values: Record<string, string | boolean | undefined>) {
  const first = query(path, { ...values, limit: String(limit) });
  const [state, setState] = useState<{ of?: string; items: T[]; next?: string; wrong?: string }>({ items: [] });
  const [busy, setBusy] = useState(true);
  const newest = useRef(first);
  newest.current = first;
  const load = async (cursor?: string) => {
    setBusy(true);
    try {
      const page = await call<{ items: T[]; next?: string }>('GET', cursor ? `${first}&cursor=${cursor}` : first);
      if (newest.current === first) setState(s => ({ of: first, items: cursor ? [...s.items, ...page.items] : page.items, next: page.next }));
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      if (newest.current === first) setState(s => ({ of: first, items: cursor ? s.items : [], next: s.next, wrong: refusal(e) }));
    } finally {
      if (newest.current === first) setBusy(false);
    }
  };
  useEffect(() => { void load(); }, [first]);
  return { ...state, busy, more: () => void load(state.next), again: () => void load() };
}

/** Arrow keys, Home and End go from line to line. */
function onArrow(e: KeyboardEvent) {
  const lines = [...(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('a.line')];
  const i = lines.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: lines.length - 1 }[e.key];
  if (i < 0 || to === undefined) return;
  lines[to]?.focus();
  e.preventDefault();
}

const names = (list: readonly { id: string; name: string }[]) => list.map(x => [x.id, x.name] as const);

export function History() {
  const f = filter.value;
  const c = choices.value!;
  const asked = { ...bounds(period.value), ...f };
  const list = usePages<Past>('/history', asked);
  const set = (change: Partial<typeof nothing>) => { filter.value = { ...f, ...change }; };
  const more = [f.number, f.trunk, f.channel, f.kind, f.direction].filter(Boolean).length;
  return (
    <>
      <form class="card filters" role="search" aria-label={t('history.filters')} onSubmit={e => { e.preventDefault(); set({ search: new FormData(e.currentTarget).get('search') as string }); }}>
        <div class="fields">
          <label class="search">{t('history.search')}
            <span><input name="search" type="search" inputMode="tel" maxLength={40} value={f.search} onChange={e => set({ search: e.currentTarget.value })} /><button>{t('history.find')}</button></span>
          </label>
          <PeriodPicker period={period} kinds={['today', 'yesterday', 'week', 'month', 'all', 'own']} />
          <Choose label={t('call.group')} value={f.group} all={t('all')} of={names(c.groups)} onChange={group => set({ group })} />
          {c.agents.length > 1 && <Choose label={t('history.agent')} value={f.agent} all={t('all')} of={names(c.agents)} onChange={agent => set({ agent })} />}
          <Choose label={t('history.end')} value={f.end} all={t('all')} of={ends.map(e => [e, tWord('end', e)] as const)} onChange={end => set({ end })} />
          <label class="check"><input type="checkbox" checked={f.missed} onChange={e => set({ missed: e.currentTarget.checked })} />{t('history.missed-only')}</label>
        </div>
        <details open={more > 0}>
          <summary>{t('history.more-filters')}</summary>
          <div class="fields">
            <Choose label={t('call.called')} value={f.number} all={t('all')} of={c.numbers.map(n => [n.number, n.number] as const)} onChange={number => set({ number })} />
            <Choose label={t('history.trunk')} value={f.trunk} all={t('all')} of={c.trunks.map(n => [n, n] as const)} onChange={trunk => set({ trunk })} />
            {c.channels.length > 0 && <Choose label={t('history.channel')} value={f.channel} all={t('all')} of={names(c.channels)} onChange={channel => set({ channel })} />}
            <Choose label={t('history.kind')} value={f.kind} all={t('all')} of={['call', 'chat'].map(k => [k, tWord('kind', k)] as const)} onChange={kind => set({ kind })} />
            <Choose label={t('history.direction')} value={f.direction} all={t('all')} of={['in', 'out', 'internal'].map(k => [k, tWord('direction', k)] as const)} onChange={direction => set({ direction })} />
            <button type="button" class="quiet" onClick={() => { filter.value = nothing; }}>{t('history.clear')}</button>
          </div>
        </details>
      </form>
      <section class="card" aria-labelledby="found" aria-busy={list.busy}>
        <div class="section-head">
          <Found {...list} />
          {may('history:export') && <a class="button" href={query('/api/v1/history/export', asked)} download="history.csv"><Icon name="download" />{t('csv')}</a>}
        </div>
        <Result {...list} empty={t('history.empty')}>
          <div class="scroll free" tabIndex={0} role="group" aria-labelledby="found">
            <table class="list">
              <thead><tr>
                <th scope="col">{t('history.when')}</th><th scope="col">{t('queue.caller')}</th><th scope="col">{t('history.to')}</th><th scope="col">{t('history.agent')}</th>
                <th scope="col" class="figure">{t('history.waited')}</th><th scope="col" class="figure">{t('history.talked')}</th><th scope="col">{t('history.end')}</th>
              </tr></thead>
              <tbody onKeyDown={onArrow}>{list.items.map(x => <Line key={x.id} of={x} />)}</tbody>
            </table>
          </div>
        </Result>
      </section>
    </>
  );
}

function Found({ of, items, next }: { of?: string; items: unknown[]; next?: string }) {
  return <h2 id="found"><span role="status">{of ? t('history.shown', { n: items.length }) : t('history.looking')}{next && ` ${t('history.and-more')}`}</span></h2>;
}

function Result({ items, next, busy, wrong, of, more, again, empty, children }: {
  items: unknown[]; next?: string; busy: boolean; wrong?: string; of?: string; more: () => void; again: () => void; empty: string; children: preact.ComponentChildren;
}) {
  return (
    <>
      {items.length > 0 && children}
      {wrong && <p class="wrong" role="alert">{wrong} <button class="quiet link" onClick={again}>{t('again')}</button></p>}
      {of && !busy && !wrong && items.length === 0 && <p class="empty">{empty}</p>}
      {next && <button class="quiet wide" disabled={busy} onClick={more}>{t('history.more')}</button>}
    </>
  );
}

/** Who called, as far as it is known. */
export function callerOfPast(x: Past): string {
  if (x.caller_agent) return agentName(x.caller_agent);
  if (!x.caller.name && nameless(x.caller.number)) return t('caller.visitor');
  return x.caller.name || x.caller.number || t('caller.withheld');
}

export function toneOf(x: Past): string {
  if (!x.ended) return 'talking';
  if (x.answered) return 'ready';
  if (x.end === 'voicemail' || x.end === 'callback_taken' || x.end === 'closed_hours') return 'away';
  return x.direction === 'in' ? 'alert' : 'off';
}

export const endWord = (x: Past) => !x.ended ? t('history.going-on') : x.kind === 'chat' && tOf('chat-end', x.end ?? '') || tWord('end', x.end ?? '');

export const waited = (x: Past) => between(x.arrived, x.answered ?? x.ended);

function Line({ of: x }: { of: Past }) {
  const open = () => { location.hash = `#/history/${x.id}`; };
  const who = callerOfPast(x);
  return (
    <tr data-past={x.id} onClick={e => { if (!(e.target as Element).closest('a')) open(); }}>
      <td><a class="line" href={`#/history/${x.id}`}><strong class="digits">{clockTime(x.arrived)}</strong><small>{day(x.arrived)}</small></a></td>
      <td>{who}{x.caller.number && who !== x.caller.number && !nameless(x.caller.number) && <small class="digits">{x.caller.number}</small>}</td>
      <td><span class="digits">{x.number}</span><small>{x.last_group ? groupName(x.last_group) : tWord('direction', x.direction)}</small></td>
      <td>{x.agent ? agentName(x.agent) : x.outside ? <span class="digits">{x.outside}</span> : t('none')}</td>
      <td class="figure digits">{span(waited(x))}</td>
      <td class="figure digits">{x.answered ? span(between(x.answered, x.ended)) : t('none')}</td>
      <td class={`tone-${toneOf(x)}`}><span class="chip">{endWord(x)}</span></td>
    </tr>
  );
}

const missedGroup = signal('');
const alsoDone = signal(false);

/** Who is to be called back. */
export function Missed() {
  const list = usePages<MissedCall>('/missed', { ...bounds(period.value), group: missedGroup.value, open: String(!alsoDone.value) });
  return (
    <>
      <form class="card filters" role="search" aria-label={t('history.filters')} onSubmit={e => e.preventDefault()}>
        <div class="fields">
          <PeriodPicker period={period} kinds={['today', 'yesterday', 'week', 'month', 'all', 'own']} />
          <Choose label={t('call.group')} value={missedGroup.value} all={t('all')} of={names(choices.value!.groups)} onChange={id => { missedGroup.value = id; }} />
          <label class="check"><input type="checkbox" checked={alsoDone.value} onChange={e => { alsoDone.value = e.currentTarget.checked; }} />{t('missed.also-done')}</label>
        </div>
      </form>
      <section class="card" aria-labelledby="found" aria-busy={list.busy}>
        <Found {...list} />
        <Result {...list} empty={t('missed.empty')}>
          <ul class="rows callbacks">
            {list.items.map(x => (
              <li key={x.id} data-missed={x.id}>
                <span class="grow">
                  <a href={`#/history/${x.id}`}><strong>{x.caller.name || x.caller.number}</strong></a>
                  <small>{[`${day(x.arrived)} ${clockTime(x.arrived)}`, groupName(x.last_group), t('missed.waited', { time: span(waited(x)) }), endWord(x)].filter(Boolean).join(' · ')}</small>
                  <small class={x.later ? 'tone-ready' : ''}>{done(x)}</small>
                </span>
                {!x.later && <CallBack of={x} />}
              </li>
            ))}
          </ul>
        </Result>
      </section>
    </>
  );
}

/** Calls the customer by the caller's own telephone: the one on the desk rings first, the one in the browser calls at once. */
function CallBack({ of: x }: { of: MissedCall }) {
  const agent = useLive('desk')?.agent;
  const number = x.caller.number ?? '';
  if (!/^\+?\d+$/.test(number)) return null; // a customer of a channel, who has no number
  if (!agent) return <span class="digits">{number}</span>;
  return (
    <button class="button" disabled={!mayCall(agent)} onClick={() => void callUp(agent, { number }, number)}>
      <Icon name="phone" />{t('missed.call-back')} <span class="digits">{number}</span>
    </button>
  );
}

/** What was done about a missed call. */
function done(x: MissedCall): string {
  if (x.later) return x.later.by ? t('missed.called-by', { who: agentName(x.later.by), at: `${day(x.later.at)} ${clockTime(x.later.at)}` }) : t('missed.came-again', { at: `${day(x.later.at)} ${clockTime(x.later.at)}` });
  return x.tries > 0 ? t('missed.tried', { n: x.tries }) : t('missed.not-yet');
}

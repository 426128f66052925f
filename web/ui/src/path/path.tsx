import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Explanation, ExplainGroup, Step } from '../api';
import { now } from '../clock';
import { chosen, sayStep } from '../history/story';
import { choices, dateIn, dayAndTime, groupName, learn, moment, span, timeIn, toldReason, zone, between } from '../history/words';
import '../history/history.css';
import { t, tOf, tWord } from '../i18n';
import { query, useGot } from '../ui/got';
import { Icon, type IconName } from '../ui/icon';
import type { Tone } from '../ui/status';
import { refusal } from '../ui/toast';
import './path.css';

interface Question { to: string; from: string; date: string; time: string; away: string[] }

const form = signal<Question | undefined>(undefined);
const asked = signal<Question | undefined>(undefined);

/** What would become of a call to a number at a time, drawn as a path. */
export function PathScreen() {
  useEffect(() => { void learn('/history/choices'); }, []);
  const c = choices.value;
  if (!c) return <main class="past" aria-busy="true" aria-label={t('nav.path')} />;
  const q = form.value ?? { to: c.numbers[0]?.number ?? '', from: '', date: dateIn(zone(), now.peek()), time: timeIn(zone(), now.peek()), away: [] };
  const set = (change: Partial<Question>) => { form.value = { ...q, ...change }; };
  const onSubmit = (e: Event) => { e.preventDefault(); form.value = q; asked.value = q; };
  return (
    <main class="past">
      <header class="past-head"><h1>{t('path.title')}</h1></header>
      <form class="card filters" onSubmit={onSubmit}>
        <p class="hint">{t('path.hint')}</p>
        <div class="fields">
          <label>{t('path.number')}
            <select required value={q.to} onChange={e => set({ to: e.currentTarget.value })}>{c.numbers.map(n => <option key={n.number} value={n.number}>{n.number} · {groupName(n.group)}</option>)}</select>
          </label>
          <label>{t('path.date')}<input type="date" required min="1970-01-01" max="9999-12-31" value={q.date} onInput={e => set({ date: e.currentTarget.value })} /></label>
          <label>{t('path.time')}<input type="time" required value={q.time} onInput={e => set({ time: e.currentTarget.value })} /></label>
          <label>{t('path.from')}<input type="tel" maxLength={40} placeholder={t('caller.withheld')} value={q.from} onInput={e => set({ from: e.currentTarget.value })} /></label>
          <button class="main" disabled={c.numbers.length === 0}><Icon name="arrow" />{t('path.show')}</button>
        </div>
        <details open={q.away.length > 0}>
          <summary>{t('path.away')}</summary>
          <ul class="away">
            {c.agents.map(a => (
              <li key={a.id}><label><input type="checkbox" checked={q.away.includes(a.id)}
                onChange={e => set({ away: e.currentTarget.checked ? [...q.away, a.id] : q.away.filter(x => x !== a.id) })} />{a.name}</label></li>
            ))}
          </ul>
        </details>
      </form>
      {asked.value && <Answer q={asked.value} />}
    </main>
  );
}

function Answer({ q }: { q: Question }) {
  const base = query('/explain', { to: q.to, from: q.from, at: moment(q.date, q.time, zone()).toISOString() });
  const got = useGot<Explanation>(base + q.away.map(a => '&away=' + encodeURIComponent(a)).join(''));
  return (
    <section class="card" aria-labelledby="path" aria-busy={got.busy}>
      <h2 id="path"><span role="status">{got.value ? t('path.of', { number: got.value.to, at: dayAndTime(got.value.at, got.value.timezone) }) : got.busy ? t('history.looking') : t('nav.path')}</span></h2>
      {got.error && <p class="wrong" role="alert">{refusal(got.error)}</p>}
      {got.value && !got.error && <Path e={got.value} />}
    </section>
  );
}

interface Stop {
  tone: Tone;
  icon: IconName;
  what: string; // for tests and styles: number, hours, group, action, end
  title: string;
  hint?: string;
  entries: { at: string; text: string; why?: string; small?: string; tone: Tone; icon: IconName }[];
}

function Path({ e }: { e: Explanation }) {
  return (
    <ol class="path">
      {stops(e).map((s, i) => (
        <li key={i} class={`stop tone-${s.tone}`} data-stop={s.what}>
          <span class="lamp"><Icon name={s.icon} /></span>
          <div class="stop-box">
            <h3>{s.title}</h3>
            {s.hint && <p class="hint">{s.hint}</p>}
            {s.entries.length > 0 && (
              <ol>{s.entries.map((x, k) => (
                <li key={k} class={`tone-${x.tone}`}>
                  <time class="digits">+{x.at}</time><Icon name={x.icon} />
                  <span>{x.text}{x.why && <span class="because"> ({x.why})</span>}{x.small && <small>{x.small}</small>}</span>
                </li>
              ))}</ol>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** The stops of the way: the number, its hours, each group, what is done instead, the end. */
function stops(e: Explanation): Stop[] {
  const groups = new Map(e.groups.map(g => [g.id, g]));
  const list: Stop[] = [{
    tone: 'talking', icon: 'phone', what: 'number', title: t('path.calls', { who: e.from || t('path.somebody'), number: e.to }), entries: [],
    hint: dayAndTime(e.at, e.timezone),
  }];
  list.push(e.hours
    ? { tone: e.open ? 'ready' : 'away', icon: e.open ? 'clock' : 'moon', what: 'hours', title: t(e.open ? 'path.open' : 'path.closed', { hours: e.hours }), entries: [] }
    : { tone: 'ready', icon: 'clock', what: 'hours', title: t('path.always'), entries: [] });
  let group = '';
  const enter = (id: string) => {
    group = id;
    const g = groups.get(id);
    list.push({ tone: 'ringing', icon: 'people', what: 'group', title: t('path.group', { group: groupName(id) }), hint: g && rules(g), entries: [] });
  };
  const offers = new Map<string, Stop['entries'][number]>();
  for (const st of e.steps) {
    if (st.kind === 'ringing' || st.kind === 'arrived' && !st.group) continue;
    if (st.kind === 'action' || st.kind === 'closed') {
      if (st.kind === 'closed') continue; // the stop of the hours says so
      if (st.group && st.group !== group && groups.has(st.group)) enter(st.group);
      const after = t('path.after', { time: span(between(e.at, st.at)) });
      list.push({ tone: 'after', icon: 'arrow', what: 'action', title: sayStep(st), hint: st.choice ? `${after} · ${chosen(st.choice)}` : after, entries: [] });
      continue;
    }
    if (st.kind === 'ended') {
      list.push({ tone: 'off', icon: 'hangup', what: 'end', title: sayStep(st), hint: ended(e, st), entries: [] });
      continue;
    }
    if (st.kind === 'arrived') {
      if (e.open) enter(st.group!);
      continue;
    }
    if (st.group && st.group !== group && groups.has(st.group)) enter(st.group);
    const stop = list.at(-1)!;
    const [icon, tone] = looks(st);
    if (st.kind === 'outcome') {
      const offer = offers.get(st.offer ?? '');
      if (offer) {
        offer.text += ` → ${sayOutcome(st)}`;
        if (st.reason) offer.why = toldReason(st.reason);
        continue;
      }
    }
    const entry = { at: span(between(e.at, st.at)), text: sayStep(st), why: st.reason && toldReason(st.reason), small: st.choice && chosen(st.choice), tone, icon };
    if (st.offer) offers.set(st.offer, entry);
    stop.entries.push(entry);
  }
  if (!e.end) list.push({ tone: 'away', icon: 'hold', what: 'end', title: t('path.waits'), entries: [] });
  return list;
}

const looks = (st: Step): readonly [IconName, Tone] => st.kind === 'offer' ? ['bell', 'ringing'] : st.kind === 'stage' ? ['people', 'after'] : st.kind === 'unavailable' ? ['alert', 'away'] : ['hold', 'off'];

const sayOutcome = (st: Step) => tWord('outcome', st.what ?? '');

function ended(e: Explanation, st: Step): string {
  const after = t('path.after', { time: span(between(e.at, st.at)) });
  return st.reason ? `${after} · ${toldReason(st.reason)}` : after;
}

/** The rules of a group in some words. */
function rules(g: ExplainGroup): string {
  const list = [tOf('rule', g.distribution) ?? g.distribution, t('path.agents', { n: g.agents }), t('path.rings', { time: span(g.ring_seconds) })];
  if (g.tiers > 1) list.push(t('path.tiers', { n: g.tiers }));
  if (g.max_wait_seconds) list.push(t('path.max-wait', { time: span(g.max_wait_seconds) }));
  if (g.max_waiting) list.push(t('path.max-waiting', { n: g.max_waiting }));
  return list.join(' · ');
}

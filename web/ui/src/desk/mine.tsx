import { useEffect, useState } from 'preact/hooks';
import { call, Refused, type Agent, type Desk, type MissedCall, type Report } from '../api';
import { length, now } from '../clock';
import { dayAndTime, t, tWord } from '../i18n';
import { callerOf } from '../notify';
import { language } from '../prefs';
import { Icon } from '../ui/icon';
import { callUp, mayCall } from './transfer';

/** How long, in seconds, what the record tells is shown before it is asked again. */
const fresh = 60;

/** Asks the record at once, when key changes and a little after that, and now and then. */
function useRecord<T>(path: string, key: string): T | undefined {
  const [got, setGot] = useState<T>();
  const turn = Math.floor(now.value / 1000 / fresh);
  useEffect(() => {
    let over = false;
    const look = () => void call<T>('GET', path)
      .then(x => { if (!over) setGot(() => x); })
      .catch((e: unknown) => { if (!(e instanceof Refused)) throw e; }); // the next turn comes
    look();
    const later = [2000, 8000].map(wait => setTimeout(look, wait)); // the record is a little behind
    return () => {
      over = true;
      later.forEach(clearTimeout);
    };
  }, [path, key, turn]);
  return got;
}

/** Callers whom nobody answered, in the groups that the agent serves, and who have not been reached since. */
export function MissedCalls({ agent, desk }: { agent: Agent; desk: Desk }) {
  const key = `${desk.agent?.status} ${desk.waiting.map(w => w.id).join()}`;
  const got = useRecord<{ items: MissedCall[] }>('/missed?limit=30', key);
  const list = (got?.items ?? []).filter(m => desk.groups.some(g => g.id === m.last_group || g.id === m.first_group)).slice(0, 6);
  if (list.length === 0) return null;
  const free = mayCall(agent);
  return (
    <section class="card" aria-labelledby="missed">
      <h2 id="missed">{t('missed.title')}</h2>
      <ul class="rows">
        {list.map(m => {
          const number = m.caller.number ?? '';
          const label = t('missed.call-back-of', { who: callerOf({ from: m.caller }) });
          return (
            <li key={m.id}>
              <span class="grow">{callerOf({ from: m.caller })}
                <small>{m.caller.name && <><span class="digits">{number}</span> · </>}{desk.groups.find(g => g.id === m.last_group)?.name} · {dayAndTime(m.arrived)}{m.tries > 0 && ` · ${t('missed.tries', { n: m.tries })}`}</small>
              </span>
              <button disabled={!free} onClick={() => void callUp(agent, { number }, number)} aria-label={label}><Icon name="phone" />{t('missed.call-back')}</button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const times = [
  ['available_time', 'ready'], ['ringing_time', 'ringing'], ['busy_time', 'talking'], ['after_time', 'after'], ['other_time', 'off'], ['break_time', 'away'],
] as const;

/** A number with one decimal, in the language of the page. */
const numeral = (n: number) => new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }).format(n);

/** What the agent did today, in figures. */
export function MyDay({ desk }: { desk: Desk }) {
  const got = useRecord<Report>('/reports/my-day', desk.agent?.status ?? '');
  if (!got) return null;
  const figures = got.total.figures as unknown as Record<string, { value: number | null } | undefined>;
  const figure = (name: string) => { const v = figures[name]?.value; return v == null ? undefined : Number(v); };
  const seconds = (name: string) => { const v = figure(name); return v === undefined ? '–' : length(Math.round(v)); };
  const share = figure('occupancy');
  const chats = figure('chats') ?? 0;
  const rating = figure('customer_rating_mean');
  const spent = times.map(([name, tone]) => ({ name, tone, s: Math.round(figure(name) ?? 0) })).filter(x => x.s > 0);
  return (
    <section class="card my-day" aria-labelledby="my-day">
      <h2 id="my-day">{t('day.title')}</h2>
      <dl class="figures">
        <div><dt>{t('day.answered')}</dt><dd>{figure('offers_answered') ?? 0}</dd></div>
        <div><dt>{t('day.missed')}</dt><dd>{figure('offers_missed') ?? 0}</dd></div>
        <div><dt>{t('day.talk')}</dt><dd>{seconds('talk_time')}</dd></div>
        <div><dt>{t('day.handle')}</dt><dd>{seconds('handle_mean')}</dd></div>
        <div><dt>{t('day.occupancy')}</dt><dd>{share === undefined ? '–' : `${Math.round(share * 100)}\u202f%`}</dd></div>
        {chats > 0 && <>
          <div><dt>{t('day.chats')}</dt><dd>{chats}</dd></div>
          <div><dt>{t('day.first-answer')}</dt><dd>{seconds('first_answer_mean')}</dd></div>
          <div><dt>{t('day.rating')}</dt><dd>{rating === undefined ? '–' : numeral(rating)}</dd></div>
        </>}
      </dl>
      {spent.length > 0 && <>
        <div class="bar" aria-hidden="true">{spent.map(x => <span key={x.name} class={`tone-${x.tone}`} style={{ flexGrow: x.s }} />)}</div>
        <ul class="shares">
          {spent.map(x => <li key={x.name} class={`tone-${x.tone}`}><span>{tWord('day', x.name)}</span> <span class="digits">{length(x.s)}</span></li>)}
        </ul>
      </>}
    </section>
  );
}

// What was written in a chat and what was thought of it; and what else there was with the customer.
import '../chat/chat.css';
import { useEffect, useState } from 'preact/hooks';
import { call, Refused, type PastChat, type PastContact, type PastFacts, type Rating } from '../api';
import { Said } from '../chat/said';
import { Rate } from '../chat/watch';
import { t, tWord } from '../i18n';
import { may, me } from '../session';
import { useGot } from '../ui/got';
import { Icon } from '../ui/icon';
import { refusal } from '../ui/toast';
import { endWord, toneOf } from './list';
import { agentName, clockTime, day } from './words';

export function Written({ f }: { f: PastFacts }) {
  const [after, setAfter] = useState(0);
  const [read, setRead] = useState<PastChat>();
  const [error, setError] = useState<Refused>();
  useEffect(() => {
    let here = true;
    call<PastChat>('GET', `/history/${f.id}/chat?after=${after}`).then(
      got => { if (here) setRead(old => old && after > 0 ? { ...got, items: [...old.items, ...got.items] } : got); },
      (e: unknown) => { if (!(e instanceof Refused)) throw e; if (here) setError(e); },
    );
    return () => { here = false; };
  }, [f.id, after]);
  const rates = may('interactions:write') && reaches(f) && !(f.agent && f.agent === me.value!.agent);
  const anew = async () => {
    try {
      const { ratings } = await call<PastChat>('GET', `/history/${f.id}/chat?limit=1`);
      setRead(old => (old ? { ...old, ratings } : old));
    } catch (e) {
      if (!(e instanceof Refused)) throw e; // it is kept, and shown the next time
    }
  };
  if (error) return <section class="card"><h2>{t('written.title')}</h2><p class="empty">{error.status === 404 ? t('written.gone') : refusal(error)}</p></section>;
  if (!read) return <section class="card" aria-busy="true"><h2>{t('written.title')}</h2></section>;
  return (
    <>
      {(read.ratings.length > 0 || rates) && <section class="card" aria-labelledby="ratings">
        <h2 id="ratings">{t('ratings.title')}</h2>
        {read.ratings.length > 0 ? <ul class="rows">{read.ratings.map(r => <Rated key={r.by ?? ''} r={r} />)}</ul> : <p class="empty">{t('ratings.none')}</p>}
        {rates && <Rate id={f.id} was={read.ratings.find(r => r.by === me.value!.user)} past onKept={() => void anew()} />}
      </section>}
      <section class="card" aria-labelledby="written">
        <h2 id="written">{t('written.title')}</h2>
        {read.blocked && <p class="talk-trouble"><Icon name="alert" /><span>{t('chat.blocked')}</span></p>}
        {read.items.length === 0 ? <p class="empty">{t('written.nothing')}</p>
          : <div class="past-thread" tabIndex={0} role="group" aria-labelledby="written">
            {read.items.map(m => <Said key={m.seq} m={m} interaction={f.id} past read={m.author === 'agent' && m.status === 'read'} />)}
            {read.more && <button class="quiet wide" onClick={() => setAfter(read.items[read.items.length - 1].seq)}>{t('history.more')}</button>}
          </div>}
      </section>
    </>
  );
}

/** Whether one's rights reach a group that it was in. */
function reaches(f: PastFacts) {
  const { reach, groups } = me.value!;
  return reach === 'all' || reach === 'groups' && [f.first_group, f.last_group, ...f.visits.map(v => v.group)].some(g => g && groups.includes(g));
}

function Rated({ r }: { r: Rating }) {
  return (
    <li><span class="grow">
      <strong>{r.by ? agentName(r.by) : t('chat.customer')}</strong>
      <small><span class="digits">{day(r.at)} {clockTime(r.at)}</span></small>
      {r.comment && <blockquote>{r.comment}</blockquote>}
    </span><span class="stars" role="img" aria-label={t('ratings.score', { score: String(r.score) })}>{'★'.repeat(r.score)}{'☆'.repeat(5 - r.score)}</span></li>
  );
}

/** The other calls and chats of the customer; first those that went on at the same time. */
export function Contacts({ f }: { f: PastFacts }) {
  const list = useGot<{ items: PastContact[] }>(`/history/${f.id}/contacts`).value?.items ?? [];
  if (list.length === 0) return null;
  return (
    <section class="card" aria-labelledby="contacts">
      <h2 id="contacts">{t('contacts.title')}</h2>
      <ul class="rows">{list.map(c => (
        <li key={c.id} data-contact={c.id} class={`tone-${toneOf(c)}`}>
          <span class="lamp"><Icon name={c.kind === 'chat' ? 'pen' : 'phone'} /></span>
          <span class="grow">
            <a href={`#/history/${c.id}`}>{tWord('kind', c.kind)}, <span class="digits">{day(c.arrived)} {clockTime(c.arrived)}</span></a>
            <small>{[c.together && t(c.kind === 'call' ? 'contacts.became-call' : 'contacts.from-chat'), c.agent && agentName(c.agent), c.disposition ? tWord('disposition', c.disposition) : endWord(c)].filter(Boolean).join(' · ')}</small>
            {c.note && <small class="quote">{c.note}</small>}
          </span>
        </li>
      ))}</ul>
    </section>
  );
}

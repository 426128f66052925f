import { useEffect, useState } from 'preact/hooks';
import { at, call, Refused, type Contact } from '../api';
import { dayAndTime, t, tWord } from '../i18n';
import { may, me, supervises } from '../session';
import { Icon } from '../ui/icon';

/** What there was with this customer before, by telephone or chat: when, who, what came of it. */
export function Earlier({ id, folded }: { id: string; folded?: boolean }) {
  const [list, setList] = useState<Contact[]>([]);
  useEffect(() => {
    let over = false;
    call<{ items: Contact[] }>('GET', `/interactions/${at(id)}/earlier`)
      .then(got => { if (!over) setList(got.items); })
      .catch((e: unknown) => { if (!(e instanceof Refused)) throw e; }); // the call is gone
    return () => { over = true; };
  }, [id]);
  if (list.length === 0) return null;
  const rows = <ul class="rows">{list.map(c => <Row key={c.id} c={c} />)}</ul>;
  if (folded) return <details class="earlier"><summary>{t('earlier.title')} <span class="count digits">{list.length}</span></summary>{rows}</details>;
  return (
    <section class="earlier" aria-label={t('earlier.title')}>
      <h3>{t('earlier.title')}</h3>
      {rows}
    </section>
  );
}

function Row({ c }: { c: Contact }) {
  const what = c.disposition ? tWord('disposition', c.disposition) : outcome(c);
  const mine = supervises() || c.agent !== undefined && c.agent === me.value?.agent;
  return (
    <li>
      <Icon name={c.kind === 'chat' ? 'pen' : c.answered ? (c.direction === 'out' ? 'up' : 'check') : 'hangup'} />
      <span class="grow">
        {may('history:read') && mine ? <a href={`#/history/${c.id}`}>{what}</a> : what}
        <small>{t(c.kind === 'chat' ? 'earlier.chat' : 'earlier.call')} · {dayAndTime(c.arrived)}{c.agent && ` · ${c.agent}`}</small>
        {c.note && <small class="quote">{c.note}</small>}
      </span>
    </li>
  );
}

function outcome(c: Contact): string {
  if (c.answered) return t(c.direction === 'out' ? 'earlier.called' : 'earlier.answered');
  return t(c.direction === 'out' ? 'earlier.not-reached' : 'earlier.missed');
}

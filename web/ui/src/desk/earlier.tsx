import { useEffect, useState } from 'preact/hooks';
import { at, call, Refused, type Contact } from '../api';
import { dayAndTime, t, tWord } from '../i18n';
import { Icon } from '../ui/icon';

/** What there was with this caller before: when, who, what came of it. */
export function Earlier({ id }: { id: string }) {
  const [list, setList] = useState<Contact[]>([]);
  useEffect(() => {
    let over = false;
    call<{ items: Contact[] }>('GET', `/interactions/${at(id)}/earlier`)
      .then(got => { if (!over) setList(got.items); })
      .catch((e: unknown) => { if (!(e instanceof Refused)) throw e; }); // the call is gone
    return () => { over = true; };
  }, [id]);
  if (list.length === 0) return null;
  return (
    <section class="earlier" aria-label={t('earlier.title')}>
      <h3>{t('earlier.title')}</h3>
      <ul class="rows">
        {list.map(c => (
          <li key={c.id}>
            <Icon name={c.answered ? (c.direction === 'out' ? 'up' : 'check') : 'hangup'} />
            <span class="grow">
              {c.disposition ? tWord('disposition', c.disposition) : outcome(c)}
              <small>{dayAndTime(c.arrived)}{c.agent && ` · ${c.agent}`}</small>
              {c.note && <small class="quote">{c.note}</small>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function outcome(c: Contact): string {
  if (c.answered) return t(c.direction === 'out' ? 'earlier.called' : 'earlier.answered');
  return t(c.direction === 'out' ? 'earlier.not-reached' : 'earlier.missed');
}

// Which days are looked at.
import type { Signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { now } from '../clock';
import { t, tWord } from '../i18n';
import { dateIn, later, moment, zone } from './words';

export interface Period {
  kind: PeriodKind;
  from: string; // of own: the first day and the last, as 2026-11-21
  till: string;
}

export type PeriodKind = 'today' | 'yesterday' | 'week' | 'month' | 'all' | 'own';

/** The bounds of a period as the API takes them; empty: there is none. */
export function bounds(p: Period): { from?: string; till?: string } {
  const today = dateIn(zone(), now.peek());
  const start = (date: string) => moment(date, '00:00', zone()).toISOString();
  switch (p.kind) {
    case 'today': return { from: start(today) };
    case 'yesterday': return { from: start(later(today, -1)), till: start(today) };
    case 'week': return { from: start(later(today, -6)) };
    case 'month': return { from: start(later(today, -29)) };
    case 'own': return { from: p.from ? start(p.from) : undefined, till: p.till ? start(later(p.till, 1)) : undefined };
    case 'all': return {};
  }
}

export function PeriodPicker({ period, kinds }: { period: Signal<Period>; kinds: readonly PeriodKind[] }) {
  const p = period.value;
  const today = dateIn(zone(), now.peek());
  const set = (change: Partial<Period>) => { period.value = { ...p, ...change }; };
  const choose = (kind: PeriodKind) => set({ kind, ...(kind === 'own' && !p.from && { from: today, till: today }) });
  return (
    <>
      <label>{t('period')}
        <select value={p.kind} onChange={e => choose(e.currentTarget.value as PeriodKind)}>
          {kinds.map(k => <option key={k} value={k}>{tWord('period', k)}</option>)}
        </select>
      </label>
      {p.kind === 'own' && <>
        <label>{t('period.from')}<Day max={p.till || today} value={p.from} onChange={from => set({ from })} /></label>
        <label>{t('period.till')}<Day min={p.from} max={today} value={p.till} onChange={till => set({ till })} /></label>
      </>}
    </>
  );
}

/** A day. Of a year that is typed browsers tell each digit, as the years 2, 20 and 202: these are not asked for. */
function Day({ value, min, max, onChange }: { value: string; min?: string; max: string; onChange: (date: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const take = (date: string) => {
    setTyped(date);
    if (date === '' || /^[1-9][0-9]{3}-/.test(date)) onChange(date);
  };
  return <input type="date" min={min} max={max} value={typed} onChange={e => take(e.currentTarget.value)} />;
}

/** One of several to choose from, or all. */
export function Choose({ label, value, all, of, onChange }: { label: string; value: string; all: string; of: readonly (readonly [id: string, name: string])[]; onChange: (id: string) => void }) {
  return (
    <label>{label}
      <select value={value} class={value ? 'set' : ''} onChange={e => onChange(e.currentTarget.value)}>
        <option value="">{all}</option>
        {of.map(([id, name]) => <option key={id} value={id}>{name}</option>)}
      </select>
    </label>
  );
}

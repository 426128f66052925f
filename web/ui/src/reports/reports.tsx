import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { Definition, Report, ReportLine } from '../api';
import { bounds, Choose, PeriodPicker, type Period } from '../history/period';
import { choices, dayAndTime, learn, zone } from '../history/words';
import '../history/history.css';
import { t, tWord } from '../i18n';
import { may, me } from '../session';
import { query, useGot } from '../ui/got';
import { Icon } from '../ui/icon';
import { lazyPart } from '../ui/lazy';
import { refusal } from '../ui/toast';
import { formula, keyName, parts, setsOf, title, told, type Set } from './figures';
import type { Bars } from './chart';
import './reports.css';

const Chart = lazyPart(async () => (await import('./chart')).default);

const by = ['group', 'agent', 'number', 'trunk', 'channel', 'hour', 'weekday', 'day'] as const;
type By = (typeof by)[number];

// What is asked for stays when the screen is left.
const period = signal<Period>({ kind: 'today', from: '', till: '' });
const asked = signal({ by: 'group' as By, group: '', level: '', short: '5', abandons: 'negative', count: 'decided' });
const shown = signal<Set>('waits');
const drawn = signal('');

export function ReportsScreen() {
  useEffect(() => { void learn('/reports/choices'); }, []);
  if (!choices.value) return <main class="past" aria-busy="true" aria-label={t('nav.reports')} />;
  return <Reports />;
}

function Reports() {
  const q = asked.value;
  const set = (change: Partial<typeof q>) => { asked.value = { ...q, ...change }; };
  const values = {
    ...bounds(period.value), timezone: zone(), group: q.group, count: q.count,
    ...(q.level && { within: q.level, abandons: q.abandons, short: q.short || '0' }),
  };
  const path = query(`/reports/${q.by}s`, values);
  const got = useGot<Report>(path);
  const own = me.value?.reach === 'own';
  return (
    <main class="past" aria-busy={got.busy}>
      <header class="past-head">
        <h1>{t('nav.reports')}</h1>
        {own && <p class="hint">{t('reports.own')}</p>}
      </header>
      <form class="card filters" aria-label={t('reports.what')} onSubmit={e => e.preventDefault()}>
        <div class="fields">
          <PeriodPicker period={period} kinds={['today', 'yesterday', 'week', 'month', 'own']} />
          <label>{t('reports.by')}
            <select value={q.by} onChange={e => set({ by: e.currentTarget.value as By })}>{by.map(d => <option key={d} value={d}>{tWord('by', d)}</option>)}</select>
          </label>
          <Choose label={t('call.group')} value={q.group} all={t('all')} of={choices.value!.groups.map(g => [g.id, g.name] as const)} onChange={group => set({ group })} />
        </div>
        <details open={q.level !== '' || q.count !== 'decided'}>
          <summary>{t('reports.measure')}</summary>
          <div class="fields">
            <label>{t('reports.within')}
              <input type="number" min={1} max={86400} placeholder={t('reports.as-declared')} value={q.level} onChange={e => { if (e.currentTarget.validity.valid) set({ level: e.currentTarget.value }); }} />
            </label>
            <label>{t('reports.abandons')}
              <select value={q.abandons} disabled={!q.level} onChange={e => set({ abandons: e.currentTarget.value })}>{(['negative', 'ignored', 'positive'] as const).map(a => <option key={a} value={a}>{tWord('abandons', a)}</option>)}</select>
            </label>
            <label>{t('reports.short')}
              <input type="number" min={0} max={600} disabled={!q.level} value={q.short} onChange={e => { if (e.currentTarget.validity.valid) set({ short: e.currentTarget.value }); }} />
            </label>
            <label>{t('reports.count')}
              <select value={q.count} onChange={e => set({ count: e.currentTarget.value })}>{(['decided', 'arrived'] as const).map(a => <option key={a} value={a}>{tWord('count', a)}</option>)}</select>
            </label>
          </div>
        </details>
      </form>
      {got.error && <p class="card wrong" role="alert">{refusal(got.error)} <button class="quiet link" onClick={got.again}>{t('again')}</button></p>}
      {got.value && !got.error && <Shown report={got.value} exportAs={query(`/api/v1/reports/${q.by}s/export`, values)} />}
    </main>
  );
}

function Shown({ report, exportAs }: { report: Report; exportAs: string }) {
  const sets = setsOf(report.definitions);
  const set = sets.find(s => s.set === shown.value) ?? sets[0];
  if (!set) return null;
  const chart = set.figures.find(d => d.name === drawn.value) ?? set.figures[0]!;
  return (
    <>
      <div class="section-head">
        <p class="hint">{t('reports.from-till', { from: dayAndTime(report.from), till: dayAndTime(report.till), zone: report.timezone.replace('_', ' ') })}</p>
        {may('reports:export') && <a class="button" href={exportAs} download={`report-${report.by[0]}.csv`}><Icon name="download" />{t('csv')}</a>}
      </div>
      <nav class="tabs" aria-label={t('reports.sets')}>
        {sets.map(s => <button key={s.set} aria-pressed={s === set} onClick={() => { shown.value = s.set; }}>{tWord('set', s.set)}</button>)}
      </nav>
      <section class="figures" aria-label={tWord('set', set.set)}>
        <dl>{set.figures.map(d => <Figure key={d.name} d={d} line={report.total} />)}</dl>
      </section>
      <section class="card" aria-labelledby="lines">
        <div class="section-head">
          <h2 id="lines">{tWord('by', report.by[0] ?? '')}</h2>
          {report.lines.length > 0 && <label class="chart-of">{t('reports.chart')}
            <select value={chart.name} onChange={e => { drawn.value = e.currentTarget.value; }}>{set.figures.map(d => <option key={d.name} value={d.name}>{title(d)}</option>)}</select>
          </label>}
        </div>
        {report.lines.length === 0 ? <p class="empty">{t('reports.empty')}</p> : <>
          <Drawn report={report} figure={chart} figures={set.figures} />
          <Table report={report} figures={set.figures} />
        </>}
      </section>
    </>
  );
}

function Figure({ d, line }: { d: Definition; line: ReportLine }) {
  const f = line.figures[d.name];
  return (
    <div data-figure={d.name}>
      <dt>{title(d)}</dt>
      <dd class="value digits" data-value={String(f?.value ?? null)}>{told(d, f)}{parts(d, f) && <small>{parts(d, f)}</small>}</dd>
      <dd class="formula">{formula(d)}</dd>
    </div>
  );
}

/** What is drawn beside a figure, to compare it with. */
const beside: Record<string, readonly (readonly [figure: string, tone: string])[]> = {
  offered: [['offered', 'off'], ['answered', 'ready'], ['abandoned', 'alert']],
  answered: [['answered', 'ready'], ['abandoned', 'alert']],
  offers_answered: [['offers_answered', 'ready'], ['offers_missed', 'alert']],
  interactions: [['interactions', 'off'], ['never_answered', 'alert']],
  chats: [['chats', 'off'], ['chats_unanswered', 'away'], ['chats_without_answer', 'alert']],
  first_answers: [['first_answers', 'off'], ['first_answers_within', 'ready'], ['chats_without_answer', 'alert']],
  calls_made: [['calls_made', 'off'], ['calls_reached', 'ready']],
};

function Drawn({ report, figure, figures }: { report: Report; figure: Definition; figures: Definition[] }) {
  const series = (beside[figure.name] ?? [[figure.name, 'accent']]).filter(([name]) => figures.some(d => d.name === name));
  const definition = (name: string) => figures.find(d => d.name === name)!;
  const bars: Bars = {
    names: report.lines.map(l => keyName(report.by[0]!, l.key[report.by[0]!]!)),
    series: series.map(([name, tone]) => ({ name: title(definition(name)), tone, values: report.lines.map(l => l.figures[name]?.value ?? null) })),
    told: v => told(figure, { value: v }), whole: figure.unit === 'count',
  };
  return (
    <div>
      <ul class="legend">{bars.series.map(s => <li key={s.name} class={`tone-${s.tone}`}>{s.name}</li>)}</ul>
      <Chart bars={bars} label={t('reports.chart-of', { figure: bars.series.map(s => s.name).join(', '), by: tWord('by', report.by[0]!) })} describedBy="report-table" />
    </div>
  );
}

function Table({ report, figures }: { report: Report; figures: Definition[] }) {
  const dimension = report.by[0]!;
  const [sorted, setSorted] = useState<{ by: string; down: boolean }>({ by: '', down: true });
  const lines = sorted.by === '' ? report.lines
    : [...report.lines].sort((a, b) => ((a.figures[sorted.by]?.value ?? -1) - (b.figures[sorted.by]?.value ?? -1)) * (sorted.down ? -1 : 1));
  const sort = (name: string) => setSorted(s => ({ by: name, down: s.by === name ? !s.down : true }));
  return (
    <div class="scroll free" tabIndex={0} role="group" aria-labelledby="lines">
      <table id="report-table" class="report">
        <thead><tr>
          <th scope="col">{tWord('by', dimension)}</th>
          {figures.map(d => (
            <th key={d.name} scope="col" class="figure" aria-sort={sorted.by === d.name ? sorted.down ? 'descending' : 'ascending' : undefined}>
              <button class="quiet" onClick={() => sort(d.name)} aria-describedby={`about-${d.name}`}>{title(d)}{sorted.by === d.name && <Icon name={sorted.down ? 'down' : 'up'} />}</button>
              <span role="tooltip" id={`about-${d.name}`}>{formula(d)}</span>
            </th>
          ))}
        </tr></thead>
        <tbody>
          {lines.map(l => (
            <tr key={l.key[dimension]} data-line={l.key[dimension]}>
              <th scope="row">{keyName(dimension, l.key[dimension]!)}</th>
              {figures.map(d => <td key={d.name} class="figure digits" data-of={d.name} data-value={String(l.figures[d.name]?.value ?? null)}>{told(d, l.figures[d.name])}</td>)}
            </tr>
          ))}
        </tbody>
        <tfoot><tr><th scope="row">{t('reports.total')}</th>{figures.map(d => <td key={d.name} class="figure digits">{told(d, report.total.figures[d.name])}</td>)}</tr></tfoot>
      </table>
    </div>
  );
}

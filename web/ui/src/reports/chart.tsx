// Bars by uPlot. The table beside the chart has the same numbers for whoever does not see it.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { signal } from '@preact/signals';
import { theme } from '../prefs';

export interface Bars {
  names: string[]; // of the lines
  series: { name: string; tone: string; values: (number | null)[] }[];
  told: (value: number) => string;
  whole: boolean; // counts, of which there are no halves
}

/** Counts the changes of the system's appearance. */
const appearance = signal(0);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { appearance.value++; });

export default function Chart({ bars, label, describedBy }: { bars: Bars; label: string; describedBy: string }) {
  const box = useRef<HTMLDivElement>(null);
  const look = `${theme.value} ${appearance.value}`;
  const content = JSON.stringify([bars.names, bars.series]);
  useEffect(() => {
    const at = box.current!;
    const draw = () => {
      at.replaceChildren();
      plot = new uPlot(options(bars, at), [bars.names.map((_, i) => i), ...bars.series.map(s => s.values)], at);
    };
    let plot: uPlot | undefined;
    let width = 0;
    const sized = new ResizeObserver(() => {
      if (Math.abs(at.clientWidth - width) < 2) return;
      width = at.clientWidth;
      plot?.destroy();
      draw();
    });
    sized.observe(at);
    return () => { sized.disconnect(); plot?.destroy(); };
  }, [content, look]);
  return (
    <figure class="chart" role="img" aria-label={label} aria-describedby={describedBy}>
      <div ref={box} />
    </figure>
  );
}

function options(bars: Bars, at: HTMLElement): uPlot.Options {
  const style = getComputedStyle(at);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const font = `12px ${style.fontFamily}`;
  const n = bars.names.length;
  const share = 0.72 / bars.series.length;
  // Names that do not fit beside each other are left out, evenly.
  const longest = Math.max(...bars.names.map(x => x.length), 1);
  const fit = Math.max(1, Math.floor((at.clientWidth - 70) / (Math.min(longest, 16) * 7 + 14)));
  const each = Math.ceil(n / fit);
  return {
    width: at.clientWidth, height: 240, padding: [12, 8, 0, 0],
    legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: [-0.5, Math.max(n - 0.5, 0.5)] }, y: { range: (_u, _min, max) => [0, (max || 1) * 1.1] } },
    axes: [
      { stroke: colour('soft'), font, size: 30, grid: { show: false }, ticks: { show: false }, splits: () => bars.names.map((_, i) => i).filter(i => i % each === 0), values: (_u, at) => at.map(i => shortened(bars.names[i] ?? '')) },
      { stroke: colour('soft'), font, size: 62, incrs: bars.whole ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000] : undefined, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, values: (_u, at) => at.map(bars.told) },
    ],
    series: [{}, ...bars.series.map((s, i): uPlot.Series => ({
      label: s.name, stroke: colour(s.tone), fill: colour(s.tone), width: 0, points: { show: false },
      paths: shifted(share, i, bars.series.length),
    }))],
  };
}

const shortened = (name: string) => name.length > 16 ? name.slice(0, 15) + '\u2026' : name;

/** Bars beside each other. */
function shifted(share: number, i: number, of: number): uPlot.Series.PathBuilder {
  return (u, series, from, to) => {
    const fill = new Path2D();
    const values = u.data[series]!;
    const one = Math.abs(u.valToPos(1, 'x', true) - u.valToPos(0, 'x', true));
    const wide = Math.min(one * share, 64 * devicePixelRatio);
    const zero = u.valToPos(0, 'y', true);
    for (let k = from; k <= to; k++) {
      const v = values[k];
      if (v === null || v === undefined) continue;
      const x = u.valToPos(k, 'x', true) - wide * of / 2 + wide * i;
      const y = u.valToPos(v, 'y', true);
      fill.roundRect(x + 1, y, Math.max(1, wide - 2), Math.max(0, zero - y), [Math.min(4, zero - y), Math.min(4, zero - y), 0, 0]);
    }
    return { stroke: fill, fill, flags: 1 };
  };
}

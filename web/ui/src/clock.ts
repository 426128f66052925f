// One clock for everything that counts seconds on the page.
import { signal } from '@preact/signals';
import { clockAhead } from './api';

/** The server's time in milliseconds, to the tick. */
export const now = signal(Date.now());

const listeners: [every: number, f: () => void][] = [];
let ticks = 0;

/** Has f called at each so manieth tick, of 0.4 seconds, also while the page is hidden. */
export function eachTick(every: number, f: () => void) { listeners.push([every, f]); }

// Browsers slow down the timers of hidden pages, those of workers they do not.
new Worker(new URL('./ticker.ts', import.meta.url), { type: 'module' }).onmessage = () => {
  now.value = Date.now() + clockAhead;
  ticks++;
  for (const [every, f] of listeners) if (ticks % every === 0) f();
};

/** Whole seconds since a time; never negative. */
export function since(at: string | undefined, to: number = now.value): number {
  return at ? Math.max(0, Math.floor((to - Date.parse(at)) / 1000)) : 0;
}

/** Whole seconds until a time; never negative. */
export function until(at: string | undefined): number {
  return at ? Math.max(0, Math.ceil((Date.parse(at) - now.value) / 1000)) : 0;
}

const two = (n: number) => String(n).padStart(2, '0');

/** A length of time as 0:07, 12:34 or 1:02:03. */
export function length(seconds: number): string {
  const h = Math.floor(seconds / 3600);
  const m = Math.floor(seconds / 60) % 60;
  return h > 0 ? `${h}:${two(m)}:${two(seconds % 60)}` : `${m}:${two(seconds % 60)}`;
}

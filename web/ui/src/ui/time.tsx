// Lengths of time that count by themselves. They are silent: a screen reader is not told each second.
// Those out of sight stand still until they are seen: of a list of hundreds a few are drawn anew each second.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { length, now, since, until } from '../clock';

const tellers = new WeakMap<Element, (seen: boolean) => void>();
const sight = new IntersectionObserver(list => { for (const e of list) tellers.get(e.target)?.(e.isIntersecting); });

/** A text that is worked out anew while it can be seen. */
function Counting({ at, text }: { at: string | undefined; text: () => string }) {
  const box = useRef<HTMLTimeElement>(null);
  const seen = useSignal(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    tellers.set(element, yes => { seen.value = yes; });
    sight.observe(element);
    return () => sight.unobserve(element);
  }, []);
  const last = useRef('');
  const shown = useComputed(() => seen.value || !last.current ? last.current = text() : last.current);
  return <time ref={box} class="digits" dateTime={at}>{shown}</time>;
}

export function Elapsed({ from }: { from: string | undefined }) {
  return <Counting at={from} text={() => length(since(from, now.value))} />;
}

export function Left({ to }: { to: string | undefined }) {
  return <Counting at={to} text={() => length(until(to))} />;
}

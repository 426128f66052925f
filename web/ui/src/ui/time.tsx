// Lengths of time that count by themselves. They are silent: a screen reader is not told each second.
import { useComputed } from '@preact/signals';
import { length, since, until } from '../clock';

export function Elapsed({ from }: { from: string | undefined }) {
  const text = useComputed(() => length(since(from)));
  return <time class="digits" dateTime={from}>{text}</time>;
}

export function Left({ to }: { to: string | undefined }) {
  const text = useComputed(() => length(until(to)));
  return <time class="digits" dateTime={to}>{text}</time>;
}

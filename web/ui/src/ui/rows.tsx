// Long lists. Of a list with many rows only those near the visible part are in the page, so that
// hundreds cost no more than dozens.
import { Component, type ComponentChildren, type VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** From how many rows on only some of them are in the page. */
const many = 60;
/** Rows beyond the edges. */
const margin = 12;

interface Props<T> {
  named: string; // the id of what names the list
  items: T[];
  columns: number;
  head: ComponentChildren;
  /** A row: a tr with the key and the aria-rowindex that it is given. */
  row: (item: T, index: number) => VNode;
}

export function Rows<T>({ named, items, columns, head, row }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const height = useRef(52); // of a row, as measured last
  const [at, setAt] = useState({ from: 0, to: 40 });
  const long = items.length > many;
  const from = long ? Math.max(0, Math.min(at.from, items.length - 1)) : 0;
  const to = long ? Math.min(items.length, Math.max(at.to, from + 1)) : items.length;

  const look = () => {
    const b = box.current!;
    const top = Math.max(0, Math.floor(b.scrollTop / height.current) - margin);
    const end = Math.ceil((b.scrollTop + b.clientHeight) / height.current) + margin;
    if (Math.abs(top - at.from) > margin / 2 || Math.abs(end - at.to) > margin / 2) setAt({ from: top, to: end });
  };
  useLayoutEffect(() => {
    if (!long) return;
    const rows = [...body.current!.children].filter(r => !r.hasAttribute('aria-hidden'));
    const tall = rows.length > 0 ? (rows.at(-1)!.getBoundingClientRect().bottom - rows[0]!.getBoundingClientRect().top) / rows.length : 0;
    if (tall > 0 && Math.abs(tall - height.current) > 1) height.current = tall;
    look();
  }, [items, at]);

  const space = (key: string, rows: number) => rows > 0 && <tr key={key} aria-hidden="true" class="space"><td colSpan={columns} style={{ height: rows * height.current }} /></tr>;
  return (
    <div class="scroll" ref={box} tabIndex={0} role="region" aria-labelledby={named} onScroll={long ? look : undefined}>
      <table aria-rowcount={items.length + 1}>
        <thead>{head}</thead>
        <tbody ref={body}>
          {space('above', from)}
          {items.slice(from, to).map((x, k) => row(x, from + k + 2))}
          {space('below', items.length - to)}
        </tbody>
      </table>
    </div>
  );
}

/** A component that is drawn anew only when one of its properties is another, but for those named: what is called only once it is shown. */
export function steady<P extends object>(draw: (p: P) => VNode, but: (keyof P)[] = []) {
  return class extends Component<P> {
    shouldComponentUpdate(next: P) {
      const a = this.props as Record<string, unknown>, b = next as Record<string, unknown>;
      for (const k in b) if (a[k] !== b[k] && !(but as string[]).includes(k)) return true;
      return false;
    }
    render(p: P) { return draw(p); }
  };
}

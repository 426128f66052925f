// Long lists: each row is drawn anew only when what it shows is another.
import { Component, type ComponentChildren, type VNode } from 'preact';

/** From how many rows on the columns are as wide as their heads say, so that a row drawn anew does not have all others measured. */
const long = 100;

interface Props<T> {
  named: string; // the id of what names the list
  items: T[];
  head: ComponentChildren;
  /** A row: a tr with a key, and the aria-rowindex that it is given. */
  row: (item: T, index: number) => VNode;
}

export function Rows<T>({ named, items, head, row }: Props<T>) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-labelledby={named}>
      <table class={items.length > long ? 'long' : undefined} aria-rowcount={items.length + 1}>
        <thead>{head}</thead>
        <tbody>{items.map((x, k) => row(x, k + 2))}</tbody>
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

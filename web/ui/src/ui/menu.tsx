// A button with a list of things to do. Arrow keys, Home, End, Escape work as in any menu.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

export interface Item {
  label: string;
  checked?: boolean; // given: one of several to choose from
  run: () => void;
}

interface Props {
  label: string;
  class?: string;
  children: ComponentChildren;
  items: (Item | null)[] | (() => (Item | null)[]); // null: a line between; a function is asked when the menu opens
  disabled?: boolean;
}

export function Menu({ label, children, items, disabled, class: kind }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    box.current!.querySelector<HTMLElement>('[role^=menuitem]')?.focus();
    const outside = (e: Event) => { if (!box.current!.contains(e.target as Node)) setOpen(false); };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const shut = () => { setOpen(false); button.current!.focus(); };

  const onKey = (e: KeyboardEvent) => {
    if (!open) return;
    const all = [...box.current!.querySelectorAll<HTMLElement>('[role^=menuitem]')];
    const i = all.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: -1 };
    if (e.key === 'Escape') shut();
    else if (e.key === 'Tab') setOpen(false);
    else if (e.key in to) all.at(to[e.key]! % all.length)?.focus();
    else return;
    if (e.key !== 'Tab') e.preventDefault();
    e.stopPropagation();
  };

  return (
    <div class="menu" ref={box} onKeyDown={onKey}>
      <button ref={button} class={kind} aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined}
        aria-label={label} disabled={disabled} onClick={() => setOpen(!open)}>{children}</button>
      {open && (
        <div role="menu" id={id} aria-label={label}>
          {(typeof items === 'function' ? items() : items).map((item, i) => item === null ? <hr key={i} /> : (
            <button key={i} role={item.checked === undefined ? 'menuitem' : 'menuitemradio'} aria-checked={item.checked} tabIndex={-1}
              onClick={() => { shut(); item.run(); }}>{item.label}</button>
          ))}
        </div>
      )}
    </div>
  );
}

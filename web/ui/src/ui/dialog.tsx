// A dialog over the page. The browser keeps the focus in it and gives it back at the end.
import { signal } from '@preact/signals';
import type { ComponentChildren, ComponentType } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from './icon';

/** Those that are open, the uppermost last. */
const open = signal<object[]>([]);
const above = signal<ComponentType | undefined>(undefined);

/** What lies over everything: while a dialog is open it is in the uppermost, for nothing outside of that can be reached. */
export function Above({ of: Shown }: { of: ComponentType }) {
  useLayoutEffect(() => {
    above.value = Shown;
    return () => { above.value = undefined; };
  }, []);
  return open.value.length === 0 ? <Shown /> : null;
}

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  const own = useRef({}).current;
  const Shown = open.value.at(-1) === own ? above.value : undefined;
  useLayoutEffect(() => { // at once: what is typed goes here from now on
    const d = box.current!;
    const before = document.activeElement;
    d.showModal();
    open.value = [...open.peek(), own];
    return () => {
      open.value = open.peek().filter(x => x !== own);
      d.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={box} aria-labelledby={id} onCancel={e => { e.preventDefault(); onClose(); }}
      onClick={e => { if (e.target === box.current) onClose(); }}>
      <div class="dialog">
        <header>
          <h2 id={id}>{title}</h2>
          <button class="quiet" onClick={onClose} aria-label={t('close')}><Icon name="close" /></button>
        </header>
        {children}
      </div>
      {Shown && <Shown />}
    </dialog>
  );
}

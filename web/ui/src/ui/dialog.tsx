// A dialog over the page. The browser keeps the focus in it and gives it back at the end.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from './icon';

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => { // at once: what is typed goes here from now on
    const d = box.current!;
    const before = document.activeElement;
    d.showModal();
    return () => {
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
    </dialog>
  );
}

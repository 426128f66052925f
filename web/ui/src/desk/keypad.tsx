import { useLayoutEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { key } from '../phone/station';
import { Dialog } from '../ui/dialog';

const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** Keys that the far end hears, by the mouse or by the keyboard. */
export function Keypad({ onClose }: { onClose: () => void }) {
  const [sent, setSent] = useState('');
  const press = (d: string) => {
    key(d);
    setSent(s => (s + d).slice(-24));
  };
  useLayoutEffect(() => { // at once, not after it has been painted: who opened it may type already
    const onKey = (e: KeyboardEvent) => {
      if (!digits.includes(e.key) || e.ctrlKey || e.altKey || e.metaKey || e.repeat) return;
      e.preventDefault();
      press(e.key);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <Dialog title={t('call.keypad')} onClose={onClose}>
      <output class="sent digits" aria-label={t('keypad.sent')}>{sent || t('keypad.hint')}</output>
      <div class="keypad">{digits.map(d => <button key={d} onClick={() => press(d)}>{d}</button>)}</div>
    </Dialog>
  );
}

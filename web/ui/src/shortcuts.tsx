// Keys: always Ctrl+Shift+digit, by the place of the key on the keyboard (event.code), so that they
// are the same in every layout. AltGr types letters in Polish, so that nothing is ever on it.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t, type Key } from './i18n';
import { Dialog } from './ui/dialog';

export type Action = 'answer' | 'hang-up' | 'hold' | 'mute' | 'transfer' | 'keypad' | 'ready';

const codes: Record<string, Action | 'help'> = {
  Digit1: 'answer', Digit2: 'hang-up', Digit3: 'hold', Digit4: 'mute', Digit5: 'transfer', Digit6: 'keypad', Digit7: 'ready', Slash: 'help',
};
const shown: [string, Key][] = [
  ['1', 'keys.answer'], ['2', 'keys.hang-up'], ['3', 'keys.hold'], ['4', 'keys.mute'], ['5', 'keys.transfer'], ['6', 'keys.keypad'],
  ['7', 'keys.ready'], ['/', 'keys.help'],
];

type Doing = Partial<Record<Action, () => void>>;
const stack: { current: Doing }[] = [];

/** Has these keys do something while the component is shown. */
export function useShortcuts(doing: Doing) {
  const own = useRef(doing);
  own.current = doing;
  useLayoutEffect(() => {
    stack.push(own);
    return () => { stack.splice(stack.indexOf(own), 1); };
  }, []);
}

/** What the keys do is asked for here; help opens the list of them. */
export function listen(help: () => void) {
  const onKey = (e: KeyboardEvent) => {
    if (!e.ctrlKey || !e.shiftKey || e.altKey || e.metaKey || e.repeat || e.getModifierState('AltGraph')) return;
    const action = codes[e.code];
    if (action === undefined) return;
    e.preventDefault();
    if (action === 'help') help();
    else for (const d of [...stack].reverse()) {
      const run = d.current[action];
      if (run) { run(); return; }
    }
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

export function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('keys.title')} onClose={onClose}>
      <dl class="keys">
        {shown.map(([key, what]) => (
          <div key={key}><dt><kbd>Ctrl</kbd><kbd>Shift</kbd><kbd>{key}</kbd></dt><dd>{t(what)}</dd></div>
        ))}
      </dl>
    </Dialog>
  );
}

// Short messages: what a command led to, where that is not plain to see.
import { signal } from '@preact/signals';
import { Refused } from '../api';
import { t, tWord } from '../i18n';
import { live } from '../live';
import { Icon } from './icon';

interface Toast { id: number; text: string; bad: boolean }

const toasts = signal<Toast[]>([]);
let count = 0;
const lasts = 8000; // milliseconds

export function tell(text: string, bad = false) {
  const id = ++count;
  toasts.value = [...toasts.value.slice(-2), { id, text, bad }];
  setTimeout(() => dismiss(id), lasts);
}

const dismiss = (id: number) => { toasts.value = toasts.value.filter(x => x.id !== id); };

/** What a refusal says to people. */
export function refusal(e: unknown): string {
  if (!(e instanceof Refused)) throw e;
  const known = tWord('problem', e.code);
  if (known === e.code) return e.problem.detail ?? t('problem.other', { code: e.code });
  return known.replace('{seconds}', String(e.retryAfter || 1));
}

/** Carries out a command; true: it was. What is refused is told. */
export async function act(command: Promise<unknown>): Promise<boolean> {
  try {
    await command;
    return true;
  } catch (e) {
    tell(refusal(e), true);
    return false;
  } finally {
    live.refresh();
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(x => (
        <div key={x.id} class={x.bad ? 'toast bad' : 'toast'}>
          <span>{x.text}</span>
          <button class="quiet" onClick={() => dismiss(x.id)} aria-label={t('close')}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}

// What this browser remembers of its user's wishes.
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
export type Language = 'en' | 'pl' | 'ru';
export const languages: readonly Language[] = ['en', 'pl', 'ru'];

function kept<T>(name: string, otherwise: T, valid: (v: unknown) => boolean) {
  const key = 'centrala.' + name;
  let first = otherwise;
  try {
    const v: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    if (valid(v)) first = v as T;
  } catch { /* what is kept there is not ours */ }
  const s = signal<T>(first);
  let begun = false;
  effect(() => {
    const v = s.value;
    if (begun) {
      try { localStorage.setItem(key, JSON.stringify(v)); } catch { /* private mode keeps nothing */ }
    }
    begun = true;
  });
  return s;
}

function preferred(): Language {
  for (const l of navigator.languages) {
    const short = l.slice(0, 2).toLowerCase();
    if ((languages as readonly string[]).includes(short)) return short as Language;
  }
  return 'en';
}

const percent = (v: unknown) => typeof v === 'number' && Number.isInteger(v) && v >= 0 && v <= 100;
const seconds = (v: unknown) => typeof v === 'number' && Number.isInteger(v) && v >= 1 && v <= 86400;

export const theme = kept<Theme>('theme', 'auto', v => v === 'auto' || v === 'light' || v === 'dark');
export const language = kept<Language>('language', preferred(), v => (languages as readonly unknown[]).includes(v));
/** Whether it rings in the browser; null: where the telephone is in the browser. */
export const rings = kept<boolean | null>('rings', null, v => typeof v === 'boolean' || v === null);
/** Whether the agent talks in this browser; null: those who have no other telephone do. */
export const talksHere = kept<boolean | null>('talks-here', null, v => typeof v === 'boolean' || v === null);
const device = (v: unknown) => typeof v === 'string';
/** The devices to talk with; empty: those that the browser takes by itself. */
export const microphone = kept('microphone', '', device);
export const speaker = kept('speaker', '', device);
export const ringer = kept('ringer', '', device);
/** Echo, noise and too low a voice are taken out by the browser. */
export const cleanVoice = kept('clean-voice', true, v => typeof v === 'boolean');
const orNull = (valid: (v: unknown) => boolean) => (v: unknown) => v === null || valid(v);
/** From which wait, in seconds, a group is shown as late, and as far too late; null: as is declared for the group. */
export const lateAfter = kept<number | null>('late', null, orNull(seconds));
export const tooLateAfter = kept<number | null>('too-late', null, orNull(seconds));
/** From which service level, in percent, a group is on target, and below which it is far from it; null: as is declared. */
export const levelAim = kept<number | null>('level-aim', null, orNull(percent));
export const levelLeast = kept<number | null>('level-least', null, orNull(percent));

effect(() => {
  const chosen = theme.value;
  if (chosen === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
});

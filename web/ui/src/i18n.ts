// The catalogue: every text that people read, in each language (locales/*.json). A text that
// depends on a number has the forms of Intl.PluralRules behind its key: waiting#one, waiting#few.
import { signal } from '@preact/signals';
import type en from './locales/en.json';
import { language, type Language } from './prefs';

type Written = keyof typeof en;
export type Key = Written extends infer K ? K extends `${infer Base}#${string}` ? Base : K : never;

const catalogues: Record<Language, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import('./locales/en.json'),
  pl: () => import('./locales/pl.json'),
  ru: () => import('./locales/ru.json'),
};

const texts = signal<Record<string, string>>({});
let plural = new Intl.PluralRules('en');
let clock = new Intl.DateTimeFormat('en');

/** Loads the language and has everything shown in it. */
export async function speak(l: Language) {
  const { default: loaded } = await catalogues[l]();
  plural = new Intl.PluralRules(l);
  clock = new Intl.DateTimeFormat(l, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  document.documentElement.lang = l;
  language.value = l;
  texts.value = loaded;
}

/** The text of a key, with values in place of {names}; n chooses the form. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const all = texts.value;
  const n = values.n;
  let text = all[key];
  if (text === undefined && typeof n === 'number') text = all[`${key}#${plural.select(n)}`] ?? all[`${key}#other`];
  return (text ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** The text of a key that is put together of a word of the server's; the word itself, where the catalogue does not know it. */
export function tWord(area: string, word: string): string {
  return texts.value[`${area}.${word}`] ?? word;
}

/** A time of day, as 09:41. */
export function timeOfDay(at: string): string {
  void texts.value; // shown anew in another language
  return clock.format(new Date(at));
}

// The catalogue: every text that people read, in each language (locales/*.json). A text that
// depends on a number has the forms of Intl.PluralRules behind its key: waiting#one, waiting#few.
// What only the screens of the past say is in files of their own, which are loaded with these screens.
import { signal } from '@preact/signals';
import type en from './locales/en.json';
import type past from './locales/past.en.json';
import { language, type Language } from './prefs';

type Written = keyof typeof en | keyof typeof past;
export type Key = Written extends infer K ? K extends `${infer Base}#${string}` ? Base : K : never;

const catalogues: Record<Language, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import('./locales/en.json'),
  pl: () => import('./locales/pl.json'),
  ru: () => import('./locales/ru.json'),
};

const pastCatalogues: typeof catalogues = {
  en: () => import('./locales/past.en.json'),
  pl: () => import('./locales/past.pl.json'),
  ru: () => import('./locales/past.ru.json'),
};
let ofPast = false;

/** Has the texts of the past loaded, too, from now on. */
export async function speakOfPast() {
  if (ofPast) return;
  const { default: more } = await pastCatalogues[language.value]();
  texts.value = { ...texts.value, ...more };
  ofPast = true;
}

const texts = signal<Record<string, string>>({});
let plural = new Intl.PluralRules('en');
let clock = new Intl.DateTimeFormat('en');
let calendar = clock;

/** Loads the language and has everything shown in it. */
export async function speak(l: Language) {
  const [{ default: loaded }, more] = await Promise.all([catalogues[l](), ofPast ? pastCatalogues[l]() : undefined]);
  plural = new Intl.PluralRules(l);
  clock = new Intl.DateTimeFormat(l, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  calendar = new Intl.DateTimeFormat(l, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  document.documentElement.lang = l;
  language.value = l;
  texts.value = { ...loaded, ...more?.default };
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

/** The text of a key that is put together, with values in it; undefined: the catalogue does not have it. */
export function tOf(area: string, word: string, values: Record<string, string | number> = {}): string | undefined {
  return texts.value[`${area}.${word}`]?.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** A time of day, as 09:41. */
export function timeOfDay(at: string): string {
  void texts.value; // shown anew in another language
  return clock.format(new Date(at));
}

/** A time of day today, and the day with it on others. */
export function dayAndTime(at: string): string {
  void texts.value;
  const d = new Date(at);
  return d.toDateString() === new Date().toDateString() ? clock.format(d) : calendar.format(d);
}

// Who is signed in.
import { signal } from '@preact/signals';
import { call, onSignedOut, Refused, type Me } from './api';

/** Who is signed in; null: nobody; undefined: not known yet. */
export const me = signal<Me | null | undefined>(undefined);

/** The session ended by itself. */
export const expired = signal(false);

onSignedOut(() => {
  if (me.peek()) expired.value = true; // of several requests each is refused
  me.value = null;
});

export const may = (right: string) => me.value?.rights.includes(right) ?? false;

/** Whether rights reach further than the own agent. */
export const supervises = () => me.value != null && me.value.reach !== 'own';

/** Asks the server who is signed in. */
export async function restore() {
  try {
    await goOn(await call<Me>('GET', '/session'));
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    if (e.code !== 'not_signed_in') throw e;
  }
}

let before = ''; // who was signed in, since the page was loaded

/** Goes on as somebody. What the one before them saw and typed is not for them: the page is loaded anew. */
async function goOn(who: Me) {
  if (before !== '' && before !== who.user) {
    location.reload();
    await new Promise(() => {}); // it is gone in a moment
  }
  before = who.user;
  expired.value = false;
  me.value = who;
}

const enter = (name: string, password: string) => call<Me>('POST', '/session', { name, password });

export async function signIn(name: string, password: string) {
  await goOn(await enter(name, password));
}

/** The link that led here was used up before, or is too old. */
export const linkUsed = signal(false);

/** Signs in by the link that brought us here, if one did: #/sign-in/name/password, good for once. It does not stay in the address. */
export async function enterByLink() {
  const [, name, password] = /^#\/sign-in\/([^/]+)\/([^/]+)$/.exec(location.hash)?.map(decodeURIComponent) ?? [];
  if (name === undefined || password === undefined) return;
  let who: Me | undefined;
  try {
    who = await enter(name, password);
  } catch (e) {
    if (!(e instanceof Refused) || e.status === 0 || e.status >= 500) throw e; // the server may be there again soon
    linkUsed.value = true;
  }
  history.replaceState(null, '', '#/');
  if (who) await goOn(who);
}

export async function choosePassword(password: string) {
  await call('POST', '/session/password', { new: password });
  await restore();
}

const partings: (() => Promise<void>)[] = [];

/** Has f done before somebody signs out by their own wish. */
export function onSignOut(f: () => Promise<void>) { partings.push(f); }

export async function signOut() {
  for (const f of partings) await f();
  await call('DELETE', '/session');
  me.value = null;
}

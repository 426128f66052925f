// Who is signed in.
import { signal } from '@preact/signals';
import { call, onSignedOut, Refused, type Me } from './api';

/** Who is signed in; null: nobody; undefined: not known yet. */
export const me = signal<Me | null | undefined>(undefined);

/** The session ended by itself. */
export const expired = signal(false);

onSignedOut(() => {
  expired.value = me.peek() != null;
  me.value = null;
});

export const may = (right: string) => me.value?.rights.includes(right) ?? false;

/** Whether rights reach further than the own agent. */
export const supervises = () => me.value != null && me.value.reach !== 'own';

/** Asks the server who is signed in. */
export async function restore() {
  try {
    me.value = await call<Me>('GET', '/session');
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    if (e.code !== 'not_signed_in') throw e;
  }
}

export async function signIn(name: string, password: string) {
  const who = await call<Me>('POST', '/session', { name, password });
  expired.value = false;
  me.value = who;
}

/** The link that led here was used up before, or is too old. */
export const linkUsed = signal(false);

/** Signs in by the link that brought us here, if one did: #/sign-in/name/password, good for once. It does not stay in the address. */
export async function enterByLink() {
  const [, name, password] = /^#\/sign-in\/([^/]+)\/([^/]+)$/.exec(location.hash)?.map(decodeURIComponent) ?? [];
  if (name === undefined || password === undefined) return;
  try {
    await signIn(name, password);
  } catch (e) {
    if (!(e instanceof Refused) || e.status === 0 || e.status >= 500) throw e; // the server may be there again soon
    linkUsed.value = true;
  }
  history.replaceState(null, '', '#/');
}

export async function choosePassword(password: string) {
  await call('POST', '/session/password', { new: password });
  await restore();
}

export async function signOut() {
  await call('DELETE', '/session');
  me.value = null;
}

// Having an offer noticed when the page is not looked at: the title, a notification, a ring.
import { effect, signal, untracked } from '@preact/signals';
import type { DeskCall } from './api';
import { eachTick } from './clock';
import { t } from './i18n';
import { live } from './live';
import { play, wake } from './phone/audio';
import { phone } from './phone/station';
import { rings } from './prefs';

export const permission = signal<NotificationPermission | 'none'>('Notification' in window ? Notification.permission : 'none');

navigator.permissions?.query({ name: 'notifications' })
  .then(p => { p.onchange = () => { permission.value = Notification.permission; }; }) // by the browser's settings
  .catch(() => { /* a browser that does not tell */ });

export async function askPermission() { permission.value = await Notification.requestPermission(); }

/** The caller in a few words. */
export function callerOf(c: { from: { name?: string; number?: string } }): string {
  if (!c.from.name && nameless(c.from.number)) return t('caller.visitor');
  return c.from.name || c.from.number || t('caller.withheld');
}

/** Visitors of a website have a long number that nobody reads. */
export const nameless = (number?: string) => number?.startsWith('visitor:') === true;

let offered: DeskCall | undefined;
let shown: Notification | undefined;
let odd = false;

// Where the telephone is on the desk, that tab announces which was there first.
const first = signal(!navigator.locks);
void navigator.locks?.request('centrala.bell', () => { first.value = true; return new Promise<never>(() => {}); });

/** Of several tabs only one shows the notification and rings: that which holds the telephone. */
const announces = () => (phone.peek().where === 'here' ? phone.peek().holds : first.peek());

/** Notes what is being offered; undefined: nothing. */
function announce(call: DeskCall | undefined, group: string) {
  if (call?.id === offered?.id) return;
  offered = call;
  hush();
  if (!call) {
    document.title = t('product');
    return;
  }
  flash();
  show(call, group);
}

/** Shows the notification to those who do not look at the page. */
function show(call: DeskCall, group: string) {
  if (permission.value !== 'granted' || !announces() || (document.visibilityState === 'visible' && document.hasFocus())) return;
  try {
    shown = new Notification(callerOf(call), { body: [t('offer.title'), group].filter(Boolean).join(' \u00B7 '), icon: '/assets/icon.svg', tag: 'offer', requireInteraction: true });
  } catch {
    return; // a telephone's browser, which has them by service workers alone
  }
  const one = shown;
  const note = (what: string) => { if (shown === one || what === 'closed') document.documentElement.dataset.notification = what; };
  one.onshow = () => note('shown');
  one.onclose = () => note('closed');
  one.onclick = () => { window.focus(); hush(); };
}

function hush() {
  shown?.close();
  shown = undefined;
}

function flash() {
  if (!offered) return;
  odd = !odd;
  document.title = odd ? `\u260E ${callerOf(offered)}` : t('offer.title');
  ring();
}

eachTick(3, flash);
addEventListener('pagehide', hush); // it would outlive its page

// Not from what is drawn: pages that are not looked at draw late.
effect(() => {
  const desk = live.of.desk.value;
  const call = desk?.calls.find(c => c.kind === 'call' && c.offer_until);
  untracked(() => announce(call, desk?.groups.find(g => g.id === call?.group)?.name ?? call?.group ?? ''));
});

/** Whether an offer is to be heard in this tab. */
export function ringsHere(): boolean { return rings.value ?? phone.value.where === 'here'; }

effect(() => {
  if (!ringsHere()) return;
  if (navigator.userActivation?.hasBeenActive) wake(); // whoever signed in has touched the page
  document.addEventListener('pointerdown', wake);
  document.addEventListener('keydown', wake);
});

/** Two soft notes. */
function ring() {
  if (ringsHere() && announces()) play('ringer', [659, 523], 0.22);
}

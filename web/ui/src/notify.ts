// Having an offer noticed when the page is not looked at: the title, a notification, a ring.
import { effect, signal } from '@preact/signals';
import type { DeskCall } from './api';
import { eachTick } from './clock';
import { t } from './i18n';
import { play, wake } from './phone/audio';
import { phone } from './phone/station';
import { rings } from './prefs';

export const permission = signal<NotificationPermission | 'none'>('Notification' in window ? Notification.permission : 'none');

export async function askPermission() { permission.value = await Notification.requestPermission(); }

/** The caller in a few words. */
export function callerOf(c: { from: { name?: string; number?: string } }): string {
  return c.from.name || c.from.number || t('caller.withheld');
}

let offered: DeskCall | undefined;
let shown: Notification | undefined;
let odd = false;

/** Notes what is being offered; undefined: nothing. */
export function announce(call: DeskCall | undefined, group: string) {
  if (call?.id === offered?.id) return;
  offered = call;
  shown?.close();
  shown = undefined;
  if (!call) {
    document.title = t('product');
    return;
  }
  if (permission.value === 'granted') {
    shown = new Notification(callerOf(call), { body: group, tag: 'offer', requireInteraction: true });
    shown.onclick = () => { window.focus(); shown?.close(); };
  }
  flash();
}

function flash() {
  if (!offered) return;
  odd = !odd;
  document.title = odd ? `\u260E ${callerOf(offered)}` : t('offer.title');
  ring();
}

eachTick(3, flash);

/** Whether an offer is to be heard in this tab. */
export function ringsHere(): boolean { return rings.value ?? phone.value.where === 'here'; }

effect(() => {
  if (!ringsHere()) return;
  document.addEventListener('pointerdown', wake);
  document.addEventListener('keydown', wake);
});

/** Two soft notes. Of several tabs only that rings which holds the telephone. */
function ring() {
  if (ringsHere() && (phone.value.where !== 'here' || phone.value.holds)) play('ringer', [659, 523], 0.22);
}

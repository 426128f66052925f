// Having an offer noticed when the page is not looked at: the title, a notification, a ring.
import { effect, signal } from '@preact/signals';
import type { DeskCall } from './api';
import { eachTick } from './clock';
import { t } from './i18n';
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
  if (rings.value) ring();
}

eachTick(3, flash);

let sound: AudioContext | undefined;

// A browser lets a page sound only after its user has touched it.
effect(() => {
  if (!rings.value || sound) return;
  const wake = () => { void sound?.resume(); };
  sound = new AudioContext();
  document.addEventListener('pointerdown', wake);
  document.addEventListener('keydown', wake);
});

/** Two soft notes. */
function ring() {
  if (!sound || sound.state !== 'running') return;
  [659, 523].forEach((hertz, i) => {
    const start = sound!.currentTime + i * 0.22;
    const tone = sound!.createOscillator();
    const level = sound!.createGain();
    tone.frequency.value = hertz;
    level.gain.setValueAtTime(0, start);
    level.gain.linearRampToValueAtTime(0.18, start + 0.02);
    level.gain.exponentialRampToValueAtTime(0.001, start + 0.2);
    tone.connect(level).connect(sound!.destination);
    tone.start(start);
    tone.stop(start + 0.22);
  });
}

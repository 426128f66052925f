// How the telephone in this browser stands, in one line, and what is to be done about it.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { t, type Key } from '../i18n';
import { ringsHere } from '../notify';
import { talksHere } from '../prefs';
import { Icon, type IconName } from '../ui/icon';
import type { Tone } from '../ui/status';
import { awake } from './audio';
import { mayChoose, phone, retry, type PhoneState } from './station';

const dialog = signal<ComponentType<{ onClose: () => void }> | undefined>(undefined);

/** Opens the settings of sound, which are loaded then. */
export async function showDevices() { dialog.value = (await import('./devices')).DeviceSettings; }

export function Devices() {
  const Shown = dialog.value;
  return Shown ? <Shown onClose={() => { dialog.value = undefined; }} /> : null;
}

interface Said { text: Key; tone: Tone; icon: IconName; again?: boolean }

function said(p: PhoneState): Said {
  switch (p.microphone) {
    case 'asking': return { text: 'phone.asking', tone: 'away', icon: 'mic' };
    case 'refused': return { text: 'phone.refused', tone: 'alert', icon: 'muted', again: true };
    case 'missing': return { text: 'phone.missing', tone: 'alert', icon: 'muted', again: true };
    case 'busy': return { text: 'phone.busy', tone: 'alert', icon: 'muted', again: true };
    case 'insecure': return { text: 'phone.insecure', tone: 'alert', icon: 'alert' };
    case 'ready': break;
  }
  switch (p.line) {
    case 'off': return { text: 'phone.off', tone: 'alert', icon: 'alert', again: true };
    case 'starting': return { text: 'phone.starting', tone: 'away', icon: 'phone' };
    case 'lost': return { text: 'phone.lost', tone: 'alert', icon: 'alert' };
    case 'ready': break;
  }
  return { text: p.holds ? 'phone.ready' : 'phone.elsewhere', tone: 'ready', icon: 'phone' };
}

export function PhoneLine() {
  const p = phone.value;
  if (p.where === 'nowhere') return null;
  if (p.where === 'desk') {
    return mayChoose() ? <p class="phone-line"><span class="grow">{t('phone.desk')}</span> <button class="quiet link" onClick={() => { talksHere.value = true; }}>{t('phone.talk-here')}</button></p> : null;
  }
  const s = said(p);
  return (
    <div class={`phone-line tone-${s.tone}`} data-phone={s.text}>
      <Icon name={s.icon} />
      <p class="grow" role={s.tone === 'alert' ? 'alert' : 'status'}>
        {t(s.text)}{s.text === 'phone.ready' && ringsHere() && !awake.value && ` ${t('phone.touch')}`}
      </p>
      {s.again && <button class="main" onClick={retry}>{t('phone.again')}</button>}
      <button class="quiet" onClick={() => void showDevices()} aria-label={t('sound.open')}><Icon name="sound" /></button>
    </div>
  );
}

// The settings of sound: which devices, whether they work, and how calls are noticed.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t, type Key } from '../i18n';
import { askPermission, permission, ringsHere } from '../notify';
import { cleanVoice, microphone, ringer, rings, speaker, talksHere } from '../prefs';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { choosesSpeaker, close, openMicrophone, play, trouble, wake, type Microphone } from './audio';
import { mayChoose, phone } from './station';

const devices = signal<MediaDeviceInfo[]>([]);

async function look() { devices.value = await navigator.mediaDevices?.enumerateDevices() ?? []; }

export function DeviceSettings({ onClose }: { onClose: () => void }) {
  useEffect(() => {
    wake();
    void look();
    const on = () => void look();
    navigator.mediaDevices?.addEventListener('devicechange', on);
    return () => navigator.mediaDevices?.removeEventListener('devicechange', on);
  }, []);
  const here = phone.value.where === 'here';
  return (
    <Dialog title={t('sound.title')} onClose={onClose}>
      {mayChoose() && <Switch label={t('sound.talk-here')} on={here} set={on => { talksHere.value = on; }} />}
      {here && (
        <>
          <Choice label={t('sound.microphone')} kind="audioinput" chosen={microphone} />
          <Level />
          <Switch label={t('sound.clean')} on={cleanVoice.value} set={on => { cleanVoice.value = on; }} />
          {choosesSpeaker && <Choice label={t('sound.speaker')} kind="audiooutput" chosen={speaker} />}
          <button class="fit" onClick={() => play('speaker', [523, 659, 784], 0.35)}><Icon name="sound" />{t('sound.test')}</button>
        </>
      )}
      <Switch label={t('sound.rings')} on={ringsHere()} set={on => { rings.value = on; }} />
      {ringsHere() && (
        <>
          {choosesSpeaker && <Choice label={t('sound.ringer')} kind="audiooutput" chosen={ringer} />}
          <button class="fit" onClick={() => play('ringer', [659, 523], 0.22)}><Icon name="bell" />{t('sound.test-ring')}</button>
        </>
      )}
      {permission.value === 'default' && <p class="hint">{t('notify.ask')} <button class="quiet link" onClick={() => void askPermission()}>{t('notify.allow')}</button></p>}
      {permission.value === 'granted' && <p class="hint">{t('notify.granted')}</p>}
      {permission.value === 'denied' && <p class="hint">{t('notify.denied')}</p>}
      {!choosesSpeaker && <p class="hint">{t('sound.no-choice')}</p>}
    </Dialog>
  );
}

function Switch({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => void }) {
  return <label class="switch"><input type="checkbox" checked={on} onChange={e => set(e.currentTarget.checked)} />{label}</label>;
}

function Choice({ label, kind, chosen }: { label: string; kind: MediaDeviceKind; chosen: { value: string } }) {
  // Browsers list their usual device twice, once as itself and once as "default".
  const list = devices.value.filter(d => d.kind === kind && d.deviceId !== '' && d.deviceId !== 'default' && d.deviceId !== 'communications');
  const gone = chosen.value !== '' && !list.some(d => d.deviceId === chosen.value);
  return (
    <label>{label}
      <select value={chosen.value} onChange={e => { chosen.value = e.currentTarget.value; }}>
        <option value="">{t('sound.usual')}</option>
        {list.map((d, i) => <option key={d.deviceId} value={d.deviceId}>{d.label || t('sound.nameless', { n: i + 1 })}</option>)}
        {gone && <option value={chosen.value}>{t('sound.gone')}</option>}
      </select>
    </label>
  );
}

const said: Record<Microphone, Key> = {
  asking: 'phone.asking', ready: 'phone.ready', refused: 'phone.refused', missing: 'phone.missing', busy: 'phone.busy', insecure: 'phone.insecure',
};

/** How loud the microphone is, so that one sees that it hears. */
function Level() {
  const bar = useRef<HTMLMeterElement>(null);
  const [wrong, setWrong] = useState<Key>();
  useEffect(() => {
    let stream: MediaStream | undefined;
    let over = false;
    let frame = 0;
    const context = new AudioContext();
    openMicrophone().then(s => {
      if (over) return close(s);
      stream = s;
      setWrong(undefined);
      const analyser = context.createAnalyser();
      const samples = new Float32Array(analyser.fftSize);
      context.createMediaStreamSource(s).connect(analyser);
      const draw = () => {
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
        // From -60 dB, which is silence, to 0.
        if (bar.current) bar.current.value = Math.max(0, 1 + 10 * Math.log10(power + 1e-9) / 60);
        frame = requestAnimationFrame(draw);
      };
      draw();
    }).catch(e => { if (!over) setWrong(said[trouble(e)]); });
    return () => {
      over = true;
      cancelAnimationFrame(frame);
      close(stream);
      void context.close();
    };
  }, [microphone.value, cleanVoice.value, phone.value.microphone]);
  if (wrong) return <p class="wrong" role="alert">{t(wrong)}</p>;
  return <meter ref={bar} class="level" min={0} max={1} low={0.2} aria-label={t('sound.level')} />;
}

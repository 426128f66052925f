// Microphone, speaker and ringer of this browser.
import { effect, signal } from '@preact/signals';
import { cleanVoice, microphone, ringer, speaker } from '../prefs';

/** Why there is no microphone, or that there is one. */
export type Microphone = 'asking' | 'ready' | 'refused' | 'missing' | 'busy' | 'insecure';

/** Opens the chosen microphone, or another one where that is gone. */
export function openMicrophone(): Promise<MediaStream> {
  const clean = cleanVoice.peek();
  return navigator.mediaDevices.getUserMedia({
    audio: {
      deviceId: microphone.peek() ? { ideal: microphone.peek() } : undefined,
      echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean,
    },
  });
}

export function close(s: MediaStream | undefined) {
  for (const t of s?.getTracks() ?? []) t.stop();
}

/** What an error of openMicrophone says. */
export function trouble(e: unknown): Microphone {
  switch (e instanceof DOMException ? e.name : '') {
    case 'NotFoundError': case 'OverconstrainedError': return 'missing';
    case 'NotAllowedError': case 'SecurityError': return 'refused';
    default: return 'busy';
  }
}

/** Whether pages may choose where they sound. */
export const choosesSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

/** An element that sounds at a chosen device; one that is gone gives way to the usual one. */
function soundsAt(device: { value: string }): HTMLAudioElement {
  const e = document.createElement('audio');
  e.autoplay = true;
  effect(() => {
    const id = device.value;
    if (choosesSpeaker) e.setSinkId(id).catch(() => e.setSinkId(''));
  });
  return e;
}

let far: HTMLAudioElement | undefined;

/** Has the far end heard; undefined: nobody. */
export function hear(sound: MediaStream | undefined) {
  if (!far) {
    far = soundsAt(speaker);
    far.className = 'far-end';
    document.body.append(far);
  }
  far.srcObject = sound ?? null;
  if (sound) far.play().catch(() => document.addEventListener('pointerdown', () => void far!.play(), { once: true }));
}

let context: AudioContext | undefined;
const outputs = new Map<object, MediaStreamAudioDestinationNode>();

/** Makes sounds possible. Browsers let a page sound only after its user has touched it. */
export function wake() {
  if (!context) {
    context = new AudioContext();
    context.onstatechange = () => { awake.value = context!.state === 'running'; };
  }
  if (context.state !== 'running') void context.resume();
}

/** Whether sounds would be heard. */
export const awake = signal(false);

/** Plays notes, in hertz, each for some seconds, one behind the other. */
export function play(device: 'speaker' | 'ringer', notes: number[], seconds: number) {
  if (!context || context.state !== 'running') return;
  const at = device === 'speaker' ? speaker : ringer;
  let out = outputs.get(at);
  if (!out) {
    out = context.createMediaStreamDestination();
    outputs.set(at, out);
    const e = soundsAt(at);
    e.className = device;
    document.body.append(e);
    e.srcObject = out.stream;
    void e.play();
  }
  notes.forEach((hertz, i) => {
    const start = context!.currentTime + i * seconds;
    const tone = context!.createOscillator();
    const level = context!.createGain();
    tone.frequency.value = hertz;
    level.gain.setValueAtTime(0, start);
    level.gain.linearRampToValueAtTime(0.18, start + 0.02);
    level.gain.setValueAtTime(0.18, start + seconds * 0.6);
    level.gain.exponentialRampToValueAtTime(0.001, start + seconds * 0.95);
    tone.connect(level).connect(out);
    tone.start(start);
    tone.stop(start + seconds);
  });
}

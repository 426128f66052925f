// The visitor's call from the window; a chunk of its own, which is loaded when somebody calls.
import { make } from '../src/phone/jssip';
import type { Line } from '../src/phone/phone';

/** What the server lets a visitor call with. */
export interface Ticket { websocket: string; uri: string; to: string; user: string; realm: string; ha1: string }

export interface Call { mute(on: boolean): void; end(): void }

/** Begins a call; told hears once that it is answered, the sound of the far end, and once that it is over. */
export function begin(ticket: Ticket, microphone: MediaStream, told: { answered(): void; sounds(s: MediaStream): void; ended(): void }): Call {
  let line: Line | undefined;
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    for (const t of microphone.getTracks()) t.stop();
    line?.end();
    setTimeout(() => phone.stop(), 1_000); // what ends the call has been sent by then
    told.ended();
  };
  const phone = make({ ...ticket, name: '', expires: 0 }, {
    registered: on => { if (on && !line && !over) line = phone.call(ticket.to, microphone); },
    refused: end, rings: () => undefined, answered: () => told.answered(), sounds: (_, s) => told.sounds(s), ended: end,
  });
  phone.start();
  return { mute: on => line?.mute(on), end };
}

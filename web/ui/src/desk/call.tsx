import { useState } from 'preact/hooks';
import type { Agent, Desk, DeskCall } from '../api';
import { cancelConsult, complete, hangUp, hold, park, swap } from '../commands';
import { t } from '../i18n';
import { callerOf } from '../notify';
import { end, mute, phone } from '../phone/station';
import { useShortcuts } from '../shortcuts';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Elapsed } from '../ui/time';
import { draftOf } from './draft';
import { Earlier } from './earlier';
import { Keypad } from './keypad';
import { NoteField } from './note';
import { Transfer } from './transfer';

/** The calls that the agent has. Those that are offered are on their own card. */
export function Calls({ agent, desk }: { agent: Agent; desk: Desk }) {
  return <>{desk.calls.filter(c => c.kind === 'call' && !c.offer_until).map(c => <Call key={c.id} call={c} agent={agent} desk={desk} />)}</>;
}

function Call({ call, agent, desk }: { call: DeskCall; agent: Agent; desk: Desk }) {
  const [dialog, setDialog] = useState<'transfer' | 'park' | 'keypad' | undefined>();
  const mine = call.agent === agent.id;
  const made = weCalled(call, agent);
  const who = farEnd(call, agent);
  const talking = mine && call.phase === 'talking';
  const consulting = mine && call.phase === 'consulting';
  const onHold = () => void hold(call.id, !call.held);
  const onHangUp = () => void hangUp(call.id);
  const own = phone.value.call?.state === 'talking' ? phone.value.call : undefined; // the audio is in this browser
  const ends = !talking && !consulting && (own || phone.value.call?.state === 'calling'); // here, and nowhere else
  const onMute = () => mute(!own?.muted);
  useShortcuts({
    ...(talking && { hold: onHold, 'hang-up': onHangUp, transfer: () => setDialog('transfer') }),
    ...(ends && { 'hang-up': end }),
    ...(own && { mute: onMute, keypad: () => setDialog('keypad') }),
  });
  const group = desk.groups.find(g => g.id === call.group)?.name ?? call.group;
  const shut = () => setDialog(undefined);
  const stint = call.stints.find(s => s.agent === agent.id && !s.to);
  return (
    <section class={`card call tone-${call.held ? 'away' : 'talking'}`} aria-label={t('call.with', { who })}>
      <div class="head">
        <div class="who">
          <p class="label">{situation(call, agent)}</p>
          <p class="name">{who}</p>
          {!made && call.from.name && <p class="number digits">{call.from.number}</p>}
        </div>
        <p class="timer"><Elapsed from={stint?.from ?? call.since} /></p>
      </div>
      <dl class="facts">
        {group && <div><dt>{t('call.group')}</dt><dd>{group}</dd></div>}
        {!made && <div><dt>{t('call.called')}</dt><dd class="digits">{call.to}</dd></div>}
        {stint && <div><dt>{t('call.waited')}</dt><dd><Waited from={call.arrived} to={stint.from} /></dd></div>}
      </dl>
      {talking && (
        <div class="buttons">
          <button class={call.held ? 'on' : ''} onClick={onHold}><Icon name="hold" />{call.held ? t('call.resume') : t('call.hold')}</button>
          {own && <OwnAudio muted={own.muted} onMute={onMute} onKeypad={() => setDialog('keypad')} />}
          <button onClick={() => setDialog('transfer')}><Icon name="transfer" />{t('call.transfer')}</button>
          <button onClick={() => setDialog('park')}><Icon name="park" />{t('call.park')}</button>
          <button class="end" onClick={onHangUp}><Icon name="hangup" />{t('call.hang-up')}</button>
        </div>
      )}
      {consulting && (
        <div class="buttons">
          <button class="main" onClick={() => void complete(call.id)}><Icon name="transfer" />{t('consult.complete')}</button>
          {!call.consult_rings && <button onClick={() => void swap(call.id)}><Icon name="swap" />{t('consult.swap')}</button>}
          {own && <OwnAudio muted={own.muted} onMute={onMute} onKeypad={() => setDialog('keypad')} />}
          <button onClick={() => void cancelConsult(call.id)}><Icon name="close" />{t('consult.cancel')}</button>
        </div>
      )}
      {ends && (
        <div class="buttons">
          {own && <OwnAudio muted={own.muted} onMute={onMute} onKeypad={() => setDialog('keypad')} />}
          <button class="end" onClick={end}><Icon name="hangup" />{t('call.hang-up')}</button>
        </div>
      )}
      {phone.value.call?.state === 'returning' && <p class="hint" role="status">{t('phone.returning')}</p>}
      {mine && <NoteField draft={draftOf(call.id, agent.id)} />}
      {!made && <Earlier id={call.id} />}
      {dialog === 'transfer' && <Transfer call={call} agent={agent} onClose={shut} />}
      {dialog === 'keypad' && own && <Keypad onClose={shut} />}
      {dialog === 'park' && <Park call={call} onClose={shut} />}
    </section>
  );
}

/** What can be done to a call whose audio is in this browser. */
function OwnAudio({ muted, onMute, onKeypad }: { muted: boolean; onMute: () => void; onKeypad: () => void }) {
  return (
    <>
      <button class={muted ? 'on' : ''} onClick={onMute}><Icon name={muted ? 'muted' : 'mic'} />{t(muted ? 'call.unmute' : 'call.mute')}</button>
      <button onClick={onKeypad}><Icon name="keys" />{t('call.keypad')}</button>
    </>
  );
}

function Waited({ from, to }: { from: string; to: string }) {
  const s = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  return <span class="digits">{`${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`}</span>;
}

/** The agent called. */
const weCalled = (c: DeskCall, a: Agent) => !c.consulted && (c.from.number === a.extension || c.from.number === a.id);

/** Whom the agent talks with. */
export const farEnd = (c: DeskCall, a: Agent) => weCalled(c, a) ? c.to : callerOf(c);

function situation(c: DeskCall, a: Agent): string {
  if (weCalled(c, a) && c.agent !== a.id) return t('call.made');
  if (c.consulted) return t('call.asked-by', { who: c.agent ?? '' });
  if (c.phase === 'consulting') return t(c.consult_rings ? 'call.consult-rings' : 'call.consulting', { who: c.consults ?? c.offers[0]?.agent ?? '' });
  if (c.held) return t('call.held');
  if (c.phase === 'talking' && c.agent === a.id) return t('call.talking');
  return t('call.connecting');
}

function Park({ call, onClose }: { call: DeskCall; onClose: () => void }) {
  const [slot, setSlot] = useState('1');
  const onSubmit = async (e: Event) => {
    e.preventDefault();
    if (await park(call.id, slot)) onClose();
  };
  return (
    <Dialog title={t('park.title')} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p class="hint">{t('park.hint')}</p>
        <label>{t('park.slot')}
          <input inputMode="numeric" pattern="[0-9]{1,4}" required autofocus value={slot} onInput={e => setSlot(e.currentTarget.value)} />
        </label>
        <button class="main">{t('call.park')}</button>
      </form>
    </Dialog>
  );
}

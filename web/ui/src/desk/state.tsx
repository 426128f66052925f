import { useState } from 'preact/hooks';
import type { Agent, Desk } from '../api';
import { setDND, setDuty } from '../commands';
import { t, tWord } from '../i18n';
import { useShortcuts } from '../shortcuts';
import { Icon } from '../ui/icon';
import { Menu } from '../ui/menu';
import { chatsAlone, Lamp, look, statusWord } from '../ui/status';
import { Elapsed } from '../ui/time';
import { askPermission, permission } from '../notify';
import { PhoneLine } from '../phone/line';
import { phone } from '../phone/station';
import { CallSomebody, inCall, mayCall } from './transfer';

/** Work that a break would interrupt. */
const working = (a: Agent) => a.interactions.length > 0 || a.status === 'wrap_up';

export function MyState({ agent, desk }: { agent: Agent; desk: Desk }) {
  const away = agent.duty !== 'on' || agent.status === 'not_responding';
  const pause = (reason = '') => void setDuty(agent.id, 'break', reason, working(agent));
  const breaks = desk.breaks.length > 0
    ? desk.breaks.map(b => ({ label: tWord('reason', b), run: () => pause(b) }))
    : [{ label: t('state.break'), run: () => pause() }];
  const breakWord = !working(agent) ? t('state.break') : chatsAlone(agent) ? t('state.break-after-chats') : t('state.break-next');
  const [calling, setCalling] = useState(false);
  useShortcuts({ ready: () => { if (away || agent.next_duty) void setDuty(agent.id, 'on'); else pause(desk.breaks[0]); } });
  return (
    <section class={`card state tone-${look(agent.status).tone}`} aria-labelledby="my-state">
      <div class="state-now">
        <Lamp agent={agent} />
        <div>
          <h2 class="unseen" id="my-state">{t('state.mine')}</h2>
          <p class="word" role="status">{statusWord(agent.status, agent.reason)}</p>
          <p class="hint">{hint(agent)}</p>
        </div>
        <p class="timer"><Elapsed from={agent.since} /></p>
      </div>
      <div class="buttons">
        {away
          ? <button class="main" onClick={() => void setDuty(agent.id, 'on')}><Icon name="check" />{agent.duty === 'off' ? t('state.start-day') : t('state.ready')}</button>
          : <>
            {agent.next_duty && <button class="main" onClick={() => void setDuty(agent.id, 'on')}><Icon name="check" />{t('state.stay')}</button>}
            <Menu label={breakWord} items={breaks}><Icon name="cup" />{breakWord}<Icon name="down" /></Menu>
          </>}
        <button aria-pressed={agent.dnd} onClick={() => void setDND(agent.id, !agent.dnd)}><Icon name="bell" />{t('state.dnd')}</button>
        {desk.tracked && agent.duty !== 'off' &&
          <button onClick={() => void setDuty(agent.id, 'off', '', working(agent))}><Icon name="moon" />{t('state.end-day')}</button>}
        {!inCall(agent) && <button disabled={!mayCall(agent)} onClick={() => setCalling(true)}><Icon name="phone" />{t('calling.call')}</button>}
      </div>
      {calling && <CallSomebody agent={agent} onClose={() => setCalling(false)} />}
      <PhoneLine />
      {permission.value === 'default' && (
        <p class="ask">{t('notify.ask')} <button class="quiet link" onClick={() => void askPermission()}>{t('notify.allow')}</button></p>
      )}
    </section>
  );
}

/** What there is to say about a state besides its word. */
function hint(a: Agent): string {
  if (a.next_duty) return t('state.next', { what: tWord('duty', a.next_duty) });
  if (a.phones.length === 0 && a.status === 'offline' && phone.value.where !== 'here') return t('state.no-phone');
  if (a.status === 'not_responding') return t('state.missed', { n: a.misses });
  return a.extension ? t('state.extension', { extension: a.extension }) : a.name;
}

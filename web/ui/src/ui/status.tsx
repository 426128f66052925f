// How agents stand: always a word, with a colour and a shape beside it.
import type { Agent } from '../api';
import { tWord } from '../i18n';
import { Icon, type IconName } from './icon';

interface Look { tone: Tone; icon: IconName }
export type Tone = 'ready' | 'ringing' | 'talking' | 'after' | 'away' | 'off' | 'alert';

const looks: Record<string, Look> = {
  available: { tone: 'ready', icon: 'check' },
  reserved: { tone: 'ringing', icon: 'bell' },
  ringing: { tone: 'ringing', icon: 'bell' },
  talking: { tone: 'talking', icon: 'phone' },
  wrap_up: { tone: 'after', icon: 'pen' },
  backing_off: { tone: 'after', icon: 'pause' },
  busy_elsewhere: { tone: 'talking', icon: 'phone' },
  not_responding: { tone: 'alert', icon: 'alert' },
  on_break: { tone: 'away', icon: 'cup' },
  on_leave: { tone: 'off', icon: 'moon' },
  day_not_started: { tone: 'off', icon: 'moon' },
  dismissed: { tone: 'off', icon: 'off' },
  offline: { tone: 'off', icon: 'off' },
};

/** The order in which states are listed. */
export const statuses = Object.keys(looks);

export function look(status: string): Look {
  return looks[status] ?? { tone: 'off', icon: 'off' };
}

/** Whether all that an agent has in hand is written. */
export const chatsAlone = (a: Agent) => a.chats > 0 && a.interactions.length === a.chats;

export function Lamp({ agent }: { agent: Agent }) {
  const { tone, icon } = look(agent.status);
  return <span class={`lamp tone-${tone}`}><Icon name={agent.status === 'talking' && chatsAlone(agent) ? 'chat' : icon} /></span>;
}

export function statusWord(status: string, reason?: string): string {
  const word = tWord('status', status);
  return reason ? `${word}: ${tWord('reason', reason)}` : word;
}

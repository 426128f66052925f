import type { Choice, Step } from '../api';
import { t, tOf, tWord } from '../i18n';
import { Icon, type IconName } from '../ui/icon';
import { statuses, type Tone } from '../ui/status';
import { between, clockTime, span, toldReason, toldStep } from './words';

const looks: Record<string, readonly [IconName, Tone]> = {
  arrived: ['phone', 'talking'], queued: ['hold', 'off'], offer: ['bell', 'ringing'], ringing: ['bell', 'ringing'], bridged: ['phone', 'ready'],
  held: ['hold', 'away'], resumed: ['phone', 'ready'], action: ['arrow', 'after'], served: ['alert', 'away'], requeue: ['up', 'away'],
  stage: ['people', 'after'], unavailable: ['alert', 'away'], closed: ['moon', 'away'], kept: ['people', 'off'], transfer: ['transfer', 'after'],
  consult: ['swap', 'after'], claim: ['up', 'ready'], reversed: ['swap', 'off'], parked: ['park', 'away'], priority: ['up', 'after'],
  told: ['pen', 'off'], unanswered: ['alert', 'alert'], closing: ['close', 'off'], reopened: ['phone', 'talking'], joined: ['people', 'talking'], parted: ['people', 'off'], moved_node: ['arrow', 'off'],
  disposed: ['pen', 'after'], ended: ['hangup', 'off'],
};

/** What stands for a step; nobody telephones in a chat. */
export function lookOf(st: Step, chat = false): readonly [IconName, Tone] {
  const [icon, tone] = lookOfAny(st);
  return [chat && icon === 'phone' ? 'pen' : chat && icon === 'hangup' ? 'close' : icon, tone];
}

function lookOfAny(st: Step): readonly [IconName, Tone] {
  if (st.kind === 'outcome') return st.told.code === 'outcome_answered' ? ['check', 'ready'] : ['off', st.told.code === 'outcome_lost_race' ? 'off' : 'away'];
  return looks[st.kind] ?? ['arrow', 'off'];
}

/** A step as a sentence. */
export const sayStep = (st: Step, chat = false) => toldStep(st.told, { agent: st.agent, group: st.group, who: st.agent }, chat);

/** Why this one was chosen, or nobody, in some words. */
export function chosen(c: Choice): string {
  const parts: string[] = [];
  if (c.rule) {
    parts.push(tOf('rule', c.rule) ?? c.rule);
    if (c.rule === 'evenly') parts.push(c.idle_seconds ? t('choice.idle', { time: span(c.idle_seconds) }) : t('choice.no-answer-yet'));
    else if (c.place) parts.push(t('choice.place', { place: String(c.place) }));
    if (c.round) parts.push(t('choice.round', { round: String(c.round) }));
    parts.push(t('choice.free', { count: String(c.free) }));
  }
  if (c.tier) parts.push(t('choice.tier', { tier: String(c.tier) }));
  if (c.needs) parts.push(t('queue.needs', { what: c.needs }));
  for (const s of statuses) {
    const n = c.agents[s];
    if (n && (s !== 'available' || !c.rule)) parts.push(t('choice.state', { count: String(n), state: tWord('status', s) }));
  }
  return parts.length > 0 ? parts.join(' · ') : t('choice.nobody');
}

/** What happened, in order, with the reasons. */
export function Story({ steps, chat, from, omitted }: { steps: Step[]; chat?: boolean; from: string; omitted: number }) {
  return (
    <ol class="story">
      {steps.map((st, i) => {
        const [icon, tone] = lookOf(st, chat);
        return (
          <li key={i} class={`tone-${tone}`} data-step={st.told.code}>
            <time class="digits" dateTime={st.at} title={clockTime(st.at)}>+{span(between(from, st.at))}</time>
            <span class="lamp"><Icon name={icon} /></span>
            <div>
              <p>{sayStep(st, chat)}</p>
              {st.reason && <p class="because">{toldReason(st.reason)}</p>}
              {st.choice && <small>{chosen(st.choice)}</small>}
            </div>
          </li>
        );
      })}
      {omitted > 0 && <li class="omitted"><small>{t('story.omitted', { n: omitted })}</small></li>}
    </ol>
  );
}

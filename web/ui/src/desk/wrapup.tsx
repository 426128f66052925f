import type { Agent } from '../api';
import { until } from '../clock';
import { endWrapUp, extendWrapUp } from '../commands';
import { t } from '../i18n';
import { Icon } from '../ui/icon';
import { Left } from '../ui/time';

const more = 60; // seconds

/** The time after a call. */
export function WrapUp({ agent }: { agent: Agent }) {
  if (!agent.wrap_up_until || until(agent.wrap_up_until) === 0) return null;
  return (
    <section class="card wrap-up tone-after" aria-labelledby="wrap-up">
      <div class="head">
        <h2 id="wrap-up">{t('wrap-up.title')}</h2>
        <p class="timer"><Left to={agent.wrap_up_until} /></p>
      </div>
      <p class="hint">{t('wrap-up.hint')}</p>
      <div class="buttons">
        <button class="main" onClick={() => void endWrapUp(agent.id)}><Icon name="check" />{t('wrap-up.done')}</button>
        <button onClick={() => void extendWrapUp(agent.id, more)}>{t('wrap-up.more')}</button>
      </div>
    </section>
  );
}

import type { Agent, Desk } from '../api';
import { until } from '../clock';
import { endWrapUp, extendWrapUp } from '../commands';
import { t, tWord } from '../i18n';
import { Icon } from '../ui/icon';
import { Left } from '../ui/time';
import { latest, tell, write } from './draft';
import { NoteField } from './note';

const more = 60; // seconds

/** The time after a call: what came of it, in a code and in words. */
export function WrapUp({ agent, desk }: { agent: Agent; desk: Desk }) {
  if (!agent.wrap_up_until || until(agent.wrap_up_until) === 0) return null;
  const draft = latest(agent.id);
  const group = desk.groups.find(g => g.id === draft?.group);
  const codes = group?.dispositions ?? [];
  const missing = !!draft && codes.length > 0 && !!group?.disposition_required && draft.code === '';
  const done = async () => { if (!draft || await tell(draft)) await endWrapUp(agent.id); };
  return (
    <section class="card wrap-up tone-after" aria-labelledby="wrap-up">
      <div class="head">
        <div>
          <h2 id="wrap-up">{t('wrap-up.title')}</h2>
          <p class="hint">{draft?.who || t('wrap-up.hint')}</p>
        </div>
        <p class="timer"><Left to={agent.wrap_up_until} /></p>
      </div>
      {draft && codes.length > 0 && (
        <fieldset class="codes">
          <legend>{t(group?.disposition_required ? 'wrap-up.outcome-needed' : 'wrap-up.outcome')}</legend>
          {codes.map(c => (
            <label key={c} class="code">
              <input type="radio" name="disposition" value={c} checked={draft.code === c} onChange={() => write(draft, { code: c })} />
              <span>{tWord('disposition', c)}</span>
            </label>
          ))}
        </fieldset>
      )}
      <NoteField draft={draft} />
      <div class="buttons">
        <button class="main" disabled={missing} aria-describedby={missing ? 'needed' : undefined} onClick={() => void done()}><Icon name="check" />{t('wrap-up.done')}</button>
        <button onClick={() => void extendWrapUp(agent.id, more)}>{t('wrap-up.more')}</button>
      </div>
      {missing && <p class="hint" id="needed">{t('wrap-up.needed')}</p>}
    </section>
  );
}

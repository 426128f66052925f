import { useState } from 'preact/hooks';
import type { Trace, TraceMessage } from '../api';
import { t } from '../i18n';
import { useGot } from '../ui/got';
import { refusal } from '../ui/toast';
import { agentName, between, clockTime } from './words';

/** The SIP messages as a ladder: a lane for each far end, ours in the middle. */
export function Messages({ id }: { id: string }) {
  const [wanted, setWanted] = useState(false);
  const got = useGot<Trace>(wanted ? `/history/${id}/trace` : undefined);
  return (
    <section class="card" aria-labelledby="messages" aria-busy={wanted && got.busy}>
      <div class="section-head">
        <h2 id="messages">{t('messages.title')}</h2>
        {!got.value && <button disabled={wanted && got.busy} onClick={() => { if (wanted) got.again(); else setWanted(true); }}>{t('messages.show')}</button>}
      </div>
      {got.error && <p class="empty" role="alert">{refusal(got.error)}</p>}
      {got.value && <Ladder trace={got.value} />}
    </section>
  );
}

/** The far end's name: an agent's own, where it is one. */
function partyName(who: string): string {
  return who.startsWith('agent ') ? agentName(who.slice('agent '.length)) : who;
}

function Ladder({ trace }: { trace: Trace }) {
  // Lanes: the caller's, ours, then all others, in the order in which they came.
  const lanes = trace.parties.map(p => p.leg);
  const column = (leg: string | undefined) => {
    const i = lanes.indexOf(leg ?? '');
    return i <= 0 ? 1 : i + 2;
  };
  const first = trace.messages[0]?.at ?? '';
  return (
    <div class="scroll free" tabIndex={0} role="group" aria-labelledby="messages">
      <div class="ladder" style={{ '--lanes': Math.max(2, lanes.length + 1) }}>
        <div class="lanes" aria-hidden="true">
          <span class="lane" style={{ gridColumn: 1 }}>{partyName(trace.parties[0]?.who ?? '')}</span>
          <span class="lane ours" style={{ gridColumn: 2 }}>{t('product')}</span>
          {trace.parties.slice(1).map((p, i) => <span key={p.leg} class="lane" style={{ gridColumn: i + 3 }}>{partyName(p.who)}</span>)}
        </div>
        <ol>
          {trace.messages.map((m, i) => <Message key={i} m={m} first={first} column={column(m.leg)} who={partyName(trace.parties.find(p => p.leg === m.leg)?.who ?? m.remote)} />)}
        </ol>
        {trace.omitted && <p class="hint">{t('story.omitted', { n: trace.omitted })}</p>}
      </div>
    </div>
  );
}

function Message({ m, first, column, who }: { m: TraceMessage; first: string; column: number; who: string }) {
  const rightwards = (column === 1) !== m.sent;
  const summary = m.summary.replace(/ SIP\/2\.0$/, '').replace(/^SIP\/2\.0 /, '');
  return (
    <li>
      <details>
        <summary title={clockTime(m.at)}>
          <time class="digits" dateTime={m.at}>+{between(first, m.at).toFixed(3)}</time>
          <span class="rungs">
            <span class={`rung ${rightwards ? 'rightwards' : 'leftwards'} ${/^[4-6]/.test(summary) ? 'tone-alert' : /^2/.test(summary) ? 'tone-ready' : 'tone-talking'}`}
              style={{ gridColumn: column === 1 ? '1 / 3' : `2 / ${column + 1}` }}><span>{summary}<span class="unseen"> {t(m.sent ? 'messages.sent' : 'messages.received', { who })}</span></span>{m.audio && <small>{m.audio}</small>}</span>
          </span>
        </summary>
        <p class="hint digits">{m.network} {m.remote}</p>
        <pre>{m.text}</pre>
      </details>
    </li>
  );
}

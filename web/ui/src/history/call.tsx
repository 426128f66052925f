import type { Audio, PastFacts, PastLeg, PastRemark } from '../api';
import { t, tWord } from '../i18n';
import { nameless } from '../notify';
import { may } from '../session';
import { useGot } from '../ui/got';
import { Icon } from '../ui/icon';
import { refusal } from '../ui/toast';
import { Contacts, Written } from './chat';
import { callerOfPast, endWord, toneOf, waited } from './list';
import { Story } from './story';
import { Messages } from './messages';
import { agentName, between, clockTime, dayAndTime, groupName, span } from './words';

/** All that is known of a call or chat. */
export function CallPage({ id }: { id: string }) {
  const got = useGot<PastFacts>(`/history/${id}`);
  const f = got.value;
  return (
    <main class="past" aria-busy={got.busy}>
      <p><a class="button quiet" href="#/history"><Icon name="back" />{t('nav.history')}</a></p>
      {got.error && <div class="card"><h1>{t('call-page.none')}</h1><p class="wrong" role="alert">{refusal(got.error)}</p></div>}
      {f && <Facts f={f} again={got.again} />}
    </main>
  );
}

function Facts({ f, again }: { f: PastFacts; again: () => void }) {
  const who = callerOfPast(f);
  const groups = [...new Set([f.first_group, ...f.visits.map(v => v.group), f.last_group].filter(Boolean))];
  return (
    <>
      <section class={`card tone-${toneOf(f)}`}>
        <div class="head">
          <div class="who">
            <p class="label">{tWord('kind', f.kind)} · {tWord('direction', f.direction)}</p>
            <h1 class="name">{who}</h1>
            {f.caller.number && who !== f.caller.number && !nameless(f.caller.number) && <p class="number digits">{f.caller.number}</p>}
          </div>
          <p class="verdict">{endWord(f)}{!f.ended && <> <button class="quiet link" onClick={again}>{t('call-page.refresh')}</button></>}</p>
        </div>
        <dl class="facts wide">
          <Fact name={t('call-page.arrived')}>{dayAndTime(f.arrived)}</Fact>
          {f.number && <Fact name={t('call.called')}><span class="digits">{f.number}</span></Fact>}
          {groups.length > 0 && <Fact name={t('call.group')}>{groups.map(groupName).join(' → ')}</Fact>}
          <Fact name={t('history.waited')}>{span(waited(f))}</Fact>
          {f.answered && <Fact name={t('history.talked')}>{f.ended ? span(between(f.answered, f.ended)) : t('history.going-on')}</Fact>}
          {(f.agent || f.outside) && <Fact name={t('history.agent')}>{f.agent ? agentName(f.agent) : f.outside}</Fact>}
          {f.trunk && <Fact name={t('history.trunk')}>{f.trunk}</Fact>}
          {f.channel && <Fact name={t('history.channel')}>{f.channel}</Fact>}
        </dl>
      </section>
      <div class="halves uneven">
        <section class="card" aria-labelledby="story">
          <h2 id="story">{t('story.title')}</h2>
          {f.steps.length > 0 ? <Story steps={f.steps} chat={f.kind === 'chat'} from={f.arrived} omitted={f.omitted ?? 0} /> : <p class="empty">{t('story.later')}</p>}
        </section>
        <div class="column">
          {f.kind === 'chat' && <Written key={f.id} f={f} />}
          <Contacts f={f} />
          {f.talks.length + f.remarks.length > 0 && <Talks f={f} />}
          {f.legs.some(l => l.codec) && <Audio legs={f.legs} />}
          {f.transfers.length > 0 && (
            <section class="card" aria-labelledby="transfers">
              <h2 id="transfers">{t('transfers.title')}</h2>
              <ul class="rows">{f.transfers.map((x, i) => (
                <li key={i}><span class="grow">{tWord('transfer-kind', x.kind)}{x.target && <>: {agentName(x.target) === x.target ? groupName(x.target) : agentName(x.target)}</>}
                  <small><span class="digits">{clockTime(x.at)}</span>{x.by && ` · ${agentName(x.by)}`} · {tWord('transfer-end', x.outcome)}</small></span></li>
              ))}</ul>
            </section>
          )}
        </div>
      </div>
      {may('trace:read') && f.kind === 'call' && <Messages id={f.id} />}
    </>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** Who had it, and what was written down about that: a remark is about its agent's latest talk. */
function Talks({ f: { talks, remarks } }: { f: PastFacts }) {
  const latest = new Map(talks.map((x, i) => [x.agent, i]));
  const alone = [...new Set(remarks.map(r => r.agent))].filter(a => !latest.has(a)); // who never came to talk, or still does
  const of = (agent?: string) => remarks.filter(r => r.agent === agent).map(r => <Remark key={r.id} r={r} />);
  return (
    <section class="card" aria-labelledby="talks">
      <h2 id="talks">{t('talks.title')}</h2>
      <ul class="rows">
        {talks.map((x, i) => (
          <li key={i}>
            <span class="grow">
              <strong>{x.agent ? agentName(x.agent) : x.number}</strong>
              <small><span class="digits">{clockTime(x.began)}</span> · {span(between(x.began, x.ended))}{x.holds > 0 && ` · ${t('talks.held', { n: x.holds, time: span(x.held_seconds) })}`}{x.wrapped && ` · ${t('talks.wrap-up', { time: span(between(x.wrap_up ?? x.ended, x.wrapped)) })}`}</small>
              {x.disposition && <span class="chip tone-talking">{tWord('disposition', x.disposition)}</span>}
              {x.note_text && <Remark r={{ text: x.note_text, by: x.note_by, at: x.note_at }} />}
              {latest.get(x.agent) === i && of(x.agent)}
            </span>
          </li>
        ))}
        {alone.map(agent => <li key={agent}><span class="grow"><strong>{agentName(agent)}</strong>{of(agent)}</span></li>)}
      </ul>
    </section>
  );
}

function Remark({ r: { text, by, at } }: { r: Partial<PastRemark> }) {
  return <blockquote>{text}<small>{by && agentName(by)}{at && <>, <span class="digits">{clockTime(at)}</span></>}</small></blockquote>;
}

/** What a mean opinion score says, after ITU-T G.107 annex B. */
export function mosWord(mos: number): 'good' | 'fair' | 'poor' | 'bad' {
  return mos >= 4 ? 'good' : mos >= 3.6 ? 'fair' : mos >= 3.1 ? 'poor' : 'bad';
}

const mosTone = { good: 'ready', fair: 'away', poor: 'ringing', bad: 'alert' } as const;

function Audio({ legs }: { legs: PastLeg[] }) {
  return (
    <section class="card" aria-labelledby="audio">
      <h2 id="audio">{t('audio.title')}</h2>
      <ul class="rows">
        {legs.filter(l => l.codec).map(l => (
          <li key={l.leg}>
            <span class="grow">
              <strong>{l.agent ? agentName(l.agent) : l.number || t('audio.customer')}</strong>
              <small>{l.codec}{l.srtp ? ` · ${t('audio.encrypted')}` : ''}{l.round_trip_seconds ? ` · ${t('audio.round-trip', { time: String(Math.round(l.round_trip_seconds * 1000)) })}` : ''}</small>
              <Direction name={t('audio.from-them')} a={l.in} />
              <Direction name={t('audio.to-them')} a={l.out} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Direction({ name, a }: { name: string; a: Audio }) {
  if (!a.mos) return null;
  const word = mosWord(a.mos);
  const loss = a.expected ? a.lost / a.expected * 100 : 0;
  return (
    <p class={`audio tone-${mosTone[word]}`}>
      <span>{name}</span> <span class="chip">{tWord('mos', word)}</span> <small>{t('audio.figures', { mos: a.mos.toFixed(1), loss: loss.toFixed(1), jitter: String(Math.round(a.jitter_mean_seconds * 1000)) })}</small>
    </p>
  );
}

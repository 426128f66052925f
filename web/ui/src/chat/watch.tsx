// Chats that others have, for those who supervise them: to read, to write notes into, to rate, and to take over.
import './chat.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { at, call, Refused, type BoardCall, type Message, type Messages, type Rating } from '../api';
import { transfer, typing } from '../commands';
import { useDraft } from '../drafts';
import { t } from '../i18n';
import { callerOf } from '../notify';
import { may, me } from '../session';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { Elapsed } from '../ui/time';
import { act } from '../ui/toast';
import { Said, useEnd } from './said';

interface Props { calls: BoardCall[]; name: (agent: string) => string; group: (id: string) => string }

export function Watch({ calls, name, group }: Props) {
  const [looked, setLooked] = useState('');
  const list = calls.filter(c => c.channel && c.agent && c.agent !== me.value?.agent);
  const now = list.find(c => c.id === looked);
  if (list.length === 0) return null;
  return (
    <section class="card" aria-labelledby="watch">
      <h2 id="watch">{t('watch.title')} <span class="count digits">{list.length}</span></h2>
      <ul class="rows watch">{list.map(c => (
        <li key={c.id}>
          <span class="grow"><b>{callerOf(c)}</b><small>{group(c.group ?? '')}</small></span>
          <span>{name(c.agent!)}{c.beside && <small>{t('watch.beside', { who: c.beside.map(name).join(', ') })}</small>}</span>
          <Elapsed from={c.arrived} />
          <button onClick={() => setLooked(c.id)} aria-label={t('watch.look-at', { who: callerOf(c) })}>{t('watch.look')}</button>
        </li>
      ))}</ul>
      {now && <Look chat={now} name={name} onClose={() => setLooked('')} />}
    </section>
  );
}

/** Follows the messages of a chat by number, waiting for what comes. */
function useThread(id: string): Message[] {
  const [items, setItems] = useState<Message[]>([]);
  useEffect(() => {
    let here = true;
    void (async () => {
      for (let seq = 0; here;) {
        try {
          const page = await call<Messages>('GET', `/interactions/${at(id)}/messages?limit=200&wait=20&after=${seq}`);
          const fresh = page.items.filter(m => m.seq > seq);
          if (!here || fresh.length === 0) continue;
          seq = fresh[fresh.length - 1].seq;
          setItems(old => [...old, ...fresh]);
        } catch (e) {
          if (!(e instanceof Refused)) throw e;
          await new Promise(done => setTimeout(done, 3000)); // the chat may be over, or the server away
        }
      }
    })();
    return () => { here = false; };
  }, [id]);
  return items;
}

function Look({ chat, name, onClose }: { chat: BoardCall; name: (agent: string) => string; onClose: () => void }) {
  const items = useThread(chat.id);
  const [{ text, aside }, write] = useDraft(`watch ${chat.id}`, { text: '', aside: false }, 'stays');
  const joined = chat.beside?.includes(me.value?.agent ?? me.value?.user ?? '') ?? false;
  const note = aside || !joined;
  const box = useRef<HTMLDivElement>(null);
  useEnd(box, items.length);
  const keep = async (e: Event) => {
    e.preventDefault();
    if (!text.trim()) return;
    if (await act(call('POST', `/interactions/${at(chat.id)}/${note ? 'notes' : 'messages'}`, { id: crypto.getRandomValues(new Uint32Array(4)).join('-'), text: text.trim() }))) write({ text: '', aside: aside && joined });
  };
  return (
    <Dialog title={t('watch.of', { who: callerOf(chat), agent: name(chat.agent!) })} onClose={onClose}>
      <div class="talk-thread" ref={box} role="log" tabIndex={0} aria-label={t('chat.messages')}>{items.map(m => <Said key={m.seq} m={m} interaction={chat.id} read={false} />)}</div>
      {may('interactions:write') && <>
        {joined && <p class="hint" role="status">{t('watch.joined', { agent: name(chat.agent!) })}</p>}
        <form class={note ? 'compose note' : 'compose'} onSubmit={keep}>
          <textarea rows={2} maxLength={16000} value={text} aria-label={t(note ? 'chat.write-note' : 'chat.write')} placeholder={t(note ? 'chat.write-note' : 'chat.write')} onInput={e => { write({ text: e.currentTarget.value, aside: note }); if (!note) typing(chat.id); }} />
          <div class="buttons">
            <button class="main">{t(note ? 'chat.save-note' : 'chat.send')}</button>
            {joined && <button type="button" aria-pressed={aside} onClick={() => write({ aside: !aside })}><Icon name="pen" />{t('chat.note')}</button>}
            {joined
              ? <button type="button" onClick={() => void act(call('POST', `/interactions/${at(chat.id)}/join/end`))}>{t('watch.part')}</button>
              : chat.phase === 'talking' && <button type="button" onClick={() => void act(call('POST', `/interactions/${at(chat.id)}/join`))}><Icon name="people" />{t('watch.join')}</button>}
            {me.value?.agent && <button type="button" onClick={() => void transfer(chat.id, { agent: me.value!.agent }).then(done => { if (done) onClose(); })}>{t('watch.take')}</button>}
          </div>
        </form>
        <Rate id={chat.id} />
      </>}
    </Dialog>
  );
}

interface RateProps { id: string; was?: Rating; past?: boolean; onKept?: () => void }

/** Rates a chat, in the place of what one thought of it before. */
export function Rate({ id, was, past, onKept }: RateProps) {
  const [{ score, comment }, write] = useDraft(`rating ${id}`, { score: was?.score ?? 0, comment: was?.comment ?? '' }, 'shut');
  const [kept, setKept] = useState(false);
  const send = async (e: Event) => {
    e.preventDefault();
    if (score && await act(call('POST', `/interactions/${at(id)}/rating`, { score, ...(comment.trim() && { comment: comment.trim() }) }))) { setKept(true); onKept?.(); }
  };
  if (kept) return <p class="hint" role="status">{t('watch.rated')}</p>;
  return (
    <form class="watch-rate" onSubmit={send}>
      <fieldset><legend>{t(past ? 'watch.rate-past' : 'watch.rate')}</legend>
        {[1, 2, 3, 4, 5].map(n => <label key={n}><input type="radio" name="score" value={n} checked={n === score} onChange={() => write({ score: n })} />{n}</label>)}
      </fieldset>
      {score > 0 && <><label>{t('watch.comment')}<input maxLength={500} value={comment} onInput={e => write({ comment: e.currentTarget.value })} /></label><button>{t('watch.keep')}</button></>}
    </form>
  );
}

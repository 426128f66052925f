// One message of a chat.
import { signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { at, call, Refused, type ChatAttachment, type Directory, type Message, type Trouble } from '../api';
import { t, timeOfDay } from '../i18n';
import { Icon } from '../ui/icon';

const colleagues = signal<Record<string, string> | undefined>(undefined);

/** What a colleague is called; whoever is no agent, by the name with which they sign in. It is asked for once. */
export function useNames() {
  useEffect(() => {
    if (colleagues.value) return;
    colleagues.value = {};
    call<Directory>('GET', '/directory').then(
      d => { colleagues.value = Object.fromEntries(d.agents.map(a => [a.id, a.name])); },
      (e: unknown) => { colleagues.value = undefined; if (!(e instanceof Refused)) throw e; }, // whoever looks next asks again
    );
  }, []);
  return (who: string) => colleagues.value?.[who] ?? who;
}

/** Shows the end of a thread whenever one of some things is another, and stays there while pictures come in and when its height changes, unless one scrolls back. */
export function useEnd(box: RefObject<HTMLElement | null>, ...of: unknown[]) {
  useEffect(() => {
    const e = box.current;
    if (!e) return;
    let stays = true;
    let last = 0;
    const go = () => { if (stays) { e.scrollTop = e.scrollHeight; last = e.scrollTop; } };
    const look = () => {
      if (e.scrollTop < last - 4) stays = false;
      if (e.scrollTop + e.clientHeight >= e.scrollHeight - 4) stays = true;
      last = e.scrollTop;
    };
    go();
    e.addEventListener('scroll', look);
    e.addEventListener('load', go, true);
    const watcher = new ResizeObserver(go);
    watcher.observe(e);
    return () => { e.removeEventListener('scroll', look); e.removeEventListener('load', go, true); watcher.disconnect(); };
  }, of);
}

interface Props {
  m: Message;
  /** Of the chat that it belongs to. */
  interaction: string;
  /** It is looked at in history. */
  past?: boolean;
  read: boolean;
  /** What is known of it now, if it did not get to the customer. */
  trouble?: Trouble;
  onSave?: (text: string) => void;
  onAgain?: (text: string) => void;
}

export function Said({ m, interaction, past, read, trouble, onSave, onAgain }: Props) {
  const nameOf = useNames();
  const who = m.author === 'customer' ? t('chat.customer') : m.author === 'system' ? t('chat.system') : nameOf(m.agent ?? '');
  const failed = m.status === 'failed' || trouble?.status === 'failed';
  const reason = trouble?.reason || m.reason;
  return (
    <div class={`said ${m.author} ${m.kind}`} data-seq={m.seq}>
      <p class="said-who">{m.kind === 'note' ? t('chat.note-of', { who }) : who} · <time dateTime={m.at}>{timeOfDay(m.at)}</time>
        {m.corrects && <> · <button class="link quiet" onClick={() => document.querySelector(`[data-seq="${m.corrects}"]`)?.scrollIntoView({ block: 'center' })}>{t('chat.corrects')}</button></>}
        {read && !failed && <> · {t('chat.read')}</>}
        {onSave && m.text && m.author === 'agent' && m.kind === 'text' && <> · <button class="link quiet" onClick={() => onSave(m.text)}>{t('canned.save')}</button></>}</p>
      {m.text && <p class="said-text">{m.text}</p>}
      {m.attachments?.map(a => <File key={a.id} a={a} url={`/api/v1/${past ? 'history' : 'interactions'}/${at(interaction)}/attachments/${at(a.id)}`} />)}
      {failed && <p class="said-trouble"><Icon name="alert" /><span>{reason ? t('chat.undelivered-why', { reason }) : t('chat.undelivered')}</span>
        {onAgain && m.text && <button class="link quiet" onClick={() => onAgain(m.text)}>{t('chat.send-again')}</button>}</p>}
      {!failed && trouble && <p class="said-trouble late"><Icon name="clock" /><span>{t('chat.delayed')}</span></p>}
    </div>
  );
}

/** Pictures are shown, which run nothing; all else is to be kept. */
function File({ a, url }: { a: ChatAttachment; url: string }) {
  return <a class="said-file" href={url} download={a.name}>{a.type.startsWith('image/') ? <img src={url} alt={a.name} loading="lazy" /> : <span>{a.name}</span>}</a>;
}

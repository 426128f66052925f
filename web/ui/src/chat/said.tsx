// One message of a chat.
import { at, type ChatAttachment, type Message } from '../api';
import { t, timeOfDay } from '../i18n';

export function Said({ m, interaction, read, onSave }: { m: Message; interaction: string; read: boolean; onSave?: (text: string) => void }) {
  const who = m.author === 'customer' ? t('chat.customer') : m.author === 'system' ? t('chat.system') : m.agent ?? '';
  return (
    <div class={`said ${m.author} ${m.kind}`} data-seq={m.seq}>
      <p class="said-who">{m.kind === 'note' ? t('chat.note-of', { who }) : who} · <time dateTime={m.at}>{timeOfDay(m.at)}</time>
        {read && <> · {t('chat.read')}</>}{m.status === 'failed' && <strong> · {t('chat.failed')}</strong>}
        {onSave && m.text && m.author === 'agent' && m.kind === 'text' && <> · <button class="link quiet" onClick={() => onSave(m.text)}>{t('canned.save')}</button></>}</p>
      {m.text && <p class="said-text">{m.text}</p>}
      {m.attachments?.map(a => <File key={a.id} a={a} interaction={interaction} />)}
    </div>
  );
}

/** Pictures are shown, which run nothing; all else is to be kept. */
function File({ a, interaction }: { a: ChatAttachment; interaction: string }) {
  const url = `/api/v1/interactions/${at(interaction)}/attachments/${at(a.id)}`;
  return <a class="said-file" href={url} download={a.name}>{a.type.startsWith('image/') ? <img src={url} alt={a.name} loading="lazy" /> : <span>{a.name}</span>}</a>;
}

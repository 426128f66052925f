// Answers that are ready: chosen by one click, and saved right from a message (R69, R70).
import { useState } from 'preact/hooks';
import { call, type Canned } from '../api';
import { useDraft } from '../drafts';
import { t } from '../i18n';
import { me, supervises } from '../session';
import { Dialog } from '../ui/dialog';
import { useGot } from '../ui/got';
import { Icon } from '../ui/icon';
import { act, refusal } from '../ui/toast';
import { cannedOf as path } from './store';

export function Answers({ channel, onChoose, onClose }: { channel: string; onChoose: (text: string) => void; onClose: () => void }) {
  const got = useGot<{ items: Canned[] }>(path(channel));
  const [wanted, setWanted] = useState('');
  const find = wanted.trim().toLocaleLowerCase();
  const items = (got.value?.items ?? []).filter(x => `${x.group ?? ''} ${x.text}`.toLocaleLowerCase().includes(find));
  const groups = [...new Set(items.map(x => x.group ?? ''))];
  const remove = async (x: Canned) => { if (await act(call('DELETE', `${path(channel)}/${x.id}`))) got.again(); };
  return (
    <Dialog title={t('canned.title')} onClose={onClose}>
      <label>{t('canned.find')}<input type="search" autofocus autocomplete="off" value={wanted} onInput={e => setWanted(e.currentTarget.value)}
        onKeyDown={e => { if (e.key === 'Enter' && items.length > 0) { e.preventDefault(); onChoose(items[0].text); } }} /></label>
      {got.error && <p class="hint" role="alert">{refusal(got.error)}</p>}
      {got.value && items.length === 0 && <p class="hint">{t(find ? 'canned.not-found' : 'canned.none')}</p>}
      {groups.map(g => (
        <section key={g} aria-label={g || t('canned.ungrouped')}>
          {groups.length + g.length > 1 && <h3>{g || t('canned.ungrouped')}</h3>}
          <ul class="rows canned">{items.filter(x => (x.group ?? '') === g).map(x => (
            <li key={x.id}>
              <button class="link grow" onClick={() => onChoose(x.text)}>{x.text}</button>
              {(supervises() || x.by === me.value?.user) && <button class="quiet" aria-label={t('canned.remove', { text: x.text.slice(0, 40) })} onClick={() => void remove(x)}><Icon name="close" /></button>}
            </li>
          ))}</ul>
        </section>
      ))}
    </Dialog>
  );
}

export function SaveAnswer({ channel, text, onClose }: { channel: string; text: string; onClose: () => void }) {
  const got = useGot<{ items: Canned[] }>(path(channel));
  const [{ body, group }, write] = useDraft(`answer ${channel} ${text}`, { body: text, group: '' }, 'shut');
  const groups = [...new Set((got.value?.items ?? []).map(x => x.group ?? '').filter(Boolean))];
  const save = async (e: Event) => {
    e.preventDefault();
    if (await act(call('POST', path(channel), { text: body, ...(group.trim() && { group: group.trim() }) }))) onClose();
  };
  return (
    <Dialog title={t('canned.save')} onClose={onClose}>
      <form onSubmit={save}>
        <label>{t('canned.text')}<textarea rows={4} required maxLength={4000} value={body} onInput={e => write({ body: e.currentTarget.value })} /></label>
        <label>{t('canned.group')}<input list="canned-groups" maxLength={40} value={group} onInput={e => write({ group: e.currentTarget.value })} /></label>
        <datalist id="canned-groups">{groups.map(g => <option key={g} value={g} />)}</datalist>
        <button class="main">{t('canned.keep')}</button>
      </form>
    </Dialog>
  );
}

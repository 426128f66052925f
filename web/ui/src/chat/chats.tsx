import './chat.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Agent, Chat, Messages } from '../api';
import { Earlier } from '../desk/earlier';
import { move, transfer, typing } from '../commands';
import { useDraft } from '../drafts';
import { dayAndTime, t } from '../i18n';
import { useLive } from '../live';
import { nameless } from '../notify';
import { may } from '../session';
import { Dialog } from '../ui/dialog';
import { query, useGot } from '../ui/got';
import { Icon } from '../ui/icon';
import { Elapsed } from '../ui/time';
import { Answers, SaveAnswer } from './canned';
import { Said, useEnd, useNames } from './said';
import { attend, bring, channelOf, chats, chosen, does, earlier, look, say, threads, watch, type Waiting } from './store';

/** The agent's chats beside the telephone: those that are offered and those that they have. */
export function Chats({ agent }: { agent: Agent }) {
  useEffect(() => watch(), []);
  useEffect(() => attend(agent.id), [agent.id]);
  const list = chats.value;
  const now = list.find(c => c.interaction.id === chosen.value);
  return (
    <section class="card chats" aria-labelledby="my-chats">
      <h2 id="my-chats">{t('chat.title')}</h2>
      {list.length === 0 && <p class="empty">{t('chat.none')}</p>}
      {list.length > 0 && <div class="chat-split">
        <ul class="chat-list">{list.map(c => <Row key={c.interaction.id} chat={c} here={c === now} />)}</ul>
        {now && <Talk key={now.interaction.id} chat={now} agent={agent} />}
      </div>}
    </section>
  );
}

function Row({ chat, here }: { chat: Chat; here: boolean }) {
  const unread = chat.seq > chat.read_agent && !here;
  const turn = chat.offered ? t('chat.offered') : chat.interaction.phase === 'closing' ? t('chat.closing') : chat.typing ? t('chat.typing') : chat.interaction.last_by === 'agent' ? t('chat.waits-customer') : t('chat.waits-you');
  return (
    <li>
      <button class={`chat-row tone-${chat.offered ? 'ringing' : chat.interaction.last_by === 'agent' ? 'calm' : 'talking'}`} aria-current={here ? 'true' : undefined}
        onClick={e => { chosen.value = chat.interaction.id; void look(); e.currentTarget.closest('.chats')?.scrollIntoView({ block: 'nearest' }); }}>
        <span class="grow"><b>{name(chat)}</b><small>{turn}</small>{trouble(chat) && <small class="said-trouble"><Icon name="alert" />{t(chat.blocked ? 'chat.blocked-mark' : 'chat.undelivered')}</small>}</span>
        <Elapsed from={chat.interaction.last_at ?? chat.interaction.arrived} />{unread && <span class="unseen">{t('chat.unread')}</span>}
      </button>
    </li>
  );
}

const name = (c: Chat) => nameless(c.customer) ? t('chat.visitor') : c.customer;

function Talk({ chat, agent }: { chat: Chat; agent: Agent }) {
  const id = chat.interaction.id;
  const [handing, setHanding] = useState(false);
  const [saving, setSaving] = useState('');
  const [wanted, setWanted] = useState('');
  const channel = channelOf(chat.interaction.group);
  const nameOf = useNames();
  const x = threads.value[id];
  const box = useRef<HTMLDivElement>(null);
  const count = (x?.items.length ?? 0) + (x?.waiting.length ?? 0);
  useEnd(box, x?.seq, x?.waiting.length, wanted.trim() === '');
  return (
    <div class="talk" role="region" aria-label={t('chat.with', { who: name(chat) })}>
      <div class="talk-head">
        <p class="grow"><b>{name(chat)}</b>{chat.verified && <small>{t('chat.verified')}</small>}
          {(chat.email || chat.phone) && <small class="digits">{[chat.email, chat.phone].filter(Boolean).join(' · ')}</small>}
          {may('history:read') && <small><a href={`#/history/${id}`}>{t('chat.story')}</a></small>}
          {chat.interaction.beside && <small class="beside"><Icon name="people" />{t('chat.beside', { who: chat.interaction.beside.map(nameOf).join(', ') })}</small>}</p>
        <div class="row-buttons">
          <button onClick={() => setHanding(true)}><Icon name="transfer" />{t('chat.hand')}</button>
          {!chat.offered && chat.interaction.phase === 'talking' && <>
            <button onClick={() => void does(id, 'leave')}>{t('chat.leave')}</button>
            <button class="end" onClick={() => void does(id, 'close')}>{t('chat.close')}</button>
          </>}
        </div>
      </div>
      {trouble(chat) && <p class="talk-trouble" role="status"><Icon name="alert" /><span>{trouble(chat)}</span></p>}
      <Earlier id={id} folded />
      {!chat.offered && <input type="search" class="talk-search" value={wanted} maxLength={100} aria-label={t('chat.search')} placeholder={t('chat.search')} onInput={e => setWanted(e.currentTarget.value)} />}
      {wanted.trim() ? <Found id={id} text={wanted.trim()} /> : <div class="talk-thread" ref={box} role="log" aria-live="polite" tabIndex={0} aria-label={t('chat.messages')}>
        {x?.more && <button class="link quiet" onClick={() => void earlier(id)}>{t('chat.earlier')}</button>}
        {x?.items.map(m => <Said key={m.seq} m={m} interaction={id} read={m.author === 'agent' && m.seq <= x.readCustomer} onSave={setSaving}
          trouble={chat.troubles.find(y => y.seq === m.seq)} onAgain={chat.offered || chat.blocked ? undefined : text => void say(id, text, false)} />)}
        {x?.waiting.map(w => <Unsent key={w.id} w={w} id={id} />)}
        {chat.typing && <p class="hint">{t('chat.typing')}</p>}
        {chat.typing_beside?.map(who => <p key={who} class="hint">{t('chat.typing-beside', { who: nameOf(who) })}</p>)}
        {count === 0 && <p class="hint" aria-busy="true">…</p>}
      </div>}
      {chat.offered
        ? <div class="buttons">
          <button class="main" onClick={() => void does(id, 'accept')}><Icon name="check" />{t('chat.accept')}</button>
          <button onClick={() => void does(id, 'decline')}>{t('chat.decline')}</button>
        </div>
        : <Composer id={id} channel={channel} over={chat.interaction.phase === 'closing'} />}
      {saving && <SaveAnswer channel={channel} text={saving} onClose={() => setSaving('')} />}
      {handing && <Hand chat={chat} agent={agent} onClose={() => setHanding(false)} />}
    </div>
  );
}

/** What keeps messages from the customer, in a sentence. */
function trouble(c: Chat): string {
  if (c.blocked) return t('chat.blocked');
  if (c.troubles.some(x => x.status === 'delayed')) return t('chat.unreachable');
  return c.troubles.length > 0 ? t('chat.some-undelivered') : '';
}

/** What contains a text, of all that was ever written in the conversation. */
function Found({ id, text }: { id: string; text: string }) {
  const [asked, setAsked] = useState(text);
  useEffect(() => { const timer = setTimeout(() => setAsked(text), 250); return () => clearTimeout(timer); }, [text]);
  const got = useGot<Messages>(query(`/interactions/${id}/messages`, { text: asked, limit: 50 }));
  return (
    <div class="talk-thread" role="region" tabIndex={0} aria-busy={got.busy} aria-label={t('chat.found')}>
      {got.value?.items.map(m => <div key={m.seq}><p class="hint">{dayAndTime(m.at)}</p><Said m={m} interaction={id} read={false} /></div>)}
      {got.value?.items.length === 0 && <p class="hint">{t('chat.not-found')}</p>}
    </div>
  );
}

function Unsent({ w, id }: { w: Waiting; id: string }) {
  return (
    <div class={`said agent ${w.note ? 'note' : ''} unsent`}>
      <p class="said-who">{w.failed ? <>{t('chat.failed')} <button class="link quiet" onClick={() => void say(id, w.text, w.note, w)}>{t('chat.again')}</button></> : t('chat.sending')}</p>
      <p class="said-text">{w.text}</p>
    </div>
  );
}

function Composer({ id, channel, over }: { id: string; channel: string; over: boolean }) {
  const [{ text, note }, write, forget] = useDraft(`chat ${id}`, { text: '', note: false }, 'stays');
  const [choosing, setChoosing] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const send = () => {
    if (!text.trim()) return;
    void say(id, text.trim(), note);
    forget();
  };
  return (
    <form class={note ? 'compose note' : 'compose'} onSubmit={e => { e.preventDefault(); send(); }}>
      <textarea ref={area} rows={3} maxLength={16000} value={text} aria-label={t(note ? 'chat.write-note' : 'chat.write')} placeholder={t(note ? 'chat.write-note' : 'chat.write')}
        onInput={e => { write({ text: e.currentTarget.value }); if (!note) typing(id); }}
        onKeyDown={e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); send(); } }} />
      <div class="buttons">
        <button class="main">{t(note ? 'chat.save-note' : 'chat.send')}</button>
        <button type="button" aria-pressed={note} onClick={() => write({ note: !note })}><Icon name="pen" />{t('chat.note')}</button>
        {!note && <button type="button" onClick={() => setChoosing(true)}><Icon name="menu" />{t('canned.title')}</button>}
        <input ref={chooser} type="file" hidden onChange={e => { for (const f of e.currentTarget.files ?? []) void bring(id, f); e.currentTarget.value = ''; }} />
        <button type="button" onClick={() => chooser.current?.click()}><Icon name="up" />{t('chat.file')}</button>
        {over && <span class="hint">{t('chat.closing')}</span>}
      </div>
      {choosing && <Answers channel={channel} onClose={() => setChoosing(false)}
        onChoose={x => { write({ text: text.trim() ? `${text.trimEnd()} ${x}` : x }); setChoosing(false); requestAnimationFrame(() => area.current?.focus()); }} />}
    </form>
  );
}

/** Hands a chat to a colleague or to another channel, before it is accepted too (R50 to R52). */
function Hand({ chat, agent, onClose }: { chat: Chat; agent: Agent; onClose: () => void }) {
  const directory = useLive('directory');
  const groups = useLive('groups');
  const [{ text }, write] = useDraft(`hand ${chat.interaction.id}`, { text: '' }, 'shut');
  const wanted = text.trim().toLocaleLowerCase();
  const fits = (x: { id: string; name: string }) => [x.id, x.name].some(s => s.toLocaleLowerCase().includes(wanted));
  const people = (directory?.agents ?? []).filter(a => a.id !== agent.id && fits(a));
  const channels = (groups ?? []).filter(g => g.id.startsWith('channel:') && g.id !== chat.interaction.group && fits(g));
  const go = async (to: { agent?: string; group?: string }) => {
    if (await (chat.offered ? move : transfer)(chat.interaction.id, to)) { onClose(); await look(); }
  };
  const row = (key: string, label: string, to: { agent?: string; group?: string }) =>
    <li key={key}><span class="grow">{label}</span><button onClick={() => void go(to)} aria-label={t('transfer.now-to', { who: label })}>{t('transfer.now')}</button></li>;
  return (
    <Dialog title={t('chat.hand')} onClose={onClose}>
      <label>{t('transfer.find')}<input type="search" autofocus autocomplete="off" value={text} onInput={e => write({ text: e.currentTarget.value })} /></label>
      {people.length > 0 && <h3>{t('transfer.people')}</h3>}
      <ul class="rows">{people.map(a => row(a.id, a.name, { agent: a.id }))}</ul>
      {channels.length > 0 && <h3>{t('chat.channels')}</h3>}
      <ul class="rows">{channels.map(g => row(g.id, g.name, { group: g.id }))}</ul>
      {directory && people.length + channels.length === 0 && <p class="hint">{t('transfer.nobody')}</p>}
    </Dialog>
  );
}

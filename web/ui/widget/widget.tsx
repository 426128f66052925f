import { render } from 'preact';
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { model, type Draft } from './model';
import { Refused, type Message, type Shown } from './link';
import { dayOf, speak, t, timeOf, type Key } from './texts';

function Icon({ d }: { d: string }) { return <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={d} /></svg>; }
const icons = {
  chat: 'M4 5h16v11H9l-5 4z', down: 'm6 9 6 6 6-6', send: 'M4 12 20 4l-5 16-3-6z', clip: 'm8 12 6-6a3 3 0 0 1 5 5l-8 8a5 5 0 0 1-7-7l7-7', phone: 'M6 4h3l2 5-2 1a11 11 0 0 0 5 5l1-2 5 2v3a2 2 0 0 1-2 2A15 15 0 0 1 4 6a2 2 0 0 1 2-2z', end: 'M6 6l12 12M18 6 6 18', file: 'M7 3h7l4 4v14H7zM14 3v4h4',
};

function useModel() {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => model.watch(() => again(0)), []);
  return model;
}

function App() {
  const m = useModel();
  useEffect(() => { m.ask('unread', { unread: m.unread }); }, [m.unread]);
  return m.open ? <Window /> : (
    <button class="launcher" onClick={() => m.show(true)} aria-label={m.unread ? `${t('open')}, ${t('unread', { n: m.unread })}` : t('open')}>
      <Icon d={icons.chat} />{m.unread > 0 && <span class="badge" aria-hidden="true">{m.unread}</span>}
    </button>
  );
}

/** How things stand, in a line. */
function standing(): string {
  const s = model.state;
  switch (s.phase) {
    case 'active': return s.agent ? t('with', { name: [s.agent, s.beside].filter(Boolean).join(', ') }) : '';
    case 'waiting': {
      if (!s.position) return t('soon');
      const place = s.position === 1 ? t('next') : t('position', { n: s.position });
      return s.minutes ? `${place} ${t('minutes', { n: s.minutes })}` : place;
    }
    case 'asleep': return t('asleep');
    default: return s.open ? t('online') : s.opens ? t('opens', { when: dayOf(s.opens) }) : t('closedNow');
  }
}

function Window() {
  const m = useModel();
  const [ending, setEnding] = useState(false);
  const s = m.session;
  const ask = s && (s.form.length > 0 || s.consent);
  const box = useRef<HTMLElement>(null);
  useEffect(() => { box.current?.querySelector<HTMLElement>('textarea, input, .close')?.focus(); }, [!s, !ask]);
  const live = m.state.phase === 'waiting' || m.state.phase === 'active' || m.state.phase === 'asleep';
  return (
    <main class="window" ref={box} aria-label={s?.name ?? t('open')} onKeyDown={e => { if (e.key === 'Escape' && m.framed) m.show(false); }}>
      <header>
        <div><h1>{s?.name ?? ' '}</h1><p role="status">{s ? standing() : ' '}</p></div>
        {s?.call && m.state.phase === 'active' && !m.calling && <button class="quiet" aria-label={t('call')} title={t('call')} onClick={() => void m.callThem()}><Icon d={icons.phone} /></button>}
        {live && <button class="quiet" aria-label={t('end')} title={t('end')} onClick={() => setEnding(true)}><Icon d={icons.end} /></button>}
        {m.framed && <button class="quiet close" aria-label={t('close')} title={t('close')} onClick={() => m.show(false)}><Icon d={icons.down} /></button>}
      </header>
      {m.calling && <Calling />}
      {ending && live && <div class="strip" role="alertdialog" aria-label={t('endSure')}>
        <p>{t('endSure')}</p>
        <button onClick={() => { m.end(); setEnding(false); }}>{t('yes')}</button><button autofocus onClick={() => setEnding(false)}>{t('no')}</button>
      </div>}
      {s && !m.link.online && <p class="strip calm" role="status">{t('offline')}</p>}
      {m.notice && <p class="strip" role="alert">{t(m.notice as Key)}</p>}
      {!s ? <p class="trouble" role="status">{m.trouble === 'identity' ? t('signIn') : m.trouble ? t('away') : ''}</p> : <>
        <Thread />
        {ask ? <Form /> : <>
          {m.state.rate && !m.rated && <Rate />}
          {m.rated && <p class="strip calm" role="status">{t('rated')}</p>}
          <Composer />
        </>}
      </>}
    </main>
  );
}

function Calling() {
  const m = useModel();
  const ear = useRef<HTMLAudioElement>(null);
  useEffect(() => { if (ear.current) ear.current.srcObject = m.farEnd ?? null; }, [m.farEnd]);
  return (
    <div class="strip calm" role="group" aria-label={t('call')}>
      <p role="status">{t(m.calling === 'answered' ? 'onCall' : 'calling')}</p>
      <button aria-pressed={m.muted} onClick={() => m.mute()}>{t('mute')}</button><button onClick={() => m.hangUp()}>{t('hangUp')}</button>
      <audio class="far-end" ref={ear} autoplay />
    </div>
  );
}

function Thread() {
  const m = useModel();
  const end = useRef<HTMLDivElement>(null);
  const last = m.messages[m.messages.length - 1]?.seq ?? 0;
  const waiting = m.outbox.length;
  useEffect(() => { // what grows, as pictures and the rating do, hides nothing of what one has read up to
    const box = end.current!.parentElement!;
    let stays = true;
    let last = 0;
    const go = () => { if (stays) { box.scrollTop = box.scrollHeight; last = box.scrollTop; } };
    const look = () => {
      if (box.scrollTop < last - 4) stays = false; // the reader did
      if (box.scrollTop + box.clientHeight >= box.scrollHeight - 40) stays = true;
      last = box.scrollTop;
    };
    const watch = new ResizeObserver(go);
    box.addEventListener('scroll', look);
    box.addEventListener('load', go, true); // pictures
    watch.observe(box);
    return () => { box.removeEventListener('scroll', look); box.removeEventListener('load', go, true); watch.disconnect(); };
  }, []);
  useEffect(() => end.current?.scrollIntoView({ block: 'end' }), [last, waiting, m.typing, m.state.phase, m.state.rate, m.rated, m.calling]);
  const mine = m.messages.filter(x => x.by === 'customer');
  const lastMine = mine[mine.length - 1]?.seq ?? 0;
  return (
    <div class="thread" role="log" aria-live="polite" tabIndex={0} aria-label={m.session?.name}>
      {m.more && <button class="link" onClick={() => void m.earlier().catch(() => m.say('away'))}>{t('earlier')}</button>}
      {m.messages.length + waiting === 0 && <p class="hello">{t('hello')}</p>}
      {m.messages.map((x, k) => <Bubble key={x.seq} m={x} first={x.by !== m.messages[k - 1]?.by || x.name !== m.messages[k - 1]?.name} read={x.seq === lastMine && m.state.read >= x.seq} />)}
      {m.outbox.map(d => <Waiting key={d.id} d={d} />)}
      {m.state.phase === 'closed' && m.messages.length > 0 && waiting === 0 && <p class="done">{t('ended')}</p>}
      {(m.state.phase === 'closed' || m.state.phase === 'closing') && <button class="link" onClick={() => void m.transcript().then(url => keep(url, 'chat.txt')).catch(() => m.say('away'))}>{t('transcript')}</button>}
      {m.state.mail && !m.mailed && <button class="link" onClick={() => void m.mail()}>{t('mail', { to: m.state.mail })}</button>}
      {m.mailed && <p class="done" role="status">{t('mailed', { to: m.mailed })}</p>}
      {m.typing && <p class="typing"><i /><i /><i /><span>{t('typing', { name: m.typing })}</span></p>}
      <div ref={end} />
    </div>
  );
}

/** Addresses in a text become links; all else stays text. */
function Text({ text }: { text: string }) {
  return <p>{text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)])/).map((part, k) => k % 2 ? <a href={part} target="_blank" rel="noopener noreferrer nofollow">{part}</a> : part)}</p>;
}

function Bubble({ m, first, read }: { m: Message; first: boolean; read: boolean }) {
  const who = m.by === 'customer' ? t('you') : m.by === 'system' ? t('system') : m.name || t('team');
  return (
    <div class={`message ${m.by}`} data-seq={m.seq}>
      {first && m.by === 'agent' ? <p class="who">{m.face && <img src={model.faceOf(m.face)} alt="" width="28" height="28" />}<span>{who}{m.title && <small> · {m.title}</small>}</span></p> : <span class="unseen">{who}: </span>}
      <div class="bubble">
        {m.text && <Text text={m.text} />}
        {m.files?.map(f => <Attachment key={f.id} f={f} />)}
      </div>
      <p class="when"><time dateTime={m.at}>{timeOf(m.at)}</time>{read && <> · {t('read')}</>}</p>
    </div>
  );
}

function Waiting({ d }: { d: Draft }) {
  return (
    <div class="message customer waiting" data-id={d.id}>
      <span class="unseen">{t('you')}: </span>
      <div class="bubble">{d.text && <Text text={d.text} />}{d.files.map(f => <p class="file"><Icon d={icons.file} />{f.shown.name}</p>)}</div>
      <p class="when">{d.failed ? <>{t('failed')} <button class="link" onClick={() => model.again(d)}>{t('again')}</button></> : t('sending')}</p>
    </div>
  );
}

/** Has the browser keep what is at an address. */
function keep(url: string, name: string) {
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
}

function Attachment({ f }: { f: Shown }) {
  const [url, setURL] = useState('');
  const picture = f.type.startsWith('image/');
  useEffect(() => {
    if (!picture) return;
    let made = '';
    model.fetchFile(f).then(x => { made = x; setURL(x); }, () => undefined);
    return () => URL.revokeObjectURL(made);
  }, [f.id]);
  const save = async () => keep(url || await model.fetchFile(f), f.name);
  return (
    <button class="file" onClick={() => void save().catch(() => model.say('away'))}>
      {picture && url ? <img src={url} alt={t('picture', { name: f.name })} /> : <><Icon d={icons.file} /><span>{f.name}</span><small>{Math.max(1, Math.round(f.size / 1024))} kB</small></>}
    </button>
  );
}

const kinds: Record<string, object> = { name: { type: 'text', autocomplete: 'name' }, email: { type: 'email', autocomplete: 'email' }, phone: { type: 'tel', autocomplete: 'tel' } };

function Form() {
  const s = model.session!;
  const [wrong, setWrong] = useState(false);
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    const data = new FormData(e.target as HTMLFormElement);
    if (s.consent && !data.has('consent')) { setWrong(true); return; }
    model.fill(Object.fromEntries(s.form.map(k => [k, String(data.get(k) ?? '').trim()])), s.consent?.version);
  };
  return (
    <form class="form" onSubmit={submit} aria-label={t('begin')}>
      {s.form.length > 0 && <h2>{t('begin')}</h2>}
      {s.form.map(k => <label key={k}>{t(k as Key)}<input name={k} required maxLength={150} {...kinds[k]} /></label>)}
      {s.consent && <label class="agree"><input type="checkbox" name="consent" /><span>{s.consent.text} {s.consent.link && <a href={s.consent.link} target="_blank" rel="noopener noreferrer">{t('more')}</a>}</span></label>}
      {wrong && <p role="alert">{t('agree')}</p>}
      <button class="main">{t('start')}</button>
    </form>
  );
}

function Rate() {
  const [score, setScore] = useState(0);
  const [comment, setComment] = useState('');
  return (
    <form class="rate" onSubmit={e => { e.preventDefault(); if (score) void model.rate(score, comment.trim()); }}>
      <fieldset><legend>{t('rate')}</legend>
        {[1, 2, 3, 4, 5].map(n => <label key={n} class={n <= score ? 'lit' : ''}><input type="radio" name="score" value={n} checked={n === score} onChange={() => setScore(n)} aria-label={t('star', { n })} /><span aria-hidden="true">★</span></label>)}
      </fieldset>
      {score > 0 && <><input value={comment} maxLength={500} onInput={e => setComment(e.currentTarget.value)} placeholder={t('comment')} aria-label={t('comment')} /><button class="main">{t('submit')}</button></>}
    </form>
  );
}

function Composer() {
  const m = useModel();
  const [text, setText] = useState('');
  const [files, setFiles] = useState<Draft['files']>([]);
  const [busy, setBusy] = useState(0);
  const [wrong, setWrong] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const max = m.session!.file_max;
  const grow = () => { const a = area.current!; a.style.height = 'auto'; a.style.height = `${Math.min(a.scrollHeight, 140)}px`; };
  const send = () => {
    if (busy || (!text.trim() && files.length === 0)) return;
    m.write(text.trim(), files);
    setText(''); setFiles([]); setWrong('');
    area.current?.focus();
    requestAnimationFrame(grow);
  };
  const bring = async (list: Iterable<File>) => {
    setWrong('');
    for (const f of [...list]) { // what was chosen is gone from the page by the time the first one is there
      if (f.size > max) { setWrong(t('tooBig', { name: f.name, n: Math.floor(max / 1048576) })); continue; }
      setBusy(n => n + 1);
      try { const x = await m.bring(f); setFiles(all => [...all, x].slice(0, 10)); }
      catch (e) { setWrong(t(e instanceof Refused && e.code === 'file' ? 'badFile' : e instanceof Refused && e.code === 'too_many' ? 'slow' : 'away')); }
      finally { setBusy(n => n - 1); }
    }
  };
  return (
    <form class="composer" onSubmit={e => { e.preventDefault(); send(); }}
      onDragOver={e => { if (max) e.preventDefault(); }} onDrop={e => { if (max) { e.preventDefault(); void bring(e.dataTransfer?.files ?? []); } }}>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      {(files.length > 0 || busy > 0) && <ul class="chosen">
        {files.map(f => <li key={f.shown.id}>{f.shown.name}<button type="button" class="quiet" aria-label={t('remove', { name: f.shown.name })} onClick={() => setFiles(all => all.filter(x => x !== f))}><Icon d={icons.end} /></button></li>)}
        {busy > 0 && <li aria-busy="true">…</li>}
      </ul>}
      <div class="row">
        {max > 0 && <>
          <input ref={chooser} type="file" multiple hidden onChange={e => { void bring(e.currentTarget.files ?? []); e.currentTarget.value = ''; }} />
          <button type="button" class="quiet" aria-label={t('attach')} title={t('attach')} onClick={() => chooser.current?.click()}><Icon d={icons.clip} /></button>
        </>}
        <textarea ref={area} rows={1} value={text} maxLength={4000} placeholder={t('write')} aria-label={t('write')}
          onInput={e => { setText(e.currentTarget.value); grow(); m.types(); }}
          onPaste={e => { const f = e.clipboardData?.files; if (max && f?.length) { e.preventDefault(); void bring(f); } }}
          onKeyDown={e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) { e.preventDefault(); send(); } }} />
        <button class="main send" aria-label={t('send')} title={t('send')} disabled={busy > 0 || (!text.trim() && files.length === 0)}><Icon d={icons.send} /></button>
      </div>
    </form>
  );
}

// The page around talks to the window by messages. The first one that comes from it fixes its
// origin: whoever may show the window at all is the browser's to see to, by the policy.
let wanted = '';
function dress() {
  const s = model.session;
  speak(wanted, s?.language, ...navigator.languages);
  if (s?.color) {
    const sheet = new CSSStyleSheet();
    const [r, g, b] = [1, 3, 5].map(k => parseInt(s.color!.slice(k, k + 2), 16));
    const light = (0.299 * r + 0.587 * g + 0.114 * b) > 150;
    sheet.replaceSync(`:root { --brand: ${s.color}; --on-brand: ${light ? '#12171a' : '#fff'}; }`);
    document.adoptedStyleSheets = [sheet];
  }
  document.title = s?.name ?? document.title;
}
model.watch(() => { if (model.session) dress(); });
addEventListener('message', e => {
  const told = e.data as { centrala?: string; identity?: string; language?: string; full?: boolean } | null;
  if (!model.framed || e.source !== window.parent || !told?.centrala || (model.parent && e.origin !== model.parent)) return;
  switch (told.centrala) {
    case 'hello':
      model.parent = e.origin;
      wanted = told.language ?? '';
      dress();
      break;
    case 'language': wanted = told.language ?? ''; dress(); model.show(model.open); break;
    case 'identity': void model.begin(told.identity ?? ''); break;
    case 'open': model.show(true); break;
    case 'close': model.show(false); break;
    case 'full': document.documentElement.classList.toggle('full', told.full === true); break;
    case 'reset': model.reset(); break;
  }
});
dress();
document.addEventListener('visibilitychange', () => { if (model.open) model.read(); });
if (model.framed) window.parent.postMessage({ centrala: 'ready' }, '*'); // it says nothing, and whoever is there answers with its origin
else { document.documentElement.classList.add('full'); void model.begin(); }
render(<App />, document.getElementById('app')!);

// What sites put into their pages: it makes a frame of the server's, and is all of ours that
// runs there. The two talk by messages, each with one that is of the right window and origin.
//
//   <script async src="https://centrala.example/widget.js" data-channel="website"></script>
//
// window.centrala then has open(), close(), identify(token), reset() and language(code); before
// the script is loaded it may hold {identity, language}, where identity may be a function.

interface Told { centrala?: string; open?: boolean; unread?: number }

(() => {
  const script = document.currentScript as HTMLScriptElement | null;
  const channel = script?.dataset.channel;
  if (!script || !channel || document.querySelector('iframe[data-centrala]')) return;
  const server = new URL(script.src);
  type Identity = string | (() => string | Promise<string>);
  const given = ((window as unknown as { centrala?: { identity?: Identity; language?: string } }).centrala) ?? {};
  let identity: Identity | undefined = given.identity ?? script.dataset.identity;
  let language = given.language ?? script.dataset.language ?? '';

  const frame = document.createElement('iframe');
  frame.dataset.centrala = channel;
  frame.title = script.dataset.title ?? 'Chat';
  frame.allow = 'microphone; autoplay'; // of calls, for which the browser asks the visitor
  frame.src = `${server.origin}/widget/${encodeURIComponent(channel)}`;
  const narrow = matchMedia('(max-width: 480px)');
  let open = false;
  const place = () => {
    const full = open && narrow.matches;
    Object.assign(frame.style, {
      position: 'fixed', zIndex: '2147483000', border: '0', background: 'transparent', colorScheme: 'light dark',
      right: '0', bottom: '0', maxWidth: '100vw', maxHeight: full ? '100dvh' : '100vh',
      width: full ? '100vw' : open ? '424px' : '96px', height: full ? '100dvh' : open ? '720px' : '96px',
    });
    tell('full', { full });
  };
  const tell = (what: string, more: object = {}) => frame.contentWindow?.postMessage({ centrala: what, ...more }, server.origin);
  place();
  narrow.addEventListener('change', place);
  const identify = async () => {
    let word: string | undefined;
    try { word = await (typeof identity === 'function' ? identity() : identity); } catch (e) { console.warn('centrala: the site cannot say who this is', e); }
    tell('identity', { identity: word ?? '' });
  };
  addEventListener('message', e => {
    if (e.source !== frame.contentWindow || e.origin !== server.origin) return;
    const told = e.data as Told;
    switch (told?.centrala) {
      case 'ready':
        tell('hello', { language });
        place();
        void identify();
        break;
      case 'identity':
        void identify();
        break;
      case 'open':
        open = told.open === true;
        place();
        if (!open) frame.blur();
        break;
      case 'unread':
        dispatchEvent(new CustomEvent('centrala:unread', { detail: told.unread }));
        break;
    }
  });
  (window as unknown as { centrala: object }).centrala = {
    open: () => tell('open'), close: () => tell('close'), reset: () => { identity = undefined; tell('reset'); },
    identify: (x: Identity) => { identity = x; void identify(); },
    language: (x: string) => { language = x; tell('language', { language }); },
  };
  const put = () => document.body.append(frame);
  if (document.body) put(); else addEventListener('DOMContentLoaded', put);
})();

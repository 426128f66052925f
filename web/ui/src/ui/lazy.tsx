// Screens that are loaded when they are first opened.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { speakOfPast, t } from '../i18n';

/** A screen whose code, and texts, come once it is shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [state, setState] = useState<'loading' | 'there' | 'failed'>(Loaded ? 'there' : 'loading');
    useEffect(() => {
      if (state !== 'loading') return;
      Promise.all([load(), speakOfPast()]).then(([c]) => { Loaded = c; setState('there'); }, () => setState('failed'));
    }, [state]);
    if (Loaded) return <Loaded {...props} />;
    if (state === 'failed') {
      return <main class="desk"><div class="card"><p class="empty" role="alert">{t('problem.unreachable')}</p><p><button onClick={() => location.reload()}>{t('again')}</button></p></div></main>;
    }
    return <main class="desk" aria-busy="true" />;
  };
}

/** A part of a screen whose code comes after it; until then, and without it, nothing is in its place. */
export function lazyPart<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  return function LazyPart(props: P) {
    const [, setThere] = useState(Loaded !== undefined);
    useEffect(() => { if (!Loaded) load().then(c => { Loaded = c; setThere(true); }, () => {}); }, []);
    return Loaded ? <Loaded {...props} /> : null;
  };
}

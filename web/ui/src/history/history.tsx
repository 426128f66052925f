import { useEffect } from 'preact/hooks';
import { t } from '../i18n';
import { CallPage } from './call';
import './history.css';
import { History, Missed } from './list';
import { choices, learn } from './words';

/** What has been: the list, who is to be called back, one call. The path is behind #/history/. */
export function HistoryScreen({ path }: { path: string }) {
  useEffect(() => { void learn('/history/choices'); }, []);
  if (!choices.value) return <main class="past" aria-busy="true" aria-label={t('nav.history')} />;
  if (/^\d+$/.test(path)) return <CallPage id={path} />;
  const missed = path === 'missed';
  return (
    <main class="past">
      <header class="past-head">
        <h1>{t('nav.history')}</h1>
        <nav class="tabs" aria-label={t('nav.history')}>
          <a href="#/history" aria-current={missed ? undefined : 'page'}>{t('history.all')}</a>
          <a href="#/history/missed" aria-current={missed ? 'page' : undefined}>{t('history.missed')}</a>
        </nav>
      </header>
      {missed ? <Missed /> : <History />}
    </main>
  );
}

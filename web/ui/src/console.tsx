import { render } from 'preact';
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { Refused } from './api';
import { DeskScreen } from './desk/desk';
import { OfferCard } from './desk/offer';
import { speak, t, tWord } from './i18n';
import { live } from './live';
import { Brand, ChoosePassword, Login } from './login';
import { ringsHere } from './notify';
import { showDevices, Devices } from './phone/line';
import { install } from './phone/station';
import { language, languages, rings, theme } from './prefs';
import { enterByLink, may, me, restore, signOut, supervises } from './session';
import { Keys, listen } from './shortcuts';
import { Icon } from './ui/icon';
import { Above } from './ui/dialog';
import { lazy } from './ui/lazy';
import { Menu } from './ui/menu';
import { act, Toasts } from './ui/toast';
import { Wallboard } from './wallboard/wallboard';

// A television is given an address without anything behind #.
if (new URLSearchParams(location.search).get('tv') === '1') history.replaceState(null, '', location.pathname + '#/wallboard/tv');

/** The screen, as the address has it behind #/. */
const place = signal(location.hash.slice(2));
addEventListener('hashchange', () => {
  place.value = location.hash.slice(2);
  enterByLink().catch((e: unknown) => { if (!(e instanceof Refused)) throw e; });
});

const HistoryScreen = lazy(async () => (await import('./history/history')).HistoryScreen);
const ReportsScreen = lazy(async () => (await import('./reports/reports')).ReportsScreen);
const PathScreen = lazy(async () => (await import('./path/path')).PathScreen);

const screens = [
  { path: 'desk', label: 'nav.desk', for: () => !!me.value?.agent },
  { path: 'wallboard', label: 'nav.wallboard', for: () => may('agents:read') },
  { path: 'history', label: 'nav.history', for: () => may('history:read') },
  { path: 'reports', label: 'nav.reports', for: () => may('reports:read') },
  { path: 'path', label: 'nav.path', for: () => supervises() && may('agents:read') },
] as const;

function App() {
  if (me.value === undefined) return null;
  if (me.value === null) return <Login />;
  if (me.value.choose_password) return <ChoosePassword />;
  return <Shell />;
}

function Shell() {
  const [help, setHelp] = useState(false);
  useEffect(() => listen(() => setHelp(true)), []);
  const open = screens.filter(s => s.for());
  const here = open.find(s => place.value.split('/')[0] === s.path) ?? open[0];
  const tv = here?.path === 'wallboard' && place.value === 'wallboard/tv';
  return (
    <>
      {!tv && <Top here={here?.path} open={open} onHelp={() => setHelp(true)} />}
      {live.lost.value && <p class="lost" role="alert">{t('lost')}</p>}
      {here?.path === 'desk' && <DeskScreen />}
      {here?.path === 'wallboard' && <Wallboard tv={tv} />}
      {here?.path === 'history' && <HistoryScreen path={place.value.slice('history/'.length)} />}
      {here?.path === 'reports' && <ReportsScreen />}
      {here?.path === 'path' && <PathScreen />}
      {!here && <main class="desk"><p class="card empty">{t('nothing-to-see')}</p></main>}
      <Above of={OverAll} />
      <Devices />
      {help && <Keys onClose={() => setHelp(false)} />}
    </>
  );
}

function OverAll() {
  return (
    <>
      {me.value?.agent && may('agents:read') && <OfferCard />}
      <Toasts />
    </>
  );
}

function Top({ here, open, onHelp }: { here?: string; open: readonly (typeof screens)[number][]; onHelp: () => void }) {
  const themes = ['auto', 'light', 'dark'] as const;
  return (
    <header class="top">
      <a class="brand" href="#/"><Brand />{t('product')}</a>
      <nav aria-label={t('nav')}>
        {open.map(s => <a key={s.path} href={`#/${s.path}`} aria-current={here === s.path ? 'page' : undefined}>{t(s.label)}</a>)}
      </nav>
      <button class="quiet" onClick={onHelp} aria-label={t('keys.title')}><Icon name="keyboard" /></button>
      <Menu class="quiet" label={t('menu', { user: me.value?.user ?? '' })} items={[
        ...languages.map(l => ({ label: tWord('language', l), checked: language.value === l, run: () => void speak(l) })),
        null,
        ...themes.map(x => ({ label: tWord('theme', x), checked: theme.value === x, run: () => { theme.value = x; } })),
        null,
        ...(me.value?.agent ? [{ label: t('rings.on'), checked: ringsHere(), run: () => { rings.value = true; } }, { label: t('rings.off'), checked: !ringsHere(), run: () => { rings.value = false; } }, { label: t('sound.open'), run: showDevices }, null] : []),
        { label: t('sign-out'), run: () => void act(signOut()) },
      ]}>
        <span class="user">{me.value?.user}</span><Icon name="menu" />
      </Menu>
    </header>
  );
}

await speak(language.value);
for (let wait = 1000; me.value === undefined; wait = Math.min(wait * 2, 15000)) {
  try {
    await enterByLink();
    await restore();
    me.value ??= null;
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    await new Promise(done => setTimeout(done, wait)); // the server starts, or the network is away
  }
}
document.title = t('product');
install();
render(<App />, document.getElementById('app')!);

// The wallboard on a wall: large figures, nothing to press, and no callers' numbers. Where there are more groups than can be read
// at once they take turns.
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { BoardCall, BoardGroup } from '../api';
import { now } from '../clock';
import { t, timeOfDay } from '../i18n';
import { Icon } from '../ui/icon';
import { Elapsed } from '../ui/time';
import { lateness, level } from './judge';
import { Census, first, Fresh, Totals, type Standing } from './parts';

const most = 6; // groups at once
const turn = 10_000; // milliseconds

/** How many groups there is room for at once: one less each time that the page is higher than the screen. */
function useRoom() {
  const [room, setRoom] = useState(most);
  useLayoutEffect(() => { if (room > 1 && document.documentElement.scrollHeight > innerHeight) setRoom(room - 1); });
  useEffect(() => {
    const anew = () => setRoom(most);
    addEventListener('resize', anew);
    return () => removeEventListener('resize', anew);
  }, []);
  return room;
}

export function Television(p: Standing) {
  const atOnce = useRoom();
  const pages = Math.max(1, Math.ceil(p.groups.length / atOnce));
  const at = Math.floor(now.value / turn) % pages;
  const groups = p.groups.slice(at * atOnce, (at + 1) * atOnce);
  return (
    <main class="wallboard tv" data-page={at}>
      <header class="board-head">
        <h1>{t('nav.wallboard')}</h1>
        <Fresh />
        {pages > 1 && <p class="hint digits">{t('board.page', { n: at + 1, of: pages })}</p>}
        <span class="grow" />
        <a class="button quiet" href="#/wallboard" onClick={() => { if (document.fullscreenElement) void document.exitFullscreen(); }}><Icon name="close" /><span class="unseen">{t('board.leave-tv')}</span></a>
        <time class="clock digits">{timeOfDay(new Date(now.value).toISOString())}</time>
      </header>
      <Totals {...p} />
      <ul class="screens">{groups.map(g => <Screen key={g.id} group={g} waiting={p.waiting.filter(i => i.group === g.id)} />)}</ul>
    </main>
  );
}

function Screen({ group: g, waiting }: { group: BoardGroup; waiting: BoardCall[] }) {
  const earliest = first(waiting);
  const { tone, word } = lateness(earliest, g);
  const l = level(g);
  return (
    <li class={`screen tone-${tone}`} data-group={g.id}>
      <h2>{g.name}</h2>
      <p class="verdict">{word}</p>
      <dl>
        <div><dt>{t('board.waiting')}</dt><dd class="huge digits" data-waiting>{waiting.length}</dd></div>
        <div><dt>{t('board.longest')}</dt><dd class="huge">{earliest ? <Elapsed from={earliest} /> : t('none')}</dd></div>
        <div class={`tone-${l?.tone ?? 'calm'}`}><dt>{t('board.level')}</dt><dd><strong class="digits">{l?.share ?? t('none')}</strong> <span>{l?.word ?? t('level.unknown')}</span></dd></div>
        <div><dt>{t('board.abandoned')}</dt><dd><strong class="digits">{g.today.known ? g.today.abandoned : t('none')}</strong></dd></div>
      </dl>
      <Census group={g} />
    </li>
  );
}

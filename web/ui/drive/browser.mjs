// A browser that is told what to do: a line of JSON for each step on the standard input, a line for
// each answer on the standard output. The tests in e2e drive it, beside their callers and phones.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const patience = 60_000; // milliseconds: machines are busy at times
const home = mkdtempSync(join(tmpdir(), 'centrala-browser-'));
const context = await chromium.launchPersistentContext(home, {
  executablePath: process.env.CENTRALA_CHROMIUM ?? '/usr/bin/chromium', headless: true, ignoreHTTPSErrors: true, reducedMotion: 'reduce',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...microphone()],
});
context.setDefaultTimeout(patience);
const complaints = []; // of the pages: what they threw, what their policy forbade
context.on('page', watch);
let page = context.pages()[0] ?? await context.newPage();
watch(page);

let network; // that in which the network was cut
let measured; // that in which durations are counted

/** With a microphone that hears a file, over and over, and what CENTRALA_CHROMIUM_FLAGS says of it; nothing else of Chromium's changed. */
function microphone() {
  const more = process.env.CENTRALA_CHROMIUM_FLAGS?.split(' ') ?? [];
  const file = process.env.CENTRALA_MICROPHONE;
  return file ? [...more, '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${file}`, '--allow-loopback-in-peer-connection', '--mute-audio'] : more;
}

function watch(p) {
  p.on('pageerror', e => complaints.push(String(e)));
  p.on('console', m => { if (m.type() === 'error' && !m.text().includes('status of 4')) complaints.push(m.text()); });
  p.on('dialog', d => void d.accept()); // "leave the page?"
}

/** What a step is about: a CSS selector, or a role with its accessible name, within another one perhaps. */
function find(q) {
  const root = q.within ? find(q.within) : q.frame ? page.frameLocator(q.frame) : page;
  return q.css ? root.locator(q.css) : root.getByRole(q.role, { name: q.name, exact: q.exact ?? true });
}

/** The page, or the frame in it that a step is about. */
const framed = async q => q.frame ? (await page.waitForSelector(q.frame)).contentFrame() : page;

const steps = {
  open: q => page.goto(q.url),
  reload: () => page.reload(),
  click: q => find(q).click(),
  fill: q => find(q).fill(q.text ?? ''),
  upload: q => find(q).setInputFiles(q.path.split('\n')),
  select: q => find(q).selectOption(q.text ?? ''),
  // Chooses the nth of a list.
  choose: q => find(q).selectOption({ index: q.number }),
  press: q => page.keyboard.press(q.text),
  keydown: q => page.evaluate(init => document.dispatchEvent(new KeyboardEvent('keydown', { ...init, bubbles: true, cancelable: true })), q.value),
  see: q => find(q).first().waitFor({ state: 'visible' }),
  gone: q => find(q).first().waitFor({ state: 'hidden' }),
  text: q => find(q).first().innerText(),
  texts: q => find(q).allInnerTexts(),
  count: q => find(q).count(),
  all: q => find(q).evaluateAll((list, name) => list.map(e => e.dataset[name]), q.text),
  // Waits until the page has complained of this.
  async wait(q) {
    for (const end = Date.now() + patience; !complaints.some(c => c.includes(q.text));) {
      if (Date.now() > end) throw new Error('it never complained');
      await new Promise(done => setTimeout(done, 20));
    }
  },
  run: q => page.evaluate(q.text),
  // The page's policy forbids it to evaluate text itself.
  async until(q) {
    const where = await framed(q);
    const holds = () => where.evaluate(q.text).catch(e => { if (!String(e).includes('context was destroyed')) throw e; }); // the page is loaded anew
    for (const end = Date.now() + patience; !await holds();) {
      if (Date.now() > end) throw new Error('it did not come to that');
      await new Promise(done => setTimeout(done, 20));
    }
  },
  size: q => page.setViewportSize({ width: q.width, height: q.height }),
  scheme: q => page.emulateMedia({ colorScheme: q.text }),
  allow: () => context.grantPermissions(['notifications']),
  // What the user lets pages do; whatever is not named here they may not.
  permit: q => context.clearPermissions().then(() => context.grantPermissions(q.value)),
  // Cuts the page off the network, with the audio of its calls; or no longer. Calls must have begun after the first such step.
  async cut(q) {
    network ??= await context.newCDPSession(page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', { offline: q.value, latency: 1, downloadThroughput: -1, uploadThroughput: -1, packetLoss: q.value ? 100 : 0 });
  },
  // Goes on with another tab, which is opened if there is none of this number.
  async tab(q) {
    page = context.pages()[q.number ?? 0] ?? await context.newPage();
    await page.bringToFront();
  },
  // Opens another tab before this one, and goes on with this one all the same, which nobody looks at any more. Playwright has every
  // page take itself for looked at, by a session of its own, and has no other way of ending that.
  async background() {
    const { _mainFrameSession: own } = page._connection.toImpl(page).delegate;
    await own._client.send('Emulation.setFocusEmulationEnabled', { enabled: false });
    await (await context.newPage()).bringToFront();
  },
  // Closes the tab, as its user does.
  async leave() {
    await page.close({ runBeforeUnload: false });
    page = context.pages()[0];
  },
  // The page's clock goes on as it does, until it is put forward. To be asked for before the page is opened.
  clock: () => context.clock.install(),
  forward: q => page.clock.fastForward(q.text),
  // Has the tab stand still, as browsers do with those in the background; or no longer.
  async freeze(q) {
    const session = await context.newCDPSession(page);
    await session.send('Page.enable');
    await session.send('Page.setWebLifecycleState', { state: q.value ? 'frozen' : 'active' });
    await session.detach();
  },
  picture: q => page.screenshot({ path: q.path }).then(() => null),
  // What is cut off, squeezed to a letter a line, or makes the page wider than the window.
  clipped: async q => (await framed(q)).evaluate(`(() => {
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page is ' + document.documentElement.scrollWidth + ' wide, the window ' + innerWidth);
    for (const e of document.body.querySelectorAll('*')) {
      const box = e.getBoundingClientRect();
      const hides = getComputedStyle(e).overflowX !== 'visible' && !e.matches('.scroll, .unseen, svg, svg *, dialog, input, select, progress, .user');
      if (box.width > 0 && box.width < 40 && box.height > 4 * box.width && e.innerText?.trim().length > 5) found.push('squeezed: ' + e.tagName + '.' + e.className + ': ' + e.innerText.slice(0, 60));
      if (box.width > 0 && hides && e.scrollWidth > e.clientWidth + 1) found.push(e.tagName + '.' + e.className + ': ' + e.innerText.slice(0, 60));
      if (box.width > 0 && box.right > innerWidth + 1 && !e.closest('.scroll, .unseen, [role=menu]')) found.push('beyond the edge: ' + e.tagName + '.' + e.className + ': ' + (e.innerText ?? '').slice(0, 60));
    }
    return found.slice(0, 5);
  })()`),
  // How long the page has been at what, in seconds, since it was asked first.
  async metrics() {
    measured ??= await context.newCDPSession(page);
    await measured.send('Performance.enable');
    const { metrics } = await measured.send('Performance.getMetrics');
    return Object.fromEntries(metrics.filter(m => m.name.endsWith('Duration')).map(m => [m.name, m.value]));
  },
  complaints: () => complaints.splice(0),
  // axe is put in by the browser itself, so that the page's policy stands.
  async axe() {
    const session = await context.newCDPSession(page);
    const { readFileSync } = await import('node:fs');
    await session.send('Runtime.evaluate', { expression: readFileSync(axe, 'utf8') });
    await session.detach();
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    return violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).slice(0, 3).join(' | ')}`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const q = JSON.parse(line);
  try {
    const value = await steps[q.do](q);
    const plain = value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value) && value.constructor !== Object) ? null : value;
    console.log(JSON.stringify({ value: plain }));
  } catch (e) {
    console.log(JSON.stringify({ error: String(e) }));
  }
}
await context.close();
rmSync(home, { recursive: true, force: true });

// The way to the server: frames over a WebSocket, over a stream of events where that does not
// get through, and by asking again and again where that does not either. Whatever carries them,
// nothing is lost and nothing comes twice: what comes is numbered, and what is sent has an id and
// is sent again until the server says that it is kept.

export interface Shown { id: string; name: string; type: string; size: number }
export interface Message { seq: number; by: 'customer' | 'agent' | 'system'; name?: string; title?: string; face?: string; id?: string; text?: string; at: string; files?: Shown[] }
export interface State {
  phase: 'none' | 'waiting' | 'asleep' | 'active' | 'closing' | 'closed'; session?: string; agent?: string; beside?: string; position?: number; minutes?: number;
  open: boolean; opens?: string; read: number; seen: number; rate?: boolean; mail?: string;
}
export interface Consent { version: string; text: string; link?: string }
export interface Session {
  token: string; verified: boolean; name: string; origins: string[]; language?: string; color?: string; form: string[]; consent?: Consent; file_max: number; begun: boolean; call?: boolean;
}
export type Frame =
  | { type: 'messages'; to: number; more?: boolean; reset?: boolean; items: Message[] }
  | ({ type: 'state' } & State)
  | { type: 'kept'; id?: string } | { type: 'refused'; id?: string; code: string; retry?: number }
  | { type: 'typing'; name: string } | { type: 'beat' };

export class Refused extends Error {
  constructor(readonly code: string, readonly retry: number) { super(code); }
}

/** After so long without a sign of life the connection is taken for dead. */
const silence = 50_000;
const ways = ['socket', 'stream', 'poll'] as const;
type Way = (typeof ways)[number];

export class Link {
  online = false;
  private token = '';
  private way = 0;
  private failures = 0;
  private socket?: WebSocket;
  private abort?: AbortController;
  private timer = 0;
  private heard = 0;
  private turn = 0; // of the present connection; whatever an older one says is not for us
  private pollState = '';

  constructor(private readonly base: string, private readonly since: () => number, private readonly take: (f: Frame) => void, private readonly told: () => void) {
    const again = () => { if (document.visibilityState === 'visible' && this.token && !this.online) this.connect(); };
    addEventListener('online', again);
    addEventListener('offline', () => this.lost(this.turn));
    document.addEventListener('visibilitychange', again);
    setInterval(() => { if (this.online && Date.now() - this.heard > silence) this.lost(this.turn); }, 5_000);
  }

  start(token: string) { this.token = token; this.failures = 0; this.connect(); }
  stop() { this.token = ''; this.turn++; clearTimeout(this.timer); this.cut(); this.set(false); }

  /** Sends a frame that need not arrive. */
  hint(frame: object) { void this.send(frame).catch(() => undefined); }

  /** Sends a frame: over the socket, whose answer is a frame, or by a request, whose answer is made one. */
  async send(frame: object): Promise<void> {
    if (this.socket?.readyState === WebSocket.OPEN) { this.socket.send(JSON.stringify(frame)); return; }
    try {
      this.take(JSON.parse(await this.request('POST', 'frames', JSON.stringify(frame))) as Frame);
    } catch (e) {
      if (!(e instanceof Refused) || e.code === 'unreachable') throw e;
      this.take({ type: 'refused', id: (frame as { id?: string }).id, code: e.code, retry: e.retry });
    }
  }

  async request(method: string, path: string, body?: BodyInit, signal?: AbortSignal): Promise<string> {
    return (await this.fetch(method, path, body, signal)).text();
  }

  async fetch(method: string, path: string, body?: BodyInit, signal?: AbortSignal): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(`${this.base}/${path}`, { method, body, signal, credentials: 'omit', cache: 'no-store', headers: this.token ? { Authorization: `Bearer ${this.token}` } : {} });
    } catch {
      throw new Refused('unreachable', 0);
    }
    if (answer.ok) return answer;
    let problem: { code?: string; retry?: number } = {};
    try { problem = await answer.json() as typeof problem; } catch { /* it is no answer of the server's */ }
    throw new Refused(problem.code ?? 'unreachable', problem.retry ?? 0);
  }

  private connect() {
    clearTimeout(this.timer);
    this.cut();
    if (!this.token) return;
    const turn = ++this.turn;
    const way: Way = ways[this.way];
    if (way === 'socket') this.viaSocket(turn);
    else void (way === 'stream' ? this.viaStream(turn) : this.viaPoll(turn)).catch((e: unknown) => this.lost(turn, e));
  }

  private cut() { this.socket?.close(); this.socket = undefined; this.abort?.abort(); this.abort = undefined; }

  private viaSocket(turn: number) {
    const socket = new WebSocket(`${this.base.replace(/^http/, 'ws')}/socket`);
    this.socket = socket;
    const opening = setTimeout(() => this.lost(turn), 10_000);
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', token: this.token, since: this.since() }));
    socket.onmessage = e => { clearTimeout(opening); this.hear(turn, JSON.parse(e.data as string) as Frame); };
    socket.onclose = () => { clearTimeout(opening); this.lost(turn); };
  }

  private async viaStream(turn: number) {
    const reader = (await this.fetch('GET', `stream?since=${this.since()}`, undefined, this.signal())).body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return this.lost(turn);
      const parts = (rest + value).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) if (part.startsWith('data: ')) this.hear(turn, JSON.parse(part.slice(6)) as Frame);
    }
  }

  private async viaPoll(turn: number) {
    for (this.pollState = ''; turn === this.turn;) {
      const page = JSON.parse(await this.request('GET', `poll?since=${this.since()}&state=${this.pollState}`, undefined, this.signal())) as { frames: Frame[] | null; state: string };
      this.pollState = page.state;
      this.hear(turn, { type: 'beat' });
      for (const f of page.frames ?? []) this.hear(turn, f);
    }
  }

  private signal() { return (this.abort = new AbortController()).signal; }

  private hear(turn: number, f: Frame) {
    if (turn !== this.turn) return;
    this.heard = Date.now();
    if (f.type === 'beat') {
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('{"type":"beat"}');
    }
    if (f.type !== 'refused' || f.id) {
      this.failures = 0;
      this.set(true);
    }
    this.take(f);
  }

  /** The connection is gone: another one soon, at once if it had worked, and by another way if this one never does. */
  private lost(turn: number, why?: unknown) {
    if (turn !== this.turn) return;
    this.turn++;
    const worked = this.online;
    this.set(false);
    this.cut();
    if (!this.token) return;
    if (why instanceof Refused && why.code !== 'unreachable') this.take({ type: 'refused', code: why.code, retry: why.retry });
    if (!worked && ++this.failures % 3 === 0) this.way = (this.way + 1) % ways.length;
    const pause = Math.min(500 * 2 ** Math.min(this.failures, 6), 30_000) * (0.5 + Math.random());
    this.timer = window.setTimeout(() => this.connect(), worked ? 200 + 800 * Math.random() : pause);
  }

  private set(online: boolean) {
    if (this.online === online) return;
    this.online = online;
    this.told();
  }
}

// A board as its changes make it: the one of the server, thing by thing.
import type { Agent, BoardCall, BoardChange, BoardGroup, BoardLine } from './api.gen';

export class Mirror {
  /** Of the board as it is; empty: nothing is known yet. */
  id = '';
  at = '';
  entry = '';
  agents = new Map<string, Agent>();
  groups = new Map<string, BoardGroup>();
  lines = new Map<string, BoardLine>();
  calls = new Map<string, BoardCall>();
  positions = new Map<string, number>();

  /** Takes a change; false: it does not fit what is here, and all of it has to be asked for anew. */
  take(c: BoardChange): boolean {
    if (!c.from) this.clear();
    else if (c.from !== this.id) return false;
    for (const x of c.agents) this.agents.set(x.id, x);
    for (const x of c.groups) this.groups.set(x.id, x);
    for (const x of c.lines) this.lines.set(x.id, x);
    for (const x of c.calls) this.calls.set(x.id, x);
    for (const [id, n] of Object.entries(c.positions)) {
      if (n > 0) this.positions.set(id, n);
      else this.positions.delete(id);
    }
    for (const id of c.gone.agents) this.agents.delete(id);
    for (const id of c.gone.groups) this.groups.delete(id);
    for (const id of c.gone.lines) this.lines.delete(id);
    for (const id of c.gone.calls) { this.calls.delete(id); this.positions.delete(id); }
    this.id = c.id;
    this.at = c.at;
    this.entry = c.entry;
    const { agents, groups, lines, calls } = c.size;
    return agents === this.agents.size && groups === this.groups.size && lines === this.lines.size && calls === this.calls.size;
  }

  clear() {
    this.id = '';
    for (const m of [this.agents, this.groups, this.lines, this.calls, this.positions]) m.clear();
  }

  /** All of it as one change, for whoever begins to look. */
  whole(): BoardChange {
    return {
      id: this.id, at: this.at, entry: this.entry,
      agents: [...this.agents.values()], groups: [...this.groups.values()], lines: [...this.lines.values()], calls: [...this.calls.values()],
      positions: Object.fromEntries(this.positions), gone: { agents: [], groups: [], lines: [], calls: [] },
      size: { agents: this.agents.size, groups: this.groups.size, lines: this.lines.size, calls: this.calls.size },
    };
  }
}

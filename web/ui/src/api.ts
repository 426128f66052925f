// The way to the server's API. Errors are Problems (RFC 9457) with a code that never changes;
// what people read is made from the code, by the catalogue.
import type { Problem } from './api.gen';

export * from './api.gen';

export class Refused extends Error {
  constructor(readonly problem: Problem, readonly retryAfter: number) {
    super(problem.code);
  }
  get code() { return this.problem.code; }
  get status() { return this.problem.status; }
}

let whenSignedOut = () => {};

/** Has f called when the server says that nobody is signed in any more. */
export function onSignedOut(f: () => void) { whenSignedOut = f; }

/** Has it be known that nobody is signed in any more. */
export function signedOut() { whenSignedOut(); }

const prefix = '/api/v1';

function unreachable(code: string, status = 0): Problem {
  return { code, status, title: '', type: '' };
}

/** Milliseconds by which the server's clock is ahead of this machine's. */
export let clockAhead = 0;

let measured = false;

/** Takes the server's time from an answer that told it. */
export function heardTime(server: string) {
  const ahead = Date.parse(server) - Date.now();
  // The answer has been under way for a little: the largest value is the nearest one.
  if (!measured || ahead > clockAhead || ahead < clockAhead - 2000) clockAhead = ahead;
  measured = true;
}

/** Sends a request and returns the text of the answer. */
export async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<string> {
  let answer: Response, text: string;
  try {
    answer = await fetch(prefix + path, {
      method, signal, credentials: 'same-origin', cache: 'no-store',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await answer.text(); // which may break off
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Refused(unreachable('unreachable'), 0);
  }
  if (answer.ok) return text;
  let problem: Problem;
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    problem = unreachable(answer.status >= 500 ? 'internal' : 'bad_request', answer.status);
  }
  if (answer.status === 401 && problem.code === 'not_signed_in') whenSignedOut();
  throw new Refused(problem, Number(answer.headers.get('Retry-After') ?? 0));
}

/** Sends a request and returns what was answered; undefined: nothing was. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const text = await send(method, path, body);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** A part of an address. */
export const at = encodeURIComponent;
